"""The training loop against a plain one, member by member and epoch by epoch."""

import threading
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from ntklens.data.subsets import Subset
from ntklens.kernel import ntk
from ntklens.kernel.ntk import ntk_matrix
from ntklens.spectrum.alignments import Alignments, label_alignment, misalignments
from ntklens.spectrum.effective_rank import effective_rank
from ntklens.studies import measurement
from ntklens.studies.experiment import Point, minimum_trial
from ntklens.studies.measurement import measure_batch
from ntklens.studies.spectrum_workers import SpectrumWorkers
from ntklens.training.full_batch import Adam, state_of
from ntklens.training.schedules import Schedule

from tests.support.interruptions import run_with_kills

ADAM = Adam(b1=0.9, b2=0.999, eps=1e-8)
SCHEDULE = Schedule(window_last=20, patience=1.5, max_epochs=120, trace_every=5, snapshots=(0, 7, 20))
RATE = 0.006


@pytest.fixture(scope="module")
def subset():
    """Three noisy clusters: easy to learn, and to overfit."""
    rng = np.random.default_rng(0)
    labels = np.arange(90, dtype=np.int32) % 3
    images = (np.eye(3, 6)[labels] + 0.9 * rng.standard_normal((90, 6))).astype(np.float32)
    train, test = (images[:40], labels[:40]), (images[40:], labels[40:])
    return Subset(*train, *test, ntk_samples=4, classes=3, image_shape=(2, 3, 1))


def point(width=5, vary_data=False):
    network = {"hidden_layers": 2, "width": width}
    return Point(network, train_samples=10, vary_data=vary_data, vary_initialisation=not vary_data)


def ensemble(subset, seeds, where=None, rate=RATE, schedule=SCHEDULE):
    where = where or point()
    *_, (_, members) = where.train(subset, seeds, ADAM, rate, schedule)
    return members


def plain_run(subset, seed, epochs, where=None):
    """Losses and parameters at epochs 0 … epochs, by the textbook loop."""
    where = where or point()
    model = where.model(subset)
    params = jax.tree.map(lambda leaf: leaf[0], where.initial_parameters(subset, [seed]))
    samples = jax.tree.map(lambda leaf: leaf[0], where.train_sets(subset, [seed]))
    optimizer = optax.adam(RATE)
    state = optimizer.init(params)

    def loss(params, images, labels):
        logits = jax.nn.log_softmax(model.apply(params, images))
        return -jnp.mean(logits[jnp.arange(len(labels)), labels])

    history = []
    for _ in range(epochs + 1):
        value, gradient = jax.value_and_grad(loss)(params, *samples)
        test_loss = loss(params, jnp.asarray(subset.test_images), jnp.asarray(subset.test_labels))
        history.append((float(value), float(test_loss), params))
        updates, state = optimizer.update(gradient, state)
        params = optax.apply_updates(params, updates)
    return history


@pytest.fixture(scope="module")
def history(subset):
    return plain_run(subset, seed=2, epochs=60)


@pytest.fixture(scope="module")
def members(subset):
    return ensemble(subset, [0, 1, 2])


def test_losses_equal_a_plain_loop(members, history):
    train_loss, test_loss, _ = zip(*history, strict=True)
    last = int(members.stop_epoch[2])
    np.testing.assert_allclose(members.curves["train_loss"][2, : last + 1], train_loss[: last + 1], rtol=1e-3)
    np.testing.assert_allclose(members.curves["test_loss"][2, : last + 1], test_loss[: last + 1], rtol=1e-3)


def test_minimum_is_exact_with_its_parameters(members, history):
    last = int(members.stop_epoch[2])
    test_loss = [value for _, value, _ in history[: last + 1]]
    epoch = int(np.argmin(test_loss))
    assert int(members.minimum.epoch[2]) == epoch
    assert epoch % SCHEDULE.trace_every  # on no grid, so nothing was rounded
    own = jax.tree.map(lambda leaf: leaf[2], members.minimum.params)
    for found, expected in zip(jax.tree.leaves(own), jax.tree.leaves(history[epoch][2]), strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-4)


def test_trace_at_an_epoch_belongs_to_its_parameters(members, subset, history):
    model = point().model(subset)
    for index, epoch in ((0, 0), (1, 5), (4, 20)):
        theta = ntk_matrix(model, history[epoch][2], jnp.asarray(subset.ntk_images))
        assert float(members.traces[2, index]) == pytest.approx(float(jnp.trace(theta)), rel=1e-3)


def test_member_stops_once_its_minimum_is_passed_by_patience(members):
    expected = np.maximum(SCHEDULE.window_last, np.ceil(SCHEDULE.patience * np.array(members.minimum.epoch)))
    np.testing.assert_array_equal(members.stop_epoch, expected)


def test_member_not_finished_at_max_epochs_has_no_stop_epoch(subset):
    schedule = Schedule(window_last=30, patience=1.5, max_epochs=40)
    members = ensemble(subset, [0], rate=1e-4, schedule=schedule)
    assert int(members.stop_epoch[0]) == -1
    assert int(members.minimum.epoch[0]) == 40


@pytest.mark.parametrize("vary_data", [False, True])
@pytest.mark.parametrize("width", [5, 200])  # vectorised, and one member after the other
def test_results_do_not_depend_on_the_batch(subset, width, vary_data):
    """To 1e-4 in the losses: float32 rounds sums differently in batches of different size."""
    where = point(width, vary_data)
    together = ensemble(subset, [0, 1, 2, 3], where)
    for batch in ([0, 1], [2, 3], [3]):
        apart = ensemble(subset, batch, where)
        for index, seed in enumerate(batch):
            assert int(apart.minimum.epoch[index]) == int(together.minimum.epoch[seed])
            last = int(together.stop_epoch[seed])
            for name in ("train_loss", "test_loss"):
                np.testing.assert_allclose(
                    apart.curves[name][index, : last + 1],
                    together.curves[name][seed, : last + 1],
                    rtol=1e-4,
                    atol=1e-6,
                )


def test_data_draws_share_one_initialisation(subset):
    params = point(vary_data=True).initial_parameters(subset, [0, 1])
    for leaf in jax.tree.leaves(params):
        np.testing.assert_array_equal(leaf[0], leaf[1])
    rows = point(vary_data=True).train_indices(subset, [0, 1])
    assert set(rows[0]) != set(rows[1])


def test_initialisation_draws_share_one_training_set(subset):
    rows = point().train_indices(subset, [0, 1])
    np.testing.assert_array_equal(rows[0], rows[1])
    kernel = point().initial_parameters(subset, [0, 1])["params"]["hidden_1"]["kernel"]
    assert not np.allclose(kernel[0], kernel[1])


def test_measured_spectra_belong_to_their_epochs(subset, history):
    (trajectory,) = measure_batch(point(), subset, [2], ADAM, RATE, SCHEDULE, save_parameters=3)
    assert trajectory.spectrum_epoch.tolist() == [0, 7, 20]
    model = point().model(subset)
    for row, epoch in ((0, 0), (1, 7), (2, 20)):
        theta = np.asarray(ntk_matrix(model, history[epoch][2], jnp.asarray(subset.ntk_images)))
        scale = np.sqrt(np.diagonal(theta))
        expected = np.linalg.eigvalsh(theta.astype(np.float64) / np.outer(scale, scale))
        np.testing.assert_allclose(trajectory.eigenvalues[row], expected, atol=2e-2)
    assert trajectory.minimum.eigenvalues.sum() == pytest.approx(12, rel=1e-5)
    assert trajectory.minimum.ntk_eigenvalues.sum() == pytest.approx(trajectory.minimum.ntk_trace, rel=1e-5)


def test_spectra_do_not_depend_on_the_number_of_workers(subset):
    one, three = (
        measure_batch(point(), subset, [0, 1, 2], ADAM, RATE, SCHEDULE, save_parameters=0, workers=workers)
        for workers in (1, 3)
    )
    for alone, together in zip(one, three, strict=True):
        np.testing.assert_array_equal(alone.eigenvalues, together.eigenvalues)
        np.testing.assert_array_equal(alone.minimum.ntk_eigenvalues, together.minimum.ntk_eigenvalues)


def test_measured_alignments_belong_to_their_epochs(subset, history):
    """Also at a snapshot that follows another by one update."""
    schedule = Schedule(window_last=20, patience=1.5, max_epochs=120, trace_every=5, snapshots=(0, 7, 8, 20))
    (trajectory,) = measure_batch(point(), subset, [2], ADAM, RATE, schedule, save_parameters=0)
    model, labels = point().model(subset), subset.test_labels[:4]
    for row, epoch in enumerate((0, 7, 8, 20)):
        before, after = (
            np.asarray(ntk_matrix(model, history[e][2], jnp.asarray(subset.ntk_images)), np.float64)
            for e in (epoch, epoch + 1)
        )
        count = round(effective_rank(trajectory.eigenvalues[row]))
        found = Alignments(*(values[row] for values in trajectory.alignments))
        assert found.label_alignment == pytest.approx(label_alignment(before, labels), abs=2e-3)
        vectors = [np.linalg.eigh(theta)[1][:, ::-1][:, :count].T for theta in (before, after)]
        _, sign_matched, basis_free = misalignments(*vectors)
        assert found.misalignment_sign_matched == pytest.approx(sign_matched, abs=0.02)
        assert found.misalignment_basis_free == pytest.approx(basis_free, abs=0.02)


def test_tasks_that_wait_for_a_worker_are_few():
    """With one thread that does not get on, a third task has to wait outside."""
    may_go_on = threading.Event()
    submitted = []

    def submit_three(workers):
        for number in range(3):
            workers.submit(may_go_on.wait, 10)
            submitted.append(number)

    with SpectrumWorkers(1) as workers:
        caller = threading.Thread(target=submit_three, args=[workers])
        caller.start()
        caller.join(0.3)
        assert submitted == [0, 1]
        may_go_on.set()
        caller.join(10)
    assert submitted == [0, 1, 2]


def test_a_failed_spectrum_ends_the_job(subset, monkeypatch):
    def broken(theta, of_theta_too=False):
        raise np.linalg.LinAlgError("no convergence")

    monkeypatch.setattr(measurement, "spectra_of", broken)
    with pytest.raises(np.linalg.LinAlgError, match="no convergence"):
        measure_batch(point(), subset, [0], ADAM, RATE, SCHEDULE, save_parameters=0)


def test_only_the_first_seeds_keep_their_parameters(subset):
    kept, dropped = measure_batch(point(), subset, [0, 1], ADAM, RATE, SCHEDULE, save_parameters=1)
    assert kept.minimum.parameters["hidden_1"]["kernel"].shape == (6, 5)
    assert dropped.minimum.parameters is None


def test_diverged_seed_does_not_end_its_batch(subset):
    """One seed's training images are infinite: its loss is not finite from the first epoch."""
    images = subset.pool_images.copy()
    where = point(vary_data=True)
    own = where.train_indices(subset, [0, 1])
    images[np.setdiff1d(own[1], own[0])[0]] = np.inf
    broken = Subset(images, subset.pool_labels, subset.test_images, subset.test_labels, 4, 3, (2, 3, 1))
    good, bad = measure_batch(where, broken, [0, 1], ADAM, RATE, SCHEDULE, save_parameters=0)
    assert good.status == "ok"
    assert bad.status == "diverged"
    assert len(bad.curves["train_loss"]) == 1
    (alone,) = measure_batch(where, subset, [0], ADAM, RATE, SCHEDULE, save_parameters=0)
    assert good.minimum.epoch == alone.minimum.epoch
    np.testing.assert_allclose(good.curves["test_loss"], alone.curves["test_loss"], rtol=1e-4)


def test_unfinished_seed_is_marked(subset):
    schedule = Schedule(window_last=30, patience=1.5, max_epochs=40, trace_every=5, snapshots=(0,))
    (trajectory,) = measure_batch(point(), subset, [0], ADAM, 1e-4, schedule, save_parameters=0)
    assert trajectory.status == "minimum at the last epoch"
    assert len(trajectory.curves["test_loss"]) == 41


def trial(subset, seeds, rate, schedule):
    return minimum_trial(point(vary_data=True), subset, seeds, ADAM, rate, schedule, scale=10)


def test_trial_finds_each_seeds_minimum(subset):
    found = trial(subset, [0, 1], RATE, SCHEDULE)
    members = ensemble(subset, [0, 1], point(vary_data=True))
    assert found.epochs == tuple(np.asarray(members.minimum.epoch).tolist())
    assert not found.censored


def test_trial_of_seeds_that_are_not_finished_is_censored(subset):
    """A rate at which the test loss still falls at the end."""
    found = trial(subset, [0, 1], 1e-5, Schedule(window_last=5, patience=1.5, max_epochs=10))
    assert found.censored
    assert found.epochs == (10, 10)


def test_seed_whose_test_loss_never_improves_has_epoch_zero(subset):
    """All training samples are of one class, all test samples of another: what is learnt is wrong."""
    one_class, another = np.zeros_like(subset.pool_labels), np.ones_like(subset.test_labels)
    found = trial(replace(subset, pool_labels=one_class, test_labels=another), [0, 1], RATE, SCHEDULE)
    assert found.epochs == (0, 0)
    assert found.epoch is None


def assert_same_trajectory(found, expected):
    """Bit for bit."""
    trees = [{**vars(trajectory), "minimum": vars(trajectory.minimum)} for trajectory in (found, expected)]
    assert jax.tree.structure(trees[0]) == jax.tree.structure(trees[1])
    for one, other in zip(*map(jax.tree.leaves, trees), strict=True):
        np.testing.assert_array_equal(one, other)
        assert np.asarray(one).dtype == np.asarray(other).dtype


@pytest.mark.parametrize("kills", [[1], [2], [3], [1, 2, 2]])
@pytest.mark.parametrize(
    "where", [point(), point(vary_data=True), point(width=150)], ids=["", "data", "mapped"]
)
def test_killed_batch_goes_on_to_the_same_numbers(subset, tmp_path, where, kills):
    def job(checkpoint=None):
        return measure_batch(where, subset, [1, 3], ADAM, RATE, SCHEDULE, 2, checkpoint=checkpoint)

    found = run_with_kills(job, tmp_path / "job.npz", kills)
    for one, other in zip(found, job(), strict=True):
        assert_same_trajectory(one, other)


def test_killed_batch_does_not_start_anew(subset, tmp_path):
    """The epochs that a killed job made are not made again."""
    visited = []

    def job(checkpoint):
        visited.append([])
        return measure_batch(
            point(),
            subset,
            [1],
            ADAM,
            RATE,
            SCHEDULE,
            0,
            checkpoint=checkpoint,
            report=lambda epoch, _: visited[-1].append(epoch),
        )

    run_with_kills(job, tmp_path / "job.npz", [3])
    killed, after = visited
    assert killed[0] == 0 < killed[-1]
    assert after[0] == killed[-1]


def test_killed_trial_goes_on_to_the_same_minimum(subset):
    schedule = Schedule(window_last=30, patience=1.5, max_epochs=120)
    states = {}

    def visit(epoch, members):
        states[epoch] = state_of(members)

    def trial(**options):
        return minimum_trial(point(), subset, [0, 1], ADAM, RATE, schedule, scale=5, **options)

    whole = trial(visit=visit)
    assert len(states) > 2
    for epoch, state in states.items():
        assert trial(start=(epoch, state)) == whole


def test_little_memory_takes_the_kernels_in_blocks_to_the_same_numbers(subset):
    """A sample's pieces of J are far larger than that: blocks of one sample."""

    def measured(**options):
        return measure_batch(point(), subset, [1], ADAM, RATE, SCHEDULE, 0, **options)

    assert len(ntk._blocks(point().model(subset), *at_start(subset), None, memory=10).starts) == 4
    (found,), (expected,) = measured(memory=10), measured()
    np.testing.assert_allclose(found.eigenvalues, expected.eigenvalues, rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(found.ntk_trace, expected.ntk_trace)


def at_start(subset):
    params = jax.tree.map(lambda leaf: leaf[0], point().initial_parameters(subset, [1]))
    return params, jnp.asarray(subset.ntk_images)
