"""One batch of seeds, trained by any recipe and measured: the content of a run file."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import replace
from typing import Any

import jax
import numpy as np

from ntklens.data.errors import UnsuitableDataError
from ntklens.data.subsets import Subset
from ntklens.kernel.ntk import layer_names, outputs_and_layer_traces
from ntklens.networks.modules import DenseNetwork, initial_parameters
from ntklens.spectrum.alignments import Alignments
from ntklens.spectrum.loss_position import LossPosition
from ntklens.storage.checkpoints import Checkpoint
from ntklens.storage.run_files import DIVERGED, Ends, Minimum, Spectrum, Trajectory
from ntklens.studies.ends import EndsMeasurement
from ntklens.studies.experiments import Experiment
from ntklens.studies.recipes import Measurement, schedule_of
from ntklens.studies.snapshots import Draw, Kernels, Snapshot, Snapshots, Taken, arrays_of, restored, stored
from ntklens.studies.spectrum_workers import SpectrumWorkers
from ntklens.training.members import AtMinimum, Members, Record, Trace, on_host

# The latest values of a trainer's curves, how many members are finished, and how many there are.
Latest = Callable[[], tuple[dict[str, float], int, int]]


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
    kernels, layers = Kernels(experiment.model, draws, memory), _layers(experiment, measurement, draws[0])
    trace = Trace(outputs_and_layer_traces, measurement.ntk_samples, len(layers)) if layers else None
    schedule = schedule_of(experiment.recipe, experiment.network, measurement)
    trainer, sets = experiment.trainer(schedule, trace), experiment.training_sets(seeds)
    saved = checkpoint.saved if checkpoint else None
    start = (saved.position["epoch"], saved.arrays["members"]) if saved else None
    members: Members = None
    with SpectrumWorkers(workers) as threads:
        taken: list[Taken] = restored(saved.arrays["snapshots"]) if saved else [{} for _ in seeds]
        snapshots = Snapshots(kernels, schedule, threads, taken)
        for epoch, members in experiment.train(trainer, sets, seeds, learning_rate, start):
            report(epoch, lambda epoch=epoch, members=members: trainer.latest(members, epoch))
            if checkpoint and snapshots.complete and checkpoint.due():
                state = {"members": trainer.state_of(members), "snapshots": stored(snapshots.taken)}
                checkpoint.save({"epoch": epoch}, state)
            snapshots.visit(epoch, trainer, members)
        records = trainer.records(members)
        minima = [own.minimum and kernels.at_minimum(own.minimum.params, threads) for own in records]
        ends = _ends(experiment, draws[0], seeds, records, threads) if measurement.minimum else None
    trajectories = [
        Trajectory(
            seed=seed,
            status=own.status,
            epoch=own.epoch,
            test_epoch=own.test_epoch,
            curves=own.curves,
            trace_epoch=own.trace_epoch,
            ntk_trace=own.ntk_trace,
            layers=layers,
            layer_traces=own.layer_traces,
            spectrum=_spectrum(taken[index], own, kernels.rows),
            train_indices=sets[index].rows,
            copied_from=sets[index].copied_from,
            minimum=_minimum(own.minimum, minima[index], seed < measurement.save_parameters),
            ends=ends[index].result() if ends else None,
        )
        for index, (seed, own) in enumerate(zip(seeds, records, strict=True))
    ]
    return [own if _has_finite_ntks(own) else replace(own, status=DIVERGED) for own in trajectories]


def _has_finite_ntks(own: Trajectory) -> bool:
    """Whether all measured NTKs are finite. At far too large a rate, losses may be and NTKs not."""
    measured: list[Any] = [own.layer_traces, own.spectrum.ntk_trace, own.spectrum.eigenvalues]
    if own.minimum is not None:
        measured += [own.minimum.ntk_trace, own.minimum.eigenvalues, own.minimum.ntk_eigenvalues]
    return all(np.all(np.isfinite(values)) for values in measured)


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


def _layers(experiment: Experiment, measurement: Measurement, draw: Draw) -> tuple[str, ...]:
    """The names of the layers whose traces are measured along training."""
    if not measurement.trace_every:
        return ()
    params = jax.eval_shape(lambda: initial_parameters(experiment.model, draw.images.shape[1], 0))
    return layer_names(experiment.model, params, draw.images)


def _ends(
    experiment: Experiment,
    draw: Draw,
    seeds: Sequence[int],
    records: Sequence[Record],
    threads: SpectrumWorkers,
) -> list[Future[Ends]] | None:
    """Futures of the `Ends` of every seed; None for a network that is not dense."""
    model = experiment.model
    if not isinstance(model, DenseNetwork):
        return None
    measure = EndsMeasurement(model, draw.images, experiment.test_set)
    initial = on_host(experiment.initial_parameters(seeds))
    return [
        measure.submit(jax.tree.map(lambda leaf: leaf[index], initial), own.minimum.params, threads)  # noqa: B023
        for index, own in enumerate(records)
        if own.minimum is not None
    ]


def _spectrum(snapshots: Taken, record: Record, rows: tuple[int, int]) -> Spectrum:
    """The `Spectrum` of one seed, whose training is ``record``."""
    # A diverged seed ends early, at an epoch whose losses are not finite; other seeds reach every snapshot.
    end = record.epoch[-1] + (record.status != DIVERGED)
    reached = [epoch for epoch in snapshots if epoch < end]
    taken = [arrays_of([future.result() for future in snapshots[epoch]]) for epoch in reached]
    draws, _ = rows
    positions = np.array([arrays["position"] for arrays in taken]).reshape(
        -1, draws, len(LossPosition._fields)
    )
    aligned = np.array([arrays["alignments"] for arrays in taken if "alignments" in arrays])
    return Spectrum(
        epoch=np.array(reached, dtype=np.int32),
        # The shapes are given explicitly for a seed that diverged before its first snapshot.
        eigenvalues=np.array([arrays["eigenvalues"] for arrays in taken], np.float32).reshape(-1, *rows),
        ntk_trace=np.array([arrays["ntk_trace"] for arrays in taken]).reshape(-1, draws),
        **{name: positions[..., column] for column, name in enumerate(LossPosition._fields)},
        alignments={name: aligned[..., column] for column, name in enumerate(Alignments._fields)}
        if aligned.size
        else {},
    )


def _minimum(found: AtMinimum | None, there: Future[Snapshot] | None, kept: bool) -> Minimum | None:
    """The `Minimum` with the snapshot taken ``there``, and with its parameters if they are ``kept``."""
    if found is None or there is None:
        return None
    spectra, position, _ = there.result()
    assert spectra.ntk_eigenvalues is not None  # `Kernels.at_minimum` requests them
    return Minimum(
        epoch=found.epoch,
        train_loss=found.train_loss,
        test_loss=found.test_loss,
        ntk_trace=spectra.ntk_trace,
        eigenvalues=spectra.eigenvalues,
        ntk_eigenvalues=spectra.ntk_eigenvalues,
        **position._asdict(),
        parameters=jax.tree.map(np.asarray, found.params["params"]) if kept else None,
    )
