"""The learning rate that puts the minimum test loss into the epoch window (App. D.1).

The paper asks for a rate "small enough to ensure a minimum test loss is reached between 400 and 1000 epochs".
So trials are made at a few anchor scales, until a rate puts enough seeds into the window, close to its
geometric middle. A polynomial in the logarithm of the scale, through the anchors' rates, then gives the rate
at every point of the grid. A rate that varies smoothly with the scale adds no noise to scaling exponents, and
a point added to the grid changes no other point's rate.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ntklens.training.learning_rates import LearningRates
from ntklens.training.rate_diagnosis import diagnosis, tried
from ntklens.training.rate_search import corrected_rate, is_exhausted, next_rate
from ntklens.training.rate_trials import Goal, Pace, Trial

DEGREE = 2  # of log rate in log scale: a power law whose exponent changes slowly


class CalibrationError(Exception):
    """No rate was found, or no smooth curve fits the rates. The message says where, and what to change."""


@dataclass(frozen=True)
class Calibration(LearningRates):
    """The rates that were found, and the trials that led to them."""

    trials: tuple[Trial, ...] = ()


def calibrate(
    run_trial: Callable[[int, float], Trial],
    anchors: Sequence[int],
    goal: Goal,
    max_trials: int,
    first_rate: float,
) -> Calibration:
    """Find the rate at each of ``anchors`` that meets ``goal``, and the smooth curve through these rates.

    ``run_trial(scale, rate)`` returns a `Trial`. Raises CalibrationError where no rate at an anchor puts
    enough seeds into the window, or where the curve misses an anchor's rate by more than the goal's tolerance
    squared. The search at an anchor ends after ``max_trials``, or once it has closed in on a jump.
    """
    trials: list[Trial] = []
    found: dict[int, float] = {}
    for scale in anchors:
        first = first_rate if not found else _smooth(found).at(scale)
        found[scale], own = _search(run_trial, scale, goal, max_trials, first)
        trials += own
    curve = replace(_smooth(found), trials=tuple(trials))
    for scale, rate in found.items():
        if abs(math.log(curve.at(scale) / rate)) > 2 * math.log(goal.tolerance):
            raise CalibrationError(
                f"the smooth curve gives rate {curve.at(scale):.3g} at scale {scale}, where trials found "
                f"{rate:.3g}: drop that anchor or raise calibration.seeds"
            )
    return curve


def _search(
    run_trial: Callable[[int, float], Trial], scale: int, goal: Goal, max_trials: int, first_rate: float
) -> tuple[float, list[Trial]]:
    """The rate at ``scale``, and the trials that led to it."""
    trials = [run_trial(scale, first_rate)]
    while goal.pace(trials[-1]) is not Pace.RIGHT:
        if len(trials) == max_trials or is_exhausted(trials, goal):
            best = goal.best(trials)
            if best is None:
                raise CalibrationError(_failure(trials, goal))
            return best.rate, trials
        trials.append(run_trial(scale, next_rate(trials, goal)))
    return corrected_rate(trials, goal), trials


def _failure(trials: Sequence[Trial], goal: Goal) -> str:
    """Which scale, what was wanted, what the data do, and what to change."""
    seeds = len(trials[0].epochs)
    return (
        f"at scale {trials[0].scale}, none of {len(trials)} rates put the minimum test loss of "
        f"{goal.needed(seeds)} of {seeds} seeds into epochs {goal.first} to {goal.last}: "
        f"{diagnosis(trials, goal)} (rate → epoch of each seed's minimum, 0 where the test loss never "
        f"improved: {tried(trials)}). Drop the scale from the grid, move the window, raise max_epochs or "
        "calibration.max_trials, lower calibration.share_inside, or give a learning_rate"
    )


def _smooth(found: dict[int, float]) -> Calibration:
    degree = min(DEGREE, len(found) - 1)
    coefficients = np.polyfit(np.log(list(found)), np.log(list(found.values())), degree)
    return Calibration(tuple(float(c) for c in coefficients))
