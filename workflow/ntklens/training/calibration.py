"""The learning rate that puts the minimum test loss into the epoch window (App. D.1).

The paper asks for a rate "small enough to ensure a minimum test loss is reached between 400 and 1000 epochs".
With Adam the minimum's epoch is nearly proportional to 1 / rate. So trials are made at a few anchor scales:
each corrects the rate by how far the last minimum was from the window's geometric middle. A polynomial in the
logarithm of the scale, through the anchors' rates, then gives the rate at every point of the grid. A rate
that varies smoothly with the scale adds no noise to scaling exponents, and a point added to the grid changes
no other point's rate.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ntklens.training.learning_rates import LearningRates

DEGREE = 2  # of log rate in log scale: a power law whose exponent changes slowly
LARGEST_CORRECTION = 8.0  # of the rate from one trial to the next


class CalibrationError(Exception):
    """No rate was found, or no smooth curve fits the rates. The message says where, and what to change."""


@dataclass(frozen=True)
class Trial:
    """One training of a few seeds at one rate: the epoch of each seed's minimum.

    ``epochs`` has None for a seed that diverged, and 0 for one whose test loss never fell below the initial
    one: a network of 8 units on a few dozen photographs may do no better. ``censored`` says that at least
    half of the seeds had their least test loss at the last epoch: the mean is only a lower bound.
    """

    scale: int
    rate: float
    epochs: tuple[int | None, ...]
    censored: bool

    @property
    def epoch(self) -> float | None:
        """Geometric mean over the seeds that improved; None where a seed diverged or none improved."""
        if None in self.epochs or not any(self.epochs):
            return None
        return math.exp(np.mean(np.log([epoch for epoch in self.epochs if epoch])))


@dataclass(frozen=True)
class Calibration(LearningRates):
    """The rates that were found, and the trials that led to them."""

    trials: tuple[Trial, ...] = ()


def calibrate(
    run_trial: Callable[[int, float], Trial],
    anchors: Sequence[int],
    target: float,
    tolerance: float,
    max_trials: int,
    first_rate: float,
) -> Calibration:
    """Find the rate at each of ``anchors`` and the smooth curve through these rates.

    ``run_trial(scale, rate)`` returns a `Trial`. An anchor is done once its epoch lies within a factor
    ``tolerance`` of ``target``. Raises CalibrationError after ``max_trials`` at an anchor, or where the curve
    misses an anchor's rate by more than that factor squared.
    """
    trials: list[Trial] = []
    found: dict[int, float] = {}
    for scale in anchors:
        rate = first_rate if not found else _smooth(found).at(scale)
        for _ in range(max_trials):
            trial = run_trial(scale, rate)
            trials.append(trial)
            if trial.epoch and not trial.censored and _within(trial.epoch, target, tolerance):
                break
            rate = corrected_rate(trial, target)
        else:
            tried = ", ".join(f"{t.rate:.3g} → {t.epochs}" for t in trials if t.scale == scale)
            raise CalibrationError(
                f"at scale {scale}, {max_trials} trials did not put the minimum test loss within a factor "
                f"{tolerance} of epoch {target:.0f} (rate → epoch of each seed's minimum: {tried}). "
                "Drop the scale from the grid, move the window, raise max_epochs or calibration.max_trials, "
                "or give a learning_rate"
            )
        found[scale] = rate * trial.epoch / target
    curve = replace(_smooth(found), trials=tuple(trials))
    for scale, rate in found.items():
        if not _within(curve.at(scale), rate, tolerance**2):
            raise CalibrationError(
                f"the smooth curve gives rate {curve.at(scale):.3g} at scale {scale}, where trials found "
                f"{rate:.3g}: drop that anchor or raise calibration.seeds"
            )
    return curve


def corrected_rate(trial: Trial, target: float) -> float:
    """The next rate to try: the minimum's epoch is proportional to 1 / rate."""
    if trial.epoch is None:  # the rate is too large
        return trial.rate / LARGEST_CORRECTION
    correction = trial.epoch / target
    if trial.censored:  # the epoch is only a lower bound
        correction = max(correction, 1.0) * 2
    return trial.rate * min(max(correction, 1 / LARGEST_CORRECTION), LARGEST_CORRECTION)


def _smooth(found: dict[int, float]) -> Calibration:
    degree = min(DEGREE, len(found) - 1)
    coefficients = np.polyfit(np.log(list(found)), np.log(list(found.values())), degree)
    return Calibration(tuple(float(c) for c in coefficients))


def _within(value: float, reference: float, factor: float) -> bool:
    return abs(math.log(value / reference)) <= math.log(factor)
