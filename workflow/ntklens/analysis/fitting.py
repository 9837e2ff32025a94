"""Weighted least-squares fits of laws to log y against log x, many data sets at a time.

Each row of ``log_y`` is a data set of its own: the measured log means, or a resample of them. All rows have
the same scales and the same ``weights``, 1 / variance, so one call fits thousands of resamples. The constant
of a law, log amplitude or log level, is linear, so it is eliminated exactly: residuals are centred by their
weighted mean. What is left of a bent law are one or two nonlinear parameters. They are searched on a grid,
which finds the right valley, and refined by the Levenberg-Marquardt method (Marquardt 1963).

The grid ends at `BEYOND` times the largest scale and at 1 / `BEYOND` times the smallest. Data that are best
fitted beyond it do not determine the bend: the fit is *censored* there. Its parameters are then infinite on
the side to which they point, and NaN where they point to no side; a fit that fails is NaN. Data that are best
fitted with a p beyond `POWERS` determine neither bend nor level: these are NaN. So no fit is ever dropped,
and `ntklens.analysis.intervals` counts them.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from ntklens.analysis.laws import Form

BEYOND = 32.0
NODES_PER_OCTAVE = 2  # of the grid of bends
POWERS = np.geomspace(0.005, 6.0, 14)  # the grid of p: the gain of the trace rises with a p below 0.1
ITERATIONS = 60
TOLERANCE = 1e-7  # of the last step, in log bend and log p
TINY = 1e-30  # keeps a step defined where the law is flat in a parameter
MOST_DAMPING = 1e9  # no step, however small, improves the fit: it is at its minimum


class PowerFits(NamedTuple):
    """log y = log_amplitude + exponent · log x for each row, with the sum of weighted squared residuals."""

    log_amplitude: Float[np.ndarray, " rows"]
    exponent: Float[np.ndarray, " rows"]
    squares: Float[np.ndarray, " rows"]


class BentFits(NamedTuple):
    """The parameters of a `ntklens.analysis.laws.BentLaw` for each row; infinite or NaN where censored.

    ``squares`` is the sum of weighted squared residuals, defined for censored rows too.
    """

    log_level: Float[np.ndarray, " rows"]
    log_bend: Float[np.ndarray, " rows"]
    power: Float[np.ndarray, " rows"]
    squares: Float[np.ndarray, " rows"]


def fit_power_laws(
    log_x: Float[np.ndarray, " points"],
    log_y: Float[np.ndarray, "rows points"],
    weights: Float[np.ndarray, " points"],
) -> PowerFits:
    """The `PowerFits` of each row of ``log_y``. Raises ValueError for fewer than two different scales."""
    if len(set(log_x.tolist())) < 2:
        raise ValueError(f"{len(log_x)} scales are too few for a power law (2 needed)")
    total = weights.sum()
    weights = weights / total
    x = log_x - log_x @ weights
    middle = log_y @ weights
    exponent = (log_y * weights) @ x / (weights @ x**2)
    residuals = log_y - middle[:, None] - exponent[:, None] * x
    return PowerFits(middle - exponent * (log_x @ weights), exponent, total * (residuals**2 @ weights))


def fit_bent_laws(
    form: Form,
    log_x: Float[np.ndarray, " points"],
    log_y: Float[np.ndarray, "rows points"],
    weights: Float[np.ndarray, " points"],
) -> BentFits:
    """The `BentFits` of each row of ``log_y``.

    Raises ValueError if there are fewer scales than the form has parameters, and one more.
    """
    needed = 3 + form.fitted_power
    if len(log_x) < needed:
        raise ValueError(f"{len(log_x)} scales are too few for the law '{form.name}' ({needed} needed)")
    total = weights.sum()
    weights = weights / total
    sound = np.asarray(np.all(np.isfinite(log_y), axis=1))
    rows = np.where(sound[:, None], log_y, 0.0)
    low, high = _bounds(form, log_x)
    start = _on_grid(form, log_x, rows, weights)
    found, converged = _refined(form, log_x, rows, weights, start, low, high)
    shape = _shape(form, log_x, found)
    level = (rows - shape) @ weights
    squares = np.where(sound, total * _squares(rows - shape, weights), np.nan)
    return _censored(form, level, found, squares, sound & converged, low, high)


def _bounds(
    form: Form, log_x: Float[np.ndarray, " points"]
) -> tuple[Float[np.ndarray, " k"], Float[np.ndarray, " k"]]:
    """The least and the largest log bend and, if it is fitted, log p."""
    low, high = [log_x.min() - np.log(BEYOND)], [log_x.max() + np.log(BEYOND)]
    if form.fitted_power:
        low, high = [*low, np.log(POWERS[0])], [*high, np.log(POWERS[-1])]
    return np.array(low), np.array(high)


def _shape(
    form: Form, log_x: Float[np.ndarray, " points"], nonlinear: Float[np.ndarray, "rows k"]
) -> Float[np.ndarray, "rows points"]:
    """s log(1 + (x/bend)^q) = log y − log level, for each row of log bend and, if it is fitted, log p."""
    s, _ = form.exponents(_power(form, nonlinear))
    return s * np.logaddexp(0, _steps(form, log_x, nonlinear))


def _steps(
    form: Form, log_x: Float[np.ndarray, " points"], nonlinear: Float[np.ndarray, "rows k"]
) -> Float[np.ndarray, "rows points"]:
    """q (log x − log bend)."""
    _, q = form.exponents(_power(form, nonlinear))
    return q * (log_x - nonlinear[:, :1])


def _power(form: Form, nonlinear: Float[np.ndarray, "rows k"]) -> Float[np.ndarray, "rows 1"]:
    """p of each row."""
    return np.exp(nonlinear[:, 1:]) if form.fitted_power else np.ones((len(nonlinear), 1))


def _slopes(
    form: Form, log_x: Float[np.ndarray, " points"], nonlinear: Float[np.ndarray, "rows k"]
) -> Float[np.ndarray, "k rows points"]:
    """The derivatives of `_shape` by log bend and, if it is fitted, by log p."""
    steps = _steps(form, log_x, nonlinear)
    s, q = form.exponents(_power(form, nonlinear))
    share = s / (1 + np.exp(-steps))  # of the power law in the sum
    by_bend = -q * share
    if not form.fitted_power:
        return np.stack([by_bend])
    return np.stack([by_bend, s * np.logaddexp(0, steps) if form.power_of == "s" else steps * share])


def _squares(
    residuals: Float[np.ndarray, "rows points"], weights: Float[np.ndarray, " points"]
) -> Float[np.ndarray, " rows"]:
    """The weighted sum of squares of the residuals, less their weighted mean."""
    return _centred(residuals, weights) ** 2 @ weights


def _centred(
    values: Float[np.ndarray, "*rows points"], weights: Float[np.ndarray, " points"]
) -> Float[np.ndarray, "*rows points"]:
    return values - (values @ weights)[..., None]


def _on_grid(
    form: Form,
    log_x: Float[np.ndarray, " points"],
    log_y: Float[np.ndarray, "rows points"],
    weights: Float[np.ndarray, " points"],
) -> Float[np.ndarray, "rows k"]:
    """The node of the grid that fits each row best."""
    low, high = _bounds(form, log_x)
    octaves = (high[0] - low[0]) / np.log(2)
    bends = np.linspace(float(low[0]), float(high[0]), 2 + int(octaves * NODES_PER_OCTAVE))
    powers = np.log(POWERS) if form.fitted_power else np.zeros(1)
    every_pair = np.column_stack([np.repeat(bends, len(powers)), np.tile(powers, len(bends))])
    nodes = every_pair[:, : len(low)]
    shapes = _centred(_shape(form, log_x, nodes), weights)
    # ‖y − g‖² without ‖y‖², which does not depend on the node.
    squares = shapes**2 @ weights - 2 * (_centred(log_y, weights) * weights) @ shapes.T
    return nodes[np.argmin(squares, axis=1)]


def _refined(
    form: Form,
    log_x: Float[np.ndarray, " points"],
    log_y: Float[np.ndarray, "rows points"],
    weights: Float[np.ndarray, " points"],
    start: Float[np.ndarray, "rows k"],
    low: Float[np.ndarray, " k"],
    high: Float[np.ndarray, " k"],
) -> tuple[Float[np.ndarray, "rows k"], Bool[np.ndarray, " rows"]]:
    """The nonlinear parameters between ``low`` and ``high`` that fit best, and which rows have converged."""
    found, damping = start.copy(), np.full(len(start), 1e-3)
    squares = _squares(log_y - _shape(form, log_x, found), weights)
    left = np.arange(len(start))
    for _ in range(ITERATIONS):
        old, y = found[left], log_y[left]
        step = _step(form, log_x, y, weights, old, damping[left], low, high)
        new = np.clip(old + step, low, high)
        new_squares = _squares(y - _shape(form, log_x, new), weights)
        better = new_squares <= squares[left]
        found[left[better]], squares[left[better]] = new[better], new_squares[better]
        damping[left] *= np.where(better, 0.2, 8.0)
        still = np.abs(new - old).max(axis=1) < TOLERANCE
        left = left[~(still | (damping[left] > MOST_DAMPING))]
        if not len(left):
            break
    converged = np.ones(len(start), dtype=bool)
    converged[left] = False
    return found, converged


def _step(
    form: Form,
    log_x: Float[np.ndarray, " points"],
    log_y: Float[np.ndarray, "rows points"],
    weights: Float[np.ndarray, " points"],
    nonlinear: Float[np.ndarray, "rows k"],
    damping: Float[np.ndarray, " rows"],
    low: Float[np.ndarray, " k"],
    high: Float[np.ndarray, " k"],
) -> Float[np.ndarray, "rows k"]:
    """The Levenberg-Marquardt step: (JᵀWJ + damping · diag) step = JᵀW residuals.

    A parameter at its bound from which the step would lead outwards stays there.
    """
    slopes = _centred(_slopes(form, log_x, nonlinear), weights)
    residuals = _centred(log_y - _shape(form, log_x, nonlinear), weights)
    right = np.einsum("krp,p,rp->rk", slopes, weights, residuals)
    held = ((nonlinear <= low) & (right < 0)) | ((nonlinear >= high) & (right > 0))
    right, slopes = np.where(held, 0.0, right), np.where(held.T[..., None], 0.0, slopes)
    matrix = np.einsum("krp,p,lrp->rkl", slopes, weights, slopes)
    diagonal = np.einsum("rkk->rk", matrix)
    if diagonal.shape[1] == 1:
        return right / (diagonal * (1 + damping[:, None]) + TINY)
    a, b = (diagonal * (1 + damping[:, None]) + TINY).T
    c = matrix[:, 0, 1]
    # a·b > c², by Cauchy and Schwarz and the damping.
    return (
        np.stack([b * right[:, 0] - c * right[:, 1], a * right[:, 1] - c * right[:, 0]], axis=1)
        / (a * b - c**2).clip(TINY**2)[:, None]
    )


def _censored(
    form: Form,
    level: Float[np.ndarray, " rows"],
    found: Float[np.ndarray, "rows k"],
    squares: Float[np.ndarray, " rows"],
    good: Bool[np.ndarray, " rows"],
    low: Float[np.ndarray, " k"],
    high: Float[np.ndarray, " k"],
) -> BentFits:
    """The `BentFits`, with infinities and NaN where a parameter is at the grid's edge or the fit failed."""
    bend = np.where(found[:, 0] <= low[0], -np.inf, np.where(found[:, 0] >= high[0], np.inf, found[:, 0]))
    power = np.ones(len(found))
    if form.fitted_power:
        p = found[:, 1]
        power = np.where(p <= low[1], -np.inf, np.where(p >= high[1], np.inf, np.exp(p)))
    # With the bend on this side of all scales, the law is a power law and its level out of reach.
    level = np.where(bend == -form.sign * np.inf, -form.s * np.inf, level)
    # On the other side it is a constant, without a power. On the first it has one, but the grid's edge, where
    # the law still bends a little, shifts it: the exponent is the power law's, which is fitted beside it.
    if form.fitted_power:
        power = np.where(np.isinf(bend), np.nan, power)
        # A bend that fits best with a p at the grid's edge is where that edge puts it.
        at_edge = np.isinf(power)
        bend, level = (np.where(at_edge, np.nan, own) for own in (bend, level))
    level, bend, power = (np.where(good, own, np.nan) for own in (level, bend, power))
    return BentFits(level, bend, power, squares)
