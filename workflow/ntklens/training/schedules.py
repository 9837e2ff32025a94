"""How long a job trains, and when it measures what: plain numbers, from which costs and requests follow.

This module does not import JAX: Snakemake imports it in every job that it starts.
"""

import math
from dataclasses import dataclass

# Networks below this many parameters advance as one vectorised program, larger ones one after the
# other inside one compiled loop: each of these fills a core, and together they overflow its caches.
# benchmarks/ensemble_mapping.py measures at which size the two take equally long on a CPU.
VECTORISED_PARAMETERS = 20_000
EPOCHS_PER_CALL = 20  # between two checks of which members are finished
EVALUATED_AT_ONCE = 500  # samples, where the test loss is on a grid of epochs: memory stays bounded
# The search for the minimum between a grid's epochs: epochs between two evaluations in its first pass, and
# half the width of its second. For networks of 32 units or more the two together find the epoch of the
# exhaustive search; a finer first pass and a narrower second one miss it where the loss is flat.
# benchmarks/minimum_search.py compares them.
FINER = 8


def geometric_middle(first: int, last: int) -> float:
    """The epoch in the middle of the window from ``first`` to ``last``, at which calibration aims."""
    return math.sqrt(first * last)


@dataclass(frozen=True)
class Stop:
    """When a member ends: once its epoch is ``patience`` times that of its minimum, and the window allows it.

    With its minimum in the window, a member ends no earlier than at ``patience`` times the window's geometric
    middle, so that mean curves reach beyond their minimum; with an earlier one, not before ``window_last``.
    """

    window_first: int
    window_last: int
    patience: float
    max_epochs: int  # every member ends here

    @classmethod
    def fixed(cls, epochs: int) -> "Stop":
        """The stop of members that all train for ``epochs``."""
        return cls(window_first=epochs, window_last=epochs, patience=1.0, max_epochs=epochs)

    @property
    def earliest(self) -> int:
        """The first epoch at which a member with its minimum in the window may end."""
        middle = geometric_middle(self.window_first, self.window_last)
        return min(self.window_last, math.ceil(self.patience * middle - 1e-9))

    def last(self, minimum: int) -> int:
        """The epoch at which a member ends whose minimum so far is at epoch ``minimum``."""
        allowed = self.window_last if minimum < self.window_first else self.earliest
        return max(allowed, math.ceil(self.patience * minimum - 1e-9))  # 1.1 · 100 comes out above 110


@dataclass(frozen=True)
class Schedule:
    """When members stop, and when they are measured. All numbers are epochs."""

    stop: Stop
    evaluate_every: int = 1  # epochs between two evaluations of the test loss
    trace_every: int = 0  # epochs between two traces; 0 measures none
    snapshots: tuple[int, ...] = ()  # epochs at which training yields
    updates_after: bool = False  # whether it yields one update after each of them, too
    minimum: bool = True  # whether the minimum of the test loss is found to the epoch

    def __post_init__(self) -> None:
        if max(self.snapshots, default=0) > self.stop.max_epochs:
            raise ValueError(f"snapshots {self.snapshots} lie beyond the last epoch, {self.stop.max_epochs}")

    @property
    def yields(self) -> set[int]:
        """The epochs at which training has to yield."""
        after = {epoch + 1 for epoch in self.snapshots} if self.updates_after else set()
        return {*self.snapshots, *after}

    @property
    def grid(self) -> list[int]:
        """Every ``evaluate_every``-th epoch, and the last."""
        return [*range(0, self.stop.max_epochs, self.evaluate_every), self.stop.max_epochs]

    @property
    def evaluated(self) -> list[int]:
        """The epochs at which mini-batch training evaluates: the grid, with all other measurements."""
        traced = range(0, self.stop.max_epochs, self.trace_every) if self.trace_every else ()
        return sorted({*self.grid, *traced, *self.snapshots})

    @property
    def search_evaluations(self) -> int:
        """The most evaluations that the search for the minimum between the grid's epochs takes."""
        if not self.minimum:
            return 0
        first_pass = 2 * self.evaluate_every // FINER - 1 if self.evaluate_every > FINER else 0
        return first_pass + 2 * (min(FINER, self.evaluate_every) - 1)
