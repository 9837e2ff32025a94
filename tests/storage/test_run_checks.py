"""Which numbers a run file may hold."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ntklens.spectrum.eigenvalues import eigenvalues, normalised
from ntklens.storage.errors import FileError
from ntklens.storage.quantities import TRAIN_CURVES
from ntklens.storage.run_checks import check_trajectory, is_normalised_spectrum
from ntklens.storage.run_files import End, Ends, Minimum, Trajectory
from ntklens.storage.run_identity import read_runs
from ntklens.storage.run_writer import write_run
from ntklens.storage.settings import settings_sha256

from tests.support import drawn_runs
from tests.support.origins import origin

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
    several = np.stack([spectrum(0), own])[:, None]
    assert is_normalised_spectrum(own, ROWS, zero_rows=True)
    assert is_normalised_spectrum(several, ROWS, zero_rows=True)
    assert is_normalised_spectrum(several, ROWS, zero_rows=False) == (zeros == 0)


@pytest.mark.parametrize(
    "wrong",
    [
        spectrum(0) * 1.05,
        spectrum(0) * 0.96,
        spectrum(0)[::-1],
        spectrum(0)[1:],
        np.linspace(0.5, 1.0, ROWS) * 10 / 9,  # its sum is 10, but none of its values is zero
        np.where(np.arange(ROWS) == ROWS - 1, np.nan, spectrum(0)),
        np.where(np.arange(ROWS) == 0, -1.0, spectrum(1)),  # ascending, and its sum is 10
        np.where(np.arange(ROWS) == 0, -0.01, spectrum(0)),
    ],
)
@pytest.mark.parametrize("zero_rows", [False, True])
def test_other_numbers_are_no_spectrum(wrong: np.ndarray, zero_rows: bool) -> None:
    assert not is_normalised_spectrum(wrong, ROWS, zero_rows)


def test_small_eigenvalues_do_not_stand_for_rows_of_zeros() -> None:
    """Most eigenvalues of many rows are small: times 0.9, their sum is a whole number again."""
    rows = 1000
    own = np.sort(np.concatenate([np.linspace(0.002, 0.098, rows - 10), np.zeros(10)]))
    own[-1] += rows - own.sum()
    assert is_normalised_spectrum(own, rows, zero_rows=True)
    for share in (0.9, 0.95, 1.01):
        assert not is_normalised_spectrum(own * share, rows, zero_rows=True)
        assert not is_normalised_spectrum(own * share, rows, zero_rows=False)


ALL_ZERO = np.zeros(drawn_runs.ROWS, np.float32)
NO_MINIMUM = Minimum(22, 0.5, 1.0, 0.0, ALL_ZERO, ALL_ZERO, 0.0, 0.0)


def without_ntk() -> Trajectory:
    """A seed whose NTK is zero at the second of its three snapshots and at the minimum."""
    own = drawn_runs.run(0, traces=(0.0, 0.0))
    eigenvalues = own.spectrum.eigenvalues.copy()
    eigenvalues[1] = 0
    return replace(own, spectrum=replace(own.spectrum, eigenvalues=eigenvalues), minimum=NO_MINIMUM)


def with_ends(initial: list[float], minimum: list[float]) -> Trajectory:
    """A seed of two layers with these traces at the two ends."""
    ranks = np.ones(2)
    ends = [End(np.array(traces), np.zeros(2), ranks, ranks, 1.0, 1.0) for traces in (initial, minimum)]
    along = np.array([[0.0, 1.0]] * 3, np.float32)
    layers = {"layers": ("hidden_1", "output"), "layer_traces": along}
    return replace(drawn_runs.run(0), **layers, ends=Ends(*ends, 0.0, 0.0, 0.0, 1.0))


def read_back(folder: Path, own: Trajectory, network: dict[str, Any]) -> None:
    """Write a run file of ``own`` alone, and read it as averaging does."""
    settings = {"network": network}
    path = folder / "width-2" / "seeds-0-0.h5"
    write_run(path, [own], origin("run", settings, seeds=[0], ntk_rows=drawn_runs.ROWS))
    read_runs([path], {"width-2": settings_sha256(settings)}, seeds=1)


@pytest.mark.parametrize("epochs", [[], [21], [0, 1, 2, 3], [0, 5, 10], [30, 40]])
def test_a_minimum_lies_among_the_epochs_of_the_train_loss(epochs: list[int]) -> None:
    """With gaps, as of mini-batches, it may lie between two of them: that of this run is at 22."""
    own = drawn_runs.run(0)
    train = {name: own.curves[name][: len(epochs)] for name in TRAIN_CURVES}
    wrong = replace(own, epoch=np.array(epochs, int), curves={**own.curves, **train})
    with pytest.raises(FileError, match="minimum/epoch is 22, which is no epoch of the train loss"):
        check_trajectory("run.h5", wrong, drawn_runs.ROWS, zero_rows=False)
    right = replace(
        wrong, epoch=np.array([0, 40]), curves={**own.curves, **dict.fromkeys(TRAIN_CURVES, np.ones(2))}
    )
    check_trajectory("run.h5", right, drawn_runs.ROWS, zero_rows=False)


def test_without_biases_the_whole_ntk_can_be_zero(tmp_path: Path) -> None:
    read_back(tmp_path, without_ntk(), {"biases": False})


@pytest.mark.parametrize("network", [{"biases": True}, {}])
def test_with_biases_no_ntk_is_zero(tmp_path: Path, network: dict[str, Any]) -> None:
    with pytest.raises(FileError, match=r"of seed 0, spectrum/eigenvalues is no spectrum .* sum is 8;"):
        read_back(tmp_path, without_ntk(), network)


def test_a_trace_is_zero_where_its_spectrum_is(tmp_path: Path) -> None:
    own = without_ntk()
    traces = own.spectrum.ntk_trace.copy()
    traces[1, 0] = 1e-3
    with pytest.raises(
        FileError, match="spectrum/ntk_trace is zero where the eigenvalues are not, or is not"
    ):
        read_back(tmp_path, replace(own, spectrum=replace(own.spectrum, ntk_trace=traces)), {"biases": False})
    with pytest.raises(
        FileError, match="spectrum/ntk_trace is zero where the eigenvalues are not, or is not"
    ):
        read_back(tmp_path, drawn_runs.run(0, traces=(30.0, 0.0)), {"biases": True})


def test_a_layers_trace_can_be_zero_at_both_ends(tmp_path: Path) -> None:
    """All units of the last hidden layer are off for all samples: only the output's bias moves an output."""
    read_back(tmp_path, with_ends([0.0, 8.0], [0.0, 30.0]), {"biases": True})


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -1.0])
def test_other_traces_of_layers_are_named(tmp_path: Path, wrong: float) -> None:
    with pytest.raises(FileError, match="ends/initial/layer_traces are not finite, or negative"):
        read_back(tmp_path, with_ends([wrong, 8.0], [0.0, 30.0]), {"biases": True})
    with pytest.raises(FileError, match="ends/minimum/layer_traces"):
        read_back(tmp_path, with_ends([1.0, 8.0], [wrong, 30.0 - wrong]), {"biases": True})
