"""One level of the noise study, trained and measured: the content of a run file (App. D.2).

A seed decides on the initial parameters and on the order of the samples. The training set and the
draws of test samples that the NTK is measured on are the same for all seeds.
"""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np

from ntklens import sgd
from ntklens.models import ensemble_parameters
from ntklens.noise import balanced_draw, noisy_copies
from ntklens.noise_trajectory import CURVES, NoiseTrajectory
from ntklens.ntk import ntk_matrix
from ntklens.spectrum_workers import SpectrumWorkers, spectra_of
from ntklens.status import DIVERGED, OK
from ntklens.training import Samples


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


def measure_seeds(model, optimiser, train_set, subset, schedule, seeds, workers=1, report=lambda *_: None):
    """The `NoiseTrajectory` of each of ``seeds``, in their order.

    Spectra are taken by ``workers`` threads beside the training. ``report(seed, epoch, values)`` is
    called with the curves' values, each time they are measured. Raises ValueError where the test samples
    are too few for the NTK's draws.
    """
    draws = ntk_draws(subset.test_images, schedule)
    test_set = Samples(jnp.asarray(subset.test_images), jnp.asarray(subset.test_labels))
    kernel = jax.jit(lambda params, images: ntk_matrix(model, params, images, lower=True))
    with SpectrumWorkers(workers) as spectra:

        def submit(params):
            # One draw after the other: inside one of XLA's loops convolutions are slow.
            return [spectra.submit(spectra_of, kernel(params, images)) for images in draws]

        pending = [
            _measure_seed(model, optimiser, train_set, test_set, schedule, seed, submit, report)
            for seed in seeds
        ]
    return [_trajectory(*record, train_set, schedule, subset.classes) for record in pending]


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


def _measure_seed(model, optimiser, train_set, test_set, schedule, seed, submit, report):
    """``(seed, curves, spectra)``: rows of epoch and values, and for each epoch the spectra to come.

    Ends early where a loss is not finite.
    """
    initial = _initial_parameters(model, test_set.images.shape[1], seed)
    measured = sgd.train(
        model, optimiser, initial, train_set.samples, schedule.epochs, schedule.curve_epochs, seed
    )
    curves, spectra = [], {}
    for epoch, params in measured:
        values = _evaluate(model, params, train_set.samples, test_set)
        curves.append((epoch, values))
        report(seed, epoch, values)
        if not _finite(values):
            break
        if epoch in schedule.spectrum_epochs:
            spectra[epoch] = submit(params)
    return seed, curves, spectra


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
