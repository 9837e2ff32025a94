"""Prints docs/what-holds.md with its tables, of each claim and of verdicts, as docs/claims-*.csv give them.

python docs/what-holds.py --write
"""

import re
from collections import Counter

from claims_results import ROOT, Row, number, results
from ntklens.analysis.tables import markdown_lines
from page_blocks import print_or_write

PAGE = ROOT / "docs" / "what-holds.md"
TABLE = re.compile(r"(<!-- (counts|claim: ([a-z-]+)) -->\n).*?(<!-- end -->\n)", re.DOTALL)
WHOLE = re.compile(r"\A.*\Z", re.DOTALL)
VERDICTS = ("agrees", "disagrees", "not decided")


def page(found: dict[str, list[Row]]) -> str:
    """The page with all tables made anew."""

    def anew(old: re.Match[str]) -> str:
        return old[1] + (claim(old[3], found) if old[3] else counts(found)) + old[4]

    return TABLE.sub(anew, PAGE.read_text("utf-8"))


def counts(found: dict[str, list[Row]]) -> str:
    """How many verdicts of each kind the results on each dataset get."""
    lines: list[list[str]] = []
    for name, rows in found.items():
        verdicts = Counter((dataset_of(row["curve"]), row["verdict"]) for row in rows if row["ours"])
        for dataset in dict.fromkeys(dataset for dataset, _ in verdicts):
            lines.append([f"`{name}`", dataset, *(str(verdicts[dataset, own]) for own in VERDICTS)])
    return "\n".join(markdown_lines(["results", "on", *VERDICTS], lines)) + "\n"


def dataset_of(curve: str) -> str:
    """The dataset of a curve, or of both curves of a comparison."""
    datasets = dict.fromkeys(one.split(", ", 1)[1].rsplit(", ", 1)[0] for one in curve.split(" − "))
    return " beside ".join(datasets)


def claim(key: str, found: dict[str, list[Row]]) -> str:
    """What every config measured for a claim."""
    rows = [(name, row) for name, own in found.items() for row in own if row["id"] == key]
    if not rows:
        raise SystemExit(f"{PAGE}: no results in docs/claims-*.csv are of a claim {key}")
    first = rows[0][1]
    claimed = f"§{first['section']}. *{first['claim']}.* Range: {first['paper']}.\n"
    measured = [
        [f"`{name}`", row["curve"], number(row), f"**{row['verdict']}**"] for name, row in rows if row["ours"]
    ]
    if not measured:
        return f"{claimed} Not measured.\n"
    headings = ["results", "on", "measured, with 95 % interval", "verdict"]
    return f"{claimed}\n" + "\n".join(markdown_lines(headings, measured)) + "\n"


def main() -> None:
    print_or_write(__doc__, page(results()), [PAGE], WHOLE)


if __name__ == "__main__":
    main()
