"""Measures of what happens along training, from the start to the minimum of the mean test loss.

Epochs that a measure picks, such as that of the largest effective rank, are those of the measured means, and
stay the same in every resample. Intervals take Student's quantiles.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from ntklens.analysis.adaptation_rate import rates_at, resampled_rates
from ntklens.analysis.measures.results import CurveResults, Measured, measured, need, rows_of_mean
from ntklens.analysis.resampling import factor_of_mean, widened
from ntklens.analysis.series import member_slopes


class _Along(NamedTuple):
    """A quantity at one scale until the minimum of the mean test loss."""

    values: Float[np.ndarray, "rows epochs"]
    log_train_loss: Float[np.ndarray, " epochs"]


def largest_fall(results: CurveResults, quantity: str) -> Measured:
    """largest fall below an earlier value until the minimum, over the gain until then; the worst scale"""
    falls: list[Float[np.ndarray, " rows"]] = []
    for curve in _along(results, quantity):
        gain = curve.values[:, -1] - curve.values[:, 0]
        fall = (np.maximum.accumulate(curve.values, axis=1) - curve.values).max(axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            falls.append(np.where(gain > 0, fall / gain, np.inf))
    return measured(np.max(falls, axis=0))


def falling_share(results: CurveResults, quantity: str) -> Measured:
    """share of the change of the log train loss, until the minimum, over which it falls; mean over scales"""
    shares: list[Float[np.ndarray, " rows"]] = []
    for curve in _along(results, quantity):
        with np.errstate(invalid="ignore"):  # a train loss of zero has no logarithm, and the share is NaN
            path = np.abs(np.diff(curve.log_train_loss))
            shares.append((np.diff(curve.values, axis=1) < 0) @ path / path.sum())
    return measured(np.mean(shares, axis=0))


def peak_over_initial_rank(results: CurveResults, _: str) -> Measured:
    """largest over initial Γ, until the minimum; geometric mean over scales"""
    ratios: list[Float[np.ndarray, " rows"]] = []
    for curve in _along(results, "effective_rank"):
        peak = int(np.argmax(curve.values[0]))
        ratios.append(np.log(curve.values[:, peak] / curve.values[:, 0]))
    return measured(np.exp(np.mean(ratios, axis=0)))


def initial_misalignment(results: CurveResults, quantity: str) -> Measured:
    """value at the first update; mean over scales"""
    return measured(np.mean([curve.values[:, 0] for curve in _along(results, quantity)], axis=0))


def last_over_first(results: CurveResults, quantity: str) -> Measured:
    """value at the last snapshot before the minimum over that at the first; geometric mean over scales"""
    with np.errstate(all="ignore"):
        ratios = [np.log(own.values[:, -1] / own.values[:, 0]) for own in _along(results, quantity)]
    return measured(np.exp(np.mean(ratios, axis=0)))


def change(results: CurveResults, quantity: str) -> Measured:
    """value at the last snapshot before the minimum less that at the first; the scale that changes most"""
    changes = np.array([own.values[:, -1] - own.values[:, 0] for own in _along(results, quantity)])
    return measured(changes[np.argmax(np.abs(changes[:, 0]))])


def adaptation_late_over_early(results: CurveResults, _: str) -> Measured:
    """−χ at the minimum over −χ halfway there in log train loss; geometric mean over scales"""
    ratios: list[Float[np.ndarray, " rows"]] = []
    for average, weights in zip(results.followed, results.weights, strict=True):
        own, members = member_slopes(average, results.settings.smoothing_epochs), len(average.seeds)
        rows = np.vstack([np.full(members, 1 / members), weights])
        rates = resampled_rates(own, rows)
        mean_loss = own.log_train_loss.mean(axis=0)
        end = int(np.argmin(np.abs(own.epoch - average.minimum_epoch)))
        with np.errstate(invalid="ignore"):  # losses of zero have no middle: χ is NaN there too
            half = int(np.argmin(np.abs(mean_loss[: end + 1] - (mean_loss[0] + mean_loss[end]) / 2)))
        late, early = (rates_at(own.epoch, rates, np.full(len(rows), own.epoch[at])) for at in (end, half))
        with np.errstate(all="ignore"):
            ratio = late / early
        factor = factor_of_mean(members)
        ratios.append(np.log(np.append(ratio[:1], widened(ratio[1:], ratio[0], factor))))
    return measured(np.exp(np.mean(ratios, axis=0)))


def _along(results: CurveResults, quantity: str) -> Iterator[_Along]:
    """``quantity`` along training at each scale of the curve."""
    for average, weights in zip(results.followed, results.weights, strict=True):
        need(quantity in average.members, f"{quantity} was not measured along training")
        epoch = average.along[quantity].epoch
        until = epoch <= average.minimum_epoch
        need(int(until.sum()) > 1, f"{quantity} was measured once before the minimum")
        values = average.members[quantity][:, until].astype(np.float64)
        rows = rows_of_mean(values, weights)
        yield _Along(rows, average.at_epochs("log_train_loss", epoch[until]))
