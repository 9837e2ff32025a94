"""One batch of seeds, trained by any recipe and measured: the content of a run file."""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from typing import Any, NamedTuple

import jax
import numpy as np
from flax import linen as nn
from jaxtyping import Array, Float, Int

from ntklens.data.errors import UnsuitableDataError
from ntklens.data.subsets import Subset
from ntklens.kernel.ntk import MEMORY, ntk_matrix, outputs_and_trace
from ntklens.networks.modules import Parameters
from ntklens.spectrum.alignments import Alignments, alignments
from ntklens.spectrum.effective_rank import effective_rank
from ntklens.storage.checkpoints import Checkpoint
from ntklens.storage.run_files import DIVERGED, Minimum, Spectrum, Trajectory
from ntklens.studies.experiments import Experiment
from ntklens.studies.recipes import Measurement, schedule_of
from ntklens.studies.spectrum_workers import Spectra, SpectrumWorkers, resolved, spectra_of
from ntklens.training.members import AtMinimum, Members, Record, State, Trace, Trainer
from ntklens.training.schedules import Schedule

Kernel = Float[Array, "N N"]
# The latest values of a trainer's curves, how many members are finished, and how many there are.
Latest = Callable[[], tuple[dict[str, float], int, int]]


class Draw(NamedTuple):
    """Test samples that the NTK is measured on."""

    images: Float[Array, "d n0"]
    labels: Int[np.ndarray, " d"]


class Snapshot(NamedTuple):
    """The measurements of one NTK: its `Spectra`, and its `Alignments` where they are requested."""

    spectra: Spectra
    alignments: Alignments | None = None


# Of one member: epoch -> a future of the `Snapshot` on each draw.
Taken = dict[int, list[Future[Snapshot]]]


def record(
    experiment: Experiment,
    measurement: Measurement,
    seeds: Sequence[int],
    learning_rate: float,
    workers: int = 1,
    memory: int | None = None,
    checkpoint: Checkpoint | None = None,
    report: Callable[[int, Latest], object] = lambda *_: None,
) -> list[Trajectory]:
    """Train ``seeds`` of ``experiment`` and return the `Trajectory` of each, in the order of ``seeds``.

    ``workers`` threads compute spectra and alignments while training goes on; the pieces of a kernel take at
    most ``memory`` bytes. Seeds below ``save_parameters`` keep their parameters at the minimum. The job
    resumes from ``checkpoint`` and saves to it periodically. ``report(epoch, latest)`` is called while
    training goes on; ``latest()`` returns what `Trainer.latest` does. Raises UnsuitableDataError where the
    dataset has too few samples for the point.
    """
    draws = ntk_draws(experiment.own_subset, measurement.ntk_samples, measurement.ntk_draws)
    kernels = _Kernels(experiment.model, draws, memory)
    trace = Trace(outputs_and_trace, measurement.ntk_samples) if measurement.trace_every else None
    schedule = schedule_of(experiment.recipe, experiment.network, measurement)
    trainer, sets = experiment.trainer(schedule, trace), experiment.training_sets(seeds)
    saved = checkpoint.saved if checkpoint else None
    start = (saved.position["epoch"], saved.arrays["members"]) if saved else None
    members: Members = None
    with SpectrumWorkers(workers) as threads:
        taken: list[Taken] = _restored(saved.arrays["snapshots"]) if saved else [{} for _ in seeds]
        snapshots = _Snapshots(kernels, schedule, threads, taken)
        for epoch, members in experiment.train(trainer, sets, seeds, learning_rate, start):
            report(epoch, lambda epoch=epoch, members=members: trainer.latest(members, epoch))
            if checkpoint and snapshots.complete and checkpoint.due():
                state = {"members": trainer.state_of(members), "snapshots": _stored(snapshots.taken)}
                checkpoint.save({"epoch": epoch}, state)
            snapshots.visit(epoch, trainer, members)
        records = trainer.records(members)
        minima = [own.minimum and (own.minimum, kernels.at_minimum(own.minimum, threads)) for own in records]
    return [
        Trajectory(
            seed=seed,
            status=own.status,
            epoch=own.epoch,
            test_epoch=own.test_epoch,
            curves=own.curves,
            trace_epoch=own.trace_epoch,
            ntk_trace=own.ntk_trace,
            spectrum=_spectrum(taken[index], own, kernels.rows),
            train_indices=sets[index].rows,
            copied_from=sets[index].copied_from,
            minimum=minimum and _minimum(minimum[0], minimum[1].result(), seed < measurement.save_parameters),
        )
        for index, (seed, own, minimum) in enumerate(zip(seeds, records, minima, strict=True))
    ]


def ntk_draws(subset: Subset, samples: int, draws: int) -> list[Draw]:
    """Disjoint `Draw`s of ``samples`` test samples each; these are in random order already.

    Raises UnsuitableDataError where the test samples are too few.
    """
    if draws * samples > len(subset.test_images):
        raise UnsuitableDataError(
            f"{draws} draws of {samples} NTK samples need {draws * samples} test samples, there are "
            f"{len(subset.test_images)}: raise test_samples, or lower ntk_samples or ntk_draws"
        )
    parts = [slice(start, start + samples) for start in range(0, draws * samples, samples)]
    return [Draw(jax.device_put(subset.test_images[part]), subset.test_labels[part]) for part in parts]


class _Kernels:
    """The NTKs of one network on each draw, by one compiled program."""

    def __init__(self, model: nn.Module, draws: Sequence[Draw], memory: int | None) -> None:
        limit = MEMORY if memory is None else min(MEMORY, memory)
        self._draws = draws
        self._kernel = jax.jit(lambda params, x: ntk_matrix(model, params, x, lower=True, memory=limit))
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
            [self._kernel(params, draw.images) for draw in self._draws] if measured else []
            for params, measured in zip(parameters, measurable, strict=True)
        ]

    def at_minimum(self, minimum: AtMinimum, threads: SpectrumWorkers) -> Future[Spectra]:
        """A future of the `Spectra` at ``minimum``, on the first draw."""
        theta = self._kernel(minimum.params, self._draws[0].images)
        return threads.submit(spectra_of, theta, of_theta_too=True)


class _Snapshots:
    """The NTKs of every member along training, passed to ``threads`` for their spectra and alignments.

    ``taken`` has the snapshots of each member.
    """

    def __init__(
        self, kernels: _Kernels, schedule: Schedule, threads: SpectrumWorkers, taken: list[Taken]
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
            labels = self._kernels.labels
            pairs = [
                zip(before, after, labels, strict=True) if after else ()  # () for a member that diverged
                for before, after in zip(self._before, kernels, strict=True)
            ]
            self._take(epoch - 1, pairs)
        elif not self._schedule.updates_after:
            self._take(epoch, [[(theta,) for theta in own] for own in kernels])
        self._before = kernels if due and self._schedule.updates_after else None

    def _take(self, epoch: int, arguments: Iterable[Iterable[tuple[Any, ...]]]) -> None:
        """Submit the snapshots at ``epoch``: ``arguments`` are those of `_snapshot`, by member and draw."""
        for taken, by_draw in zip(self.taken, arguments, strict=True):
            futures = [self._threads.submit(_snapshot, *own) for own in by_draw]
            if futures:
                taken[epoch] = futures


def _snapshot(
    theta: Kernel, updated: Kernel | None = None, labels: Int[np.ndarray, " d"] | None = None
) -> Snapshot:
    """The `Snapshot` of ``theta``, with alignments where the NTK one update later, ``updated``, is given too.

    The number of top eigenvectors is the effective rank, rounded (App. E.3).
    """
    spectra = spectra_of(theta)
    if updated is None or labels is None:
        return Snapshot(spectra)
    rank = float(effective_rank(spectra.eigenvalues))
    count = max(round(rank), 1) if np.isfinite(rank) else 1
    return Snapshot(spectra, alignments(np.asarray(theta), np.asarray(updated), labels, count))


def _stored(snapshots: Sequence[Taken]) -> State:
    """``snapshots`` as nested dictionaries of arrays; waits until all of them are computed."""
    return {
        str(index): {
            str(epoch): _arrays([future.result() for future in draws]) for epoch, draws in own.items()
        }
        for index, own in enumerate(snapshots)
    }


def _arrays(taken: Sequence[Snapshot]) -> dict[str, np.ndarray]:
    """The snapshots of one member at one epoch, by draw, as arrays."""
    arrays = {
        "ntk_trace": np.array([snapshot.spectra.ntk_trace for snapshot in taken]),
        "eigenvalues": np.stack([snapshot.spectra.eigenvalues for snapshot in taken]),
    }
    if taken[0].alignments is not None:
        arrays["alignments"] = np.array([snapshot.alignments for snapshot in taken])
    return arrays


def _restored(stored: State) -> list[Taken]:
    """The snapshots from which `_stored` made ``stored``, each a future whose result is there."""
    return [
        {int(epoch): [resolved(one) for one in _snapshots(arrays)] for epoch, arrays in own.items()}
        for own in stored.values()
    ]


def _snapshots(arrays: dict[str, np.ndarray]) -> list[Snapshot]:
    spectra = [
        Spectra(float(trace), own)
        for trace, own in zip(arrays["ntk_trace"], arrays["eigenvalues"], strict=True)
    ]
    if "alignments" not in arrays:
        return [Snapshot(own) for own in spectra]
    return [
        Snapshot(own, Alignments(*map(float, aligned)))
        for own, aligned in zip(spectra, arrays["alignments"], strict=True)
    ]


def _spectrum(snapshots: Taken, record: Record, rows: tuple[int, int]) -> Spectrum:
    """The `Spectrum` of one seed, whose training is ``record``."""
    # A diverged seed ends early, and its last epoch is left out; other seeds reach every snapshot.
    end = record.epoch[-1] + (record.status != DIVERGED)
    reached = [epoch for epoch in snapshots if epoch < end]
    taken = [_arrays([future.result() for future in snapshots[epoch]]) for epoch in reached]
    draws, _ = rows
    aligned = np.array([arrays["alignments"] for arrays in taken if "alignments" in arrays])
    return Spectrum(
        epoch=np.array(reached, dtype=np.int32),
        # The shapes are given explicitly for a seed that diverged before its first snapshot.
        eigenvalues=np.array([arrays["eigenvalues"] for arrays in taken], np.float32).reshape(-1, *rows),
        ntk_trace=np.array([arrays["ntk_trace"] for arrays in taken]).reshape(-1, draws),
        alignments={name: aligned[..., column] for column, name in enumerate(Alignments._fields)}
        if aligned.size
        else {},
    )


def _minimum(found: AtMinimum, spectra: Spectra, kept: bool) -> Minimum:
    """The `Minimum` with the ``spectra`` there, and with its parameters if they are ``kept``."""
    assert spectra.ntk_eigenvalues is not None  # `_Kernels.at_minimum` requests them
    return Minimum(
        epoch=found.epoch,
        train_loss=found.train_loss,
        test_loss=found.test_loss,
        ntk_trace=spectra.ntk_trace,
        eigenvalues=spectra.eigenvalues,
        ntk_eigenvalues=spectra.ntk_eigenvalues,
        parameters=jax.tree.map(np.asarray, found.params["params"]) if kept else None,
    )
