"""Which spectra a run file may hold."""

import numpy as np
import pytest
from ntklens.spectrum.eigenvalues import eigenvalues, normalised
from ntklens.storage.run_checks import is_normalised_spectrum

ROWS = 12


def spectrum(zeros: int) -> np.ndarray:
    """That of a normalised NTK in which ``zeros`` outputs move with no parameter."""
    jacobian = np.random.default_rng(zeros).normal(size=(ROWS, 5))
    jacobian[:zeros] = 0
    return np.asarray(eigenvalues(normalised((jacobian @ jacobian.T).astype(np.float32))))


@pytest.mark.parametrize("zeros", [0, 1, 2, ROWS - 1])
def test_outputs_that_no_parameter_moves_are_missing_from_the_sum(zeros: int) -> None:
    own = spectrum(zeros)
    assert own.sum() == pytest.approx(ROWS - zeros, rel=1e-4)
    assert is_normalised_spectrum(own, ROWS)
    assert is_normalised_spectrum(np.stack([spectrum(0), own])[:, None], ROWS)


@pytest.mark.parametrize(
    "wrong",
    [
        spectrum(0) * 1.05,
        spectrum(0) * 0.96,
        spectrum(0)[::-1],
        spectrum(0)[1:],
        np.zeros(ROWS),
        np.linspace(0.5, 1.0, ROWS) * 10 / 9,  # its sum is 10, but none of its values is zero
        np.where(np.arange(ROWS) == ROWS - 1, np.nan, spectrum(0)),
        np.where(np.arange(ROWS) == 0, -1.0, spectrum(1)),  # ascending, and its sum is 10
        np.where(np.arange(ROWS) == 0, -0.01, spectrum(0)),
    ],
)
def test_other_numbers_are_no_spectrum(wrong: np.ndarray) -> None:
    assert not is_normalised_spectrum(wrong, ROWS)
