"""Prints README.md's table of the paper's headline claims beside the results in docs/claims-*.csv.

python docs/claims-table.py --write
"""

import re

from claims_results import CONFIGS, ROOT, Row, number, results
from ntklens.analysis.tables import markdown_lines
from page_blocks import print_or_write

COLUMNS = ("full-scale",)
BLOCK = re.compile(r"(?<=<!-- claims -->\n).*?(?=<!-- end of claims -->\n)", re.DOTALL)


def table(found: dict[str, list[Row]]) -> str:
    """The table in Markdown: one row for each headline claim that some result decides."""
    headings = ["§", "the paper claims", "its range", *(CONFIGS[name] for name in found)]
    lines: list[list[str]] = []
    claims = {row["id"]: row for rows in found.values() for row in rows if row["headline"]}
    for key, claim in claims.items():
        cells = [cell([row for row in rows if row["id"] == key]) for rows in found.values()]
        if any(cells):
            lines.append([claim["section"], claim["claim"], claim["paper"], *cells])
    return "\n".join(markdown_lines(headings, lines)) + "\n"


def cell(rows: list[Row]) -> str:
    """What was measured on each curve, with its verdict."""
    measured = [row for row in rows if row["ours"]]
    return "<br>".join(f"{curve_of(row, rows)}: {number(row)} **{row['verdict']}**" for row in measured)


def curve_of(row: Row, rows: list[Row]) -> str:
    """The row's curve, without its study where all rows have the same."""
    studies = {other["curve"].split(", ")[0] for other in rows}
    return row["curve"].split(", ", 1)[1] if len(studies) == 1 and " − " not in row["curve"] else row["curve"]


def main() -> None:
    shown = {name: rows for name, rows in results().items() if name in COLUMNS}
    print_or_write(__doc__, table(shown), [ROOT / "README.md"], BLOCK)


if __name__ == "__main__":
    main()
