"""Prints README.md's table of the paper's headline claims beside the results in docs/claims-*.csv.

    python docs/claims-table.py --write

The CSV files are copies of results/{name}/tables/paper-comparison.csv.
"""

import csv
import re
from pathlib import Path

from page_blocks import print_or_write

ROOT = Path(__file__).resolve().parents[1]
BLOCK = re.compile(r"(?<=<!-- claims -->\n).*?(?=<!-- end of claims -->\n)", re.DOTALL)
# Name of the config: the heading of its column. Columns have this order.
CONFIGS = {
    "laptop": "5,000 MNIST digits and the 8×8 digits, five seeds (`config/config.yaml`)",
    "reduced": "full MNIST, the paper's epochs and sample numbers (`config/reduced.yaml`)",
}

Row = dict[str, str]


def results() -> dict[str, list[Row]]:
    """The rows of each config's table whose results are in docs/."""
    paths = {name: ROOT / "docs" / f"claims-{name}.csv" for name in CONFIGS}
    return {
        name: list(csv.DictReader(path.read_text("utf-8").splitlines()))
        for name, path in paths.items()
        if path.exists()
    }


def table(found: dict[str, list[Row]]) -> str:
    """The table in Markdown: one row for each headline claim that some result decides."""
    headings = ["§", "the paper claims", "its range", *(CONFIGS[name] for name in found)]
    lines = ["| " + " | ".join(headings) + " |", "|" + "---|" * len(headings)]
    claims = {row["id"]: row for rows in found.values() for row in rows if row["headline"]}
    for key, claim in claims.items():
        cells = [cell([row for row in rows if row["id"] == key]) for rows in found.values()]
        if any(cells):
            lines.append("| " + " | ".join([claim["section"], claim["claim"], claim["paper"], *cells]) + " |")
    return "\n".join(lines) + "\n"


def cell(rows: list[Row]) -> str:
    """What was measured on each curve, with its verdict."""
    measured = [row for row in rows if row["ours"]]
    return "<br>".join(f"{curve_of(row, rows)}: {number(row)} **{row['verdict']}**" for row in measured)


def curve_of(row: Row, rows: list[Row]) -> str:
    """The row's curve, without its study where all rows have the same."""
    studies = {other["curve"].split(", ")[0] for other in rows}
    return row["curve"].split(", ", 1)[1] if len(studies) == 1 and " − " not in row["curve"] else row["curve"]


def number(row: Row) -> str:
    ours, low, high = (short(float(row[key])) for key in ("ours", "low", "high"))
    return f"{ours} [{low}, {high}]".replace("-", "−")


def short(value: float) -> str:
    """Three digits; rounding errors, such as of a slope of constants, are 0."""
    return "0" if abs(value) < 1e-9 else f"{value:.3g}".replace("inf", "∞")


def main() -> None:
    print_or_write(__doc__, table(results()), [ROOT / "README.md"], BLOCK)


if __name__ == "__main__":
    main()
