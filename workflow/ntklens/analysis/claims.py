"""What the paper claims, and the verdict on each claim by a stated rule.

A claim puts a number into a range. Measured on a config's results, the number has an interval, and the
verdict follows from both:

    agrees         the whole interval lies in the range
    disagrees      no part of the interval lies in the range
    not decided    otherwise

An interval without an end is as wide as it can be: its missing end counts as ±∞.
"""

import math
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, cast

from ntklens.storage.settings import as_json
from ntklens.storage.settings_reader import SettingsError, reader_of

Verdict = Literal["agrees", "disagrees", "not decided", "not measured"]
VERDICTS: tuple[Verdict, ...] = ("agrees", "disagrees", "not decided", "not measured")


class ClaimsError(ValueError):
    """The file of claims cannot be used. The message names the claim and the key."""


class Interval(NamedTuple):
    """The numbers from ``low`` to ``high``; ``-inf`` and ``inf`` where it has no end."""

    low: float
    high: float

    def verdict_on(self, accepted: "Interval") -> Verdict:
        """The verdict where this interval is measured and ``accepted`` is what the claim allows."""
        if math.isnan(self.low) or math.isnan(self.high):
            return "not measured"
        if accepted.low <= self.low and self.high <= accepted.high:
            return "agrees"
        if self.high < accepted.low or accepted.high < self.low:
            return "disagrees"
        return "not decided"


@dataclass(frozen=True)
class Claim:
    """One claim of the paper; config/claims.yaml describes the keys."""

    id: str
    section: str  # of the paper
    figure: str
    says: str  # in our words, and how its number is defined
    studies: tuple[str, ...]
    measure: str  # a function of ntklens.analysis.measures
    quantity: str | None = None
    value: float | None = None
    margin: float | None = None
    factor: float | None = None
    above: float | None = None
    below: float | None = None
    pairs: Literal["datasets", "studies"] | None = None
    hidden_layers: int | None = None
    datasets: tuple[str, ...] = ()
    headline: bool = False  # whether README.md lists it

    @property
    def accepted(self) -> Interval:
        """The range in which the claim puts its number. What it must be above or below is not in it."""
        if self.above is not None:
            return Interval(math.nextafter(self.above, math.inf), math.inf)
        if self.below is not None:
            return Interval(-math.inf, math.nextafter(self.below, -math.inf))
        assert self.value is not None  # by `_check_range`
        if self.factor is not None:
            return Interval(self.value / self.factor, self.value * self.factor)
        return Interval(self.value - (self.margin or 0.0), self.value + (self.margin or 0.0))

    @property
    def range_in_words(self) -> str:
        """The range as a table quotes it, such as ``-0.5 ± 0.1``."""
        if self.above is not None:
            return f"> {self.above:g}"
        if self.below is not None:
            return f"< {self.below:g}"
        if self.factor is not None:
            return f"{self.value:g} within a factor of {self.factor:g}"
        return f"{self.value:g} ± {self.margin:g}"


@dataclass(frozen=True)
class _Listed:
    claims: tuple[Claim, ...]


def claims_from(content: Any) -> list[Claim]:
    """The claims of a parsed config/claims.yaml: a list with one mapping for each claim.

    Raises ClaimsError where a key is missing, unknown or of the wrong type, or where two claims share an id.
    """
    listed = cast(list[Any], content) if isinstance(content, list) else []
    if listed != content or not all(isinstance(own, dict) for own in listed):
        raise ClaimsError("the file of claims must hold a list with one mapping for each claim")
    read = reader_of(_Listed)
    claims: list[Claim] = []
    for number, own in enumerate(cast(list[dict[Any, Any]], listed), 1):
        try:
            claims += read(as_json({"claims": [own]})).claims
        except (SettingsError, TypeError) as error:
            raise ClaimsError(f"claim {own.get('id', f'number {number}')}: {error}") from None
    for claim in claims:
        _check_range(claim)
    ids = [claim.id for claim in claims]
    if repeated := sorted({own for own in ids if ids.count(own) > 1}):
        raise ClaimsError(f"two claims have the id {', '.join(repeated)}")
    return claims


def _check_range(claim: Claim) -> None:
    """Raise ClaimsError unless the claim gives exactly one range."""
    ways = [claim.margin, claim.factor, claim.above, claim.below]
    needs_value = claim.margin is not None or claim.factor is not None
    if sum(way is not None for way in ways) != 1 or (claim.value is not None) != needs_value:
        raise ClaimsError(
            f"claim {claim.id}: give its range as value and margin, as value and factor, as above or as below"
        )
    given = [claim.value, *ways]
    if not all(math.isfinite(number) for number in given if number is not None):
        raise ClaimsError(f"claim {claim.id}: the numbers of its range must be finite")
    if claim.factor is not None and not (claim.factor > 1 and (claim.value or 0.0) > 0):
        raise ClaimsError(f"claim {claim.id}: factor must exceed 1, and its value must be positive")
    if claim.margin is not None and not claim.margin >= 0:
        raise ClaimsError(f"claim {claim.id}: margin must not be negative")
