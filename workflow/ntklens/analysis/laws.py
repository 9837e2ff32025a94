"""Power laws, power laws with a limit and broken power laws, fitted to y > 0 along scales x > 0.

Every fit is an unweighted least-squares fit of log y against log x, where a power law is a straight line.
Errors are one standard deviation, from the fit's covariance scaled by its residuals. An F-test on the
residuals decides whether a curve needs more parameters than a power law has.
"""

import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias, cast

import numpy as np
from jaxtyping import Float, Real
from scipy import optimize, stats  # pyright: ignore[reportMissingTypeStubs] scipy has no stubs

# Half-width of a bend, in units of log x. Eight points do not determine both it and the bend's place.
BEND_WIDTH = 0.5
SIGNIFICANCE = 0.05  # of the F-test
LARGEST_BEND_ERROR = math.log(2)  # a bend that is uncertain by more than a factor of two is not identified

Points: TypeAlias = Real[np.ndarray, " points"] | Sequence[float | int]
Logarithms: TypeAlias = Float[np.ndarray, " points"]
Values: TypeAlias = Real[np.ndarray, "*shape"] | float | int


@dataclass(frozen=True)
class PowerLaw:
    """y = amplitude · x^exponent."""

    amplitude: float
    exponent: float
    exponent_error: float | None  # None if the fit has only two points, and so no residual

    def __call__(self, x: Values) -> Float[np.ndarray | np.float64, "*shape"]:
        """The law's y at ``x``."""
        return self.amplitude * np.asarray(x, dtype=float) ** self.exponent


@dataclass(frozen=True)
class LimitedPowerLaw:
    """y = limit + amplitude · x^exponent with exponent < 0: y saturates (Bahri et al., 2024)."""

    limit: float
    amplitude: float
    exponent: float
    limit_error: float
    exponent_error: float

    def __call__(self, x: Values) -> Float[np.ndarray | np.float64, "*shape"]:
        """The law's y at ``x``."""
        return self.limit + self.amplitude * np.asarray(x, dtype=float) ** self.exponent


@dataclass(frozen=True)
class BrokenPowerLaw:
    """y = amplitude · t^below · ((1 + t^(1/w)) / 2)^((above − below) w), with t = x / bend.

    ``below`` and ``above`` are the exponents far below and above the bend, w is `BEND_WIDTH`, and
    ``amplitude`` is the value at the bend. ``log_bend_error`` is the error of log bend.
    """

    amplitude: float
    bend: float
    below: float
    above: float
    log_bend_error: float
    below_error: float
    above_error: float

    def __call__(self, x: Values) -> Float[np.ndarray | np.float64, "*shape"]:
        """The law's y at ``x``."""
        log_y = _log_broken(np.log(x), math.log(self.amplitude), math.log(self.bend), self.below, self.above)
        return np.exp(log_y)


def fit_power_law(x: Points, y: Points) -> PowerLaw:
    """The `PowerLaw` through at least two points. Raises ValueError for fewer, or if some x or y ≤ 0."""
    log_x, log_y = _logarithms(x, y)
    line = np.polyfit(log_x, log_y, 1)
    exponent_error = None
    if len(log_x) > 2:
        variance = np.sum((log_y - np.polyval(line, log_x)) ** 2) / (len(log_x) - 2)
        exponent_error = math.sqrt(variance / np.sum((log_x - log_x.mean()) ** 2))
    return PowerLaw(math.exp(line[1]), float(line[0]), exponent_error)


def fit_limited_power_law(x: Points, y: Points) -> LimitedPowerLaw | None:
    """The `LimitedPowerLaw` through a falling curve, or None if a plain power law fits as well.

    Raises as `fit_power_law`.
    """
    log_x, log_y = _logarithms(x, y)
    if len(log_x) < 5 or log_y[-1] >= log_y[0]:
        return None

    def log_limited(log_x: Logarithms, log_limit: float, log_excess: float, exponent: float) -> Logarithms:
        return np.logaddexp(log_limit, log_excess + exponent * log_x)

    lowest = log_y.min()
    starts = [
        (lowest + math.log(share), log_y[0] - e * log_x[0], e) for share in (0.5, 0.95) for e in (-0.5, -1.5)
    ]
    best = _best_fit(log_limited, log_x, log_y, starts)
    if best is None or not _worth_it(log_x, log_y, best, parameters=3):
        return None
    (log_limit, log_excess, exponent), errors, _ = best
    if exponent >= 0 or errors[2] > abs(exponent) / 2:
        return None
    return LimitedPowerLaw(
        limit=math.exp(log_limit),
        amplitude=math.exp(log_excess),
        exponent=exponent,
        limit_error=math.exp(log_limit) * errors[0],
        exponent_error=errors[2],
    )


def fit_broken_power_law(x: Points, y: Points) -> tuple[BrokenPowerLaw | None, str]:
    """The `BrokenPowerLaw` through a curve and "", or None and the reason if no bend is identified.

    A bend is identified if it improves significantly on a plain power law, lies between the second scale and
    the last but one, and is known to better than a factor of two. Raises as `fit_power_law`.
    """
    log_x, log_y = _logarithms(x, y)
    if len(log_x) < 6:
        return None, f"{len(log_x)} scales are too few for a broken power law (6 needed)"
    slope = np.gradient(log_y, log_x)
    starts = [(log_y[i], log_x[i], slope[:i].mean(), slope[i:].mean()) for i in range(1, len(log_x) - 1)]
    best = _best_fit(_log_broken, log_x, log_y, starts)
    if best is None:
        return None, "the fit of a broken power law does not converge"
    (log_amplitude, log_bend, below, above), errors, _ = best
    if not _worth_it(log_x, log_y, best, parameters=4):
        return None, "a bend does not improve on a plain power law significantly"
    if not log_x[1] <= log_bend <= log_x[-2]:
        return None, "the bend lies at the edge of the scales or beyond"
    if errors[1] > LARGEST_BEND_ERROR:
        return None, "the bend is uncertain by more than a factor of two"
    return BrokenPowerLaw(
        amplitude=math.exp(log_amplitude),
        bend=math.exp(log_bend),
        below=below,
        above=above,
        log_bend_error=errors[1],
        below_error=errors[2],
        above_error=errors[3],
    ), ""


def _logarithms(x: Points, y: Points) -> tuple[Logarithms, Logarithms]:
    """log x and log y. Raises ValueError as `fit_power_law`."""
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    if len(x) < 2:
        raise ValueError(f"{len(x)} points are too few, 2 are needed")
    if not (np.all(x > 0) and np.all(y > 0)):
        raise ValueError(f"a power law needs positive values, got x = {x.tolist()}, y = {y.tolist()}")
    return np.log(x), np.log(y)


def _log_broken(
    log_x: Real[np.ndarray | np.float64, "*shape"],
    log_amplitude: float,
    log_bend: float,
    below: float,
    above: float,
) -> Float[np.ndarray | np.float64, "*shape"]:
    """The logarithm of a `BrokenPowerLaw`."""
    t = log_x - log_bend
    bend = np.logaddexp(0, t / BEND_WIDTH) - math.log(2)
    return log_amplitude + below * t + (above - below) * BEND_WIDTH * bend


class _Fit(NamedTuple):
    parameters: list[float]
    errors: list[float]
    squares: float  # the sum of squared residuals


def _best_fit(
    function: Callable[..., Any], log_x: Logarithms, log_y: Logarithms, starts: Sequence[Sequence[float]]
) -> _Fit | None:
    """The fit with the least sum of squared residuals from any of ``starts``, or None if none converges."""
    best = None
    for start in starts:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", optimize.OptimizeWarning)
                found, covariance = _least_squares(function, log_x, log_y, start)
        except (RuntimeError, optimize.OptimizeWarning):
            continue
        squares = float(np.sum((log_y - function(log_x, *found)) ** 2))
        if best is None or squares < best.squares:
            errors = [float(e) for e in np.sqrt(np.diag(covariance))]
            best = _Fit([float(v) for v in found], errors, squares)
    return best


def _least_squares(
    function: Callable[..., Any], log_x: Logarithms, log_y: Logarithms, start: Sequence[float]
) -> tuple[Float[np.ndarray, " k"], Float[np.ndarray, "k k"]]:
    """The parameters of ``function`` that fit best, and their covariance."""
    fit = cast(Any, optimize.curve_fit)(function, log_x, log_y, p0=start, maxfev=5000)
    return fit[0], fit[1]


def _worth_it(log_x: Logarithms, log_y: Logarithms, fit: _Fit, parameters: int) -> bool:
    """Whether ``fit`` improves on a power law by more than its additional parameters explain."""
    plain = np.sum((log_y - np.polyval(np.polyfit(log_x, log_y, 1), log_x)) ** 2)
    freedom, additional = len(log_x) - parameters, parameters - 2
    if fit.squares == 0:
        return bool(plain > 0)
    ratio = (plain - fit.squares) / additional / (fit.squares / freedom)
    return bool(cast(Any, stats.f).sf(ratio, additional, freedom) < SIGNIFICANCE)
