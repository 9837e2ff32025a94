"""Fitted laws in figures: the law of a record, and its exponent in words."""

from collections.abc import Sequence

from ntklens.analysis.intervals import Interval
from ntklens.analysis.laws import BentLaw
from ntklens.analysis.records import BentLawRecord


def bent_law(record: BentLawRecord) -> BentLaw | None:
    """The law of a record, or None where one of its parameters is censored."""
    level, bend, power = record["level"]["value"], record["bend"]["value"], 1.0
    if record["power"] is not None:
        power = record["power"]["value"]
    if level is None or bend is None or power is None:
        return None
    return BentLaw(record["form"], level, bend, power)


def quoted(exponent: Interval, window: Sequence[int]) -> str:
    """An exponent with its interval and its window, such as ``−0.83 [−0.88, −0.79], 256–1024``.

    An open end is an ellipsis; without an interval, there are no brackets.
    """
    ends = exponent["low"], exponent["high"]
    known = exponent["low_open"] or exponent["high_open"] or None not in ends
    text = two_decimals(exponent["value"])
    if known:
        text += f" [{two_decimals(ends[0])}, {two_decimals(ends[1])}]"
    return f"{text}, {window[0]}–{window[1]}"


def two_decimals(number: float | None) -> str:
    """``number`` with two decimals, without the minus of a negative zero; an ellipsis if there is none."""
    return "…" if number is None else f"{round(number, 2) + 0.0:.2f}".replace("-", "−")
