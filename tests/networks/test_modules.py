from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn
from ntklens.kernel.ntk import ntk_matrix
from ntklens.networks.architectures import INITIALISATIONS, NetworkSettings
from ntklens.networks.modules import (
    ConvolutionalNetwork,
    DenseNetwork,
    build_network,
    ensemble_parameters,
    initial_parameters,
)

DENSE = NetworkSettings(hidden_layers=2, width=5, filters=3)
CONVOLUTIONAL = replace(DENSE, convolutions=2, hidden_layers=1)
SHAPE = (7, 8, 2)
X = jax.random.normal(jax.random.key(3), (4, 7 * 8 * 2))


def network(**changes):
    return build_network(replace(CONVOLUTIONAL, **changes), SHAPE, outputs=3)


def test_no_convolutions_build_a_dense_network():
    assert build_network(DENSE, SHAPE, 3) == DenseNetwork(2, 5, 3)


def test_keys_left_out_take_the_networks_defaults():
    assert build_network(NetworkSettings(hidden_layers=2, width=5), SHAPE, 3) == DenseNetwork(2, 5, 3)


def test_convolutions_build_a_convolutional_network():
    assert isinstance(network(), ConvolutionalNetwork)


def test_layers_have_the_sizes_asked_for():
    shapes = jax.tree.map(np.shape, initial_parameters(network(), X.shape[1], 0)["params"])
    assert shapes == {
        "convolution_1": {"kernel": (3, 3, 2, 3), "bias": (3,)},
        "convolution_2": {"kernel": (3, 3, 3, 3), "bias": (3,)},
        "hidden_1": {"kernel": (1 * 2 * 3, 5), "bias": (5,)},
        "output": {"kernel": (5, 3), "bias": (3,)},
    }


def test_without_pooling_the_image_keeps_its_size():
    params = initial_parameters(network(pooling="none"), X.shape[1], 0)["params"]
    assert params["hidden_1"]["kernel"].shape == (7 * 8 * 3, 5)


def test_without_biases_there_are_kernels_alone():
    params = initial_parameters(network(biases=False), X.shape[1], 0)["params"]
    assert all(set(layer) == {"kernel"} for layer in params.values())


@pytest.mark.parametrize(("pooling", "reduce"), [("max", nn.max_pool), ("average", nn.avg_pool)])
def test_network_computes_what_its_layers_do(pooling, reduce):
    """Written out with Flax's own pooling."""
    model = network(pooling=pooling)
    params = initial_parameters(model, X.shape[1], 1)
    layers, x = params["params"], X.reshape(4, *SHAPE)
    for name in ("convolution_1", "convolution_2"):
        x = nn.relu(nn.Conv(3, (3, 3)).apply({"params": layers[name]}, x))
        x = reduce(x, (2, 2), strides=(2, 2))
    x = x.reshape(4, -1)
    for name in ("hidden_1", "output"):
        x = x @ layers[name]["kernel"] + layers[name]["bias"]
        x = nn.relu(x) if name == "hidden_1" else x
    np.testing.assert_allclose(model.apply(params, X), x, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", INITIALISATIONS)
@pytest.mark.parametrize("parametrisation", ["standard", "ntk"])
def test_parameters_have_the_distribution_of_their_name(name, parametrisation):
    params = initial_parameters(network(initialisation=name, parametrisation=parametrisation), X.shape[1], 5)
    for layer in params["params"].values():
        kernel = layer["kernel"]
        unit = variance(name, kernel.shape) if parametrisation == "ntk" else 1.0
        expected = variance(name, kernel.shape) / unit
        assert np.var(kernel) == pytest.approx(expected, rel=4 / np.sqrt(kernel.size))
        assert np.max(np.abs(kernel)) <= largest(name, kernel.shape) / np.sqrt(unit) * (1 + 1e-6)
        assert not np.any(layer["bias"])


def variance(name, shape):
    receptive = int(np.prod(shape[:-2]))
    fan_in, fan_out = shape[-2] * receptive, shape[-1] * receptive
    return {
        "lecun-normal": 1 / fan_in,
        "xavier-uniform": 2 / (fan_in + fan_out),
        "he-uniform": 2 / fan_in,
    }[name]


def largest(name, shape):
    """A uniform draw ends at √(3 variance); a truncated normal at two of its own, wider deviations."""
    return np.sqrt(variance(name, shape)) * (2 / 0.87962566 if "normal" in name else np.sqrt(3))


@pytest.mark.parametrize("initialisation", INITIALISATIONS)
@pytest.mark.parametrize("settings", [DENSE, CONVOLUTIONAL])
def test_ntk_parametrisation_starts_as_the_same_function(settings, initialisation):
    standard = build_network(replace(settings, initialisation=initialisation), SHAPE, 3)
    other = standard.clone(parametrisation="ntk")
    outputs = [model.apply(initial_parameters(model, X.shape[1], 2), X) for model in (standard, other)]
    np.testing.assert_allclose(outputs[1], outputs[0], rtol=2e-5, atol=1e-6)


def test_ntk_parametrisation_weighs_each_kernel_by_its_variance():
    """Θ of the NTK parametrisation is Σ_l σ_l² of the standard one's kernels, and its biases."""
    standard = build_network(DENSE, SHAPE, 3)
    params = initial_parameters(standard, X.shape[1], 2)
    scaled = {
        layer: {"kernel": values["kernel"] / deviation, "bias": values["bias"]}
        for layer, values in params["params"].items()
        for deviation in [np.sqrt(variance("lecun-normal", values["kernel"].shape))]
    }
    jacobian = jax.jacobian(lambda p: standard.apply({"params": p}, X).ravel())(params["params"])
    expected = np.zeros((12, 12))
    for values in jacobian.values():
        kernel, bias = (np.asarray(values[part]).reshape(12, -1) for part in ("kernel", "bias"))
        expected += kernel @ kernel.T * variance("lecun-normal", values["kernel"].shape[1:]) + bias @ bias.T
    theta = ntk_matrix(standard.clone(parametrisation="ntk"), {"params": scaled}, X)
    np.testing.assert_allclose(theta, expected, rtol=1e-4)


def test_ntk_of_a_convolutional_network_is_that_of_its_jacobian():
    model = network(initialisation="he-uniform")
    params = initial_parameters(model, X.shape[1], 2)
    leaves = jax.tree.leaves(jax.jacobian(lambda p: model.apply(p, X).ravel())(params))
    jacobian = np.concatenate([np.asarray(leaf, np.float64).reshape(12, -1) for leaf in leaves], axis=1)
    np.testing.assert_allclose(ntk_matrix(model, params, X), jacobian @ jacobian.T, rtol=1e-4, atol=1e-5)


def test_member_of_an_ensemble_depends_on_its_own_seed_alone():
    model = build_network(DENSE, SHAPE, 3)
    together = ensemble_parameters(model, X.shape[1], [4, 7])
    alone = initial_parameters(model, X.shape[1], 7)
    for leaf, expected in zip(jax.tree.leaves(together), jax.tree.leaves(alone), strict=True):
        np.testing.assert_allclose(leaf[1], expected, rtol=1e-6)


@pytest.mark.parametrize(("narrow", "wide"), [((3, 4), (3, 7)), ((2, 5), (6, 5)), ((8,), (2, 3, 4))])
def test_normal_numbers_do_not_depend_on_the_size_of_the_array(narrow, wide):
    """Nor, then, do the random numbers of a seed at two widths: they are not independent."""
    few, many = (jax.random.normal(jax.random.key(5), shape).ravel() for shape in (narrow, wide))
    np.testing.assert_allclose(many[: few.size], few, rtol=1e-6)


def test_initial_kernels_of_two_widths_share_their_random_numbers():
    narrow, wide = (initial_parameters(DenseNetwork(2, width, 3), 4, 5)["params"] for width in (4, 6))
    for layer in ("hidden_1", "hidden_2", "output"):
        few, many = (
            (own[layer]["kernel"] * np.sqrt(len(own[layer]["kernel"]))).ravel() for own in (narrow, wide)
        )
        np.testing.assert_allclose(many[: few.size], few, rtol=1e-5)


def test_biases_are_added_unscaled():
    model = DenseNetwork(1, 2, 1, parametrisation="ntk")
    params = jax.tree.map(jnp.zeros_like, initial_parameters(model, 3, 0))
    params["params"]["output"]["bias"] = jnp.array([0.7])
    assert float(model.apply(params, jnp.ones((1, 3)))[0, 0]) == pytest.approx(0.7)
