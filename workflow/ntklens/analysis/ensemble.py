"""Averages over the seeds of one point, and the file that holds them for a whole curve.

Curves are averaged at equal epoch and end where the shortest usable seed ends; the train loss is
averaged as a logarithm. Quantities at the minimum are taken at each seed's own minimum of the test
loss first and averaged then (§4.1, §5).
"""

from dataclasses import dataclass

import h5py
import numpy as np

from ntklens.spectrum.alignments import Alignments
from ntklens.spectrum.effective_rank import effective_rank
from ntklens.storage.hdf5 import add_dataset, add_group, new_file
from ntklens.storage.status import OK


class EnsembleError(Exception):
    """Too few usable seeds at a point; says which were left out and why."""


@dataclass(frozen=True)
class Ensemble:
    """One point. Curves are (E,) along their own epochs; ``*_error`` are standard errors of the mean.

    The last block has a value a seed, in the order of ``seeds``, at each seed's own minimum.
    """

    scale: int
    seeds: np.ndarray
    left_out: tuple[str, ...]
    mean_minimum_epoch: int  # of the mean test loss: where curves along the train loss end

    epoch: np.ndarray
    log_train_loss: np.ndarray
    log_train_loss_error: np.ndarray
    test_loss: np.ndarray
    test_loss_error: np.ndarray

    trace_epoch: np.ndarray
    ntk_trace: np.ndarray
    ntk_trace_error: np.ndarray

    spectrum_epoch: np.ndarray
    effective_rank: np.ndarray
    effective_rank_error: np.ndarray
    label_alignment: np.ndarray
    label_alignment_error: np.ndarray
    summed_label_alignment: np.ndarray
    summed_label_alignment_error: np.ndarray
    misalignment_as_printed: np.ndarray
    misalignment_as_printed_error: np.ndarray
    misalignment_sign_matched: np.ndarray
    misalignment_sign_matched_error: np.ndarray
    misalignment_basis_free: np.ndarray
    misalignment_basis_free_error: np.ndarray

    minimum_epoch: np.ndarray
    minimum_test_loss: np.ndarray
    minimum_effective_rank: np.ndarray
    initial_trace: np.ndarray
    trace_ratio: np.ndarray  # β, Eq. 5


def aggregate(scale, trajectories, min_members):
    """The `Ensemble` of the trajectories that ended well.

    Raises EnsembleError where fewer than ``min_members`` did.
    """
    used = [t for t in trajectories if t.status == OK]
    left_out = tuple(f"seed {t.seed}: {t.status}" for t in trajectories if t.status != OK)
    if len(used) < min_members:
        raise EnsembleError(
            f"scale {scale}: {len(used)} of {len(trajectories)} seeds are usable, "
            f"ensemble.min_members asks for {min_members} ({'; '.join(left_out)}). A diverged seed "
            "wants a smaller learning rate; one whose minimum is at the last epoch a larger "
            "training.max_epochs"
        )
    epochs = min(len(t.curves["test_loss"]) for t in used)
    train_loss, test_loss = (
        np.array([t.curves[name][:epochs] for t in used], dtype=np.float64)
        for name in ("train_loss", "test_loss")
    )
    log_train_loss = np.log(train_loss)
    traces = min(len(t.trace_epoch) for t in used)
    ntk_trace = np.array([t.ntk_trace[:traces] for t in used], dtype=np.float64)
    ranks = effective_rank([t.eigenvalues for t in used])
    minimum_trace = np.array([t.minimum.ntk_trace for t in used])
    initial_trace = ntk_trace[:, 0]
    return Ensemble(
        scale=scale,
        seeds=np.array([t.seed for t in used]),
        left_out=left_out,
        mean_minimum_epoch=int(np.argmin(test_loss.mean(axis=0))),
        epoch=np.arange(epochs),
        log_train_loss=log_train_loss.mean(axis=0),
        log_train_loss_error=standard_error(log_train_loss),
        test_loss=test_loss.mean(axis=0),
        test_loss_error=standard_error(test_loss),
        trace_epoch=used[0].trace_epoch[:traces],
        ntk_trace=ntk_trace.mean(axis=0),
        ntk_trace_error=standard_error(ntk_trace),
        spectrum_epoch=used[0].spectrum_epoch,
        effective_rank=ranks.mean(axis=0),
        effective_rank_error=standard_error(ranks),
        **_mean_alignments(used),
        minimum_epoch=np.array([t.minimum.epoch for t in used]),
        minimum_test_loss=np.array([t.minimum.test_loss for t in used]),
        minimum_effective_rank=effective_rank([t.minimum.eigenvalues for t in used]),
        initial_trace=initial_trace,
        trace_ratio=(minimum_trace - initial_trace) / initial_trace,
    )


def _mean_alignments(trajectories):
    """The fields of `Ensemble` for each of the `Alignments`."""
    fields = {}
    for name in Alignments._fields:
        values = np.array([getattr(t.alignments, name) for t in trajectories])
        fields |= {name: values.mean(axis=0), f"{name}_error": standard_error(values)}
    return fields


def standard_error(values):
    """Standard error of the mean along the first axis; zero for a single value."""
    count = len(values)
    if count == 1:
        return np.zeros(np.shape(values)[1:])
    return np.std(values, axis=0, ddof=1) / np.sqrt(count)


_ARRAYS = {
    "seeds": ("seeds averaged over", "1"),
    "epoch": ("updates made so far", "epoch"),
    "log_train_loss": ("mean over seeds of the logarithm of the train loss", "1"),
    "log_train_loss_error": ("standard error of log_train_loss", "1"),
    "test_loss": ("mean test loss", "nat"),
    "test_loss_error": ("standard error of test_loss", "nat"),
    "trace_epoch": ("epochs of ntk_trace", "epoch"),
    "ntk_trace": ("mean trace of the NTK, undivided", "1"),
    "ntk_trace_error": ("standard error of ntk_trace", "1"),
    "spectrum_epoch": ("epochs of effective_rank", "epoch"),
    "effective_rank": ("mean effective rank of the normalised NTK", "1"),
    "effective_rank_error": ("standard error of effective_rank", "1"),
    "label_alignment": ("mean alignment of the NTK with vec(Y)vec(Y)ᵀ (Eq. 16)", "1"),
    "label_alignment_error": ("standard error of label_alignment", "1"),
    "summed_label_alignment": ("mean alignment of the NTK summed over outputs with YYᵀ", "1"),
    "summed_label_alignment_error": ("standard error of summed_label_alignment", "1"),
    "misalignment_as_printed": ("mean misalignment by one update, the solver's signs (Eq. 17)", "1"),
    "misalignment_as_printed_error": ("standard error of misalignment_as_printed", "1"),
    "misalignment_sign_matched": ("mean misalignment by one update, matching signs", "1"),
    "misalignment_sign_matched_error": ("standard error of misalignment_sign_matched", "1"),
    "misalignment_basis_free": ("mean misalignment by one update of the spanned spaces", "1"),
    "misalignment_basis_free_error": ("standard error of misalignment_basis_free", "1"),
    "minimum_epoch": ("each seed's epoch of least test loss", "epoch"),
    "minimum_test_loss": ("each seed's least test loss", "nat"),
    "minimum_effective_rank": ("each seed's effective rank at its minimum", "1"),
    "initial_trace": ("each seed's NTK trace at epoch 0", "1"),
    "trace_ratio": ("each seed's (Tr at its minimum − Tr at epoch 0) / Tr at epoch 0", "1"),
}


def write_ensembles(path, ensembles):
    """Store the points of one curve, a group a scale."""
    with new_file(path, "averages over seeds along one curve, a group a point") as file:
        for ensemble in ensembles:
            group = add_group(file, f"scale-{ensemble.scale:06d}", "one width or data size")
            group.attrs["scale"] = ensemble.scale
            group.attrs["mean_minimum_epoch"] = ensemble.mean_minimum_epoch
            group.attrs["left_out"] = list(ensemble.left_out)
            for name, (description, units) in _ARRAYS.items():
                add_dataset(group, name, getattr(ensemble, name), description, units)


def read_ensembles(path):
    """The `Ensemble` list of one curve, in order of scale."""
    with h5py.File(path) as file:
        return [_read(file[name]) for name in sorted(file)]


def _read(group):
    arrays = {name: group[name][()] for name in _ARRAYS}
    return Ensemble(
        scale=int(group.attrs["scale"]),
        left_out=tuple(group.attrs["left_out"]),
        mean_minimum_epoch=int(group.attrs["mean_minimum_epoch"]),
        **arrays,
    )
