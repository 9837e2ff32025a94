"""What the numbers of a run file must satisfy, whoever wrote them: a damaged number can be a plausible one.

Seeds that diverged have losses or NTKs that are not finite, so they are not checked. Sums and repeated values
were computed in single precision, by other programs on other shapes, and so agree up to rounding.
"""

from collections.abc import Iterator

import numpy as np

from ntklens.storage.errors import FileError
from ntklens.storage.files import FilePath
from ntklens.storage.run_files import DIVERGED, Minimum, Spectrum, Trajectory

ROUNDING = 1e-3  # relative
SPECTRAL_ROUNDING = 1e-4  # of an eigenvalue of a normalised NTK, relative to N: the largest can be N
ZERO_ROUNDING = 1e-6  # the same, of a row of zeros: LAPACK's errors there stay below a fifth of it
WHOLE = 0.05  # how far the sum of a spectrum may lie from a whole number, where that is not N


def check_trajectory(path: FilePath, trajectory: Trajectory, rows: int, zero_rows: bool) -> None:
    """Raise FileError, naming file and seed, for the first fact about ``trajectory`` that does not hold.

    ``rows`` is the number N of the NTK's rows. ``zero_rows`` says whether rows can be zero: outputs that no
    parameter moves, such as those of a network without biases whose units are all off for a sample. Every
    output of a network with biases has a bias of its own, so its row has at least a one.
    """
    if trajectory.status == DIVERGED:
        return
    for holds, fact in _facts(trajectory, rows, zero_rows):
        if not holds:
            raise FileError(
                f"{path}: of seed {trajectory.seed}, {fact}; delete the file and start again to train it anew"
            )


def _facts(own: Trajectory, rows: int, zero_rows: bool) -> Iterator[tuple[bool, str]]:
    """Facts that hold or not, each named by what is wrong where it does not."""
    for name, curve in own.curves.items():
        epoch = own.epoch if name.startswith("train") else own.test_epoch
        yield len(curve) == len(epoch), f"{name} has {len(curve)} values at {len(epoch)} epochs"
        yield _none_negative(curve), f"{name} is not finite and positive"
        yield not name.endswith("accuracy") or bool(np.all(curve <= 1)), f"{name} is above 1"
    for name, epoch in _epochs(own).items():
        yield bool(np.all(np.diff(epoch) > 0) and np.all(epoch >= 0)), f"the epochs of {name} do not ascend"
    yield _close(own.layer_traces.sum(axis=1), own.ntk_trace), "layer_traces do not add up to ntk_trace"
    yield from _facts_of_spectra("spectrum", own.spectrum, rows, zero_rows)
    if own.minimum is not None:
        yield from _facts_of_minimum(own, rows, zero_rows)


def _facts_of_spectra(
    group: str, own: Spectrum | Minimum, rows: int, zero_rows: bool
) -> Iterator[tuple[bool, str]]:
    """Those of the spectra of the normalised NTK in one ``group`` of the file, and of the NTK's traces."""
    is_one = is_normalised_spectrum(own.eigenvalues, rows, zero_rows)
    less = ", less the rows of zeros" if zero_rows else ""
    yield (
        is_one,
        f"{group}/eigenvalues is no spectrum of a normalised NTK: {rows} ascending numbers, none negative, "
        f"whose sum is {rows}{less}",
    )
    trace = np.asarray(own.ntk_trace)
    yield _none_negative(trace), f"{group}/ntk_trace is not finite and positive"
    agree = np.array_equal(trace == 0, np.all(own.eigenvalues == 0, axis=-1))
    yield agree, f"{group}/ntk_trace is zero where the eigenvalues are not, or is not where they are"


def _facts_of_minimum(own: Trajectory, rows: int, zero_rows: bool) -> Iterator[tuple[bool, str]]:
    minimum = own.minimum
    assert minimum is not None
    at, tested = own.epoch == minimum.epoch, own.test_epoch == minimum.epoch
    least, raw = float(own.curves["test_loss"].min()), minimum.ntk_eigenvalues
    # Mini-batches have a train loss at some epochs only, between which the minimum may lie.
    has_gaps = bool(np.any(np.diff(own.epoch) > 1))
    among = has_gaps and own.epoch[0] <= minimum.epoch <= own.epoch[-1]
    yield bool(np.any(at)) or among, f"minimum/epoch is {minimum.epoch}, which is no epoch of the train loss"
    for name, where in (("train_loss", at), ("test_loss", tested)):
        agrees = _close(own.curves[name][where], getattr(minimum, name))
        yield agrees, f"minimum/{name} is not that of the curve"
    below = minimum.test_loss <= least * (1 + ROUNDING)
    yield below, f"minimum/test_loss is above the least test loss of the curve, {least:g}"
    yield from _facts_of_spectra("minimum", minimum, rows, zero_rows)
    yield _ascends(raw), "minimum/ntk_eigenvalues do not ascend"
    adds_up = _close(np.sum(raw, dtype=np.float64), minimum.ntk_trace)
    yield adds_up, "minimum/ntk_trace is not the sum of ntk_eigenvalues"
    if own.ends is not None:
        # A layer's trace is zero where all units after it are off for all samples.
        for end, of_end in (("initial", own.ends.initial), ("minimum", own.ends.minimum)):
            fine = _none_negative(of_end.layer_traces)
            yield fine, f"ends/{end}/layer_traces are not finite, or negative"
        adds_up = _close(np.sum(own.ends.minimum.layer_traces), minimum.ntk_trace)
        yield adds_up, "ends/minimum/layer_traces do not add up to minimum/ntk_trace"


def _epochs(own: Trajectory) -> dict[str, np.ndarray]:
    return {
        "the train loss": own.epoch,
        "the test loss": own.test_epoch,
        "the trace": own.trace_epoch,
        "the spectrum": own.spectrum.epoch,
    }


def is_normalised_spectrum(eigenvalues: np.ndarray, rows: int, zero_rows: bool) -> bool:
    """Whether each spectrum along the last axis can be that of a normalised NTK of N = ``rows`` rows.

    None of its numbers is negative, up to rounding: Θ is J Jᵀ. Its sum is N, less the rows of zeros if there
    can be ``zero_rows``. Each of them has an eigenvalue that is zero.
    """
    negative = -SPECTRAL_ROUNDING * rows
    if eigenvalues.shape[-1] != rows or not _ascends(eigenvalues) or np.any(eigenvalues < negative):
        return False
    sums = np.sum(eigenvalues, axis=-1, dtype=np.float64)
    right = np.isclose(sums, rows, rtol=ROUNDING, atol=0)
    if zero_rows:
        moved, zeros = np.round(sums), np.sum(eigenvalues <= ZERO_ROUNDING * rows, axis=-1)
        possible = (moved >= 0) & (moved <= rows) & (zeros >= rows - moved)
        right |= possible & (np.abs(sums - moved) <= WHOLE)
    return bool(np.all(right))


def _ascends(values: np.ndarray) -> bool:
    return bool(np.all(np.isfinite(values)) and np.all(np.diff(values, axis=-1) >= 0))


def _none_negative(values: np.ndarray) -> bool:
    return bool(np.all(np.isfinite(values)) and np.all(values >= 0))


def _close(one: np.ndarray | float, other: np.ndarray | float) -> bool:
    return bool(np.allclose(one, other, rtol=ROUNDING, atol=0))
