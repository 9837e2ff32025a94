"""The same initialisations trained on several draws of training samples, measured on several NTK draws.

At one scale, every seed's network is trained on every training draw, so three random factors cross: training
draw, initialisation, NTK draw. The test loss is measured on all test samples and has no NTK draw.

Run files hold the minimum on the first NTK draw alone, but the spectra along training on every draw. The
value at the minimum on another draw k is taken from the snapshot at the epoch nearest to the minimum,

    y_min,k = y_min,0 · y_snapshot,k / y_snapshot,0,    y = Γ or Tr Θ:

exact for the first draw, and for others as good as the ratio of two draws is constant between snapshot and
minimum. Tr Θ₀ is measured on every draw.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import cast

import numpy as np
from jaxtyping import Float, Int

from ntklens.analysis.averages import why_left_out
from ntklens.spectrum.effective_rank import effective_rank
from ntklens.storage.run_files import Minimum, Trajectory

FACTORS = ("training draw", "initialisation", "NTK draw")  # the axes of every array below
QUANTITIES = ("test_loss", "trace_ratio", "effective_rank", "initial_trace")


class DataDrawsError(Exception):
    """The runs do not have what the analysis needs. The message says what is missing."""


@dataclass(frozen=True)
class Deviations:
    """A quantity's ``mean``, and how far each value is from it as a share of it.

    ``relative`` has an axis for each of `FACTORS`; the last is missing where there is one NTK draw, or where
    the quantity has none.
    """

    mean: float
    relative: Float[np.ndarray, "training_draws initialisations *ntk_draws"]


@dataclass(frozen=True)
class DrawnRuns:
    """The runs of one scale, an axis for each of `FACTORS` but of ``test_loss``.

    ``seeds`` are the initialisations that averages would use on every training draw; the others are left out,
    so that data are balanced. ``epochs_apart`` is how far the farthest snapshot is from its minimum, as a
    share of the minimum's epoch.
    """

    seeds: Int[np.ndarray, " initialisations"]
    test_loss: Float[np.ndarray, "training_draws initialisations"]
    effective_rank: Float[np.ndarray, "training_draws initialisations ntk_draws"]
    trace: Float[np.ndarray, "training_draws initialisations ntk_draws"]
    initial_trace: Float[np.ndarray, "training_draws initialisations ntk_draws"]
    epochs_apart: float

    def deviations(self) -> dict[str, Deviations]:
        """The `Deviations` of each of `QUANTITIES`.

        The trace ratio is the ratio of means ⟨Tr Θ_min − Tr Θ₀⟩ / ⟨Tr Θ₀⟩; its deviations are those of
        numerator and denominator, to first order.
        """
        gain, initial = self.trace - self.initial_trace, self.initial_trace
        ratio = Deviations(float(gain.mean() / initial.mean()), _relative(gain) - _relative(initial))
        return {
            "test_loss": Deviations(float(self.test_loss.mean()), _relative(self.test_loss)),
            "trace_ratio": _without_single_draw(ratio),
            "effective_rank": _of_mean(self.effective_rank),
            "initial_trace": _of_mean(self.initial_trace),
        }


def _relative(values: Float[np.ndarray, "*levels"]) -> Float[np.ndarray, "*levels"]:
    return values / values.mean() - 1


def _of_mean(values: Float[np.ndarray, "training_draws initialisations ntk_draws"]) -> Deviations:
    return _without_single_draw(Deviations(float(values.mean()), _relative(values)))


def _without_single_draw(own: Deviations) -> Deviations:
    """``own`` without the axis of NTK draws if there is a single one."""
    return Deviations(own.mean, own.relative[..., 0]) if own.relative.shape[-1] == 1 else own


def drawn_runs(by_draw: Sequence[Sequence[Trajectory]]) -> DrawnRuns:
    """The `DrawnRuns` of one scale, from the trajectories of every training draw.

    Raises DataDrawsError for fewer than two training draws, or fewer than two seeds that are usable on all.
    """
    if len(by_draw) < 2:
        raise DataDrawsError(f"there are {len(by_draw)} draws of training samples, two are needed")
    used = [{t.seed: t for t in own if not why_left_out(t) and t.minimum is not None} for own in by_draw]
    seeds = reduce(np.intersect1d, [np.array(sorted(own), dtype=int) for own in used])
    if len(seeds) < 2:
        raise DataDrawsError(f"{len(seeds)} seeds are usable on every training draw, two are needed")
    cells = [[_measured(own[int(seed)]) for seed in seeds] for own in used]

    def of_cells(name: str) -> Float[np.ndarray, "training_draws initialisations *rest"]:
        return np.array([[cell[name] for cell in row] for row in cells], dtype=np.float64)

    return DrawnRuns(
        seeds=seeds,
        test_loss=of_cells("test_loss"),
        effective_rank=of_cells("effective_rank"),
        trace=of_cells("trace"),
        initial_trace=of_cells("initial_trace"),
        epochs_apart=float(of_cells("epochs_apart").max()),
    )


def _measured(run: Trajectory) -> Mapping[str, Float[np.ndarray, " *draws"] | float]:
    """One network's values at its minimum, on every NTK draw where they depend on it."""
    minimum, spectrum = cast(Minimum, run.minimum), run.spectrum
    nearest = int(np.argmin(np.abs(spectrum.epoch - minimum.epoch)))
    ranks = np.asarray(effective_rank(spectrum.eigenvalues[nearest]))
    traces = spectrum.ntk_trace[nearest].astype(np.float64)
    apart = abs(int(spectrum.epoch[nearest]) - minimum.epoch) / max(minimum.epoch, 1)
    return {
        "test_loss": minimum.test_loss,
        "effective_rank": float(effective_rank(minimum.eigenvalues)) * ranks / ranks[0],
        "trace": minimum.ntk_trace * traces / traces[0],
        "initial_trace": spectrum.ntk_trace[0].astype(np.float64),
        "epochs_apart": apart,
    }
