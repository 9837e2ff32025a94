"""Resamples of whole members (the bootstrap; Efron & Tibshirani 1993).

A resample draws n of a point's n members with replacement, and so gives each a weight: how often it was
drawn, over n. One set of weights serves every quantity, so a member's losses, traces and ranks stay together.

Points of a curve are resampled independently if their members are: seed 3 of width 8 and seed 3 of width 64
are different networks on the same data. They are resampled *jointly*, a seed at all points at once, if a seed
stands for something common to them: the draw of the data, of which a larger one contains a smaller one, or
the initial parameters (`ntklens.planning.settings.analysis_settings`).

The scatter of resampled means is √((n − 1)/n) times what it should be, and its quantiles are those of a
normal distribution where few members ask for Student's: `widened` corrects that.
"""

import hashlib
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int
from scipy.special import ndtri, stdtrit  # pyright: ignore[reportMissingTypeStubs] scipy has no stubs

from ntklens.analysis.intervals import LEVEL
from ntklens.storage.curve import Curve


def generator_of(curve: Curve) -> np.random.Generator:
    """The generator of all random numbers in the analysis of ``curve``; its seed is the curve's name."""
    digest = hashlib.sha256("/".join(curve).encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:8], "big"))


def member_weights(
    generator: np.random.Generator,
    seeds: Sequence[Int[np.ndarray, " _"]],
    resamples: int,
    joint: bool,
) -> list[Float[np.ndarray, "resamples _"]]:
    """The weights of each point's members in every resample; rows sum to 1.

    ``seeds`` are the members of each point. If ``joint``, a resample draws among all seeds that some point
    has, and one that leaves a point without a member is drawn again.
    """
    if not joint:
        return [_drawn(generator, len(own), resamples) / len(own) for own in seeds]
    every = np.unique(np.concatenate(seeds))
    columns = [np.searchsorted(every, own) for own in seeds]
    drawn = _drawn(generator, len(every), resamples)
    while len(empty := _without_member(drawn, columns)):
        drawn[empty] = _drawn(generator, len(every), len(empty))
    return [drawn[:, own] / drawn[:, own].sum(axis=1, keepdims=True) for own in columns]


def _drawn(generator: np.random.Generator, members: int, resamples: int) -> Int[np.ndarray, "resamples n"]:
    """How often each of so many members is drawn."""
    return generator.multinomial(members, np.full(members, 1 / members), size=resamples)


def _without_member(
    drawn: Int[np.ndarray, "resamples n"], columns: Sequence[Int[np.ndarray, " _"]]
) -> Int[np.ndarray, " empty"]:
    """The resamples in which some point has no member."""
    present = [drawn[:, own].any(axis=1) for own in columns]
    return np.flatnonzero(~np.all(present, axis=0))


def widened(
    resampled: Float[np.ndarray, " resamples *rest"],
    value: Float[np.ndarray | np.float64, "*rest"],
    factor: Float[np.ndarray | np.float64, "*#rest"],
) -> Float[np.ndarray, " resamples *rest"]:
    """``resampled`` with its distances from the measured ``value`` multiplied by ``factor``.

    Distances are taken between logarithms where all numbers are positive.
    """
    positive = (value > 0) & np.all(resampled > 0, axis=0)
    with np.errstate(all="ignore"):
        by_logarithms = value * (resampled / value) ** factor
    return np.where(positive, by_logarithms, value + factor * (resampled - value))


def factor_for(members: int) -> np.float64:
    """√(n/(n − 1)) for n ``members``. A single member has no spread to correct."""
    return np.float64(np.sqrt(members / max(members - 1, 1)))


def factor_of_mean(members: int, freedom: int | None = None) -> np.float64:
    """`factor_for` n ``members``, times Student's over the normal quantile of the interval's ends.

    For means whose variances are not pooled along the curve. Their ``freedom`` is n − 1 by default; a mean
    over several such means has more. A single member has no spread to correct.
    """
    freedom = members - 1 if freedom is None else freedom
    quantile = (1 + LEVEL) / 2
    student = stdtrit(freedom, quantile) / ndtri(quantile) if freedom else 1.0
    return np.float64(factor_for(members) * student)
