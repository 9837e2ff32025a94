"""The code blocks of a page, and a run for those that read one."""

import re
from pathlib import Path

import numpy as np
from ntklens.storage.quantities import ALIGNMENTS, CURVES
from ntklens.storage.run_files import OK, Minimum, Spectrum, Trajectory


def blocks(path: Path, language: str) -> list[str]:
    """The code blocks of a page that are marked as of ``language``."""
    return re.findall(
        rf"^```{language}\n(.*?)^```$", path.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    )


def trajectory(seed: int) -> Trajectory:
    """A seed with a minimum, whose NTKs have two equal eigenvalues."""
    return Trajectory(
        seed=seed,
        status=OK,
        epoch=np.arange(9, dtype=np.int32),
        test_epoch=np.arange(9, dtype=np.int32),
        curves={name: np.ones(9, np.float32) for name in CURVES},
        trace_epoch=np.arange(0, 9, 2, dtype=np.int32),
        ntk_trace=np.ones(5, np.float32),
        layers=("output",),
        layer_traces=np.ones((5, 1), np.float32),
        spectrum=Spectrum(
            epoch=np.array([0, 4], dtype=np.int32),
            eigenvalues=np.ones((2, 1, 2), np.float32),
            ntk_trace=np.ones((2, 1)),
            loss_susceptibility=np.ones((2, 1)),
            spectral_position=np.ones((2, 1)),
            alignments={name: np.ones((2, 1)) for name in ALIGNMENTS},
        ),
        train_indices=np.array([4, 1, 3]),
        minimum=Minimum(3, 0.5, 0.75, 1.5, np.ones(2), np.ones(2), 1.0, 0.5),
    )
