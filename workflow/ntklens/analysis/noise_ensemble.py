"""Averages of the noise study's levels over seeds, and the file that holds them for one network.

Losses and accuracies are averaged over seeds, the NTK's quantities over all pairs of a seed and a draw
of test samples (App. D.2). Errors are standard errors of the mean, zero for a single value.
"""

from dataclasses import dataclass

import h5py
import numpy as np

from ntklens.analysis.ensemble import EnsembleError, standard_error
from ntklens.spectrum.effective_rank import effective_rank
from ntklens.storage.hdf5 import add_dataset, add_group, new_file
from ntklens.storage.noise_run_files import CURVES
from ntklens.storage.status import OK


@dataclass(frozen=True)
class NoiseEnsemble:
    """One level of removal: curves (E,) at ``epoch``, the NTK's quantities (S,) at ``spectrum_epoch``."""

    removed_percent: int
    seeds: np.ndarray
    left_out: tuple[str, ...]

    epoch: np.ndarray
    train_loss: np.ndarray
    train_loss_error: np.ndarray
    test_loss: np.ndarray
    test_loss_error: np.ndarray
    train_accuracy: np.ndarray
    train_accuracy_error: np.ndarray
    test_accuracy: np.ndarray
    test_accuracy_error: np.ndarray

    spectrum_epoch: np.ndarray
    effective_rank: np.ndarray
    effective_rank_error: np.ndarray
    ntk_trace: np.ndarray
    ntk_trace_error: np.ndarray


def aggregate_level(removed_percent, trajectories):
    """The `NoiseEnsemble` of the `NoiseTrajectory` s that ended well; EnsembleError if none did."""
    used = [t for t in trajectories if t.status == OK]
    left_out = tuple(f"seed {t.seed}: {t.status}" for t in trajectories if t.status != OK)
    if not used:
        raise EnsembleError(
            f"{removed_percent} % removed: none of {len(trajectories)} seeds is usable "
            f"({'; '.join(left_out)}). A diverged seed wants a smaller learning rate"
        )
    ranks = np.concatenate([effective_rank(t.eigenvalues).T for t in used])  # (seeds · draws, S)
    traces = np.concatenate([t.ntk_trace.T for t in used])
    return NoiseEnsemble(
        removed_percent=removed_percent,
        seeds=np.array([t.seed for t in used]),
        left_out=left_out,
        epoch=used[0].epoch,
        **_mean_curves(used),
        spectrum_epoch=used[0].spectrum_epoch,
        effective_rank=ranks.mean(axis=0),
        effective_rank_error=standard_error(ranks),
        ntk_trace=traces.mean(axis=0),
        ntk_trace_error=standard_error(traces),
    )


def _mean_curves(trajectories):
    """The fields of `NoiseEnsemble` for losses and accuracies."""
    fields = {}
    for name in CURVES:
        values = np.array([t.curves[name] for t in trajectories], dtype=np.float64)
        fields |= {name: values.mean(axis=0), f"{name}_error": standard_error(values)}
    return fields


_ARRAYS = {
    "seeds": ("seeds averaged over", "1"),
    "epoch": ("passes over the training set so far", "epoch"),
    "train_loss": ("mean train loss, noisy copies included", "nat"),
    "train_loss_error": ("standard error of train_loss", "nat"),
    "test_loss": ("mean test loss", "nat"),
    "test_loss_error": ("standard error of test_loss", "nat"),
    "train_accuracy": ("mean train accuracy, noisy copies included", "1"),
    "train_accuracy_error": ("standard error of train_accuracy", "1"),
    "test_accuracy": ("mean test accuracy", "1"),
    "test_accuracy_error": ("standard error of test_accuracy", "1"),
    "spectrum_epoch": ("epochs of effective_rank and ntk_trace", "epoch"),
    "effective_rank": ("mean over seeds and draws of the normalised NTK's effective rank", "1"),
    "effective_rank_error": ("standard error of effective_rank", "1"),
    "ntk_trace": ("mean over seeds and draws of the NTK's trace, undivided", "1"),
    "ntk_trace_error": ("standard error of ntk_trace", "1"),
}


def write_noise_ensembles(path, ensembles):
    """Store the levels of one network on one dataset, a group a level."""
    with new_file(path, "averages over seeds of the noise study, a group a level of removal") as file:
        for ensemble in ensembles:
            group = add_group(file, f"removed-{ensemble.removed_percent:02d}", "one level of removal")
            group.attrs["removed_percent"] = ensemble.removed_percent
            group.attrs["left_out"] = list(ensemble.left_out)
            for name, (description, units) in _ARRAYS.items():
                add_dataset(group, name, getattr(ensemble, name), description, units)


def read_noise_ensembles(path):
    """The `NoiseEnsemble` of every level in a file, least removed first."""
    with h5py.File(path) as file:
        ensembles = [_read(group) for group in file.values()]
    return sorted(ensembles, key=lambda ensemble: ensemble.removed_percent)


def _read(group):
    return NoiseEnsemble(
        removed_percent=int(group.attrs["removed_percent"]),
        left_out=tuple(group.attrs["left_out"]),
        **{name: group[name][()] for name in _ARRAYS},
    )
