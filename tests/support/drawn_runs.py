"""Made-up runs of the same seeds on several training draws and NTK draws."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from ntklens.storage.quantities import CURVES
from ntklens.storage.run_files import OK, Minimum, Spectrum, Status, Trajectory

SNAPSHOTS = (0, 20, 40)
EPOCHS = 50
ROWS = 8  # of the NTK


def of_rank(rank: float) -> Any:
    """A spectrum whose effective rank is ``rank``, a whole number."""
    return np.where(np.arange(ROWS) >= ROWS - rank, ROWS / rank, 0.0).astype(np.float32)


def run(
    seed: int,
    test_loss: float = 1.0,
    initial_traces: Sequence[float] = (10.0, 10.0),
    traces: Sequence[float] = (30.0, 30.0),
    ranks: Sequence[float] = (4.0, 4.0),
    minimum: tuple[int, float, float] = (22, 30.0, 4.0),
    status: Status = OK,
) -> Trajectory:
    """A seed with ``traces`` and ``ranks`` of each NTK draw at epoch 20.

    ``minimum`` are its epoch, trace and rank on the first draw.
    """
    epoch, trace, rank = minimum
    by_epoch = [initial_traces, traces, [999.0] * len(traces)]
    spectra = [[of_rank(8) for _ in ranks], [of_rank(own) for own in ranks], [of_rank(1) for _ in ranks]]
    half = np.full(EPOCHS, 0.5, np.float32)
    nothing = np.ones((len(SNAPSHOTS), len(ranks)))
    return Trajectory(
        seed=seed,
        status=status,
        epoch=np.arange(EPOCHS),
        test_epoch=np.arange(EPOCHS),
        curves={**dict.fromkeys(CURVES, half), "test_loss": 2 * test_loss * half},
        trace_epoch=np.arange(3),
        ntk_trace=np.ones(3, np.float32),
        layers=("output",),
        layer_traces=np.ones((3, 1), np.float32),
        spectrum=Spectrum(np.array(SNAPSHOTS), np.array(spectra), np.array(by_epoch), nothing, nothing),
        train_indices=np.arange(2),
        minimum=Minimum(epoch, 0.5, test_loss, trace, of_rank(rank), of_rank(rank) * trace / ROWS, 1.0, 1.0),
    )
