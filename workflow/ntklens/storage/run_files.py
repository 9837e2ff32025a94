"""The run file: the training of one batch of seeds, one HDF5 group for each seed.

/                     attributes: provenance
/seed-0007            attribute status: "ok", "diverged" or "minimum at the last epoch"
    epoch, train_loss, train_accuracy
    test_epoch, test_loss, test_accuracy
    trace/            along training, on the first draw of NTK samples: epoch, ntk_trace, and the shares of
                      the layers, layer_traces; attribute layers: their names
    spectrum/         epoch; by epoch and draw: eigenvalues of the normalised NTK, ntk_trace,
                      loss_susceptibility, spectral_position, alignments
    minimum/          at the minimum of the test loss, on the first draw: epoch, losses, trace, eigenvalues,
                      loss_susceptibility, spectral_position
    ends/             the minimum compared with the initialisation, on the first draw: four distances
        initial/      by layer: layer_traces, bias_traces, conjugate_ranks, sensitivity_ranks;
        minimum/      of the weighted NTK: weighted_trace, weighted_effective_rank; the same in both groups
    train_indices     rows of the pool that the seed trained on
    copied_from       row of the training image that each image copies, or its own

Beside these, groups hold dimension scales (`ntklens.storage.labels`): train_epoch, draw, eigenvalue_index,
layer, train_sample. They are not read: files from before there were any lack them.

``trace``, ``minimum``, ``ends``, the alignments and ``copied_from`` exist only if they were measured.
`ntklens.storage.quantities` says what each dataset means.
"""

import re
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import h5py
import numpy as np
from jaxtyping import Float, Int

from ntklens.storage.files import ArrayTree, FilePath
from ntklens.storage.hdf5 import (
    ContentError,
    get_group,
    groups_in,
    read_array,
    read_arrays,
    read_text,
    read_texts,
)
from ntklens.storage.quantities import ALIGNMENTS, CURVES, DISTANCES
from ntklens.storage.records import opened, origin_in

# How a seed's training ended: the values of the attribute ``status``.
Status = Literal["ok", "diverged", "minimum at the last epoch"]
OK: Status = "ok"
DIVERGED: Status = "diverged"
UNFINISHED: Status = "minimum at the last epoch"
STATUSES: dict[str, Status] = {status: status for status in (OK, DIVERGED, UNFINISHED)}


@dataclass(frozen=True)
class Minimum:
    """The minimum of a seed's test loss. Eigenvalues ascend; ``parameters`` is None if they are not kept."""

    epoch: int
    train_loss: float
    test_loss: float
    ntk_trace: float
    eigenvalues: Float[np.ndarray, " N"]  # of the normalised NTK
    ntk_eigenvalues: Float[np.ndarray, " N"]  # of the NTK itself
    loss_susceptibility: float
    spectral_position: float
    parameters: ArrayTree | None = None


@dataclass(frozen=True)
class End:
    """The NTK of a dense network at initialisation or at the minimum; arrays have a value for each layer.

    ``weighted_trace`` and ``weighted_effective_rank`` are those of the NTK with the share of each layer's
    kernel multiplied by the kernel's initial variance, and without the share of the biases.
    """

    layer_traces: Float[np.ndarray, " layers"]
    bias_traces: Float[np.ndarray, " layers"]  # the part of ``layer_traces`` that belongs to biases
    conjugate_ranks: Float[np.ndarray, " layers"]  # of each layer's input
    sensitivity_ranks: Float[np.ndarray, " layers"]
    weighted_trace: float
    weighted_effective_rank: float


@dataclass(frozen=True)
class Ends:
    """The two ends of a seed's training, and how far the minimum is from the initialisation."""

    initial: End
    minimum: End
    kernel_change: float
    kernel_cosine_distance: float
    parameter_change: float
    linearised_test_loss: float


@dataclass(frozen=True)
class Spectrum:
    """The NTK at each ``epoch`` on each draw of NTK samples; ``eigenvalues`` are of the normalised NTK."""

    epoch: Int[np.ndarray, " epochs"]
    eigenvalues: Float[np.ndarray, "epochs draws N"]
    ntk_trace: Float[np.ndarray, "epochs draws"]
    loss_susceptibility: Float[np.ndarray, "epochs draws"]
    spectral_position: Float[np.ndarray, "epochs draws"]
    alignments: dict[str, Float[np.ndarray, "epochs draws"]] = field(default_factory=dict)


@dataclass(frozen=True)
class Trajectory:
    """One seed's training.

    Train curves are at ``epoch``, test curves at ``test_epoch``. ``ntk_trace`` is at ``trace_epoch``, and so
    are ``layer_traces``, the shares of ``layers`` in it; all are empty if the trace was not measured apart
    from the spectra.
    """

    seed: int
    status: Status
    epoch: Int[np.ndarray, " epochs"]
    test_epoch: Int[np.ndarray, " test_epochs"]
    curves: dict[str, Float[np.ndarray, " _"]]
    trace_epoch: Int[np.ndarray, " trace_epochs"]
    ntk_trace: Float[np.ndarray, " trace_epochs"]
    layers: tuple[str, ...]
    layer_traces: Float[np.ndarray, "trace_epochs layers"]
    spectrum: Spectrum
    train_indices: Int[np.ndarray, " d"]
    copied_from: Int[np.ndarray, " d"] | None = None
    minimum: Minimum | None = None
    ends: Ends | None = None


class RunFile(NamedTuple):
    """The content of a run file: its origin, and the `Trajectory` of every seed in order of seed."""

    origin: dict[str, Any]
    trajectories: list[Trajectory]


def read_run(path: FilePath, made_with: str | None = None) -> list[Trajectory]:
    """The `Trajectory` of every seed in a run file, in order of seed. Raises as `read_run_file` does."""
    return read_run_file(path, made_with).trajectories


def read_run_file(path: FilePath, made_with: str | None = None) -> RunFile:
    """The content of the run file ``path``, ``made_with`` the settings of this digest; None takes any.

    Raises FileError if it is damaged or another file, and OSError if it cannot be read.
    """
    with opened(path, "run", made_with) as file:
        read = [_read_trajectory(name, group) for name, group in groups_in(file).items()]
        return RunFile(origin_in(file), sorted(read, key=lambda trajectory: trajectory.seed))


def _read_trajectory(name: str, group: h5py.Group) -> Trajectory:
    traced = "trace" in group
    return Trajectory(
        seed=_seed_of(name, group),
        status=_read_status(group),
        epoch=read_array(group, "epoch"),
        test_epoch=read_array(group, "test_epoch"),
        curves={curve: read_array(group, curve) for curve in CURVES},
        trace_epoch=read_array(group, "trace/epoch") if traced else np.empty(0, np.int32),
        ntk_trace=read_array(group, "trace/ntk_trace") if traced else np.empty(0, np.float32),
        layers=read_texts(get_group(group, "trace"), "layers") if traced else (),
        layer_traces=read_array(group, "trace/layer_traces") if traced else np.empty((0, 0), np.float32),
        spectrum=_read_spectrum(get_group(group, "spectrum")),
        train_indices=read_array(group, "train_indices"),
        copied_from=read_array(group, "copied_from") if "copied_from" in group else None,
        minimum=_read_minimum(get_group(group, "minimum")) if "minimum" in group else None,
        ends=_read_ends(get_group(group, "ends")) if "ends" in group else None,
    )


def _seed_of(name: str, group: h5py.Group) -> int:
    if not re.fullmatch(r"seed-[0-9]+", name):
        raise ContentError(f"{group.file.filename} is not a run file: it has the group {group.name}")
    return int(name.removeprefix("seed-"))


def _read_status(group: h5py.Group) -> Status:
    status = read_text(group, "status")
    if status not in STATUSES:
        raise ContentError(f"{group.file.filename}: {group.name} has the unknown status {status!r}")
    return STATUSES[status]


def _read_spectrum(group: h5py.Group) -> Spectrum:
    return Spectrum(
        epoch=read_array(group, "epoch"),
        eigenvalues=read_array(group, "eigenvalues"),
        ntk_trace=read_array(group, "ntk_trace"),
        loss_susceptibility=read_array(group, "loss_susceptibility"),
        spectral_position=read_array(group, "spectral_position"),
        alignments={name: read_array(group, name) for name in ALIGNMENTS if name in group},
    )


def _read_minimum(group: h5py.Group) -> Minimum:
    return Minimum(
        epoch=int(read_array(group, "epoch")),
        train_loss=float(read_array(group, "train_loss")),
        test_loss=float(read_array(group, "test_loss")),
        ntk_trace=float(read_array(group, "ntk_trace")),
        eigenvalues=read_array(group, "eigenvalues"),
        ntk_eigenvalues=read_array(group, "ntk_eigenvalues"),
        loss_susceptibility=float(read_array(group, "loss_susceptibility")),
        spectral_position=float(read_array(group, "spectral_position")),
        parameters=_read_tree(get_group(group, "parameters")) if "parameters" in group else None,
    )


def _read_ends(group: h5py.Group) -> Ends:
    return Ends(
        initial=_read_end(get_group(group, "initial")),
        minimum=_read_end(get_group(group, "minimum")),
        **{name: float(read_array(group, name)) for name in DISTANCES},
    )


def _read_end(group: h5py.Group) -> End:
    return End(
        layer_traces=read_array(group, "layer_traces"),
        bias_traces=read_array(group, "bias_traces"),
        conjugate_ranks=read_array(group, "conjugate_ranks"),
        sensitivity_ranks=read_array(group, "sensitivity_ranks"),
        weighted_trace=float(read_array(group, "weighted_trace")),
        weighted_effective_rank=float(read_array(group, "weighted_effective_rank")),
    )


def _read_tree(group: h5py.Group) -> ArrayTree:
    return {**read_arrays(group), **{name: _read_tree(inner) for name, inner in groups_in(group).items()}}
