"""Tables as text: numbers in full as CSV, and Markdown for people."""

import csv
import io
import math
from collections.abc import Iterable, Sequence


def csv_text(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """The ``rows`` as CSV below their ``headings``."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(headings)
    writer.writerows(rows)
    return text.getvalue()


def in_full(value: float) -> str:
    """``value`` with all its digits: ``inf`` for an open end, nothing for NaN."""
    return "" if math.isnan(value) else repr(float(value))


def markdown_lines(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """The lines of a Markdown table. A bar in a cell is escaped: it would end the cell."""
    lines = [_line(headings), "|" + "---|" * len(headings)]
    return lines + [_line([cell.replace("|", "\\|") for cell in row]) for row in rows]


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"
