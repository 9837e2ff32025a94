"""The paper's claims as the gallery shows them: each with our numbers, intervals and verdicts, and a scale to
draw them on. They come from the table that the rule ``comparison`` writes.
"""

import csv
import io
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ntklens.analysis.claims import VERDICTS, Claim, Interval
from ntklens.analysis.comparison import number_in_words

MARGIN = 0.06  # of the scale's length, left free on each side


@dataclass(frozen=True)
class Place:
    """Where a number and its interval lie on the scale of their claim, in per cent of its length."""

    low: float
    width: float | None  # None without an interval
    estimate: float


@dataclass(frozen=True)
class Result:
    """A claim on one curve: our number with its interval, in words and on the claim's scale."""

    curve: str
    number: str
    verdict: str
    how: str  # how the number is computed, or why it is not
    place: Place | None  # None for what was not measured

    @property
    def mark(self) -> str:
        """The verdict's name in style sheets."""
        return self.verdict.replace(" ", "-")


@dataclass(frozen=True)
class ShownClaim:
    """A claim and its results. ``accepted`` is its range's place on the scale."""

    section: str
    figure: str
    says: str
    paper: str  # its range in words
    results: list[Result]
    accepted: Place | None


def shown_claims(table: str, claims: Iterable[Claim]) -> list[ShownClaim]:
    """The claims of ``table``, the text of a CSV file of the rule ``comparison``, in its order.

    ``claims`` are those of config/claims.yaml; the ranges to draw come from them.
    """
    accepted = {claim.id: claim for claim in claims}
    rows: dict[str, list[Mapping[str, str]]] = {}
    for row in csv.DictReader(io.StringIO(table)):
        rows.setdefault(row["id"], []).append(row)
    return [_shown(own, accepted.get(name)) for name, own in rows.items()]


def counts_of(claims: Iterable[ShownClaim]) -> list[tuple[str, int]]:
    """How many results of all ``claims`` have each verdict, without those that none has."""
    found = Counter(own.verdict for claim in claims for own in claim.results)
    return [(verdict, found[verdict]) for verdict in VERDICTS if found[verdict]]


def _shown(rows: Sequence[Mapping[str, str]], claim: Claim | None) -> ShownClaim:
    first, scale = rows[0], _Scale.of(rows, claim)
    return ShownClaim(
        section=first["section"],
        figure=first["figure"],
        says=first["claim"],
        paper=_signed(first["paper"]),
        results=[_result(row, scale) for row in rows],
        accepted=scale.place(claim.accepted, None) if scale and claim else None,
    )


def _result(row: Mapping[str, str], scale: "_Scale | None") -> Result:
    estimate, low, high = (_number(row[key]) for key in ("ours", "low", "high"))
    interval = Interval(low, high)
    measured = not math.isnan(estimate)
    return Result(
        curve=row["curve"],
        number=_signed(number_in_words(estimate, interval)) if measured else "–",
        verdict=row["verdict"],
        how=row["how it is computed"],
        place=scale.place(interval, estimate) if scale and measured else None,
    )


@dataclass(frozen=True)
class _Scale:
    """A linear or logarithmic scale from ``low`` to ``high``."""

    low: float
    high: float
    logarithmic: bool

    @classmethod
    def of(cls, rows: Sequence[Mapping[str, str]], claim: Claim | None) -> "_Scale | None":
        """A scale on which all numbers of a claim lie, those of its range included; None without a number."""
        numbers = [_number(row[key]) for row in rows for key in ("ours", "low", "high")]
        ours = [number for number in numbers if math.isfinite(number)]
        if not ours:
            return None
        allowed = [end for end in claim.accepted if math.isfinite(end)] if claim else []
        every = [*ours, *allowed]
        logarithmic = claim is not None and claim.factor is not None and min(every) > 0
        if logarithmic:
            every = [math.log(number) for number in every]
        free = MARGIN * ((max(every) - min(every)) or 1.0)
        return cls(min(every) - free, max(every) + free, logarithmic)

    def place(self, interval: Interval, estimate: float | None) -> Place:
        """The place of ``interval``, cut where it leaves the scale, and of ``estimate``."""
        if estimate is not None and any(map(math.isnan, interval)):
            at = round(self._share(estimate), 2)
            return Place(at, None, at)
        low, high = map(self._share, interval)
        at = self._share(estimate) if estimate is not None else low
        return Place(round(low, 2), round(high - low, 2), round(at, 2))

    def _share(self, number: float) -> float:
        if math.isinf(number):
            return 100.0 if number > 0 else 0.0
        if self.logarithmic:
            number = math.log(number) if number > 0 else self.low
        return min(max(100 * (number - self.low) / (self.high - self.low), 0.0), 100.0)


def _number(text: str) -> float:
    return float(text) if text else math.nan


def _signed(text: str) -> str:
    """``text`` with minus signs in place of the hyphens before its numbers."""
    return text.replace("-", "−")
