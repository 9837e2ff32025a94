"""Resamples of whole members (the bootstrap; Efron & Tibshirani 1993).

A resample draws n of a point's n members with replacement, and so gives each a weight: how often it was
drawn, over n. One set of weights serves every quantity, so a member's losses, traces and ranks stay together.

A seed is resampled at all points of a curve at once, since its members there have something random in common:
the draw of the data, of which a larger one contains a smaller one, or the initial parameters. Those of
networks of unlike widths are related too: entry i of a kernel is the same random number in both, up to its
scale, since JAX's random numbers do not depend on how many are drawn
(`ntklens.networks.modules.initial_parameters`). Initial traces of one seed at neighbouring widths have a
correlation of about 0.3.

So a number made from all points, such as a slope, has the n − 1 degrees of freedom of n seeds. The scatter of
resampled means is √((n − 1)/n) times what it should be, and its quantiles are those of a normal distribution,
which are too small for few members: `widened`, with `factor_of_mean`, corrects both.
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
) -> list[Float[np.ndarray, "resamples _"]]:
    """The weights of each point's members in every resample; rows sum to 1.

    ``seeds`` are the members of each point. A resample draws among all seeds that some point has, and one
    that leaves a point without a member is drawn again.
    """
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


def factor_of_mean(members: int) -> np.float64:
    """`factor_for` n ``members``, times Student's over the normal quantile of the interval's ends.

    Student's has n − 1 degrees of freedom. A single member has no spread to correct.
    """
    quantile = (1 + LEVEL) / 2
    student = stdtrit(members - 1, quantile) / ndtri(quantile) if members > 1 else 1.0
    return np.float64(factor_for(members) * student)
