"""One batch of seeds, trained by any recipe and measured: the content of a run file."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from ntklens.data.errors import UnsuitableDataError
from ntklens.kernel.ntk import MEMORY, ntk_matrix, outputs_and_trace
from ntklens.spectrum.alignments import Alignments, alignments
from ntklens.spectrum.effective_rank import effective_rank
from ntklens.storage.run_files import DIVERGED, Minimum, Spectrum, Trajectory
from ntklens.studies.recipes import schedule_of
from ntklens.studies.spectrum_workers import Spectra, SpectrumWorkers, resolved, spectra_of
from ntklens.training.members import Trace


class Draw(NamedTuple):
    """Test samples that the NTK is measured on: images (d, n₀) and labels (d,)."""

    images: jax.Array
    labels: np.ndarray


class Snapshot(NamedTuple):
    """What is measured of one NTK: its `Spectra`, and its `Alignments` where they are asked for."""

    spectra: Spectra
    alignments: Alignments | None = None


def record(
    experiment,
    measurement,
    seeds,
    learning_rate,
    workers=1,
    memory=None,
    checkpoint=None,
    report=lambda *_: None,
):
    """Train ``seeds`` of ``experiment`` and return the `Trajectory` of each, in the order of ``seeds``.

    ``measurement`` says what is measured (`ntklens.studies.recipes`). Spectra and alignments are taken by
    ``workers`` threads beside the training, of kernels whose pieces take ``memory`` bytes at most. Seeds
    below ``save_parameters`` keep their parameters at the minimum. The job resumes from ``checkpoint`` and
    saves to it periodically. ``report(epoch, latest)`` follows training, ``latest()`` being the trainer's.
    Raises UnsuitableDataError where the dataset does not suit the point.
    """
    draws = ntk_draws(experiment.own_subset, measurement["ntk_samples"], measurement["ntk_draws"])
    kernels = _Kernels(experiment.model, draws, memory)
    trace = Trace(outputs_and_trace, measurement["ntk_samples"]) if measurement["trace_every"] else None
    schedule = schedule_of(experiment.recipe, measurement)
    trainer, sets = experiment.trainer(schedule, trace), experiment.training_sets(seeds)
    saved = checkpoint.saved if checkpoint else None
    start = (saved.position["epoch"], saved.arrays["members"]) if saved else None
    with SpectrumWorkers(workers) as threads:
        taken = _restored(saved.arrays["snapshots"]) if saved else [{} for _ in seeds]
        snapshots = _Snapshots(kernels, schedule, threads, taken)
        for epoch, members in experiment.train(trainer, sets, seeds, learning_rate, start):
            report(epoch, lambda epoch=epoch, members=members: trainer.latest(members, epoch))
            if checkpoint and snapshots.complete and checkpoint.due():
                state = {"members": trainer.state_of(members), "snapshots": _stored(snapshots.taken)}
                checkpoint.save({"epoch": epoch}, state)
            snapshots.visit(epoch, trainer, members)
        records = trainer.records(members)
        minima = [kernels.at_minimum(own, threads) if measurement["minimum"] else None for own in records]
    return [
        Trajectory(
            seed=seed,
            status=own.status,
            epoch=own.epoch,
            curves=own.curves,
            trace_epoch=own.trace_epoch,
            ntk_trace=own.ntk_trace,
            spectrum=_spectrum(taken[index], own, kernels.rows),
            train_indices=sets[index].rows,
            copied_from=sets[index].copied_from,
            minimum=minima[index] and _minimum(own, minima[index].result(), seed, measurement),
        )
        for index, (seed, own) in enumerate(zip(seeds, records, strict=True))
    ]


def ntk_draws(subset, samples, draws):
    """Disjoint `Draw`s of test samples, which are in random order already, each of ``samples``.

    Raises UnsuitableDataError where the test samples are too few.
    """
    if draws * samples > len(subset.test_images):
        raise UnsuitableDataError(
            f"{draws} draws of {samples} NTK samples need {draws * samples} test samples, there are "
            f"{len(subset.test_images)}: raise test_samples, or lower ntk_samples or ntk_draws"
        )
    parts = [slice(start, start + samples) for start in range(0, draws * samples, samples)]
    return [Draw(jnp.asarray(subset.test_images[part]), subset.test_labels[part]) for part in parts]


class _Kernels:
    """The NTKs of one network on each draw, by one compiled program."""

    def __init__(self, model, draws, memory):
        limit = MEMORY if memory is None else min(MEMORY, memory)
        self._draws = draws
        self._kernel = jax.jit(lambda params, x: ntk_matrix(model, params, x, lower=True, memory=limit))
        self._model = model

    @property
    def rows(self):
        """Draws, and rows of an NTK."""
        return len(self._draws), len(self._draws[0].labels) * self._model.outputs

    @property
    def labels(self):
        """The labels (d,) of each draw."""
        return [draw.labels for draw in self._draws]

    def of_members(self, parameters, measurable):
        """For each member its NTKs, a list by draw; an empty one for a member that is not ``measurable``."""
        # One draw after the other: inside one of XLA's loops convolutions are slow.
        return [
            [self._kernel(params, draw.images) for draw in self._draws] if measured else []
            for params, measured in zip(parameters, measurable, strict=True)
        ]

    def at_minimum(self, record, threads):
        """A future of the `Spectra` at the least test loss of a trainer's ``record``, on the first draw."""
        theta = self._kernel(record.best.params, self._draws[0].images)
        return threads.submit(spectra_of, theta, of_theta_too=True)


class _Snapshots:
    """The NTKs along training of every member, handed to ``threads`` for their spectra and alignments.

    ``taken`` has for each member: epoch -> a future of the `Snapshot` on each draw.
    """

    def __init__(self, kernels, schedule, threads, taken):
        self._kernels, self._schedule, self._threads, self.taken = kernels, schedule, threads, taken
        self._before = None  # the kernels of a snapshot, until those of one update later are there

    @property
    def complete(self):
        """Whether no snapshot waits for the NTK one update later."""
        return self._before is None

    def visit(self, epoch, trainer, members):
        """Measure what is due at ``epoch``, at which ``trainer`` yielded ``members``."""
        due = epoch in self._schedule.snapshots
        if not due and self.complete:
            return
        kernels = self._kernels.of_members(trainer.parameters_of(members), trainer.measurable(members, epoch))
        if not self.complete:
            pairs = [
                zip(*both, self._kernels.labels, strict=True)
                for both in zip(self._before, kernels, strict=True)
            ]
            self._take(epoch - 1, pairs)
        elif not self._schedule.updates_after:
            self._take(epoch, [[(theta,) for theta in own] for own in kernels])
        self._before = kernels if due and self._schedule.updates_after else None

    def _take(self, epoch, arguments):
        """Submit a member's snapshots; ``arguments`` has for each member those of `_snapshot`, by draw."""
        for taken, by_draw in zip(self.taken, arguments, strict=True):
            futures = [self._threads.submit(_snapshot, *own) for own in by_draw]
            if futures:
                taken[epoch] = futures


def _snapshot(theta, updated=None, labels=None):
    """The `Snapshot` of ``theta``, with alignments where the NTK one update later is given too.

    The top eigenvectors are as many as the effective rank says (App. E.3).
    """
    spectra = spectra_of(theta)
    if updated is None:
        return Snapshot(spectra)
    rank = effective_rank(spectra.eigenvalues)
    count = max(round(rank), 1) if np.isfinite(rank) else 1
    return Snapshot(spectra, alignments(np.asarray(theta), np.asarray(updated), labels, count))


def _stored(snapshots):
    """``snapshots`` as nested dictionaries of arrays; waits for those that are still to come."""
    return {
        str(index): {
            str(epoch): _arrays([future.result() for future in draws]) for epoch, draws in own.items()
        }
        for index, own in enumerate(snapshots)
    }


def _arrays(taken):
    """The snapshots ``taken`` of one member at one epoch, a list by draw, as arrays."""
    arrays = {
        "ntk_trace": np.array([snapshot.spectra.ntk_trace for snapshot in taken]),
        "eigenvalues": np.stack([snapshot.spectra.eigenvalues for snapshot in taken]),
    }
    if taken[0].alignments is not None:
        arrays["alignments"] = np.array([snapshot.alignments for snapshot in taken])
    return arrays


def _restored(stored):
    """The snapshots that `_stored` made ``stored`` of, each a future whose result is there."""
    return [
        {int(epoch): [resolved(one) for one in _snapshots(arrays)] for epoch, arrays in own.items()}
        for own in stored.values()
    ]


def _snapshots(arrays):
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


def _spectrum(snapshots, record, rows):
    """The `Spectrum` of one seed, whose training is ``record``."""
    # The last epoch of a diverged seed, which ends early, is none of it; the others reach every snapshot.
    end = record.epoch[-1] + (record.status != DIVERGED)
    reached = [epoch for epoch in snapshots if epoch < end]
    taken = [_arrays([future.result() for future in snapshots[epoch]]) for epoch in reached]
    draws, _ = rows
    aligned = np.array([arrays["alignments"] for arrays in taken if "alignments" in arrays])
    return Spectrum(
        epoch=np.array(reached, dtype=np.int32),
        # The shapes are spelt out for a seed that diverged before its first snapshot.
        eigenvalues=np.array([arrays["eigenvalues"] for arrays in taken], np.float32).reshape(-1, *rows),
        ntk_trace=np.array([arrays["ntk_trace"] for arrays in taken]).reshape(-1, draws),
        alignments={name: aligned[..., column] for column, name in enumerate(Alignments._fields)}
        if aligned.size
        else {},
    )


def _minimum(record, spectra, seed, measurement):
    epoch = int(record.best.epoch)
    row, kept = int(np.searchsorted(record.epoch, epoch)), seed < measurement["save_parameters"]
    return Minimum(
        epoch=epoch,
        train_loss=float(record.curves["train_loss"][row]),
        test_loss=float(record.best.test_loss),
        ntk_trace=spectra.ntk_trace,
        eigenvalues=spectra.eigenvalues,
        ntk_eigenvalues=spectra.ntk_eigenvalues,
        parameters=jax.tree.map(np.asarray, record.best.params["params"]) if kept else None,
    )
