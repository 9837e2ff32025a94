"""Mini-batch training against a loop written out, and what a seed decides."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn
from ntklens.networks.modules import DenseNetwork, ensemble_parameters
from ntklens.storage.run_files import OK
from ntklens.training.grid_trainer import evaluate
from ntklens.training.members import Samples
from ntklens.training.mini_batch import MiniBatch, batches
from ntklens.training.optimisers import Sgd
from ntklens.training.schedules import Schedule, Stop

from tests.support.clusters import heavy_ball, trained_plainly
from tests.support.identical import assert_identical


class Convolutional(nn.Module):
    """A convolution of 4 × 4 images, pooled, and a dense layer."""

    @nn.compact
    def __call__(self, x):
        x = nn.relu(nn.Conv(5, (3, 3))(x.reshape(-1, 4, 4, 1)))
        x = nn.max_pool(x, (2, 2), strides=(2, 2))
        return nn.Dense(3)(x.reshape(len(x), -1))


DENSE, CONVOLUTIONAL = DenseNetwork(hidden_layers=2, width=7, outputs=3), Convolutional()


@pytest.fixture(scope="module")
def data():
    """Twenty samples, so batches of eight leave four."""
    rng = np.random.default_rng(0)
    labels = np.arange(20, dtype=np.int32) % 3
    images = (np.eye(3, 16)[labels] + 0.3 * rng.standard_normal((20, 16))).astype(np.float32)
    return Samples(jnp.asarray(images), jnp.asarray(labels))


def trained(model, data, epochs, seed, momentum=0.9, batch_size=8, **schedule):
    """Parameters after ``epochs``, from the initial ones of seed 0, whatever ``seed`` orders the samples."""
    trainer = MiniBatch(model, Sgd(momentum), Schedule(Stop.fixed(epochs), **schedule), batch_size)
    *_, (_, members) = trainer.train(ensemble_parameters(model, 16, [0]), [data], data, 0.05, [seed])
    return trainer.parameters_of(members)[0]


def assert_close(found, expected):
    for one, other in zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-5)


def test_parameters_are_those_of_a_loop_written_out(data):
    initial = jax.tree.map(lambda leaf: leaf[0], ensemble_parameters(DENSE, 16, [0]))
    passes = [
        [Samples(data.images[rows], data.labels[rows]) for rows in batches(20, 8, seed=5, epoch=epoch)]
        for epoch in range(3)
    ]
    history = trained_plainly(DENSE, initial, heavy_ball, passes)
    for epoch, expected in enumerate(history):
        assert_close(trained(DENSE, data, epoch, seed=5), expected)


def test_a_batch_of_everything_is_gradient_descent(data):
    """The order of samples then decides on nothing but rounding."""
    first, other = (trained(DENSE, data, 3, seed, momentum=0.0, batch_size=50) for seed in (0, 1))
    assert_close(first, other)


@pytest.mark.parametrize(("samples", "batch_size"), [(20, 8), (16, 8), (5, 8), (7, 1)])
def test_a_pass_visits_every_sample_once(samples, batch_size):
    found = batches(samples, batch_size, seed=0, epoch=2)
    np.testing.assert_array_equal(np.sort(np.concatenate(found)), np.arange(samples))
    sizes = [len(rows) for rows in found]
    assert sizes[:-1] == [batch_size] * (len(sizes) - 1)
    assert sum(sizes) == samples


def test_the_order_follows_seed_and_epoch():
    orders = [np.concatenate(batches(50, 8, seed, epoch)) for seed, epoch in ((0, 0), (0, 1), (1, 0))]
    for i, j in ((0, 1), (0, 2), (1, 2)):
        assert not np.array_equal(orders[i], orders[j])
    np.testing.assert_array_equal(orders[0], np.concatenate(batches(50, 8, 0, 0)))


@pytest.mark.parametrize("model", [DENSE, CONVOLUTIONAL], ids=["dense", "convolutional"])
def test_training_is_deterministic_for_a_seed(model, data):
    first, again = (trained(model, data, 4, seed=3) for _ in range(2))
    assert_identical(jax.tree.leaves(first), jax.tree.leaves(again))
    other = trained(model, data, 4, seed=4)
    assert any(
        not np.array_equal(a, b) for a, b in zip(jax.tree.leaves(first), jax.tree.leaves(other), strict=True)
    )


def test_looking_on_does_not_change_training(data):
    often = trained(DENSE, data, 4, seed=0, snapshots=(1, 3))
    seldom = trained(DENSE, data, 4, seed=0, evaluate_every=4)
    assert_identical(jax.tree.leaves(often), jax.tree.leaves(seldom))


def test_convolutional_training_learns(data):
    before, after = (evaluate(CONVOLUTIONAL, trained(CONVOLUTIONAL, data, n, seed=0), data) for n in (0, 40))
    assert after[0] < 0.2 * before[0]
    assert after[1] == 1


def test_evaluated_epochs_are_yielded_before_they_are_passed(data):
    trainer = MiniBatch(DENSE, Sgd(0.9), Schedule(Stop.fixed(7), evaluate_every=3, snapshots=(2,)), 8)
    steps = trainer.train(ensemble_parameters(DENSE, 16, [0]), [data], data, 0.05, [0])
    seen = [(epoch, list(members[0].curves["test_loss"])[-1]) for epoch, members in steps]
    assert seen == [(epoch, epoch) for epoch in (0, 2, 3, 6, 7)]


def test_window_that_ends_before_the_first_evaluation_ends_training_there(data):
    """At a rate of zero no test loss is less than the initial one."""
    schedule = Schedule(Stop(2, 2, patience=1.5, max_epochs=40), evaluate_every=10)
    trainer = MiniBatch(DENSE, Sgd(0.9), schedule, 8)
    *_, (_, members) = trainer.train(ensemble_parameters(DENSE, 16, [0]), [data], data, 0.0, [0])
    (record,) = trainer.records(members)
    assert (record.status, record.epoch.tolist()) == (OK, [0, 10])


def test_a_member_is_measured_until_it_ends_or_diverges(data):
    """The first learns, the second unlearns and ends with the window, the third diverges at once."""
    wrong = data._replace(labels=(data.labels + 1) % 3)
    broken = data._replace(images=data.images.at[3].set(jnp.inf))
    schedule = Schedule(Stop(2, 2, patience=2.0, max_epochs=6), evaluate_every=2)
    trainer = MiniBatch(DENSE, Sgd(0.0), schedule, 8)
    params = ensemble_parameters(DENSE, 16, [0, 0, 0])
    steps = trainer.train(params, [data, wrong, broken], data, 0.01, [0, 1, 2])
    measurable = {epoch: trainer.measurable(members, epoch) for epoch, members in steps}
    assert measurable == {
        0: [True, True, False],
        2: [True, True, False],
        4: [True, False, False],
        6: [True, False, False],
    }


def test_updates_after_snapshots_are_refused():
    with pytest.raises(ValueError, match="cannot yield one update after a snapshot"):
        MiniBatch(DENSE, Sgd(0.9), Schedule(Stop.fixed(4), snapshots=(0,), updates_after=True), 8)


def test_evaluation_in_parts_equals_that_of_the_whole(data, monkeypatch):
    params = trained(DENSE, data, 0, seed=0)
    whole = evaluate(DENSE, params, data)
    monkeypatch.setattr("ntklens.training.members.EVALUATED_AT_ONCE", 7)
    assert evaluate(DENSE, params, data) == pytest.approx(whole, rel=1e-6)


def test_evaluation_gives_mean_cross_entropy_and_share_of_correct_answers(data):
    class Constant(nn.Module):
        """The same outputs for every sample: class 0 is the answer."""

        @nn.compact
        def __call__(self, x):
            return jnp.tile(jnp.log(jnp.array([0.5, 0.25, 0.25])), (len(x), 1))

    loss, accuracy = evaluate(Constant(), {}, data)
    counts = np.bincount(data.labels)  # 7, 7 and 6
    assert accuracy == pytest.approx(counts[0] / 20)
    assert loss == pytest.approx((counts[0] * np.log(2) + (counts[1] + counts[2]) * np.log(4)) / 20, rel=1e-6)
