"""What the numbers of a run file must satisfy, whoever wrote them: a damaged number can be a plausible one.

Seeds that diverged have losses that are not finite, so they are not checked. Sums and repeated values were
computed in single precision, by other programs on other shapes, and so agree up to rounding.
"""

from collections.abc import Iterator

import numpy as np

from ntklens.storage.errors import FileError
from ntklens.storage.files import FilePath
from ntklens.storage.run_files import DIVERGED, Trajectory

ROUNDING = 1e-3  # relative
SPECTRAL_ROUNDING = 1e-4  # of an eigenvalue of a normalised NTK, relative to N: the largest can be N
WHOLE = 0.05  # how far the sum of a spectrum may lie from a whole number, where that is not N


def check_trajectory(path: FilePath, trajectory: Trajectory, rows: int) -> None:
    """Raise FileError, naming file and seed, for the first fact about ``trajectory`` that does not hold.

    ``rows`` is the number N of the NTK's rows.
    """
    if trajectory.status == DIVERGED:
        return
    for holds, fact in _facts(trajectory, rows):
        if not holds:
            raise FileError(
                f"{path}: of seed {trajectory.seed}, {fact}; delete the file and start again to train it anew"
            )


def _facts(own: Trajectory, rows: int) -> Iterator[tuple[bool, str]]:
    """Facts that hold or not, each named by what is wrong where it does not."""
    for name, curve in own.curves.items():
        epoch = own.epoch if name.startswith("train") else own.test_epoch
        yield len(curve) == len(epoch), f"{name} has {len(curve)} values at {len(epoch)} epochs"
        yield bool(np.all(np.isfinite(curve)) and np.all(curve >= 0)), f"{name} is not finite and positive"
        yield not name.endswith("accuracy") or bool(np.all(curve <= 1)), f"{name} is above 1"
    for name, epoch in _epochs(own).items():
        yield bool(np.all(np.diff(epoch) > 0) and np.all(epoch >= 0)), f"the epochs of {name} do not ascend"
    yield _close(own.layer_traces.sum(axis=1), own.ntk_trace), "layer_traces do not add up to ntk_trace"
    spectrum = own.spectrum
    yield is_normalised_spectrum(spectrum.eigenvalues, rows), _no_spectrum("spectrum/eigenvalues", rows)
    yield _is_positive(spectrum.ntk_trace), "spectrum/ntk_trace is not positive"
    if own.minimum is not None:
        yield from _facts_of_minimum(own, rows)


def _facts_of_minimum(own: Trajectory, rows: int) -> Iterator[tuple[bool, str]]:
    minimum = own.minimum
    assert minimum is not None
    at, tested = own.epoch == minimum.epoch, own.test_epoch == minimum.epoch
    least, raw = float(own.curves["test_loss"].min()), minimum.ntk_eigenvalues
    yield bool(np.any(at)), f"minimum/epoch is {minimum.epoch}, which is no epoch of the train loss"
    for name, where in (("train_loss", at), ("test_loss", tested)):
        agrees = _close(own.curves[name][where], getattr(minimum, name))
        yield agrees, f"minimum/{name} is not that of the curve"
    below = minimum.test_loss <= least * (1 + ROUNDING)
    yield below, f"minimum/test_loss is above the least test loss of the curve, {least:g}"
    yield is_normalised_spectrum(minimum.eigenvalues, rows), _no_spectrum("minimum/eigenvalues", rows)
    yield _is_positive(minimum.ntk_trace), "minimum/ntk_trace is not positive"
    yield _ascends(raw), "minimum/ntk_eigenvalues do not ascend"
    adds_up = _close(np.sum(raw, dtype=np.float64), minimum.ntk_trace)
    yield adds_up, "minimum/ntk_trace is not the sum of ntk_eigenvalues"
    if own.ends is not None:
        traces = own.ends.minimum.layer_traces
        adds_up = _close(np.sum(traces), minimum.ntk_trace)
        yield adds_up, "ends/minimum/layer_traces do not add up to minimum/ntk_trace"
        yield _is_positive(own.ends.initial.layer_traces), "ends/initial/layer_traces are not positive"


def _epochs(own: Trajectory) -> dict[str, np.ndarray]:
    return {
        "the train loss": own.epoch,
        "the test loss": own.test_epoch,
        "the trace": own.trace_epoch,
        "the spectrum": own.spectrum.epoch,
    }


def _no_spectrum(name: str, rows: int) -> str:
    return (
        f"{name} is no spectrum of a normalised NTK: {rows} ascending numbers, none negative, whose sum is "
        f"{rows}, less the rows of zeros"
    )


def is_normalised_spectrum(eigenvalues: np.ndarray, rows: int) -> bool:
    """Whether each spectrum along the last axis can be that of a normalised NTK of N = ``rows`` rows.

    None of its numbers is negative, up to rounding: Θ is J Jᵀ. Its sum is N, less the rows of zeros: outputs
    that no parameter moves, such as those of a network without biases whose units are all off for a sample.
    Each of them has an eigenvalue that is zero.
    """
    zero = SPECTRAL_ROUNDING * rows
    if eigenvalues.shape[-1] != rows or not _ascends(eigenvalues) or np.any(eigenvalues < -zero):
        return False
    sums = np.sum(eigenvalues, axis=-1, dtype=np.float64)
    moved, zeros = np.round(sums), np.sum(eigenvalues <= zero, axis=-1)
    fewer = (np.abs(sums - moved) <= WHOLE) & (moved > 0) & (moved <= rows) & (zeros >= rows - moved)
    return bool(np.all(fewer | np.isclose(sums, rows, rtol=ROUNDING, atol=0)))


def _ascends(values: np.ndarray) -> bool:
    return bool(np.all(np.isfinite(values)) and np.all(np.diff(values, axis=-1) >= 0))


def _is_positive(values: np.ndarray | float) -> bool:
    return bool(np.all(np.isfinite(values)) and np.all(np.asarray(values) > 0))


def _close(one: np.ndarray | float, other: np.ndarray | float) -> bool:
    return bool(np.allclose(one, other, rtol=ROUNDING, atol=0))
