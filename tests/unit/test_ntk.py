"""The structured NTK against a Jacobian computed another way."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn
from jax.flatten_util import ravel_pytree
from ntklens.models import DenseNetwork, initial_parameters
from ntklens.ntk import ntk_matrix, ntk_trace
from ntklens.spectrum import effective_rank


@pytest.fixture(autouse=True)
def _float64():
    with jax.enable_x64(True):
        yield


def random_parameters(model, inputs, seed=0):
    """Standard normal everywhere, the biases included: at initialisation they are zero."""
    shapes = initial_parameters(model, inputs, seed)
    leaves, tree = jax.tree.flatten(shapes)
    rng = np.random.default_rng(seed)
    return jax.tree.unflatten(tree, [jnp.asarray(rng.standard_normal(leaf.shape)) for leaf in leaves])


def jacobian_by_differences(model, params, x, step=1e-6):
    """Central differences of every output in every parameter: no automatic differentiation."""
    flat, restore = ravel_pytree(params)
    columns = []
    for i in range(flat.size):
        up, down = (model.apply(restore(flat.at[i].add(sign * step)), x) for sign in (1, -1))
        columns.append(np.asarray((up - down) / (2 * step)).ravel())
    return np.stack(columns, axis=1)


def jacobian_by_reverse_mode(model, params, x):
    jacobian = jax.jacrev(lambda p: model.apply(p, x))(params)
    rows = x.shape[0] * jax.tree.leaves(jacobian)[0].shape[1]
    return np.concatenate([leaf.reshape(rows, -1) for leaf in jax.tree.leaves(jacobian)], axis=1)


SHAPES = [  # hidden layers, width, outputs, inputs, samples
    (1, 4, 1, 3, 5),
    (2, 7, 3, 5, 4),
    (3, 6, 10, 8, 6),
    (4, 5, 2, 3, 1),
]


@pytest.mark.parametrize(("layers", "width", "outputs", "inputs", "samples"), SHAPES)
def test_matrix_equals_jacobian_product_with_biases(layers, width, outputs, inputs, samples):
    model = DenseNetwork(layers, width, outputs)
    params = random_parameters(model, inputs)
    x = jax.random.normal(jax.random.key(1), (samples, inputs))
    jacobian = jacobian_by_reverse_mode(model, params, x)
    theta = ntk_matrix(model, params, x)
    assert theta.shape == (samples * outputs, samples * outputs)
    np.testing.assert_allclose(theta, jacobian @ jacobian.T, rtol=1e-10, atol=1e-10)


def test_matrix_equals_finite_differences():
    model = DenseNetwork(2, 4, 2)
    params = random_parameters(model, 3)
    x = jax.random.normal(jax.random.key(1), (3, 3))
    jacobian = jacobian_by_differences(model, params, x)
    np.testing.assert_allclose(ntk_matrix(model, params, x), jacobian @ jacobian.T, rtol=1e-6, atol=1e-6)


def test_rows_are_sample_major():
    model = DenseNetwork(1, 4, 3)
    params = random_parameters(model, 2)
    x = jax.random.normal(jax.random.key(1), (5, 2))
    one = jax.grad(lambda p: model.apply(p, x)[4, 2])(params)
    other = jax.grad(lambda p: model.apply(p, x)[1, 0])(params)
    product = sum(jnp.vdot(a, b) for a, b in zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True))
    assert ntk_matrix(model, params, x)[4 * 3 + 2, 1 * 3 + 0] == pytest.approx(float(product), rel=1e-12)


@pytest.mark.parametrize(("layers", "width", "outputs", "inputs", "samples"), SHAPES)
def test_trace_is_the_matrix_trace(layers, width, outputs, inputs, samples):
    model = DenseNetwork(layers, width, outputs)
    params = random_parameters(model, inputs)
    x = jax.random.normal(jax.random.key(1), (samples, inputs))
    expected = np.trace(ntk_matrix(model, params, x))
    assert float(ntk_trace(model, params, x)) == pytest.approx(expected, rel=1e-12)


def test_layer_without_bias_has_no_share_for_one():
    class Unbiased(nn.Module):
        @nn.compact
        def __call__(self, x):
            x = nn.relu(nn.Dense(4, use_bias=False)(x))
            return nn.Dense(2)(x)

    model = Unbiased()
    params = random_parameters(model, 3)
    x = jax.random.normal(jax.random.key(1), (4, 3))
    jacobian = jacobian_by_reverse_mode(model, params, x)
    np.testing.assert_allclose(ntk_matrix(model, params, x), jacobian @ jacobian.T, rtol=1e-10)


def test_layer_called_twice_raises():
    class Shared(nn.Module):
        @nn.compact
        def __call__(self, x):
            layer = nn.Dense(3)
            return layer(layer(x))

    params = random_parameters(Shared(), 3)
    with pytest.raises(TypeError, match="Dense_0 is called more than once"):
        ntk_matrix(Shared(), params, jnp.ones((2, 3)))


def test_parameter_outside_dense_layers_raises():
    class Normalised(nn.Module):
        @nn.compact
        def __call__(self, x):
            return nn.Dense(2)(nn.LayerNorm()(x))

    params = random_parameters(Normalised(), 3)
    with pytest.raises(TypeError, match="2 parameters belong to no Dense layer"):
        ntk_trace(Normalised(), params, jnp.ones((2, 3)))


@pytest.mark.parametrize(("layers", "width"), [(1, 16), (2, 8), (3, 16)])
def test_mean_initial_trace_is_the_closed_form(layers, width):
    """E[Tr Θ₀]/N = 2^{-L} ⟨‖x‖²⟩ (1 + L m/n₀) + 2 − 2^{-L}: LeCun, ReLU, zero biases."""
    inputs, samples, outputs, draws = 12, 5, 3, 3000
    model = DenseNetwork(layers, width, outputs)
    x = jnp.asarray(np.random.default_rng(0).uniform(0, 1, (samples, inputs)))
    keys = jax.random.split(jax.random.key(0), draws)
    traces = jax.jit(jax.vmap(lambda key: ntk_trace(model, model.init(key, x), x)))(keys)
    rows, share = samples * outputs, 2.0**-layers
    square = float(jnp.mean(jnp.sum(x**2, axis=1)))
    expected = rows * (share * square * (1 + layers * width / inputs) + 2 - share)
    error = float(jnp.std(traces)) / np.sqrt(draws)
    assert abs(float(jnp.mean(traces)) - expected) < 4 * error
    assert error < 0.02 * expected


def test_rank_is_at_most_the_number_of_parameters():
    model = DenseNetwork(1, 1, 2)  # 3 inputs: 4 + 4 parameters
    params = random_parameters(model, 3)
    x = jax.random.normal(jax.random.key(1), (20, 3))
    spectrum = np.linalg.eigvalsh(ntk_matrix(model, params, x))
    assert np.sum(spectrum > 1e-10 * spectrum[-1]) <= 8
    assert effective_rank(spectrum) <= 8


def infinite_width_kernel(x, widths, outputs):
    """δ_kk' Σ_l (n_{l−1} Λ_{l−1} + 1) Π_{k≥l} Σ̇_k, by the arc-cosine kernels of order 0 and 1."""
    layer_inputs, covariance = [len(x[0]), *widths], x @ x.T / len(x[0])
    covariances, derivatives = [covariance], []
    for _ in widths:
        norms = np.sqrt(np.diagonal(covariance))
        cosine = np.clip(covariance / np.outer(norms, norms), -1, 1)
        angle = np.arccos(cosine)
        derivatives.append((np.pi - angle) / (2 * np.pi))
        covariance = np.outer(norms, norms) / (2 * np.pi)
        covariance = covariance * (np.sin(angle) + (np.pi - angle) * cosine)
        covariances.append(covariance)
    kernel = sum(
        (width * covariances[layer] + 1) * np.prod([np.ones_like(covariance), *derivatives[layer:]], axis=0)
        for layer, width in enumerate(layer_inputs)
    )
    return np.kron(kernel, np.eye(outputs))


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_wide_network_approaches_the_infinite_width_kernel(layers):
    x = jax.random.normal(jax.random.key(1), (4, 6))

    def distance(width):
        model, limit = (
            DenseNetwork(layers, width, 2),
            infinite_width_kernel(np.asarray(x), layers * [width], 2),
        )
        theta = np.mean([ntk_matrix(model, initial_parameters(model, 6, s), x) for s in range(4)], axis=0)
        return np.linalg.norm(theta - limit) / np.linalg.norm(limit)

    assert distance(2048) < 0.05
    assert distance(2048) < distance(32) / 3
