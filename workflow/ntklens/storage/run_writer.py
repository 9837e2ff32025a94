"""Writes the run file that `ntklens.storage.run_files` reads, with labels for other programs."""

from collections.abc import Iterable, Mapping, Sequence

import h5py
import numpy as np

from ntklens.storage.files import ArrayTree, FilePath
from ntklens.storage.hdf5 import add_dataset, add_group, add_quantity, add_scale, texts
from ntklens.storage.labels import NO_SCALE, mark_default, mark_plot
from ntklens.storage.quantities import CURVES, DISTANCES, LOSS_POSITION, OF_ENDS, TRAIN_CURVES
from ntklens.storage.records import new_record
from ntklens.storage.run_files import Ends, Minimum, Spectrum, Trajectory

NUMBERS_AT_MINIMUM = ("epoch", "train_loss", "test_loss", "ntk_trace", *LOSS_POSITION)
SPECTRA_AT_MINIMUM = ("eigenvalues", "ntk_eigenvalues")


def write_run(path: FilePath, trajectories: Iterable[Trajectory], origin: Mapping[str, object]) -> None:
    """Store ``trajectories``, and their ``origin`` at the root."""
    description = "training trajectories of one batch of seeds, one group for each seed"
    with new_record(path, description, origin) as file:
        for trajectory in trajectories:
            _write_trajectory(file, trajectory)
        for first in list(file)[:1]:
            mark_default(file, first)


def _write_trajectory(file: h5py.File, trajectory: Trajectory) -> None:
    group = add_group(file, f"seed-{trajectory.seed:04d}", "one seed, from its initialisation")
    group.attrs["status"] = trajectory.status
    _write_curves(group, trajectory)
    add_scale(group, "train_sample", np.arange(len(trajectory.train_indices)))
    add_quantity(group, "train_indices", trajectory.train_indices, axes=["train_sample"])
    if trajectory.copied_from is not None:
        add_quantity(group, "copied_from", trajectory.copied_from, axes=["train_sample"])
    if len(trajectory.trace_epoch):
        _write_trace(group, trajectory)
    _write_spectrum(group, trajectory.spectrum)
    if trajectory.minimum is not None:
        _write_minimum(group, trajectory.minimum)
    if trajectory.ends is not None:
        _write_ends(group, trajectory.ends, trajectory.layers)


def _write_curves(group: h5py.Group, trajectory: Trajectory) -> None:
    """Losses and accuracies. The test loss is plotted, with the train loss if both are at the same epochs.

    ``epoch`` is stored as ``train_epoch`` too. As a dimension scale it would hide ``minimum/epoch`` from
    xarray: h5netcdf takes any dataset for a coordinate that has the name of a scale in a group above it.
    """
    add_scale(group, "train_epoch", trajectory.epoch)
    add_scale(group, "test_epoch", trajectory.test_epoch)
    add_quantity(group, "epoch", trajectory.epoch, axes=["train_epoch"])
    for name in CURVES:
        axis = "train_epoch" if name in TRAIN_CURVES else "test_epoch"
        add_quantity(group, name, trajectory.curves[name], axes=[axis])
    alike = np.array_equal(trajectory.epoch, trajectory.test_epoch)
    mark_plot(group, "test_loss", ["test_epoch"], together_with=["train_loss"] if alike else [])


def _write_trace(parent: h5py.Group, trajectory: Trajectory) -> None:
    group = add_group(parent, "trace", "the NTK's trace along training, on the first draw of NTK samples")
    group.attrs["layers"] = list(trajectory.layers)
    add_scale(group, "epoch", trajectory.trace_epoch)
    add_scale(group, "layer", texts(trajectory.layers))
    add_quantity(group, "ntk_trace", trajectory.ntk_trace, axes=["epoch"])
    add_quantity(group, "layer_traces", trajectory.layer_traces, axes=["epoch", "layer"])
    mark_plot(group, "ntk_trace", ["epoch"])


def _write_spectrum(parent: h5py.Group, spectrum: Spectrum) -> None:
    group = add_group(parent, "spectrum", "the NTK along training, by epoch and draw of NTK samples")
    _, draws, rows = spectrum.eigenvalues.shape
    add_scale(group, "epoch", spectrum.epoch)
    add_scale(group, "draw", np.arange(draws))
    add_scale(group, "eigenvalue_index", np.arange(rows))
    axes = ["epoch", "draw", "eigenvalue_index"]
    add_quantity(group, "eigenvalues", spectrum.eigenvalues, axes=axes)
    by_draw = {name: getattr(spectrum, name) for name in ("ntk_trace", *LOSS_POSITION)} | spectrum.alignments
    for name, values in by_draw.items():
        add_quantity(group, name, values, axes=axes[:2])
    mark_plot(group, "eigenvalues", axes, interpretation="spectrum", logarithmic=True)


def _write_minimum(parent: h5py.Group, minimum: Minimum) -> None:
    group = add_group(parent, "minimum", "at the minimum of the test loss, on the first draw of NTK samples")
    add_scale(group, "eigenvalue_index", np.arange(len(minimum.eigenvalues)))
    for name in NUMBERS_AT_MINIMUM:
        add_quantity(group, name, getattr(minimum, name))
    for name in SPECTRA_AT_MINIMUM:
        add_quantity(group, name, getattr(minimum, name), axes=["eigenvalue_index"])
    first, *others = SPECTRA_AT_MINIMUM
    mark_plot(group, first, ["eigenvalue_index"], together_with=others, logarithmic=True)
    if minimum.parameters is not None:
        parameters = add_group(group, "parameters", "the network's parameters, one group for each layer")
        _write_tree(parameters, minimum.parameters)


def _write_ends(parent: h5py.Group, ends: Ends, layers: Sequence[str]) -> None:
    group = add_group(parent, "ends", "the minimum compared with the initialisation, on the first draw")
    for name, where, end in (
        ("initial", "at initialisation", ends.initial),
        ("minimum", "at the minimum of the test loss", ends.minimum),
    ):
        own = add_group(group, name, where)
        add_scale(own, "layer", texts(layers))
        for quantity in OF_ENDS:
            value = getattr(end, quantity)
            add_quantity(own, quantity, value, axes=["layer"] if np.ndim(value) else [])
        mark_plot(own, "layer_traces", [NO_SCALE])  # H5Web plots over numbers only
    for name in DISTANCES:
        add_quantity(group, name, getattr(ends, name))


def _write_tree(group: h5py.Group, tree: ArrayTree) -> None:
    for name, value in tree.items():
        if isinstance(value, dict):
            _write_tree(add_group(group, name, "parameters of one layer"), value)
        else:
            add_dataset(group, name, value, f"{name} of this layer")
