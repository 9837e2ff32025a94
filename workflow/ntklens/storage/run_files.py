"""The run file: what a batch of seeds went through, one HDF5 group a seed.

/                     provenance, as attributes
/seed-0007            status: "ok", "diverged" or "minimum at the last epoch"
    epoch, train_loss, test_loss, train_accuracy, test_accuracy
    trace/            epoch, ntk_trace
    spectrum/         epoch, eigenvalues of the normalised NTK, alignments (App. E.3)
    minimum/          epoch, losses, trace and eigenvalues where the test loss is least
    train_indices     which samples of the pool it trained on
"""

from dataclasses import dataclass

import h5py
import numpy as np

from ntklens.spectrum.alignments import Alignments
from ntklens.storage.hdf5 import add_attributes, add_dataset, add_group, new_file

_CURVES = {
    "train_loss": ("mean cross-entropy of the training samples", "nat"),
    "test_loss": ("mean cross-entropy of the test samples", "nat"),
    "train_accuracy": ("share of training samples classified correctly", "1"),
    "test_accuracy": ("share of test samples classified correctly", "1"),
}
_ALIGNMENTS = {
    "label_alignment": "of the NTK with vec(Y)vec(Y)ᵀ, Y the one-hot labels (Eq. 16)",
    "summed_label_alignment": "of the NTK summed over outputs with YYᵀ (Eq. 16)",
    "misalignment_as_printed": "of the NTK's top eigenvectors after one update, the solver's signs (Eq. 17)",
    "misalignment_sign_matched": "the same, with signs that match before and after",
    "misalignment_basis_free": "the same, of the spaces that the vectors span",
}
_TRACE = "trace of the NTK on the NTK samples, undivided"


@dataclass(frozen=True)
class Minimum:
    """Where a seed's test loss is least. Eigenvalues (N,) ascending; ``parameters`` None if not kept."""

    epoch: int
    train_loss: float
    test_loss: float
    ntk_trace: float
    eigenvalues: np.ndarray  # of the normalised NTK
    ntk_eigenvalues: np.ndarray  # of the NTK itself
    parameters: dict | None = None


@dataclass(frozen=True)
class Trajectory:
    """One seed's training; curves (E,) at epochs 0 … E − 1, eigenvalues (epochs, N) ascending.

    Of ``alignments`` each is (epochs,), those of ``spectrum_epoch``.
    """

    seed: int
    status: str
    curves: dict
    trace_epoch: np.ndarray
    ntk_trace: np.ndarray
    spectrum_epoch: np.ndarray
    eigenvalues: np.ndarray
    alignments: Alignments
    minimum: Minimum
    train_indices: np.ndarray


def write_run(path, trajectories, attributes):
    """Store ``trajectories`` with ``attributes`` (dictionaries and lists as JSON) at the root."""
    with new_file(path, "training trajectories of one batch of seeds, a group a seed") as file:
        add_attributes(file, attributes)
        for trajectory in trajectories:
            _write_trajectory(file, trajectory)


def _write_trajectory(file, trajectory):
    group = add_group(file, f"seed-{trajectory.seed:04d}", "one seed, from its initialisation")
    group.attrs["status"] = trajectory.status
    epochs = np.arange(len(trajectory.curves["test_loss"]), dtype=np.int32)
    add_dataset(group, "epoch", epochs, "updates made so far", "epoch")
    for name, (description, units) in _CURVES.items():
        add_dataset(group, name, trajectory.curves[name], description, units)
    add_dataset(group, "train_indices", trajectory.train_indices, "training samples' rows in the pool")
    trace = add_group(group, "trace", "the NTK's trace along training")
    add_dataset(trace, "epoch", trajectory.trace_epoch, "updates made so far", "epoch")
    add_dataset(trace, "ntk_trace", trajectory.ntk_trace, _TRACE)
    spectrum = add_group(group, "spectrum", "the normalised NTK's spectrum along training")
    add_dataset(spectrum, "epoch", trajectory.spectrum_epoch, "updates made so far", "epoch")
    add_dataset(spectrum, "eigenvalues", trajectory.eigenvalues, "ascending, a row an epoch")
    for name, description in _ALIGNMENTS.items():
        add_dataset(spectrum, name, getattr(trajectory.alignments, name), description)
    _write_minimum(add_group(group, "minimum", "where the test loss is least"), trajectory.minimum)


def _write_minimum(group, minimum):
    add_dataset(group, "epoch", minimum.epoch, "updates made so far", "epoch")
    for name in ("train_loss", "test_loss"):
        add_dataset(group, name, getattr(minimum, name), *_CURVES[name])
    add_dataset(group, "ntk_trace", minimum.ntk_trace, _TRACE)
    add_dataset(group, "eigenvalues", minimum.eigenvalues, "of the normalised NTK, ascending")
    add_dataset(group, "ntk_eigenvalues", minimum.ntk_eigenvalues, "of the NTK itself, ascending")
    if minimum.parameters is not None:
        parameters = add_group(group, "parameters", "the network's parameters, a group a layer")
        _write_tree(parameters, minimum.parameters)


def _write_tree(group, tree):
    for name, value in tree.items():
        if isinstance(value, dict):
            _write_tree(add_group(group, name, "parameters of one layer"), value)
        else:
            add_dataset(group, name, value, f"{name} of this layer")


def read_run(path):
    """The `Trajectory` of every seed in a run file, in order of seed."""
    with h5py.File(path) as file:
        return [_read_trajectory(name, file[name]) for name in sorted(file)]


def _read_trajectory(name, group):
    return Trajectory(
        seed=int(name.removeprefix("seed-")),
        status=group.attrs["status"],
        curves={curve: group[curve][:] for curve in _CURVES},
        trace_epoch=group["trace/epoch"][:],
        ntk_trace=group["trace/ntk_trace"][:],
        spectrum_epoch=group["spectrum/epoch"][:],
        eigenvalues=group["spectrum/eigenvalues"][:],
        alignments=Alignments(*(group["spectrum"][name][:] for name in Alignments._fields)),
        minimum=_read_minimum(group["minimum"]),
        train_indices=group["train_indices"][:],
    )


def _read_minimum(group):
    return Minimum(
        epoch=int(group["epoch"][()]),
        train_loss=float(group["train_loss"][()]),
        test_loss=float(group["test_loss"][()]),
        ntk_trace=float(group["ntk_trace"][()]),
        eigenvalues=group["eigenvalues"][:],
        ntk_eigenvalues=group["ntk_eigenvalues"][:],
        parameters=_read_tree(group["parameters"]) if "parameters" in group else None,
    )


def _read_tree(group):
    return {
        name: _read_tree(item) if isinstance(item, h5py.Group) else item[()] for name, item in group.items()
    }
