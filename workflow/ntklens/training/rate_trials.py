"""Trials of a learning rate, and the goal that they are judged by (App. D.1).

Epochs are compared by their ratios, and so are rates: means are geometric, and distances are in logarithms.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np

from ntklens.training.schedules import geometric_middle


@dataclass(frozen=True)
class Trial:
    """One training of a few seeds at one rate: the epoch of each seed's minimum.

    ``epochs`` has None for a seed that diverged, and 0 for one whose test loss never fell below the initial
    one: a network of 8 units on a few dozen photographs may do no better. ``censored`` tells which seeds were
    not yet past their minimum at the last epoch: theirs is only a lower bound.
    """

    scale: int
    rate: float
    epochs: tuple[int | None, ...]
    censored: tuple[bool, ...]

    @property
    def diverged(self) -> bool:
        return None in self.epochs

    @property
    def mostly_censored(self) -> bool:
        return 2 * sum(self.censored) >= len(self.epochs)


class Side(Enum):
    """Where the minimum of one seed lies."""

    EARLY = "before the window"
    INSIDE = "inside the window"
    LATE = "after the window"


class Pace(Enum):
    """What a trial says about its rate."""

    FAST = "too large"
    RIGHT = "right"
    SLOW = "too small"


@dataclass(frozen=True)
class Goal:
    """What a rate has to achieve.

    No seed diverges, at least ``share`` of the seeds have their minimum between the epochs ``first`` and
    ``last``, and their middle lies within a factor ``tolerance`` of the window's. If no rate does all that,
    the best rate of those with enough seeds inside is good enough.
    """

    first: int
    last: int
    tolerance: float
    share: float

    @property
    def target(self) -> float:
        return geometric_middle(self.first, self.last)

    def needed(self, seeds: int) -> int:
        """How many of ``seeds`` have to be inside the window, at least one."""
        return max(1, math.ceil(self.share * seeds - 1e-9))  # 0.6 · 5 may come out above 3

    def sides(self, trial: Trial) -> list[Side]:
        """The side of each seed. One that diverged or never improved counts as early."""
        return [self._side(epoch, cut) for epoch, cut in zip(trial.epochs, trial.censored, strict=True)]

    def _side(self, epoch: int | None, censored: bool) -> Side:
        if not epoch:
            return Side.EARLY
        if censored or epoch > self.last:
            return Side.LATE
        return Side.INSIDE if epoch >= self.first else Side.EARLY

    def inside(self, trial: Trial) -> int:
        """How many seeds have their minimum inside the window; none if a seed diverged."""
        return 0 if trial.diverged else self.sides(trial).count(Side.INSIDE)

    def has_enough_inside(self, trial: Trial) -> bool:
        return self.inside(trial) >= self.needed(len(trial.epochs))

    def middle(self, trial: Trial) -> float | None:
        """The geometric mean of the epochs of the minima, the seeds' middle; None if no seed improved.

        If enough seeds are inside the window, these alone count. Otherwise, seeds that cannot be in a window
        together with the median one do not count: no rate would help them.
        """
        if self.has_enough_inside(trial):
            inside = zip(trial.epochs, self.sides(trial), strict=True)
            return _geometric_mean([epoch for epoch, side in inside if epoch and side is Side.INSIDE])
        improved = [epoch for epoch in trial.epochs if epoch]
        if not improved:
            return None
        length, median = self.last / self.first, math.exp(np.median(np.log(improved)))
        near = [epoch for epoch in improved if 1 / length <= epoch / median <= length]
        return _geometric_mean(near or improved)

    def miss(self, trial: Trial) -> float:
        """The logarithm of the middle's ratio to the target, for a trial in which a seed improved."""
        middle = self.middle(trial)
        assert middle is not None
        return math.log(middle / self.target)

    def best(self, trials: Sequence[Trial]) -> Trial | None:
        """Of the trials with enough seeds inside, that with the most, or else that nearest to the target."""
        usable = [trial for trial in trials if self.has_enough_inside(trial)]
        return max(usable, key=lambda trial: (self.inside(trial), -abs(self.miss(trial))), default=None)

    def pace(self, trial: Trial) -> Pace:
        """Whether the rate of ``trial`` is right, or else on which side of the right one it is."""
        if self.middle(trial) is None or trial.diverged:
            return Pace.FAST
        enough, sides, miss = self.has_enough_inside(trial), self.sides(trial), self.miss(trial)
        if enough and abs(miss) <= math.log(self.tolerance):
            return Pace.RIGHT
        early, late = sides.count(Side.EARLY), sides.count(Side.LATE)
        if enough or early == late:
            return Pace.FAST if miss < 0 else Pace.SLOW
        return Pace.FAST if early > late else Pace.SLOW


def _geometric_mean(epochs: Sequence[int]) -> float:
    return math.exp(np.mean(np.log(epochs)))
