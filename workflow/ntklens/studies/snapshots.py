"""The NTKs of members in training at the epochs of snapshots: their spectra, alignments and loss positions.

Worker threads compute these while training goes on. They are saved in a checkpoint with the members.
"""

from collections.abc import Iterable, Sequence
from concurrent.futures import Future
from typing import NamedTuple

import jax
import numpy as np
from flax import linen as nn
from jaxtyping import Array, Float, Int

from ntklens.kernel.ntk import MEMORY, outputs_and_matrix
from ntklens.networks.modules import Parameters
from ntklens.spectrum.alignments import Alignments, alignments
from ntklens.spectrum.effective_rank import effective_rank
from ntklens.spectrum.loss_position import LossPosition, loss_position
from ntklens.studies.spectrum_workers import Spectra, SpectrumWorkers, resolved, spectra_of
from ntklens.training.members import Members, State, Trainer
from ntklens.training.schedules import Schedule


class Draw(NamedTuple):
    """Test samples that the NTK is measured on."""

    images: Float[Array, "d n0"]
    labels: Int[np.ndarray, " d"]


class Kernel(NamedTuple):
    """A network on one draw: its outputs, and its NTK, of which only the lower triangle is defined."""

    outputs: Float[Array, "d n"]
    theta: Float[Array, "N N"]


class Snapshot(NamedTuple):
    """The measurements of one NTK: its `Spectra`, `LossPosition`, and `Alignments` where requested."""

    spectra: Spectra
    position: LossPosition
    alignments: Alignments | None = None


# Of one member: epoch -> a future of the `Snapshot` on each draw.
Taken = dict[int, list[Future[Snapshot]]]


class Kernels:
    """The NTKs of one network on each draw, by one compiled program."""

    def __init__(self, model: nn.Module, draws: Sequence[Draw], memory: int | None) -> None:
        limit = MEMORY if memory is None else min(MEMORY, memory)
        self._draws = draws
        self._kernel = jax.jit(
            lambda params, x: outputs_and_matrix(model, params, x, lower=True, memory=limit)
        )
        self._model = model

    @property
    def rows(self) -> tuple[int, int]:
        """The number of draws, and the number of rows of an NTK."""
        return len(self._draws), len(self._draws[0].labels) * self._model.outputs

    @property
    def labels(self) -> list[Int[np.ndarray, " d"]]:
        """The labels of each draw."""
        return [draw.labels for draw in self._draws]

    def of_members(self, parameters: Iterable[Parameters], measurable: Iterable[bool]) -> list[list[Kernel]]:
        """The NTKs of each member, by draw; an empty list for a member that is not ``measurable``."""
        # One draw after the other: inside one of XLA's loops convolutions are slow.
        return [
            [Kernel(*self._kernel(params, draw.images)) for draw in self._draws] if measured else []
            for params, measured in zip(parameters, measurable, strict=True)
        ]

    def at_minimum(self, params: Parameters, threads: SpectrumWorkers) -> Future[Snapshot]:
        """A future of the `Snapshot` at the minimum with these ``params``, on the first draw.

        Its spectra include that of the NTK itself.
        """
        first = self._draws[0]
        kernel = Kernel(*self._kernel(params, first.images))
        return threads.submit(_snapshot, kernel, first.labels, of_theta_too=True)


class Snapshots:
    """The NTKs of every member along training, passed to ``threads`` for their spectra and alignments.

    ``taken`` has the snapshots of each member.
    """

    def __init__(
        self, kernels: Kernels, schedule: Schedule, threads: SpectrumWorkers, taken: list[Taken]
    ) -> None:
        self._kernels, self._schedule, self._threads, self.taken = kernels, schedule, threads, taken
        # The kernels of a snapshot, until those of one update later are there.
        self._before: list[list[Kernel]] | None = None

    @property
    def complete(self) -> bool:
        """Whether no snapshot waits for the NTK one update later."""
        return self._before is None

    def visit(self, epoch: int, trainer: Trainer, members: Members) -> None:
        """Take the measurements that are due at ``epoch``, at which ``trainer`` yielded ``members``."""
        due = epoch in self._schedule.snapshots
        if not due and self.complete:
            return
        kernels = self._kernels.of_members(trainer.parameters_of(members), trainer.measurable(members, epoch))
        if self._before is not None:
            self._take(epoch - 1, self._before, kernels)
        elif not self._schedule.updates_after:
            self._take(epoch, kernels)
        self._before = kernels if due and self._schedule.updates_after else None

    def _take(
        self, epoch: int, kernels: list[list[Kernel]], updated: list[list[Kernel]] | None = None
    ) -> None:
        """Submit the snapshots at ``epoch``, from the ``kernels`` there and those ``updated`` once, if given.

        A member that is not measurable, here or after the update, has none. Those of one that diverges may be
        taken up to its end, and are then not finite.
        """
        for index, (taken, own) in enumerate(zip(self.taken, kernels, strict=True)):
            after = [None] * len(own) if updated is None else [kernel.theta for kernel in updated[index]]
            triples = zip(own, self._kernels.labels, after, strict=True) if own and after else ()
            futures = [self._threads.submit(_snapshot, *triple) for triple in triples]
            if futures:
                taken[epoch] = futures


def _snapshot(
    kernel: Kernel,
    labels: Int[np.ndarray, " d"],
    updated: Float[Array, "N N"] | None = None,
    of_theta_too: bool = False,
) -> Snapshot:
    """The `Snapshot` of ``kernel``, with alignments where the NTK one update later, ``updated``, is given.

    The number of top eigenvectors is the effective rank, rounded (App. E.3).
    """
    theta, outputs = kernel.theta, np.asarray(kernel.outputs)
    spectra = spectra_of(theta, of_theta_too)
    position = loss_position(np.asarray(theta), outputs, labels)
    if updated is None:
        return Snapshot(spectra, position)
    rank = float(effective_rank(spectra.eigenvalues))
    count = max(round(rank), 1) if np.isfinite(rank) else 1
    aligned = alignments(np.asarray(theta), np.asarray(updated), labels, count)
    return Snapshot(spectra, position, aligned)


def stored(snapshots: Sequence[Taken]) -> State:
    """``snapshots`` as nested dictionaries of arrays; waits until all of them are computed."""
    return {
        str(index): {
            str(epoch): arrays_of([future.result() for future in draws]) for epoch, draws in own.items()
        }
        for index, own in enumerate(snapshots)
    }


def arrays_of(taken: Sequence[Snapshot]) -> dict[str, np.ndarray]:
    """The snapshots of one member at one epoch, by draw, as arrays."""
    arrays = {
        "ntk_trace": np.array([snapshot.spectra.ntk_trace for snapshot in taken]),
        "eigenvalues": np.stack([snapshot.spectra.eigenvalues for snapshot in taken]),
        "position": np.array([snapshot.position for snapshot in taken]),
    }
    if taken[0].alignments is not None:
        arrays["alignments"] = np.array([snapshot.alignments for snapshot in taken])
    return arrays


def restored(state: State) -> list[Taken]:
    """The snapshots from which `stored` made ``state``, each a future whose result is there."""
    return [
        {int(epoch): [resolved(one) for one in _snapshots(arrays)] for epoch, arrays in own.items()}
        for own in state.values()
    ]


def _snapshots(arrays: dict[str, np.ndarray]) -> list[Snapshot]:
    spectra = [
        Spectra(float(trace), own)
        for trace, own in zip(arrays["ntk_trace"], arrays["eigenvalues"], strict=True)
    ]
    positions = [LossPosition(*map(float, own)) for own in arrays["position"]]
    if "alignments" not in arrays:
        return [Snapshot(*own) for own in zip(spectra, positions, strict=True)]
    aligned = [Alignments(*map(float, own)) for own in arrays["alignments"]]
    return [Snapshot(*own) for own in zip(spectra, positions, aligned, strict=True)]
