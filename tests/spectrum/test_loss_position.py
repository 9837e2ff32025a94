"""The decomposition of ‖∇L‖², against the gradient of the loss itself."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from ntklens.kernel.ntk import ntk_matrix
from ntklens.networks.modules import DenseNetwork, initial_parameters
from ntklens.spectrum.loss_position import loss_gradient, loss_position

from tests.support.clusters import cross_entropy

X = np.random.default_rng(1).standard_normal((6, 4))
LABELS = np.array([0, 2, 1, 1, 0, 2])


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1e-9), (np.float32, 1e-4)])
@pytest.mark.parametrize("parametrisation", ["standard", "ntk"])
def test_three_factors_multiply_to_the_squared_gradient_of_the_loss(dtype, tolerance, parametrisation):
    with jax.enable_x64(True):
        model = DenseNetwork(2, 7, 3, parametrisation=parametrisation)
        params = jax.tree.map(lambda leaf: leaf.astype(dtype), initial_parameters(model, 4, 3))
        x = X.astype(dtype)
        gradient = jax.grad(lambda params: cross_entropy(model, params, x, LABELS))(params)
        squared = sum(float(jnp.sum(leaf**2)) for leaf in jax.tree.leaves(gradient))
        theta, outputs = np.asarray(ntk_matrix(model, params, x)), np.asarray(model.apply(params, x))
    found = loss_position(theta, outputs, LABELS)
    product = found.loss_susceptibility * np.trace(theta) * found.spectral_position
    assert product == pytest.approx(squared, rel=tolerance)


def test_gradient_is_that_of_the_mean_cross_entropy():
    outputs = np.random.default_rng(2).standard_normal((6, 3))

    def loss(outputs):
        return -jnp.mean(jax.nn.log_softmax(outputs)[jnp.arange(6), LABELS])

    with jax.enable_x64(True):
        expected = jax.grad(loss)(jnp.asarray(outputs))
    np.testing.assert_allclose(loss_gradient(outputs, LABELS), np.ravel(expected), rtol=1e-12)


def test_position_is_the_share_of_an_eigenvector():
    """For g along an eigenvector it is that eigenvalue's share of the trace."""
    outputs, labels = np.zeros((1, 2)), np.array([0])  # g = (−1/2, 1/2)
    values = {-1.0: 3.0, 1.0: 1.0}
    for sign, value in values.items():
        theta = np.array([[2.0, 0.0], [sign, 2.0]])  # eigenvalues 1 and 3; the upper triangle is not read
        found = loss_position(theta, outputs, labels)
        assert found.loss_susceptibility == pytest.approx(0.5)
        assert found.spectral_position == pytest.approx(value / 4)


def test_only_the_lower_triangle_is_read():
    theta = np.tril(np.ones((6, 6), np.float32)) + np.triu(np.full((6, 6), np.nan, np.float32), 1)
    outputs = np.arange(6, dtype=np.float32).reshape(2, 3)
    whole = loss_position(np.ones((6, 6), np.float32), outputs, np.array([0, 1]))
    assert loss_position(theta, outputs, np.array([0, 1])) == pytest.approx(whole)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_diverged_network_has_no_position(value):
    found = loss_position(np.full((4, 4), value), np.full((2, 2), value), np.array([0, 1]))
    assert np.isnan(found.loss_susceptibility)
    assert np.isnan(found.spectral_position)


def test_network_that_no_parameter_moves_has_no_position():
    found = loss_position(np.zeros((4, 4)), np.zeros((2, 2)), np.array([0, 1]))
    assert found.loss_susceptibility == pytest.approx(0.25)
    assert np.isnan(found.spectral_position)


def test_large_outputs_do_not_overflow():
    found = loss_gradient(np.array([[1e4, -1e4]]), np.array([1]))
    assert found.tolist() == [1, -1]
