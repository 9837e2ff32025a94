"""Trajectories of made-up numbers, with every part that a run file can have or without them."""

import numpy as np
from ntklens.storage.quantities import ALIGNMENTS, CURVES
from ntklens.storage.run_files import OK, Minimum, Spectrum, Trajectory


def whole(seed, status=OK, parameters=None):
    """Nine epochs in full batches: traces, two spectra on one draw, alignments and a minimum."""
    rng = np.random.default_rng(seed)
    return Trajectory(
        seed=seed,
        status=status,
        epoch=np.arange(9, dtype=np.int32),
        curves={name: rng.random(9).astype(np.float32) for name in CURVES},
        trace_epoch=np.arange(0, 9, 2, dtype=np.int32),
        ntk_trace=rng.random(5).astype(np.float32),
        spectrum=Spectrum(
            epoch=np.array([0, 4], np.int32),
            eigenvalues=rng.random((2, 1, 6)).astype(np.float32),
            ntk_trace=rng.random((2, 1)),
            alignments={name: rng.random((2, 1)) for name in ALIGNMENTS},
        ),
        train_indices=np.array([4, 1, 3]),
        minimum=Minimum(3, 0.5, 0.75, 1.5, rng.random(6), rng.random(6), parameters),
    )


def bare(seed, status=OK, spectra=3):
    """Mini-batches for a fixed number of epochs: spectra on two draws, noisy copies, nothing else."""
    rng = np.random.default_rng(seed)
    return Trajectory(
        seed=seed,
        status=status,
        epoch=np.array([0, 1, 5], np.int32),
        curves={name: rng.random(3).astype(np.float32) for name in CURVES},
        trace_epoch=np.empty(0, np.int32),
        ntk_trace=np.empty(0, np.float32),
        spectrum=Spectrum(
            epoch=np.arange(spectra, dtype=np.int32),
            eigenvalues=rng.random((spectra, 2, 6)).astype(np.float32),
            ntk_trace=rng.random((spectra, 2)),
        ),
        train_indices=np.array([4, 1, 3]),
        copied_from=np.array([0, 0, 2]),
    )
