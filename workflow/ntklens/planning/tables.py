"""Numbers in readable units, and tables of plain text."""

from collections.abc import Sequence


def hours(seconds: float | int) -> str:
    """``seconds`` in hours, with at most two decimal places."""
    value = seconds / 3600
    if 0 < value < 0.01:
        return "<0.01"
    return f"{value:.0f}" if value >= 10 else f"{value:.1f}" if value >= 1 else f"{value:.2f}"


def duration(seconds: float | int) -> str:
    """``seconds`` in seconds, minutes or hours."""
    if seconds < 99.5:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5970 else f"{seconds / 3600:.1f} h"


def size(count: float | int) -> str:
    """``count`` bytes in the unit that leaves one to three digits."""
    for unit in ("B", "kB", "MB"):
        if count < 999.5:
            return f"{count:.0f} {unit}"
        count /= 1000
    return f"{count:.1f} GB"


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table whose first two columns are aligned left, and the others, which hold numbers, right."""
    widths = [max(map(len, column)) for column in zip(headings, *rows, strict=True)]
    lines = [headings, ["-" * width for width in widths], *rows]
    return "\n".join(_line(line, widths) for line in lines)


def _line(texts: Sequence[str], widths: Sequence[int]) -> str:
    cells = [f"{text:{'<>'[column > 1]}{widths[column]}}" for column, text in enumerate(texts)]
    return "  ".join(cells).rstrip()
