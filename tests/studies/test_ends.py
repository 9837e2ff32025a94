"""The two ends of training, against NTKs and losses computed another way."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from ntklens.kernel.ntk import layer_kernels, layer_pieces, ntk_matrix
from ntklens.networks.modules import DenseNetwork, initial_parameters, ntk_weights
from ntklens.spectrum.effective_rank import effective_rank
from ntklens.spectrum.eigenvalues import eigenvalues, normalised
from ntklens.studies.ends import EndsMeasurement, end_of
from ntklens.studies.spectrum_workers import SpectrumWorkers
from ntklens.training.linearised import linearised_loss
from ntklens.training.members import Samples

from tests.support.clusters import cross_entropy

DATA = np.random.default_rng(1).standard_normal((7, 6)).astype(np.float32)
TEST_SET = Samples(jnp.asarray(DATA), jnp.array([0, 1, 2, 0, 1, 2, 0]))
IMAGES = TEST_SET.images[:5]
MODEL = DenseNetwork(2, 8, 3)


def parameters(model=MODEL, seed=0):
    """With biases that are not zero, as after training."""
    params = initial_parameters(model, 6, seed)
    return jax.tree.map(lambda leaf: leaf + 0.1 if leaf.ndim == 1 else leaf, params)


BEFORE, AFTER = parameters(seed=0), parameters(seed=1)


def measured(before, after):
    with SpectrumWorkers(1) as threads:
        return EndsMeasurement(MODEL, IMAGES, TEST_SET).submit(before, after, threads).result()


def end_at(model, params):
    weights = ntk_weights(model, params)
    names = [layer.layer for layer in layer_kernels(model, params, IMAGES)]
    return end_of(layer_pieces(model, params, IMAGES), [weights[name] for name in names])


def rank(kernel):
    return float(effective_rank(eigenvalues(normalised(np.asarray(kernel)))))


@pytest.mark.parametrize("biases", [True, False])
def test_layers_are_those_of_the_engine(biases):
    model = DenseNetwork(2, 8, 3, biases=biases)
    params = parameters(model)
    end, theta = end_at(model, params)
    expected = ntk_matrix(model, params, IMAGES)
    np.testing.assert_allclose(theta, expected, rtol=1e-4, atol=1e-4 * np.max(expected))
    for index, layer in enumerate(layer_kernels(model, params, IMAGES)):
        assert end.layer_traces[index] == pytest.approx(float(layer.trace), rel=1e-4)
        own_bias = float(jnp.trace(layer.sensitivity)) if biases else 0
        assert end.bias_traces[index] == pytest.approx(own_bias, rel=1e-4)
        assert end.conjugate_ranks[index] == pytest.approx(rank(layer.conjugate), rel=1e-3)
        assert end.sensitivity_ranks[index] == pytest.approx(rank(layer.sensitivity), rel=1e-3)


def in_ntk_parametrisation(model, params):
    """The network and parameters of the same function."""
    weights = ntk_weights(model, params)
    scaled = {
        name: {part: own / np.sqrt(weights[name]) if part == "kernel" else own for part, own in layer.items()}
        for name, layer in params["params"].items()
    }
    return model.clone(parametrisation="ntk"), {"params": scaled}


@pytest.mark.parametrize("initialisation", ["lecun-normal", "xavier-uniform", "he-uniform"])
def test_weighted_ntk_is_that_of_the_same_function_in_the_ntk_parametrisation(initialisation):
    """Without biases it is all of that network's NTK."""
    model = DenseNetwork(2, 8, 3, initialisation, biases=False)
    params = parameters(model)
    other, same = in_ntk_parametrisation(model, params)
    np.testing.assert_allclose(other.apply(same, IMAGES), model.apply(params, IMAGES), rtol=1e-4, atol=1e-5)
    expected = np.asarray(ntk_matrix(other, same, IMAGES))
    end, _ = end_at(model, params)
    assert end.weighted_trace == pytest.approx(np.trace(expected), rel=1e-4)
    assert end.weighted_effective_rank == pytest.approx(rank(expected), rel=1e-3)


def test_weighted_ntk_leaves_out_the_share_of_the_biases():
    other, same = in_ntk_parametrisation(MODEL, BEFORE)
    layers = layer_kernels(other, same, IMAGES)
    expected = ntk_matrix(other, same, IMAGES) - sum(layer.sensitivity for layer in layers)
    end, _ = end_at(MODEL, BEFORE)
    assert end.weighted_trace == pytest.approx(float(jnp.trace(expected)), rel=1e-4)
    assert end.weighted_effective_rank == pytest.approx(rank(expected), rel=1e-3)
    own, _ = end_at(other, same)
    assert own.weighted_trace == pytest.approx(end.weighted_trace, rel=1e-4)
    assert own.bias_traces == pytest.approx(end.bias_traces, rel=1e-4)


def test_distances_are_those_of_the_two_kernels_and_parameters():
    ends = measured(BEFORE, AFTER)
    first, second = (np.asarray(ntk_matrix(MODEL, p, IMAGES), np.float64) for p in (BEFORE, AFTER))
    norms = np.linalg.norm(first), np.linalg.norm(second)
    assert ends.kernel_change == pytest.approx(np.linalg.norm(second - first) / norms[0], rel=1e-4)
    cosine = np.sum(first * second) / np.prod(norms)
    assert ends.kernel_cosine_distance == pytest.approx(1 - cosine, rel=1e-3)
    flat = [np.concatenate([np.ravel(leaf) for leaf in jax.tree.leaves(p)]) for p in (BEFORE, AFTER)]
    expected = np.linalg.norm(flat[1] - flat[0]) / np.linalg.norm(flat[0])
    assert ends.parameter_change == pytest.approx(expected, rel=1e-5)
    assert ends.initial.layer_traces.sum() == pytest.approx(np.trace(first), rel=1e-4)
    assert ends.minimum.layer_traces.sum() == pytest.approx(np.trace(second), rel=1e-4)


def test_network_that_did_not_move_has_no_distances():
    ends = measured(BEFORE, BEFORE)
    assert (ends.kernel_change, ends.kernel_cosine_distance, ends.parameter_change) == (0, 0, 0)
    own = float(cross_entropy(MODEL, BEFORE, *TEST_SET))
    assert ends.linearised_test_loss == pytest.approx(own, rel=1e-5)


def test_linearised_loss_is_that_of_the_jacobian(monkeypatch):
    """In parts of three samples, of which the last has one."""
    monkeypatch.setattr("ntklens.training.members.EVALUATED_AT_ONCE", 3)
    jacobian = jax.jacobian(lambda params: MODEL.apply(params, TEST_SET.images))(BEFORE)
    change = jax.tree.map(jnp.subtract, AFTER, BEFORE)
    moved = jax.tree.map(lambda j, c: jnp.tensordot(j, c, c.ndim), jacobian, change)
    outputs = MODEL.apply(BEFORE, TEST_SET.images) + sum(jax.tree.leaves(moved))
    expected = -jnp.mean(jax.nn.log_softmax(outputs)[jnp.arange(7), TEST_SET.labels])
    found = linearised_loss(MODEL, BEFORE, AFTER, TEST_SET)
    assert found == pytest.approx(float(expected), rel=1e-4)


def test_linear_network_is_its_own_linearisation():
    model = DenseNetwork(0, 1, 3)
    before, after = parameters(model, 0), parameters(model, 1)
    found = linearised_loss(model, before, after, TEST_SET)
    assert found == pytest.approx(float(cross_entropy(model, after, *TEST_SET)), rel=1e-5)
