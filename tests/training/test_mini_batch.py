"""Mini-batch training against a loop written out, and what a seed decides."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn
from ntklens.networks.modules import DenseNetwork, initial_parameters
from ntklens.training import mini_batch as sgd
from ntklens.training.full_batch import Samples
from ntklens.training.mini_batch import Sgd, batches, evaluate, state_of, train

OPTIMISER = Sgd(learning_rate=0.05, momentum=0.9, batch_size=8)
DENSE = DenseNetwork(hidden_layers=2, width=7, outputs=3)


class Convolutional(nn.Module):
    """A convolution of 4 × 4 images, pooled, and a dense layer."""

    @nn.compact
    def __call__(self, x):
        x = nn.relu(nn.Conv(5, (3, 3))(x.reshape(-1, 4, 4, 1)))
        x = nn.max_pool(x, (2, 2), strides=(2, 2))
        return nn.Dense(3)(x.reshape(len(x), -1))


@pytest.fixture(scope="module")
def samples():
    """Twenty samples, so batches of eight leave four."""
    rng = np.random.default_rng(0)
    labels = np.arange(20, dtype=np.int32) % 3
    images = (np.eye(3, 16)[labels] + 0.3 * rng.standard_normal((20, 16))).astype(np.float32)
    return Samples(jnp.asarray(images), jnp.asarray(labels))


def trained(model, samples, epochs, seed, optimiser=OPTIMISER, start=0):
    """Parameters after ``epochs``, from the initial ones of seed ``start``."""
    initial = initial_parameters(model, 16, start)
    ((_, state),) = train(model, optimiser, initial, samples, epochs, {epochs}, seed)
    return state.params


def assert_equal(found, expected, **tolerance):
    for one, other in zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True):
        np.testing.assert_allclose(one, other, **(tolerance or {"rtol": 0, "atol": 0}))


def test_parameters_equal_a_loop_written_out(samples):
    def loss(params, images, labels):
        logits = jax.nn.log_softmax(DENSE.apply(params, images))
        return -jnp.mean(logits[jnp.arange(len(labels)), labels])

    params = initial_parameters(DENSE, 16, 0)
    velocity = jax.tree.map(jnp.zeros_like, params)
    for epoch in range(3):
        for rows in batches(20, 8, seed=5, epoch=epoch):
            gradient = jax.grad(loss)(params, samples.images[rows], samples.labels[rows])
            velocity = jax.tree.map(lambda v, g: 0.9 * v + g, velocity, gradient)
            params = jax.tree.map(lambda p, v: p - 0.05 * v, params, velocity)
    assert_equal(trained(DENSE, samples, 3, seed=5), params, rtol=1e-4, atol=1e-6)


def test_a_batch_of_everything_is_gradient_descent(samples):
    """The order of samples then decides on nothing but rounding."""
    whole = Sgd(learning_rate=0.05, momentum=0.0, batch_size=50)
    first, other = (trained(DENSE, samples, 3, seed, whole) for seed in (0, 1))
    assert_equal(first, other, rtol=1e-4, atol=1e-6)


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


@pytest.mark.parametrize("model", [DENSE, Convolutional()])
def test_training_is_deterministic_for_a_seed(model, samples):
    first, again = (trained(model, samples, 4, seed=3) for _ in range(2))
    assert_equal(first, again)
    other = trained(model, samples, 4, seed=4)
    assert any(
        not np.array_equal(a, b) for a, b in zip(jax.tree.leaves(first), jax.tree.leaves(other), strict=True)
    )


def test_convolutional_training_learns(samples):
    model = Convolutional()
    before = evaluate(model, initial_parameters(model, 16, 0), samples)
    after = evaluate(model, trained(model, samples, 40, seed=0), samples)
    assert after[0] < 0.2 * before[0]
    assert after[1] == 1


def test_yields_at_the_epochs_asked_for_from_the_initial_parameters(samples):
    initial = initial_parameters(DENSE, 16, 0)
    yielded = dict(train(DENSE, OPTIMISER, initial, samples, 4, {0, 1, 4}, seed=0))
    assert list(yielded) == [0, 1, 4]
    assert_equal(yielded[0].params, initial_parameters(DENSE, 16, 0))


def test_looking_on_does_not_change_training_nor_what_was_yielded(samples):
    initial = initial_parameters(DENSE, 16, 0)
    yielded = dict(train(DENSE, OPTIMISER, initial, samples, 4, range(5), seed=0))
    for epoch, state in yielded.items():
        assert_equal(state.params, trained(DENSE, samples, epoch, seed=0))


@pytest.mark.parametrize("stop", [0, 1, 3, 4])
@pytest.mark.parametrize("model", [DENSE, Convolutional()])
def test_training_goes_on_from_any_epoch_to_the_same_parameters(model, samples, stop):
    initial = initial_parameters(model, 16, 0)
    states = train(model, OPTIMISER, initial, samples, 4, range(5), seed=0)
    stored = {epoch: state_of(state) for epoch, state in states}
    gone_on = train(model, OPTIMISER, initial, samples, 4, range(5), 0, (stop, stored[stop]))
    for epoch, state in gone_on:
        assert_equal(state_of(state), stored[epoch])


def test_evaluation_in_parts_equals_that_of_the_whole(samples, monkeypatch):
    params = initial_parameters(DENSE, 16, 0)
    whole = evaluate(DENSE, params, samples)
    monkeypatch.setattr(sgd, "EVALUATED_AT_ONCE", 7)
    assert evaluate(DENSE, params, samples) == pytest.approx(whole, rel=1e-6)


def test_evaluation_gives_mean_cross_entropy_and_share_of_correct_answers(samples):
    class Constant(nn.Module):
        """The same outputs for every sample: class 0 is the answer."""

        @nn.compact
        def __call__(self, x):
            return jnp.tile(jnp.log(jnp.array([0.5, 0.25, 0.25])), (len(x), 1))

    loss, accuracy = evaluate(Constant(), {}, samples)
    counts = np.bincount(samples.labels)  # 7, 7 and 6
    assert accuracy == pytest.approx(counts[0] / 20)
    assert loss == pytest.approx((counts[0] * np.log(2) + (counts[1] + counts[2]) * np.log(4)) / 20, rel=1e-6)
