"""Variance components of crossed random factors, with intervals (Searle, Casella & McCulloch 1992, ch. 4).

A value is the sum of a mean and independent random effects: one for each factor's level, and one for each
combination of levels. With three factors,

    y_ijk = μ + a_i + b_j + c_k + (ab)_ij + (ac)_ik + (bc)_jk + e_ijk,

where e is the effect of all three together and whatever else differs between two values. There is one value
for each combination, so the data are balanced. A *source* A is a set of factors; its mean square is

    MS_A = Σ (effect of A)² / freedom_A,    freedom_A = Π_{f in A} (n_f − 1),

summed over all values, and its expectation Σ_{B ⊇ A} σ_B² Π_{f not in B} n_f. Hence the estimates of the
analysis of variance,

    σ_A² = Σ_{B ⊇ A} (−1)^{|B| − |A|} MS_B / Π_{f not in A} n_f.

Negative ones are set to zero. Intervals are generalised confidence intervals (Weerahandi 1993): for normal
effects, freedom · MS / E[MS] are independent and follow χ², so freedom · MS / χ² with simulated χ² stand for
the unknown expectations, in every quantity that depends on them.
"""

from collections.abc import Iterator, Mapping
from itertools import chain, combinations
from math import prod

import numpy as np
from jaxtyping import Float

Source = tuple[int, ...]  # axes of the values, ascending
# Of each source, the estimate in row 0, and then the simulated ones.
Rows = Mapping[Source, Float[np.ndarray, " rows"]]


def components(
    values: Float[np.ndarray, "*levels"], simulations: int, generator: np.random.Generator
) -> dict[Source, Float[np.ndarray, " rows"]]:
    """The `Rows` of σ_A² for every source A; ``values`` have an axis for each factor.

    Raises ValueError for a factor with a single level, of which nothing can be known.
    """
    levels = values.shape
    if min(levels) < 2:
        raise ValueError(f"a factor has a single level, two are needed (levels {levels})")
    squares: dict[Source, Float[np.ndarray, " rows"]] = {}
    for source in sources(len(levels)):
        freedom = prod(levels[axis] - 1 for axis in source)
        square = mean_square(values, source)
        simulated = freedom * square / generator.chisquare(freedom, simulations)
        squares[source] = np.append(square, simulated)
    return {source: np.maximum(_component(squares, source, levels), 0) for source in squares}


def sources(factors: int) -> Iterator[Source]:
    """All sources of so many ``factors``, first those of a single factor."""
    return chain.from_iterable(combinations(range(factors), size) for size in range(1, factors + 1))


def mean_square(values: Float[np.ndarray, "*levels"], source: Source) -> float:
    """MS_A of the source A."""
    effects = values
    for axis in range(values.ndim):
        mean = effects.mean(axis=axis, keepdims=True)
        effects = effects - mean if axis in source else mean
    freedom = prod(values.shape[axis] - 1 for axis in source)
    repeats = values.size // effects.size
    return float(repeats * np.sum(effects**2) / freedom)


def _component(squares: Rows, source: Source, levels: tuple[int, ...]) -> Float[np.ndarray, " rows"]:
    """σ_A², which may be negative."""
    signed = [
        (-1) ** (len(wider) - len(source)) * rows
        for wider, rows in squares.items()
        if set(source) <= set(wider)
    ]
    return np.sum(signed, axis=0) / prod(n for axis, n in enumerate(levels) if axis not in source)
