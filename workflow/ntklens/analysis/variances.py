"""The variance of log means over few members, pooled over the points of a curve.

A member's *influence* on a statistic y is what it adds to it, relative to y: vᵢ/⟨v⟩ − 1 for a mean, and
aᵢ/⟨a⟩ − bᵢ/⟨b⟩ for a ratio of means ⟨a⟩/⟨b⟩. The influences' sample variance over n is the variance of log y
to first order. From five members it is known to a factor of two and a half either way, and weights that
follow this noise make fits worse than equal weights would. One variance for all points would be wrong as
well: narrow networks scatter ten times as much as wide ones. So the points share a *law of the variance*,

    variance of the influences = exp(a + b log x),

fitted by maximum likelihood to the sample variances, which are χ²-distributed with n − 1 degrees of freedom:
the two numbers a and b come from all members of the curve. A weight is n over the variance at its point.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple, cast

import numpy as np
from jaxtyping import Float
from scipy import optimize  # pyright: ignore[reportMissingTypeStubs] scipy has no stubs

STEEPEST = 6.0  # |b| at most: what two points with a few members each might feign


class LogVariances(NamedTuple):
    """Of each point's log mean: the ``pooled`` variance and the point's ``own``, and their members' number.

    ``pooled`` is 0 everywhere if no member differs from another, as Tr Θ₀ does not where all members start
    from the same parameters. ``freedom`` is the number of degrees of freedom behind it, Σ (n − 1); where it
    is 0, the variances are NaN.
    """

    pooled: Float[np.ndarray, " points"]
    own: Float[np.ndarray, " points"]
    freedom: int

    @property
    def weights(self) -> Float[np.ndarray, " points"]:
        """1 / pooled variance, or equal weights where there is none."""
        known = np.isfinite(self.pooled) & (self.pooled > 0)
        return 1 / self.pooled if known.all() else np.ones(len(self.pooled))


def log_variances(
    log_x: Float[np.ndarray, " points"], influences: Sequence[Float[np.ndarray, " _"]]
) -> LogVariances:
    """The `LogVariances` of a curve whose members have these ``influences``, an array for each point."""
    members = np.array([len(own) for own in influences])
    own = np.array([np.var(z, ddof=1) if len(z) > 1 else np.nan for z in influences])
    freedom = int((members - 1).sum())
    if not freedom or not np.isfinite(own[members > 1]).all():
        nothing = np.full(len(members), np.nan)
        return LogVariances(nothing, nothing, 0)
    several = members > 1
    law = _variance_law(log_x[several], own[several], members[several] - 1)
    pooled = np.zeros(len(log_x)) if law is None else np.exp(law[0] + law[1] * log_x)
    return LogVariances(pooled / members, own / members, freedom)


def _variance_law(
    log_x: Float[np.ndarray, " points"],
    variances: Float[np.ndarray, " points"],
    freedom: np.ndarray,
) -> tuple[float, float] | None:
    """The a and b that make the sample ``variances`` likeliest, or None if all of them are 0."""
    shares = freedom / freedom.sum()
    mean = float(variances @ shares)
    if mean <= 1e-24:  # rounding
        return None
    middle = float(log_x @ shares)
    if np.ptp(log_x) == 0:
        return float(np.log(mean)), 0.0

    def minus_log_likelihood(b: float) -> float:
        """For the best a, log Σ share · variance / x^b, and a constant: convex in b."""
        return float(np.log(variances @ (shares * np.exp(-b * (log_x - middle)))))

    best = cast(Any, optimize.minimize_scalar)(
        minus_log_likelihood, bounds=(-STEEPEST, STEEPEST), method="bounded"
    )
    b = float(best.x)
    return minus_log_likelihood(b) - b * middle, b
