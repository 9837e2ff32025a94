"""How long a job trains and what it measures when: plain numbers, which prices and resources follow from.

No JAX here: Snakemake imports this in every job that it starts.
"""

from dataclasses import dataclass

# Networks below this many parameters advance as one vectorised program, larger ones one after the
# other inside one compiled loop: alone they fill a core, together they overflow its caches. Where
# the two cross on a CPU is measured by benchmarks/ensemble_mapping.py.
VECTORISED_PARAMETERS = 20_000
EPOCHS_PER_CALL = 20  # between two looks at which members are finished


@dataclass(frozen=True)
class Schedule:
    """Of the scaling studies. All numbers are epochs but ``patience``."""

    window_last: int  # no member is finished before
    patience: float  # nor before this multiple of its minimum's epoch
    max_epochs: int  # every member ends here
    trace_every: int = 0  # epochs between two traces; 0 measures none
    snapshots: tuple[int, ...] = ()  # epochs at which training yields, and one update later


@dataclass(frozen=True)
class NoiseSchedule:
    """Of noise scaling. All numbers are epochs but ``ntk_samples`` (a draw) and ``ntk_draws``."""

    epochs: int
    evaluate_every: int
    spectrum_epochs: tuple[int, ...]
    ntk_samples: int
    ntk_draws: int

    @property
    def curve_epochs(self):
        """When losses and accuracies are measured: regularly, at the end, and with every spectrum."""
        return sorted({*range(0, self.epochs, self.evaluate_every), *self.spectrum_epochs, self.epochs})
