"""The key quantities along one curve: measured values, their resamples, variances of their logarithms.

Each is a mean over the members of a point, or a ratio of two means. The trace ratio β is the ratio of the
means, ⟨Tr Θ_min − Tr Θ_0⟩ / ⟨Tr Θ_0⟩: the mean of the members' ratios, which Eq. 5 averages, is dominated by
single narrow networks with a small Tr Θ_0, and is given beside it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from ntklens.analysis.adaptation_rate import Slopes, adaptation_rate, rates_at, resampled_rates, slopes
from ntklens.analysis.resampling import factor_of_mean, generator_of, member_weights, widened
from ntklens.analysis.settings import AnalysisSettings
from ntklens.analysis.variances import LogVariances, log_variances
from ntklens.storage.averages import Average

Weights = list[Float[np.ndarray, "resamples _"]]


@dataclass(frozen=True)
class Series:
    """One quantity along a curve. ``error`` is the standard error of each value, NaN for a single member.

    ``resampled`` has no rows if no point has two members; a point with a single one adds no spread.
    ``correlation`` is that of the members' values at two points, the mean over all pairs of points.
    """

    scale: Int[np.ndarray, " points"]
    value: Float[np.ndarray, " points"]
    error: Float[np.ndarray, " points"]
    resampled: Float[np.ndarray, "resamples points"]
    variances: LogVariances
    correlation: float


class Part(NamedTuple):
    """A quantity's ``value`` at one point, its ``resampled`` values and its members' influences on it."""

    value: float
    resampled: Float[np.ndarray, " resamples"]
    influences: Float[np.ndarray, " members"]


def weights_of(averages: Sequence[Average], settings: AnalysisSettings) -> Weights:
    """The weights of the members at every point in every resample; the same at every call."""
    seeds = [average.seeds for average in averages]
    generator = generator_of(settings.curve)
    resamples = settings.resamples if max(map(len, seeds)) > 1 else 0
    return member_weights(generator, seeds, resamples)


def key_series(averages: Sequence[Average], settings: AnalysisSettings) -> dict[str, Series]:
    """The `Series` of every key quantity along one curve that follows the minimum, by name."""
    weights = weights_of(averages, settings)
    ones = [np.ones(len(average.seeds)) for average in averages]
    initial, ratio = _at_minima(averages, "initial_trace"), _at_minima(averages, "trace_ratio")
    gain = [r * start for r, start in zip(ratio, initial, strict=True)]
    fractions = {
        "test_loss": (_at_minima(averages, "test_loss"), ones),
        "effective_rank": (_at_minima(averages, "effective_rank"), ones),
        "initial_trace": (initial, ones),
        "trace_gain": (gain, ones),
        "trace_ratio": (gain, initial),
        "mean_trace_ratio": (ratio, ones),
    }
    parts = {
        name: [_ratio_of_means(*own) for own in zip(over, under, weights, strict=True)]
        for name, (over, under) in fractions.items()
    }
    parts["adaptation_rate"] = [
        adaptation_at_minimum(average, own, settings.smoothing_epochs)
        for average, own in zip(averages, weights, strict=True)
    ]
    return {name: _series(averages, own) for name, own in parts.items()}


def _at_minima(averages: Sequence[Average], name: str) -> list[Float[np.ndarray, " _"]]:
    return [average.minimum[name].astype(np.float64) for average in averages]


def _ratio_of_means(
    over: Float[np.ndarray, " members"],
    under: Float[np.ndarray, " members"],
    weights: Float[np.ndarray, "resamples members"],
) -> Part:
    """⟨over⟩ / ⟨under⟩. With zero or undefined means its influences are NaN."""
    with np.errstate(all="ignore"):
        value = over.mean() / under.mean()
        resampled = (weights @ over) / (weights @ under)
        influences = over / over.mean() - under / under.mean()
    return Part(float(value), resampled, influences)


def member_slopes(average: Average, smoothing_epochs: int) -> Slopes:
    """The `Slopes` of every member's trace and log train loss, at the epochs of the trace."""
    epoch = average.along["ntk_trace"].epoch
    losses = average.members_at_epochs("log_train_loss", epoch)
    return slopes(epoch, average.members["ntk_trace"].astype(np.float64), losses, smoothing_epochs)


def adaptation_at_minimum(
    average: Average, weights: Float[np.ndarray, "resamples members"], smoothing_epochs: int
) -> Part:
    """−χ at the minimum of the mean test loss, which each resample finds anew."""
    trace = average.along["ntk_trace"]
    loss = average.at_epochs("log_train_loss", trace.epoch)
    measured = adaptation_rate(trace.epoch, trace.mean, loss, smoothing_epochs)
    members = member_slopes(average, smoothing_epochs)
    lowest = np.argmin(weights @ average.members["test_loss"].astype(np.float64), axis=1)
    minima = average.along["test_loss"].epoch[lowest]
    rates = rates_at(members.epoch, resampled_rates(members, weights), minima)
    value = measured.at(average.minimum_epoch)
    at = np.argmin(np.abs(members.epoch - average.minimum_epoch))
    with np.errstate(all="ignore"):
        over, under = members.trace_slope[:, at], members.loss_slope[:, at]
        influences = over / over.mean() - under / under.mean()
    return Part(-value, -rates, influences)


def _series(averages: Sequence[Average], parts: Sequence[Part]) -> Series:
    scale = np.array([average.scale for average in averages])
    value = np.array([part.value for part in parts])
    influences = [part.influences for part in parts]
    # The first scale of some axes is 0, which has no logarithm and no law.
    log_x = np.log(np.maximum(scale, 0.5))
    variances = log_variances(log_x, influences)
    return Series(
        scale=scale,
        value=value,
        error=np.abs(value) * np.sqrt(variances.own),
        resampled=widened(
            np.stack([part.resampled for part in parts], axis=1), value, _factors(influences, variances)
        ),
        variances=variances,
        correlation=_correlation(averages, influences),
    )


def _factors(
    influences: Sequence[Float[np.ndarray, " _"]], variances: LogVariances
) -> Float[np.ndarray, " points"]:
    """By how much the distances of each point's resamples are widened.

    By `factor_of_mean`, and more where the point's own variance is below the pooled one: from few members it
    is often too small by chance. It is never narrowed, in case the pooled variance does not fit a point.
    """
    with np.errstate(all="ignore"):
        short = np.sqrt(variances.pooled / variances.own)
    short = np.where(np.isfinite(short), np.maximum(short, 1.0), 1.0)
    return short * np.array([factor_of_mean(len(own)) for own in influences])


def _correlation(averages: Sequence[Average], influences: Sequence[Float[np.ndarray, " _"]]) -> float:
    """The mean correlation of the members' influences at two points, at least 0, over the seeds of both."""
    found: list[float] = []
    for i, first in enumerate(averages):
        for j in range(i):
            _, mine, theirs = np.intersect1d(first.seeds, averages[j].seeds, return_indices=True)
            one, other = influences[i][mine], influences[j][theirs]
            if len(mine) > 2 and np.ptp(one) > 0 and np.ptp(other) > 0:
                found.append(float(np.corrcoef(one, other)[0, 1]))
    return float(np.clip(np.mean(found), 0, 0.99)) if found else 0.0
