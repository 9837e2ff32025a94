"""The table that sets every claim of the paper beside the results, as CSV, Markdown and HTML.

One row is one claim on one curve, or on a pair of curves. A claim that no curve of the config can decide has
one row without a number.
"""

import html
import math
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from ntklens.analysis.claims import VERDICTS, Claim, Interval, Verdict
from ntklens.analysis.tables import csv_text, in_full, markdown_lines


class Row(NamedTuple):
    """One claim on one curve, with what was measured; see `row_of`."""

    claim: Claim
    curve: str  # the curve in words; a pair is joined by "−"
    estimate: float  # NaN where nothing was measured
    interval: Interval  # of 95 %
    verdict: Verdict
    how: str  # how the number is computed here, or why it is not


def row_of(claim: Claim, curve: str, estimate: float, interval: Interval, how: str) -> Row:
    """The row of a measured number, with its verdict; one without an interval decides nothing."""
    unknown = math.isnan(interval.low) or math.isnan(interval.high)
    verdict = "not decided" if unknown else interval.verdict_on(claim.accepted)
    return Row(claim, curve, estimate, interval, verdict, how)


def unmeasured(claim: Claim, curve: str, why: str) -> Row:
    """The row of a claim that these results cannot decide."""
    return Row(claim, curve, math.nan, Interval(math.nan, math.nan), "not measured", why)


COLUMNS = (
    "section",
    "figure",
    "claim",
    "curve",
    "paper",
    "ours",
    "low",
    "high",
    "verdict",
    "how it is computed",
    "id",
    "headline",
)


def as_csv(rows: Sequence[Row]) -> str:
    """All rows, with numbers in full."""
    return csv_text(COLUMNS, map(_csv_row, rows))


def _csv_row(row: Row) -> list[str]:
    claim = row.claim
    numbers = [in_full(value) for value in (row.estimate, *row.interval)]
    said = [claim.section, claim.figure, claim.says, row.curve, claim.range_in_words]
    return [*said, *numbers, row.verdict, row.how, claim.id, "yes" if claim.headline else ""]


HEADINGS = ("§", "figure", "the paper claims", "on", "its range", "ours [95 % interval]", "verdict")


def as_markdown(rows: Sequence[Row], title: str) -> str:
    """A page with the counts of verdicts and the table."""
    lines = [f"# {title}", "", counts_in_words(rows), ""]
    lines += markdown_lines(HEADINGS, map(_cells, rows))
    return "\n".join(lines) + "\n"


STYLE = """
:root { color-scheme: light dark; }
body { font-family: system-ui, sans-serif; line-height: 1.4;
       margin: 2rem auto; max-width: 80rem; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; font-size: 0.9rem; }
th, td { border-bottom: 1px solid #8886; padding: 0.35rem 0.6rem; text-align: left; vertical-align: top; }
td.agrees { border-left: 0.4rem solid #009e73; }
td.disagrees { border-left: 0.4rem solid #d55e00; }
td.not-decided { border-left: 0.4rem solid #e69f00; }
td.not-measured { border-left: 0.4rem solid #999; }
"""


def as_html(rows: Sequence[Row], title: str) -> str:
    """The same page as one HTML file; the cell of a number has a tooltip that says how it is computed."""
    head = "".join(f"<th scope='col'>{html.escape(own)}</th>" for own in HEADINGS)
    body = "\n".join(_html_row(row) for row in rows)
    return (
        f"<!doctype html>\n<html lang='en'>\n<head><meta charset='utf-8'><title>{html.escape(title)}</title>"
        f"<meta name='viewport' content='width=device-width'><style>{STYLE}</style></head>\n<body>\n"
        f"<h1>{html.escape(title)}</h1>\n<p>{html.escape(counts_in_words(rows))}</p>\n"
        f"<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>\n</body>\n</html>\n"
    )


def counts_in_words(rows: Sequence[Row]) -> str:
    """How many rows have each verdict."""
    counts = Counter(row.verdict for row in rows)
    listed = ", ".join(f"{verdict} {counts[verdict]}" for verdict in VERDICTS)
    return f"{len(rows)} comparisons: {listed}."


def number_in_words(estimate: float, interval: Interval) -> str:
    """The measured number with its interval, such as ``-0.48 [-0.55, -0.41]``."""
    if math.isnan(estimate):
        return "–"
    if math.isnan(interval.low) or math.isnan(interval.high):
        return f"{_short(estimate)}, without an interval"
    return f"{_short(estimate)} [{_short(interval.low)}, {_short(interval.high)}]"


def _cells(row: Row) -> list[str]:
    claim = row.claim
    number = row.how if row.verdict == "not measured" else number_in_words(row.estimate, row.interval)
    return [claim.section, claim.figure, claim.says, row.curve, claim.range_in_words, number, row.verdict]


def _html_row(row: Row) -> str:
    *cells, number, verdict = map(html.escape, _cells(row))
    plain = "".join(f"<td>{cell}</td>" for cell in cells)
    kind = row.verdict.replace(" ", "-")
    return (
        f"<tr>{plain}<td title='{html.escape(row.how)}'>{number}</td><td class='{kind}'>{verdict}</td></tr>"
    )


def _short(value: float) -> str:
    """``value`` with three significant digits; ∞ for the end that an interval does not have.

    Rounding errors, such as of a slope of constants, are 0.
    """
    if abs(value) < 1e-9:
        return "0"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    return f"{value:.0f}" if 1000 <= abs(value) < 1e5 else f"{value:.3g}"
