"""What became of the cases of the fuzz suites, by kind of input."""

from collections import Counter
from collections.abc import Callable
from enum import StrEnum

Tally = Callable[["Outcome"], None]


class Outcome(StrEnum):
    """What may become of a case. A suite fails at the first case with one of the last three."""

    RIGHT = "right"
    REFUSED = "one sentence"
    TRACEBACK = "traceback"
    HANG = "hang"
    WRONG = "silently wrong"


def as_table(counts: dict[str, Counter[str]]) -> list[str]:
    """One line for each kind of input, with the number of cases of each outcome."""
    width = max(map(len, counts))
    header = f"{'kind of input':<{width}} {'tried':>7} " + " ".join(f"{outcome:>14}" for outcome in Outcome)
    lines = [
        f"{kind:<{width}} {own.total():>7} " + " ".join(f"{own[outcome]:>14}" for outcome in Outcome)
        for kind, own in sorted(counts.items())
    ]
    return [header, *lines]
