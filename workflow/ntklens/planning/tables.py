"""Numbers as people read them, and tables of plain text."""


def hours(seconds):
    """``seconds`` in hours, two digits where there are hundredths."""
    value = seconds / 3600
    if 0 < value < 0.01:
        return "<0.01"
    return f"{value:.0f}" if value >= 10 else f"{value:.1f}" if value >= 1 else f"{value:.2f}"


def duration(seconds):
    """``seconds`` in the unit that suits them."""
    if seconds < 99.5:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5970 else f"{seconds / 3600:.1f} h"


def size(count):
    """``count`` bytes in the unit that leaves one to three digits."""
    for unit in ("B", "kB", "MB"):
        if count < 999.5:
            return f"{count:.0f} {unit}"
        count /= 1000
    return f"{count:.1f} GB"


def table(headings, rows):
    """Columns of even width, the first two to the left, numbers to the right."""
    widths = [max(map(len, column)) for column in zip(headings, *rows, strict=True)]
    lines = [headings, ["-" * width for width in widths], *rows]
    return "\n".join(_line(line, widths) for line in lines)


def _line(texts, widths):
    cells = [f"{text:{'<>'[column > 1]}{widths[column]}}" for column, text in enumerate(texts)]
    return "  ".join(cells).rstrip()
