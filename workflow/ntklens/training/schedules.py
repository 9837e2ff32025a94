"""How long a job trains, and when it measures what: plain numbers, from which costs and requests follow.

This module does not import JAX: Snakemake imports it in every job that it starts.
"""

from dataclasses import dataclass

# Networks below this many parameters advance as one vectorised program, larger ones one after the
# other inside one compiled loop: each of these fills a core, and together they overflow its caches.
# benchmarks/ensemble_mapping.py measures at which size the two take equally long on a CPU.
VECTORISED_PARAMETERS = 20_000
EPOCHS_PER_CALL = 20  # between two checks of which members are finished


@dataclass(frozen=True)
class Stop:
    """When a member ends: once it is past both ``window_last`` and ``patience`` times its minimum's epoch."""

    window_last: int  # no member ends before
    patience: float
    max_epochs: int  # every member ends here

    @classmethod
    def fixed(cls, epochs: int) -> "Stop":
        """The stop of members that all train for ``epochs``."""
        return cls(window_last=epochs, patience=1.0, max_epochs=epochs)


@dataclass(frozen=True)
class Schedule:
    """When members stop, and when they are measured. All numbers are epochs."""

    stop: Stop
    evaluate_every: int = 1  # epochs between two evaluations of the losses, in mini-batch training
    trace_every: int = 0  # epochs between two traces; 0 measures none
    snapshots: tuple[int, ...] = ()  # epochs at which training yields
    updates_after: bool = False  # whether it yields one update after each of them, too

    def __post_init__(self) -> None:
        if max(self.snapshots, default=0) > self.stop.max_epochs:
            raise ValueError(f"snapshots {self.snapshots} lie beyond the last epoch, {self.stop.max_epochs}")

    @property
    def yields(self) -> set[int]:
        """The epochs at which training has to yield."""
        after = {epoch + 1 for epoch in self.snapshots} if self.updates_after else set()
        return {*self.snapshots, *after}

    @property
    def evaluated(self) -> list[int]:
        """The epochs at which mini-batch training evaluates: regularly, with all measurements, at the end."""
        regular = range(0, self.stop.max_epochs, self.evaluate_every)
        traced = range(0, self.stop.max_epochs, self.trace_every) if self.trace_every else ()
        return sorted({*regular, *traced, *self.snapshots, self.stop.max_epochs})
