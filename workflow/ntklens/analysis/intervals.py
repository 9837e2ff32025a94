"""Intervals that hold the true value in 95 % of cases, from the estimates of all resamples.

A fit may be *censored*: the bend lies somewhere below or above what the scales can tell. Such an estimate
counts as −∞ or ∞. A fit that fails, NaN, could lie anywhere: it counts as −∞ for the lower end and as ∞ for
the upper one. An end that comes out infinite is open, and None. So an interval is never narrower for fits
that went wrong.

Resamples draw members of one ensemble, so the 95 % are over what its members differ in and nothing else. In
studies whose members share their training samples, that is the initialisation alone: the interval holds the
value that infinitely many initialisations would give on this training draw, these NTK samples and this test
set. `ntklens.analysis.variance_table` says how much the draws of data add.
"""

import math
from typing import TypedDict

import numpy as np
from jaxtyping import Float

LEVEL = 0.95


class Interval(TypedDict):
    """A ``value`` with its interval, and how many resamples were censored on each side, or failed.

    ``value`` is None where the fit of the measured means is censored or fails. ``low`` and ``high`` are None
    where the interval is open on that side or unknown: `low_open` and `high_open` tell these two apart.
    """

    value: float | None
    low: float | None
    high: float | None
    low_open: bool
    high_open: bool
    below: int
    above: int
    failed: int


def interval(value: float | np.floating, resampled: Float[np.ndarray, " resamples"]) -> Interval:
    """The percentile interval of ``resampled`` around ``value``; without resamples it is unknown."""
    low, high = (float(end) for end in ends(resampled)) if len(resampled) else (math.nan, math.nan)
    return {
        "value": _finite(value),
        "low": _finite(low),
        "high": _finite(high),
        "low_open": bool(np.isinf(low)),
        "high_open": bool(np.isinf(high)),
        "below": int(np.sum(resampled == -np.inf)),
        "above": int(np.sum(resampled == np.inf)),
        "failed": int(np.sum(np.isnan(resampled))),
    }


def ends(
    resampled: Float[np.ndarray, " resamples *rest"],
) -> tuple[Float[np.ndarray | np.float64, "*rest"], Float[np.ndarray | np.float64, "*rest"]]:
    """Both ends of the interval along the first axis, −∞ and ∞ where it is open.

    They are order statistics, not interpolated: between a number and infinity there is nothing.
    """
    outside, last = (1 - LEVEL) / 2, len(resampled) - 1
    first, final = math.floor(outside * last), math.ceil((1 - outside) * last)
    undefined = np.isnan(resampled)
    lowest = np.partition(np.where(undefined, -np.inf, resampled), first, axis=0)
    highest = np.partition(np.where(undefined, np.inf, resampled), final, axis=0)
    return lowest[first], highest[final]


def exponential(own: Interval) -> Interval:
    """``own``, an interval of a logarithm, as that of the number itself."""
    return {**own, "value": _exp(own["value"]), "low": _exp(own["low"]), "high": _exp(own["high"])}


def _exp(logarithm: float | None) -> float | None:
    return None if logarithm is None else _finite(float(np.exp(np.float64(min(logarithm, 700.0)))))


def numbers(values: Float[np.ndarray, " points"]) -> list[float | None]:
    """``values`` as a list for JSON, with None where they are not finite."""
    return [_finite(value) for value in values.tolist()]


def _finite(value: float | np.floating) -> float | None:
    return float(value) if np.isfinite(value) else None
