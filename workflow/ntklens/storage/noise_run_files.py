"""The run file of the noise study: one HDF5 group a seed.

/                     provenance, as attributes
/seed-0000            status: "ok" or "diverged"
    epoch, train_loss, test_loss, train_accuracy, test_accuracy
    spectrum/         epoch, eigenvalues of the normalised NTK and its trace, by draw of test samples
    train_indices     which samples of the pool it trained on
    source            which of them each image is, or is a noisy copy of
"""

from dataclasses import dataclass

import h5py
import numpy as np

from ntklens.storage.hdf5 import add_attributes, add_dataset, add_group, new_file

CURVES = {
    "train_loss": ("mean cross-entropy of the training samples, noisy copies included", "nat"),
    "test_loss": ("mean cross-entropy of the test samples", "nat"),
    "train_accuracy": ("share of training samples classified correctly", "1"),
    "test_accuracy": ("share of test samples classified correctly", "1"),
}


@dataclass(frozen=True)
class NoiseTrajectory:
    """One seed's training; curves (E,) at ``epoch``, the NTK's quantities at ``spectrum_epoch`` (S,)."""

    seed: int
    status: str
    epoch: np.ndarray
    curves: dict
    spectrum_epoch: np.ndarray
    eigenvalues: np.ndarray  # (S, draws, N) ascending, of the normalised NTK
    ntk_trace: np.ndarray  # (S, draws)
    train_indices: np.ndarray  # (d,)
    source: np.ndarray  # (d,)


def write_noise_run(path, trajectories, attributes):
    """Store ``trajectories`` with ``attributes`` (dictionaries and lists as JSON) at the root."""
    with new_file(path, "training on noisy copies, one level of removal, a group a seed") as file:
        add_attributes(file, attributes)
        for trajectory in trajectories:
            _write(file, trajectory)


def _write(file, trajectory):
    group = add_group(file, f"seed-{trajectory.seed:04d}", "one seed, from its initialisation")
    group.attrs["status"] = trajectory.status
    add_dataset(group, "epoch", trajectory.epoch, "passes over the training set so far", "epoch")
    for name, (description, units) in CURVES.items():
        add_dataset(group, name, trajectory.curves[name], description, units)
    add_dataset(group, "train_indices", trajectory.train_indices, "training samples' rows in the pool")
    add_dataset(
        group, "source", trajectory.source, "row of the training set that each image is, or is a copy of"
    )
    spectrum = add_group(group, "spectrum", "the NTK along training, on several draws of test samples")
    add_dataset(spectrum, "epoch", trajectory.spectrum_epoch, "passes over the training set so far", "epoch")
    add_dataset(
        spectrum, "eigenvalues", trajectory.eigenvalues, "of the normalised NTK, ascending, by epoch and draw"
    )
    add_dataset(spectrum, "ntk_trace", trajectory.ntk_trace, "trace of the NTK, undivided, by epoch and draw")


def read_noise_run(path):
    """The `NoiseTrajectory` of every seed in a run file, in order of seed."""
    with h5py.File(path) as file:
        return [_read(name, file[name]) for name in sorted(file)]


def _read(name, group):
    return NoiseTrajectory(
        seed=int(name.removeprefix("seed-")),
        status=group.attrs["status"],
        epoch=group["epoch"][:],
        curves={curve: group[curve][:] for curve in CURVES},
        spectrum_epoch=group["spectrum/epoch"][:],
        eigenvalues=group["spectrum/eigenvalues"][:],
        ntk_trace=group["spectrum/ntk_trace"][:],
        train_indices=group["train_indices"][:],
        source=group["source"][:],
    )
