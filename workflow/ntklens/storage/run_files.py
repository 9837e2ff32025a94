"""The run file: what a batch of seeds went through, one HDF5 group for each seed.

/                     provenance, as attributes
/seed-0007            status: "ok", "diverged" or "minimum at the last epoch"
    epoch, train_loss, test_loss, train_accuracy, test_accuracy
    trace/            epoch, ntk_trace: along training, on the first draw of NTK samples
    spectrum/         epoch, then by epoch and draw: eigenvalues of the normalised NTK, ntk_trace, alignments
    minimum/          where the test loss is least, on the first draw: epoch, losses, trace, eigenvalues
    train_indices     which samples of the pool the seed trained on
    copied_from       which of those each image is, or is a noisy copy of

``trace``, ``minimum``, the alignments and ``copied_from`` are there where they were measured. What each
dataset means is in `ntklens.storage.quantities`.
"""

from dataclasses import dataclass, field

import h5py
import numpy as np

from ntklens.storage.hdf5 import add_attributes, add_dataset, add_group, add_quantity, new_file
from ntklens.storage.quantities import ALIGNMENTS, CURVES

# How a seed's training ended: the attribute ``status``.
OK = "ok"
DIVERGED = "diverged"
UNFINISHED = "minimum at the last epoch"


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
class Spectrum:
    """The NTK at ``epoch`` (S,) on each draw of samples: eigenvalues (S, draws, N), all else (S, draws)."""

    epoch: np.ndarray
    eigenvalues: np.ndarray
    ntk_trace: np.ndarray
    alignments: dict = field(default_factory=dict)


@dataclass(frozen=True)
class Trajectory:
    """One seed's training: ``curves`` (E,) at ``epoch``, ``ntk_trace`` (T,) at ``trace_epoch``.

    ``trace_epoch`` is empty where no traces were measured.
    """

    seed: int
    status: str
    epoch: np.ndarray
    curves: dict
    trace_epoch: np.ndarray
    ntk_trace: np.ndarray
    spectrum: Spectrum
    train_indices: np.ndarray
    copied_from: np.ndarray | None = None
    minimum: Minimum | None = None


def write_run(path, trajectories, attributes):
    """Store ``trajectories`` with ``attributes`` (dictionaries and lists as JSON) at the root."""
    with new_file(path, "training trajectories of one batch of seeds, one group for each seed") as file:
        add_attributes(file, attributes)
        for trajectory in trajectories:
            _write_trajectory(file, trajectory)


def _write_trajectory(file, trajectory):
    group = add_group(file, f"seed-{trajectory.seed:04d}", "one seed, from its initialisation")
    group.attrs["status"] = trajectory.status
    add_quantity(group, "epoch", trajectory.epoch)
    for name in CURVES:
        add_quantity(group, name, trajectory.curves[name])
    add_quantity(group, "train_indices", trajectory.train_indices)
    if trajectory.copied_from is not None:
        add_quantity(group, "copied_from", trajectory.copied_from)
    if len(trajectory.trace_epoch):
        trace = add_group(group, "trace", "the NTK's trace along training, on the first draw of NTK samples")
        add_quantity(trace, "epoch", trajectory.trace_epoch)
        add_quantity(trace, "ntk_trace", trajectory.ntk_trace)
    _write_spectrum(group, trajectory.spectrum)
    if trajectory.minimum is not None:
        _write_minimum(group, trajectory.minimum)


def _write_spectrum(parent, spectrum):
    group = add_group(parent, "spectrum", "the NTK along training, by epoch and draw of NTK samples")
    add_quantity(group, "epoch", spectrum.epoch)
    add_quantity(group, "eigenvalues", spectrum.eigenvalues)
    add_quantity(group, "ntk_trace", spectrum.ntk_trace)
    for name, values in spectrum.alignments.items():
        add_quantity(group, name, values)


def _write_minimum(parent, minimum):
    group = add_group(parent, "minimum", "where the test loss is least, on the first draw of NTK samples")
    for name in ("epoch", "train_loss", "test_loss", "ntk_trace", "eigenvalues", "ntk_eigenvalues"):
        add_quantity(group, name, getattr(minimum, name))
    if minimum.parameters is not None:
        parameters = add_group(group, "parameters", "the network's parameters, one group for each layer")
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
        read = [_read_trajectory(name, group) for name, group in file.items()]
    return sorted(read, key=lambda trajectory: trajectory.seed)


def _read_trajectory(name, group):
    trace = group.get("trace")
    return Trajectory(
        seed=int(name.removeprefix("seed-")),
        status=group.attrs["status"],
        epoch=group["epoch"][:],
        curves={curve: group[curve][:] for curve in CURVES},
        trace_epoch=trace["epoch"][:] if trace else np.empty(0, np.int32),
        ntk_trace=trace["ntk_trace"][:] if trace else np.empty(0, np.float32),
        spectrum=_read_spectrum(group["spectrum"]),
        train_indices=group["train_indices"][:],
        copied_from=group["copied_from"][:] if "copied_from" in group else None,
        minimum=_read_minimum(group["minimum"]) if "minimum" in group else None,
    )


def _read_spectrum(group):
    return Spectrum(
        epoch=group["epoch"][:],
        eigenvalues=group["eigenvalues"][:],
        ntk_trace=group["ntk_trace"][:],
        alignments={name: group[name][:] for name in ALIGNMENTS if name in group},
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
