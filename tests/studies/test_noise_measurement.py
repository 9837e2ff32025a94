"""What a run of the noise study measures, against the same quantities computed by hand."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from ntklens.data.subsets import Subset
from ntklens.kernel.ntk import ntk_matrix
from ntklens.networks.modules import DenseNetwork, initial_parameters
from ntklens.studies.noise_measurement import measure_seeds, noisy_training_set
from ntklens.training import mini_batch as sgd
from ntklens.training.full_batch import Samples
from ntklens.training.mini_batch import Sgd
from ntklens.training.schedules import NoiseSchedule

from tests.support.interruptions import run_with_kills

MODEL = DenseNetwork(hidden_layers=2, width=6, outputs=3)
OPTIMISER = Sgd(learning_rate=0.05, momentum=0.9, batch_size=8)
SCHEDULE = NoiseSchedule(epochs=7, evaluate_every=3, spectrum_epochs=(0, 2, 7), ntk_samples=4, ntk_draws=3)


@pytest.fixture(scope="module")
def subset():
    """Three noisy clusters, 20 pool samples of each."""
    rng = np.random.default_rng(0)
    labels = np.arange(90, dtype=np.int32) % 3
    images = (np.eye(3, 6)[labels] + 0.5 * rng.standard_normal((90, 6))).astype(np.float32)
    return Subset(images[:60], labels[:60], images[60:], labels[60:], 4, 3, image_shape=(2, 3, 1))


@pytest.fixture(scope="module")
def train_set(subset):
    return noisy_training_set(subset, 30, draw_seed=1, removed_percent=50, sigma=0.01)


@pytest.fixture(scope="module")
def trajectories(subset, train_set):
    return measure_seeds(MODEL, OPTIMISER, train_set, subset, SCHEDULE, [0, 1])


def trained(train_set, seed, epoch):
    initial = initial_parameters(MODEL, 6, seed)
    ((_, state),) = sgd.train(MODEL, OPTIMISER, initial, train_set.samples, epoch, {epoch}, seed)
    return state.params


def assert_same(found, expected):
    for name, value in vars(expected).items():
        if name == "curves":
            for curve in value:
                np.testing.assert_array_equal(found.curves[curve], value[curve])
        else:
            np.testing.assert_array_equal(getattr(found, name), value)


def test_curves_are_measured_regularly_at_the_end_and_with_every_spectrum(trajectories):
    assert SCHEDULE.curve_epochs == [0, 2, 3, 6, 7]
    for trajectory in trajectories:
        assert trajectory.epoch.tolist() == [0, 2, 3, 6, 7]
        assert trajectory.status == "ok"


@pytest.mark.parametrize("index", [0, 2, 4])
def test_losses_and_accuracies_are_those_of_their_epoch(trajectories, subset, train_set, index):
    params = trained(train_set, 1, trajectories[1].epoch[index])
    test_set = Samples(jnp.asarray(subset.test_images), jnp.asarray(subset.test_labels))
    for name, samples in (("train", train_set.samples), ("test", test_set)):
        loss, accuracy = sgd.evaluate(MODEL, params, samples)
        assert trajectories[1].curves[f"{name}_loss"][index] == pytest.approx(loss, rel=1e-5)
        assert trajectories[1].curves[f"{name}_accuracy"][index] == pytest.approx(accuracy)


@pytest.mark.parametrize("row", [0, 1, 2])
@pytest.mark.parametrize("draw", [0, 1, 2])
def test_spectra_belong_to_their_epoch_and_draw(trajectories, subset, train_set, row, draw):
    params = trained(train_set, 1, SCHEDULE.spectrum_epochs[row])
    images = jnp.asarray(subset.test_images[4 * draw : 4 * draw + 4])
    theta = np.asarray(ntk_matrix(MODEL, params, images), dtype=np.float64)
    scale = np.sqrt(np.diagonal(theta))
    expected = np.linalg.eigvalsh(theta / np.outer(scale, scale))
    np.testing.assert_allclose(trajectories[1].eigenvalues[row, draw], expected, atol=1e-4)
    assert trajectories[1].ntk_trace[row, draw] == pytest.approx(np.trace(theta), rel=1e-5)


def test_spectra_have_an_axis_of_epochs_one_of_draws_and_one_of_rows(trajectories):
    for trajectory in trajectories:
        assert trajectory.spectrum_epoch.tolist() == [0, 2, 7]
        assert trajectory.eigenvalues.shape == (3, 3, 12)
        assert trajectory.ntk_trace.shape == (3, 3)


def test_a_seed_does_not_depend_on_its_batch(trajectories, subset, train_set):
    (alone,) = measure_seeds(MODEL, OPTIMISER, train_set, subset, SCHEDULE, [1])
    assert_same(alone, trajectories[1])


def test_results_do_not_depend_on_the_number_of_workers(trajectories, subset, train_set):
    for found, expected in zip(
        measure_seeds(MODEL, OPTIMISER, train_set, subset, SCHEDULE, [0, 1], workers=3),
        trajectories,
        strict=True,
    ):
        assert_same(found, expected)


def test_seeds_differ_in_initialisation_and_share_the_data(trajectories):
    first, second = trajectories
    assert first.curves["train_loss"][0] != second.curves["train_loss"][0]
    np.testing.assert_array_equal(first.train_indices, second.train_indices)
    np.testing.assert_array_equal(first.source, second.source)


def test_training_starts_from_the_initial_parameters_of_the_seed(subset, train_set):
    at_once = replace(SCHEDULE, epochs=0, spectrum_epochs=(0,))
    (trajectory,) = measure_seeds(MODEL, OPTIMISER, train_set, subset, at_once, [7])
    loss, _ = sgd.evaluate(MODEL, initial_parameters(MODEL, 6, 7), train_set.samples)
    assert trajectory.epoch.tolist() == [0]
    assert trajectory.curves["train_loss"][0] == pytest.approx(loss, rel=1e-6)


def test_progress_is_reported_for_every_measured_epoch(trajectories, subset, train_set):
    seen = []
    measure_seeds(
        MODEL, OPTIMISER, train_set, subset, SCHEDULE, [0], report=lambda *record: seen.append(record)
    )
    assert [(seed, epoch) for seed, epoch, _ in seen] == [(0, epoch) for epoch in SCHEDULE.curve_epochs]
    assert seen[-1][2]["test_loss"] == pytest.approx(trajectories[0].curves["test_loss"][-1])


def test_run_that_diverges_ends_early_and_says_so(subset, train_set):
    reckless = replace(OPTIMISER, learning_rate=1e30)
    (trajectory,) = measure_seeds(MODEL, reckless, train_set, subset, SCHEDULE, [0])
    assert trajectory.status == "diverged"
    assert trajectory.epoch.tolist() == [0, 2]
    assert np.isnan(trajectory.curves["train_loss"][-1])
    assert trajectory.spectrum_epoch.tolist() == [0]
    assert np.isfinite(trajectory.eigenvalues).all()


def test_run_that_diverges_before_its_first_spectrum_has_none(subset, train_set):
    images = train_set.samples.images.at[3].set(jnp.inf)
    broken = replace(train_set, samples=Samples(images, train_set.samples.labels))
    (trajectory,) = measure_seeds(MODEL, OPTIMISER, broken, subset, SCHEDULE, [0])
    assert trajectory.status == "diverged"
    assert trajectory.epoch.tolist() == [0]
    assert trajectory.eigenvalues.shape == (0, 3, 12)
    assert trajectory.ntk_trace.shape == (0, 3)


def test_more_ntk_samples_than_test_samples_raises(subset, train_set):
    greedy = replace(SCHEDULE, ntk_samples=11)
    with pytest.raises(ValueError, match="3 draws of 11 NTK samples need 33 test samples, there are 30"):
        measure_seeds(MODEL, OPTIMISER, train_set, subset, greedy, [0])


def test_training_set_holds_kept_samples_and_noisy_copies_of_them(subset, train_set):
    images, labels = (np.asarray(part) for part in train_set.samples)
    rows = train_set.train_indices
    kept = train_set.source == np.arange(30)
    assert kept.sum() == 15
    np.testing.assert_array_equal(images[kept], subset.pool_images[rows[kept]])
    np.testing.assert_allclose(images, subset.pool_images[rows][train_set.source], atol=0.08)
    np.testing.assert_array_equal(labels, subset.pool_labels[rows])
    assert np.bincount(labels).tolist() == [10, 10, 10]


def test_levels_start_from_the_same_samples(subset, train_set):
    other = noisy_training_set(subset, 30, draw_seed=1, removed_percent=80, sigma=0.01)
    np.testing.assert_array_equal(other.train_indices, train_set.train_indices)
    kept = other.source == np.arange(30)
    np.testing.assert_array_equal(
        np.asarray(other.samples.images)[kept], np.asarray(train_set.samples.images)[kept]
    )


def test_pool_is_left_alone(subset):
    before = jax.tree.map(np.copy, (subset.pool_images, subset.pool_labels))
    noisy_training_set(subset, 30, draw_seed=1, removed_percent=50, sigma=5.0)
    np.testing.assert_array_equal(before[0], subset.pool_images)
    np.testing.assert_array_equal(before[1], subset.pool_labels)


@pytest.mark.parametrize("kills", [[1], [4], [7], [10], [2, 2, 2, 2]])
def test_killed_job_goes_on_to_the_same_numbers(trajectories, subset, train_set, tmp_path, kills):
    def job(checkpoint):
        return measure_seeds(MODEL, OPTIMISER, train_set, subset, SCHEDULE, [0, 1], checkpoint=checkpoint)

    found = run_with_kills(job, tmp_path / "job.npz", kills)
    for one, other in zip(found, trajectories, strict=True):
        assert_same(one, other)


def test_killed_job_does_not_start_anew(subset, train_set, tmp_path):
    visited = []

    def job(checkpoint):
        visited.append([])
        return measure_seeds(
            MODEL,
            OPTIMISER,
            train_set,
            subset,
            SCHEDULE,
            [0, 1],
            checkpoint=checkpoint,
            report=lambda seed, epoch, _: visited[-1].append((seed, epoch)),
        )

    run_with_kills(job, tmp_path / "job.npz", [8])
    killed, after = visited
    assert killed[-1] == (1, 2)
    assert after == [(1, 3), (1, 6), (1, 7)]
