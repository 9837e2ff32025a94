"""The next learning rate to try, from the trials made so far at one scale.

With Adam the epoch of the minimum is nearly proportional to 1 / rate. Other optimisers follow other laws, so
this one is only the first guess: two trials give a slope of their own. Once one rate is too large and another
too small, all further rates lie between them, and every second step at least halves the logarithm of their
ratio. A rate is a function of the trials alone, so that an interrupted search resumes where it was.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ntklens.training.rate_trials import Goal, Pace, Trial

LARGEST_STEP = math.log(8.0)  # of the log rate from one trial to the next
SMALLEST_STEP = math.log(1.1)  # outward
BLIND_STEP = math.log(2.0)  # where the epochs do not say how far to go
FLATTEST = -0.25  # slope of log epoch in log rate that is believed
STEEPEST = -4.0  # slope that outward steps believe: after a jump, they would become too small
ADAM = -1.0  # the slope where trials give none
MARGIN = 0.1  # of the bracket's log width: no trial is closer to either end
TIGHT = 1.05  # ratio of the bracket's rates below which the search ends


@dataclass(frozen=True)
class Bracket:
    """The trials between which the rate must lie, each None until there is one.

    ``halved`` says whether the last trial inside halved the bracket's width.
    """

    slow: Trial | None = None
    fast: Trial | None = None
    halved: bool = True

    @property
    def width(self) -> float:
        """The logarithm of the ratio of the two rates; infinite while one is missing."""
        return math.log(self.fast.rate / self.slow.rate) if self.slow and self.fast else math.inf

    def narrowed(self, trial: Trial, pace: Pace) -> "Bracket":
        """This bracket with ``trial`` for one of its ends."""
        ends = (self.slow, trial) if pace is Pace.FAST else (trial, self.fast)
        after = Bracket(*ends)
        return Bracket(*ends, halved=after.width <= self.width / 2)


def bracket_of(trials: Sequence[Trial], goal: Goal) -> Bracket:
    """The bracket after ``trials``, none of which was right.

    A search goes down from a rate that is too large and up from one that is too small. So the slow end is
    always below the fast one, even where the epochs are not monotonic in the rate.
    """
    bracket = Bracket()
    for trial in trials:
        bracket = bracket.narrowed(trial, goal.pace(trial))
    return bracket


def is_exhausted(trials: Sequence[Trial], goal: Goal) -> bool:
    """Whether rates that are too large and too small are so close that none between them will do."""
    return bracket_of(trials, goal).width < math.log(TIGHT)


def next_rate(trials: Sequence[Trial], goal: Goal) -> float:
    """The rate to try after ``trials``, none of which was right."""
    bracket = bracket_of(trials, goal)
    if bracket.slow is None or bracket.fast is None:
        return trials[-1].rate * math.exp(_outward_step(trials, goal))
    if not bracket.halved:
        return math.sqrt(bracket.slow.rate * bracket.fast.rate)
    margin = MARGIN * bracket.width
    lowest, highest = math.log(bracket.slow.rate) + margin, math.log(bracket.fast.rate) - margin
    aimed_at = _inward_log_rate(bracket.slow, bracket.fast, trials, goal)
    return math.exp(min(max(aimed_at, lowest), highest))


def corrected_rate(trials: Sequence[Trial], goal: Goal) -> float:
    """The rate of the last trial, which was right, corrected by how far its middle is from the target.

    The correction goes at most half the way to a rate that was not right, and at most by the tolerance:
    where seeds scatter, trials may give too flat a slope.
    """
    bracket, right, largest = bracket_of(trials[:-1], goal), trials[-1].rate, math.log(goal.tolerance)
    correction = goal.miss(trials[-1]) / -slope(trials, goal)
    rate = right * math.exp(min(max(correction, -largest), largest))
    lowest = math.sqrt(bracket.slow.rate * right) if bracket.slow else 0.0
    highest = math.sqrt(bracket.fast.rate * right) if bracket.fast else math.inf
    return min(max(rate, lowest), highest)


def slope(trials: Sequence[Trial], goal: Goal) -> float:
    """d(log epoch)/d(log rate) from the last two trials that tell it, or else that of Adam."""
    telling = [trial for trial in trials if _tells(trial, goal)]
    if len(telling) < 2 or telling[-1].rate == telling[-2].rate:
        return ADAM
    measured = _slope_between(telling[-2], telling[-1], goal)
    return min(measured, FLATTEST) if measured < 0 else ADAM


def _slope_between(one: Trial, other: Trial, goal: Goal) -> float:
    return (goal.miss(other) - goal.miss(one)) / math.log(other.rate / one.rate)


def _outward_step(trials: Sequence[Trial], goal: Goal) -> float:
    """The change of the log rate while all ``trials`` were on one side."""
    last = trials[-1]
    direction = -1 if goal.pace(last) is Pace.FAST else 1
    if last.diverged or goal.middle(last) is None:
        return direction * LARGEST_STEP
    distance = direction * goal.miss(last) / -max(slope(trials, goal), STEEPEST)
    if last.mostly_censored:
        distance = max(distance, 0.0) + BLIND_STEP
    elif distance <= 0:  # the middle of the seeds is on one side, and most seeds outside are on the other
        distance = BLIND_STEP
    return direction * min(max(distance, SMALLEST_STEP), LARGEST_STEP)


def _inward_log_rate(slow: Trial, fast: Trial, trials: Sequence[Trial], goal: Goal) -> float:
    """The log rate at which a line through the ends meets the target.

    If only one end tells an epoch, the line has the slope that the trials give; if none does, this is the
    middle.
    """
    ends = [trial for trial in (slow, fast) if _tells(trial, goal)]
    if not ends:
        return math.log(slow.rate * fast.rate) / 2
    if len(ends) == 2 and goal.miss(fast) < 0 < goal.miss(slow):
        steepness = _slope_between(slow, fast, goal)
    else:
        steepness = slope(trials, goal)
    nearest = min(ends, key=lambda end: abs(goal.miss(end)))
    return math.log(nearest.rate) - goal.miss(nearest) / steepness


def _tells(trial: Trial, goal: Goal) -> bool:
    """Whether the middle of ``trial`` is known, rather than bounded."""
    return goal.middle(trial) is not None and not trial.diverged and not trial.mostly_censored
