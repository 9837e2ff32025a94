"""Why no learning rate would do, in words: what the minimum of each seed did at the rates tried."""

from collections.abc import Sequence
from itertools import pairwise

from ntklens.training.rate_trials import Goal, Side, Trial


def tried(trials: Sequence[Trial]) -> str:
    """Every rate with the minimum of each seed there, in the order in which they were tried."""
    return ", ".join(f"{rate(trial)} → ({', '.join(_minima(trial))})" for trial in trials)


def rate(trial: Trial) -> str:
    return f"{trial.rate:.4g}"


def diagnosis(trials: Sequence[Trial], goal: Goal) -> str:
    """What kept ``trials`` at one scale from the ``goal``, seed by seed; equal findings are said once."""
    ordered = sorted(trials, key=lambda trial: trial.rate)
    seeds: dict[str, list[int]] = {}
    for seed in range(len(ordered[0].epochs)):
        seeds.setdefault(_finding(ordered, goal, seed), []).append(seed)
    findings = [f"{_listed('seed', list(map(str, own)))}: {finding}" for finding, own in seeds.items()]
    return "; ".join([*findings, _all_together(ordered, goal)])


def _finding(ordered: Sequence[Trial], goal: Goal, seed: int) -> str:
    """What the minimum of ``seed`` does as the rate grows."""
    epochs = [trial.epochs[seed] for trial in ordered]
    sides = [goal.sides(trial)[seed] for trial in ordered]
    inside = [rate(trial) for trial, side in zip(ordered, sides, strict=True) if side is Side.INSIDE]
    if inside:
        return f"the minimum is inside at {_listed('rate', inside)}"
    if not any(epochs):
        return _without_minimum(epochs)
    for (low, below), (high, above) in pairwise(zip(ordered, sides, strict=True)):
        if (below, above) == (Side.LATE, Side.EARLY):
            slow, fast = _minima(low)[seed], high.epochs[seed]
            if not fast:
                end = "it diverges" if fast is None else "the test loss never improves"
                return f"the minimum is at {slow} at rate {rate(low)}, and {end} at rate {rate(high)}"
            return f"the minimum jumps from {slow} to {fast} between rates {rate(low)} and {rate(high)}"
    if set(sides) == {Side.LATE}:
        return f"the minimum is at {min(filter(None, epochs))} or later at every rate tried"
    if set(sides) == {Side.EARLY}:
        return f"the minimum is at {max(filter(None, epochs))} or earlier at every rate tried"
    return "the minimum comes later at larger rates"


def _without_minimum(epochs: Sequence[int | None]) -> str:
    if None not in epochs:
        return "the test loss never improves at any rate tried"
    if 0 not in epochs:
        return "it diverges at every rate tried"
    return "the test loss never improves, or it diverges, at every rate tried"


def _all_together(trials: Sequence[Trial], goal: Goal) -> str:
    """How close the best trial came."""
    found = max(map(goal.inside, trials))
    return f"at most {found} of {len(trials[0].epochs)} {'was' if found == 1 else 'were'} inside at one rate"


def _minima(trial: Trial) -> list[str]:
    return [_words(epoch, cut) for epoch, cut in zip(trial.epochs, trial.censored, strict=True)]


def _words(epoch: int | None, censored: bool) -> str:
    if epoch is None:
        return "diverged"
    return f"{epoch} or later" if censored else str(epoch)


def _listed(name: str, items: Sequence[str]) -> str:
    if len(items) == 1:
        return f"{name} {items[0]}"
    return f"{name}s {', '.join(items[:-1])} and {items[-1]}"
