"""One level of the noise study, trained and measured: the content of a run file (App. D.2).

A seed decides on the initial parameters and on the order of the samples. The training set and the
draws of test samples that the NTK is measured on are the same for all seeds.
"""

from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from ntklens.data.draws import balanced_draw
from ntklens.data.noisy_copies import noisy_copies
from ntklens.kernel.ntk import MEMORY, ntk_matrix
from ntklens.networks.modules import ensemble_parameters
from ntklens.storage.noise_run_files import CURVES, NoiseTrajectory
from ntklens.storage.status import DIVERGED, OK
from ntklens.studies.spectrum_workers import Spectra, SpectrumWorkers, resolved, spectra_of
from ntklens.training import mini_batch as sgd
from ntklens.training.full_batch import Samples


@dataclass(frozen=True)
class NoisyTrainingSet:
    """`Samples`, with each one's row in the pool it was drawn from, and the row it is a copy of.

    A kept sample's ``source`` is its own row of the training set.
    """

    samples: Samples
    train_indices: np.ndarray
    source: np.ndarray


def noisy_training_set(subset, train_samples, draw_seed, removed_percent, sigma):
    """The training set of one level; levels of one ``draw_seed`` start from the same samples."""
    rows = balanced_draw(subset.pool_labels, train_samples, draw_seed)
    labels = subset.pool_labels[rows]
    images, source = noisy_copies(subset.pool_images[rows], labels, removed_percent, sigma, draw_seed)
    return NoisyTrainingSet(Samples(jnp.asarray(images), jnp.asarray(labels)), rows, source)


class _Record(NamedTuple):
    """What is known of one seed."""

    curves: list  # of pairs: epoch, dictionary of values
    spectra: dict  # epoch -> for each draw its spectra, there or to come


def measure_seeds(
    model,
    optimiser,
    train_set,
    subset,
    schedule,
    seeds,
    workers=1,
    memory=MEMORY,
    checkpoint=None,
    report=lambda *_: None,
):
    """The `NoiseTrajectory` of each of ``seeds``, in their order.

    Spectra are taken by ``workers`` threads beside the training, of kernels whose pieces take ``memory``
    bytes at most. A `Checkpoint` is gone on from, and written now and then. ``report(seed, epoch, values)``
    is called with the curves' values, each time they are measured. Raises ValueError where the test samples
    are too few for the NTK's draws.
    """
    draws = ntk_draws(subset.test_images, schedule)
    test_set = Samples(jnp.asarray(subset.test_images), jnp.asarray(subset.test_labels))
    kernel = jax.jit(lambda params, images: ntk_matrix(model, params, images, lower=True, memory=memory))
    saved = checkpoint.saved if checkpoint else None
    records = _restored(saved) if saved else {}
    start = (saved.position["epoch"], saved.arrays["state"]) if saved else None
    remaining = seeds[list(seeds).index(saved.position["seed"]) :] if saved else seeds
    with SpectrumWorkers(workers) as spectra:
        for seed in remaining:
            record = records.setdefault(seed, _Record([], {}))
            initial = _initial_parameters(model, test_set.images.shape[1], seed)
            states = sgd.train(
                model,
                optimiser,
                initial,
                train_set.samples,
                schedule.epochs,
                schedule.curve_epochs,
                seed,
                start,
            )
            start = None  # the seeds after it are new
            for epoch, state in states:
                if checkpoint and checkpoint.due():
                    checkpoint.save(*_stored(seed, epoch, state, records))
                values = _evaluate(model, state.params, train_set.samples, test_set)
                record.curves.append((epoch, values))
                report(seed, epoch, values)
                if not _finite(values):
                    break
                if epoch in schedule.spectrum_epochs:
                    # One draw after the other: inside one of XLA's loops convolutions are slow.
                    record.spectra[epoch] = [
                        spectra.submit(spectra_of, kernel(state.params, images)) for images in draws
                    ]
    return [_trajectory(seed, *records[seed], train_set, schedule, subset.classes) for seed in seeds]


def _stored(seed, epoch, state, records):
    """What `Checkpoint.save` takes: all before ``epoch`` of ``seed``. Waits for spectra still to come."""
    position = {"seed": seed, "epoch": epoch, "curves": {own: records[own].curves for own in records}}
    spectra = {
        str(own): {str(epoch): _arrays(draws) for epoch, draws in records[own].spectra.items()}
        for own in records
    }
    return position, {"state": sgd.state_of(state), "spectra": spectra}


def _arrays(draws):
    taken = [future.result() for future in draws]
    return {
        "ntk_trace": np.array([spectra.ntk_trace for spectra in taken]),
        "eigenvalues": np.stack([spectra.eigenvalues for spectra in taken]),
    }


def _restored(saved):
    """seed -> `_Record`, from what `_stored` gave."""
    return {
        int(seed): _Record(
            curves=[(epoch, values) for epoch, values in rows],
            spectra={
                int(epoch): [
                    resolved(Spectra(float(trace), values))
                    for trace, values in zip(arrays["ntk_trace"], arrays["eigenvalues"], strict=True)
                ]
                for epoch, arrays in saved.arrays["spectra"][seed].items()
            },
        )
        for seed, rows in saved.position["curves"].items()
    }


def ntk_draws(test_images, schedule):
    """Disjoint blocks (ntk_samples, n₀) of the test images, which are in random order already."""
    needed = schedule.ntk_draws * schedule.ntk_samples
    if needed > len(test_images):
        raise ValueError(
            f"{schedule.ntk_draws} draws of {schedule.ntk_samples} NTK samples need {needed} test samples, "
            f"there are {len(test_images)}: raise test_samples, or lower ntk_samples or ntk_draws"
        )
    return [
        jnp.asarray(test_images[start : start + schedule.ntk_samples])
        for start in range(0, needed, schedule.ntk_samples)
    ]


def _initial_parameters(model, inputs, seed):
    """Those of `models.initial_parameters`, by the program that compiles in a quarter of the time."""
    ensemble = ensemble_parameters(model, inputs, [seed])
    return jax.tree.map(lambda leaf: jnp.asarray(np.asarray(leaf)[0]), ensemble)


def _evaluate(model, params, train_set, test_set):
    train_loss, train_accuracy = sgd.evaluate(model, params, train_set)
    test_loss, test_accuracy = sgd.evaluate(model, params, test_set)
    return dict(zip(CURVES, (train_loss, test_loss, train_accuracy, test_accuracy), strict=True))


def _finite(values):
    return bool(np.isfinite(values["train_loss"] + values["test_loss"]))


def _trajectory(seed, curves, spectra, train_set, schedule, classes):
    # The shapes are spelt out for a seed that diverged before its first spectrum.
    shape = (len(spectra), schedule.ntk_draws)
    taken = [[future.result() for future in draws] for draws in spectra.values()]
    return NoiseTrajectory(
        seed=seed,
        status=OK if _finite(curves[-1][1]) else DIVERGED,
        epoch=np.array([epoch for epoch, _ in curves], dtype=np.int32),
        curves={name: np.array([values[name] for _, values in curves], dtype=np.float32) for name in CURVES},
        spectrum_epoch=np.array(list(spectra), dtype=np.int32),
        eigenvalues=np.array(
            [[spectrum.eigenvalues for spectrum in draws] for draws in taken], dtype=np.float32
        ).reshape(*shape, schedule.ntk_samples * classes),
        ntk_trace=np.array([[spectrum.ntk_trace for spectrum in draws] for draws in taken]).reshape(shape),
        train_indices=train_set.train_indices,
        source=train_set.source,
    )
