"""The NTK against a Jacobian computed another way, on networks of many kinds."""

from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn
from flax import nnx
from jax.flatten_util import ravel_pytree
from ntklens.kernel import infinite_width as limit
from ntklens.kernel import ntk
from ntklens.kernel.ntk import (
    layer_kernels,
    layer_names,
    layer_pieces,
    ntk_matrix,
    ntk_trace,
    outputs_and_layer_traces,
    outputs_and_matrix,
)
from ntklens.networks.modules import DenseNetwork, initial_parameters
from ntklens.spectrum.effective_rank import effective_rank

from tests.support.architectures import ARCHITECTURES


@pytest.fixture(autouse=True)
def _float64():
    with jax.enable_x64(True):
        yield


def random_parameters(model, *input_shape, seed=0):
    """Normal everywhere, the biases included: at initialisation they are zero."""
    shapes = jax.eval_shape(model.init, jax.random.key(seed), jnp.zeros((1, *input_shape)))
    leaves, tree = jax.tree.flatten(shapes)
    rng = np.random.default_rng(seed)

    def draw(shape):
        return jnp.asarray(rng.standard_normal(shape) / np.sqrt(np.prod(shape[:-1])))

    return jax.tree.unflatten(tree, [draw(leaf.shape) for leaf in leaves])


def in_double_precision(params):
    return jax.tree.map(lambda leaf: leaf.astype(jnp.float64), params)


def true_matrix(model, params, x):
    jacobian = jacobian_by_reverse_mode(model, params, x)
    return jacobian @ jacobian.T


def relative_difference(found, expected):
    return np.linalg.norm(np.asarray(found, np.float64) - expected) / np.linalg.norm(expected)


def jacobian_by_differences(model, params, x, step=1e-6):
    """Central differences of every output in every parameter: no automatic differentiation."""
    flat, restore = ravel_pytree(params)
    columns = []
    for i in range(flat.size):
        up, down = (model.apply(restore(flat.at[i].add(sign * step)), x) for sign in (1, -1))
        columns.append(np.asarray((up - down) / (2 * step)).ravel())
    return np.stack(columns, axis=1)


def jacobian_by_reverse_mode(model, params, x):
    jacobian = jax.jit(jax.jacrev(lambda p: model.apply(p, x)))(params)
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


EXACT = [name for name in ARCHITECTURES if name != "tied-kernel"]


@pytest.fixture(params=EXACT)
def network(request):
    """A network of the table with parameters and four samples: (model, params, x)."""
    model, shape = ARCHITECTURES[request.param]
    x = jax.random.normal(jax.random.key(1), (4, *shape))
    return model, random_parameters(model, *shape), x


def test_every_architecture_is_exact(network):
    expected = true_matrix(*network)
    np.testing.assert_allclose(ntk_matrix(*network), expected, rtol=1e-9, atol=1e-9 * np.max(expected))
    assert float(ntk_trace(*network)) == pytest.approx(np.trace(expected), rel=1e-10)


def test_every_architecture_is_exact_in_single_precision(network):
    model, params, x = network
    expected = true_matrix(model, params, x)
    params, x = jax.tree.map(lambda leaf: leaf.astype(jnp.float32), (params, x))
    theta = ntk_matrix(model, params, x)
    assert theta.dtype == jnp.float32
    assert relative_difference(theta, expected) < 1e-5
    assert float(ntk_trace(model, params, x)) == pytest.approx(np.trace(expected), rel=1e-5)


class Scanned(nn.Module):
    """Three layers as one whose parameters carry a leading axis."""

    @nn.compact
    def __call__(self, x):
        def body(layer, x, _):
            return jnp.tanh(layer(x)), None

        repeated = nn.scan(body, variable_axes={"params": 0}, split_rngs={"params": True}, length=3)
        return nn.Dense(2)(repeated(nn.Dense(5), x, None)[0])


class Rematerialised(nn.Module):
    @nn.compact
    def __call__(self, x):
        return nn.Dense(2)(jnp.tanh(nn.remat(nn.Dense)(5)(x)))


class Compiled(nn.Module):
    @nn.compact
    def __call__(self, x):
        return nn.Dense(2)(jnp.tanh(nn.jit(nn.Dense)(5)(x)))


class Vectorised(nn.Module):
    """The same layer for each of a sample's tokens, by a transformation instead of an axis."""

    @nn.compact
    def __call__(self, x):
        each = nn.vmap(
            nn.Dense, in_axes=1, out_axes=1, variable_axes={"params": None}, split_rngs={"params": False}
        )
        return nn.Dense(2)(jnp.sum(jnp.tanh(each(4)(x[:, None] * jnp.ones((1, 3, 1)))), axis=1))


@pytest.mark.parametrize(
    "model", [Scanned(), Rematerialised(), Compiled(), Vectorised()], ids=lambda m: type(m).__name__
)
def test_layers_inside_a_transformation_are_exact(model):
    params, x = random_parameters(model, 5), jax.random.normal(jax.random.key(1), (4, 5))
    np.testing.assert_allclose(ntk_matrix(model, params, x), true_matrix(model, params, x), rtol=1e-10)
    compiled = jax.jit(lambda params, x: ntk_trace(model, params, x))(params, x)
    assert float(compiled) == pytest.approx(np.trace(true_matrix(model, params, x)), rel=1e-10)


class Embedded(nn.Module):
    @nn.compact
    def __call__(self, tokens):
        return nn.Dense(2)(jnp.mean(jnp.tanh(nn.Dense(5)(nn.Embed(11, 4)(tokens))), axis=1))


def test_integer_samples():
    model, tokens = Embedded(), jax.random.randint(jax.random.key(1), (5, 3), 0, 11)
    params = in_double_precision(model.init(jax.random.key(0), tokens))
    expected = true_matrix(model, params, tokens)
    np.testing.assert_allclose(ntk_matrix(model, params, tokens), expected, rtol=1e-10)
    compiled = jax.jit(lambda params, tokens: ntk_matrix(model, params, tokens))(params, tokens)
    np.testing.assert_allclose(compiled, expected, rtol=1e-10)


def relative_error(found, expected):
    """Of any two arrays, infinity included: an overflow has to fail, not to warn."""
    found, expected = (np.asarray(values, np.float64) for values in (found, expected))
    if not np.all(np.isfinite(found)):
        return np.inf
    return np.linalg.norm(found - expected) / np.linalg.norm(expected)


LARGEST_PIXEL = {"uint8": 255, "int16": 30_000, "int32": 100_000, "bool": 1, "float16": 30_000}


@pytest.fixture(params=["mlp", "strided-convolutions"])
def small_network(request):
    """A network of the table in single precision, and its samples' shape: (model, params, shape)."""
    model, shape = ARCHITECTURES[request.param]
    params = jax.tree.map(lambda leaf: leaf.astype(jnp.float32), random_parameters(model, *shape))
    return model, params, shape


def images_of(pixel, shape, samples=5):
    """Random up to the largest value, some of them the largest, so that a product would overflow."""
    images = np.random.default_rng(0).integers(0, LARGEST_PIXEL[pixel] + 1, (samples, *shape))
    images[0, ..., 0] = LARGEST_PIXEL[pixel]
    return images.astype(pixel)


@pytest.mark.parametrize("pixel", LARGEST_PIXEL)
def test_images_of_any_type_are_as_good_as_float32(small_network, pixel):
    model, params, shape = small_network
    images = images_of(pixel, shape)
    same = images.astype(np.float32)
    expected = ntk_matrix(model, params, same)
    for x in (images, jnp.asarray(images)):
        theta = ntk_matrix(model, params, x)
        assert theta.dtype == jnp.float32
        assert relative_error(theta, expected) < 1e-5
    assert relative_error(ntk_matrix(model, params, images, block_size=2), expected) < 1e-5
    trace, expected_trace = (float(ntk_trace(model, params, x)) for x in (images, same))
    assert trace == pytest.approx(expected_trace, rel=1e-5)


@pytest.mark.parametrize("pixel", LARGEST_PIXEL)
def test_layer_kernels_of_images_of_any_type(small_network, pixel):
    model, params, shape = small_network
    images = images_of(pixel, shape)
    same = layer_kernels(model, params, images.astype(np.float32))
    for found, expected in zip(layer_kernels(model, params, images), same, strict=True):
        assert relative_error(found.conjugate, expected.conjugate) < 1e-5
        assert relative_error(found.sensitivity, expected.sensitivity) < 1e-5
        assert float(found.trace) == pytest.approx(float(expected.trace), rel=1e-5)


@pytest.mark.parametrize("pixel", ["uint8", "bool"])
def test_integer_images_equal_an_explicit_jacobian(small_network, pixel):
    model, params, shape = small_network
    images = images_of(pixel, shape)
    in_double = jax.tree.map(lambda leaf: leaf.astype(jnp.float64), params)
    expected = true_matrix(model, in_double, images.astype(np.float64))
    assert relative_error(ntk_matrix(model, params, images), expected) < 1e-4


def test_integer_samples_by_blocks():
    model, tokens = Embedded(), jax.random.randint(jax.random.key(1), (5, 3), 0, 11, jnp.uint8)
    params = in_double_precision(model.init(jax.random.key(0), tokens))
    jacobian = jax.jacrev(lambda params: model.apply(params, tokens))(params)
    rows = np.concatenate([leaf.reshape(10, -1) for leaf in jax.tree.leaves(jacobian)], axis=1)
    np.testing.assert_allclose(ntk_matrix(model, params, tokens, block_size=2), rows @ rows.T, rtol=1e-10)
    assert float(ntk_trace(model, params, tokens)) == pytest.approx(np.sum(rows**2), rel=1e-10)


@pytest.mark.parametrize("quantity", [ntk_matrix, ntk_trace])
@pytest.mark.parametrize("samples", [[[1, 2, 250], [4, 5, 6]], [[0.1, 2.0, 3.0], [4.0, 5.0, 6.0]]])
def test_samples_may_be_a_list(quantity, samples):
    model = DenseNetwork(1, 4, 2)
    params = random_parameters(model, 3)
    expected = quantity(model, params, jnp.asarray(samples, jnp.float64))
    np.testing.assert_allclose(quantity(model, params, samples), expected, rtol=1e-10)


class HalfPrecision(nn.Module):
    """Layers that compute in bfloat16 with parameters in single precision."""

    @nn.compact
    def __call__(self, x):
        x = nn.tanh(nn.Dense(16, dtype=jnp.bfloat16)(x))
        return nn.Dense(3, dtype=jnp.bfloat16)(x)


def test_layers_in_half_precision_are_multiplied_in_that_of_the_parameters():
    model, x = HalfPrecision(), jax.random.normal(jax.random.key(1), (6, 20), jnp.float32)
    params = model.init(jax.random.key(0), x)
    theta = ntk_matrix(model, params, x)
    assert theta.dtype == jnp.float32
    assert relative_error(theta, true_matrix(model, params, x).astype(np.float64)) < 0.01


class Functional(NamedTuple):
    """An NNX module as a function of its parameters: no layer of Linen is in it."""

    graph: nnx.GraphDef

    def apply(self, params, x):
        return nnx.merge(self.graph, params["params"])(x)


def test_nnx_modules_are_exact():
    layers = nnx.Sequential(nnx.Linear(5, 4, rngs=nnx.Rngs(0)), jnp.tanh, nnx.Linear(4, 3, rngs=nnx.Rngs(1)))
    graph, state = nnx.split(layers)
    params = in_double_precision({"params": nnx.to_pure_dict(state)})
    x = jax.random.normal(jax.random.key(1), (4, 5))
    expected = true_matrix(Functional(graph), params, x)
    np.testing.assert_allclose(ntk_matrix(Functional(graph), params, x), expected, rtol=1e-10)
    assert float(ntk_trace(Functional(graph), params, x)) == pytest.approx(np.trace(expected), rel=1e-10)


ENCODER = nn.Sequential([nn.Dense(5), jnp.tanh])
HEAD = nn.Sequential([nn.Dense(4), jnp.tanh, nn.Dense(3)])


class Extractor(nn.Module):
    """Has layers of other names than `HEAD`, some of them of the same sizes."""

    @nn.compact
    def __call__(self, x):
        return nn.tanh(nn.Dense(5)(nn.tanh(nn.Dense(4)(x))))


@dataclass
class Composed:
    """Two networks with parameters of their own."""

    def init(self, key, x):
        of_head = HEAD.init(key, jnp.zeros((1, 5)))
        return {"params": {"enc": ENCODER.init(key, x)["params"], "head": of_head["params"]}}

    def apply(self, params, x):
        own = params["params"]
        return HEAD.apply({"params": own["head"]}, ENCODER.apply({"params": own["enc"]}, x))


@dataclass
class OnFrozen:
    """A network on the outputs of another one, whose parameters are constants."""

    extractor: nn.Module

    def init(self, key, x):
        return HEAD.init(key, self.extract(x))

    def extract(self, x):
        return self.extractor.apply(random_parameters(self.extractor, x.shape[1], seed=3), x)

    def apply(self, params, x):
        return HEAD.apply(params, self.extract(x))


@dataclass
class Centred:
    """A network less itself at other parameters: both have the same layers."""

    model: nn.Module

    def init(self, key, x):
        return self.model.init(key, x)

    def apply(self, params, x):
        before = random_parameters(self.model, x.shape[1], seed=3)
        return self.model.apply(params, x) - self.model.apply(before, x)


@dataclass
class Converted:
    """Applies a network to its parameters in another precision."""

    model: nn.Module

    def init(self, key, x):
        return self.model.init(key, x)

    def apply(self, params, x):
        single = jax.tree.map(lambda leaf: leaf.astype(jnp.float32), params)
        return self.model.apply(single, x.astype(jnp.float32)).astype(x.dtype)


@pytest.mark.parametrize(
    ("model", "by_layer"),
    [
        (Composed(), []),
        (OnFrozen(ENCODER), ["layers_2"]),
        (OnFrozen(Extractor()), ["layers_0", "layers_2"]),
        (Centred(HEAD), []),
        (Converted(HEAD), ["layers_0", "layers_2"]),
    ],
    ids=["composed", "frozen, same names", "frozen, other names", "centred", "converted"],
)
def test_an_object_that_applies_other_networks_is_exact(model, by_layer):
    params, x = random_parameters(model, 6), jax.random.normal(jax.random.key(1), (4, 6))
    expected, tolerance = true_matrix(model, params, x), 1e-5 if isinstance(model, Converted) else 1e-10
    np.testing.assert_allclose(ntk_matrix(model, params, x), expected, rtol=tolerance, atol=tolerance)
    names = layer_names(model, params, x)
    assert [name for name in names if name != "other parameters"] == by_layer


def compiled_programs():
    return ntk._outputs_and_matrix._cache_size()


def test_equal_networks_made_anew_share_a_program():
    params, x = random_parameters(DenseNetwork(1, 4, 2), 3), jnp.ones((5, 3))
    before = compiled_programs()
    for _ in range(3):
        ntk_matrix(DenseNetwork(1, 4, 2), params, x)
    assert compiled_programs() == before + 1


def test_a_sequential_network_made_anew():
    """Its list of layers cannot be hashed."""

    def network():
        return nn.Sequential([nn.Dense(4), nn.relu, nn.Dense(3)])

    params, x = random_parameters(network(), 5), jax.random.normal(jax.random.key(1), (6, 5))
    before, expected = compiled_programs(), true_matrix(network(), params, x)
    for _ in range(3):
        np.testing.assert_allclose(ntk_matrix(network(), params, x), expected, rtol=1e-10, atol=1e-12)
    assert compiled_programs() == before + 1
    assert float(ntk_trace(network(), params, x)) == pytest.approx(np.trace(expected), rel=1e-10)
    assert [layer.layer for layer in layer_kernels(network(), params, x)] == ["layers_0", "layers_2"]


@pytest.mark.parametrize("over_members", [jax.vmap, lambda one: lambda stack: jax.lax.map(one, stack)])
def test_ensembles_of_a_sequential_network(over_members):
    model = nn.Sequential([nn.Dense(4), lambda x: jnp.sin(x), nn.Dense(3)])
    x = jax.random.normal(jax.random.key(1), (6, 5))
    members = [random_parameters(model, 5, seed=seed) for seed in range(2)]
    stack = jax.tree.map(lambda *leaves: jnp.stack(leaves), *members)
    together = jax.jit(over_members(lambda params: ntk_matrix(model, params, x)))(stack)
    for theta, params in zip(together, members, strict=True):
        np.testing.assert_allclose(theta, true_matrix(model, params, x), rtol=1e-9, atol=1e-12)


class InOrder(nn.Module):
    """Applies the functions of a dictionary in its order."""

    functions: dict

    @nn.compact
    def __call__(self, x):
        x = nn.Dense(4)(x)
        for function in self.functions.values():
            x = function(x)
        return nn.Dense(2)(x)


def test_a_dictionary_of_another_order_is_another_network():
    functions = {"sin": jnp.sin, "exp": jnp.exp}
    one, other = InOrder(functions), InOrder(dict(reversed(functions.items())))
    params, x = random_parameters(one, 3), jax.random.normal(jax.random.key(1), (4, 3))
    for model in (one, other):
        expected = true_matrix(model, params, x)
        np.testing.assert_allclose(ntk_matrix(model, params, x), expected, rtol=1e-10)


class WithStatistics(NamedTuple):
    """A normalised network that holds the statistics of its batches, which are then no part of params."""

    model: nn.Module
    held: dict

    def apply(self, params, x):
        return self.model.apply({**params, **self.held}, x)


def test_a_network_may_hold_arrays():
    model, x = Normalised(), jax.random.normal(jax.random.key(1), (6, 4))
    variables = in_double_precision(model.init(jax.random.key(0), x))
    params = {"params": variables["params"]}
    for as_array in (jnp.asarray, np.asarray):
        for shift in (0.3, 0.7):
            held = jax.tree.map(lambda leaf: as_array(leaf + shift), variables["batch_stats"])  # noqa: B023
            network = WithStatistics(model, {"batch_stats": held})
            expected = true_matrix(network, params, x)
            np.testing.assert_allclose(ntk_matrix(network, params, x), expected, rtol=1e-10)
            compiled = jax.jit(lambda params: ntk_trace(network, params, x))  # noqa: B023
            assert float(compiled(params)) == pytest.approx(np.trace(expected), rel=1e-10)


class AsItIs(NamedTuple):
    model: nn.Module

    def apply(self, params, x):
        return self.model.apply(params, x)


class Doubled(NamedTuple):
    """Equal to `AsItIs` of the same network, as a tuple."""

    model: nn.Module

    def apply(self, params, x):
        return 2 * self.model.apply(params, x)


def test_equal_tuples_of_another_class_are_another_network():
    model, x = DenseNetwork(1, 4, 2), jnp.ones((5, 3))
    params = random_parameters(model, 3)
    theta = ntk_matrix(AsItIs(model), params, x)
    np.testing.assert_allclose(ntk_matrix(Doubled(model), params, x), 4 * theta, rtol=1e-10)


class Normalised(nn.Module):
    """Normalises by statistics of an earlier batch, which are no parameters."""

    use_running_average: bool = True

    @nn.compact
    def __call__(self, x):
        x = nn.BatchNorm(use_running_average=self.use_running_average)(nn.Dense(5)(x))
        return nn.Dense(2)(nn.relu(x))


def test_collections_beside_the_parameters_are_held_fixed():
    model, x = Normalised(), jax.random.normal(jax.random.key(1), (6, 4))
    params = in_double_precision(model.init(jax.random.key(0), x))
    params = {**params, "batch_stats": jax.tree.map(lambda leaf: leaf + 0.3, params["batch_stats"])}
    jacobian = jax.jacrev(lambda own: model.apply({**params, "params": own}, x))(params["params"])
    rows = np.concatenate([leaf.reshape(12, -1) for leaf in jax.tree.leaves(jacobian)], axis=1)
    np.testing.assert_allclose(ntk_matrix(model, params, x), rows @ rows.T, rtol=1e-10)


@pytest.mark.parametrize("name", ["mlp", "strided-convolutions", "own-parameters"])
@pytest.mark.parametrize("block_size", [1, 3, 5, 7])
def test_blocks_change_nothing(name, block_size):
    model, shape = ARCHITECTURES[name]
    params, x = random_parameters(model, *shape), jax.random.normal(jax.random.key(1), (7, *shape))
    expected = ntk_matrix(model, params, x)
    np.testing.assert_allclose(ntk_matrix(model, params, x, block_size=block_size), expected, rtol=1e-10)
    lower = ntk_matrix(model, params, x, block_size=block_size, lower=True)
    np.testing.assert_allclose(np.tril(lower), np.tril(expected), rtol=1e-10)


def test_little_memory_means_small_blocks():
    """With memory for a fraction of the samples' pieces, the compiled program takes less."""
    model, x = DenseNetwork(2, 256, 4), jnp.ones((64, 10), jnp.float32)
    params = initial_parameters(model, 10, 0)

    def temporary_bytes(memory):
        program = jax.jit(lambda params, x: ntk_matrix(model, params, x, memory=memory))
        return program.lower(params, x).compile().memory_analysis().temp_size_in_bytes

    rows = 64 * 4 * 256 * 4 * 2  # two hidden layers' sensitivities
    assert temporary_bytes(rows // 8) < temporary_bytes(8 * rows) - rows // 2


@pytest.mark.parametrize("samples", [1, 2, 13, 97, 130])
def test_tiles_fit_any_number_of_samples(samples):
    """With ten outputs tiles hold up to 38 samples; where they do not divide the samples, they overlap."""
    model = DenseNetwork(1, 5, 10)
    params, x = random_parameters(model, 3), jax.random.normal(jax.random.key(1), (samples, 3))
    expected = true_matrix(model, params, x)
    np.testing.assert_allclose(ntk_matrix(model, params, x), expected, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(
        np.tril(ntk_matrix(model, params, x, lower=True)), np.tril(expected), rtol=1e-9, atol=1e-12
    )


@pytest.mark.parametrize("over_members", [jax.vmap, lambda one: lambda stack: jax.lax.map(one, stack)])
@pytest.mark.parametrize("quantity", [ntk_matrix, ntk_trace])
def test_ensembles(over_members, quantity):
    model, x = DenseNetwork(2, 5, 3), jax.random.normal(jax.random.key(1), (6, 4))
    members = [random_parameters(model, 4, seed=seed) for seed in range(3)]
    stack = jax.tree.map(lambda *leaves: jnp.stack(leaves), *members)
    together = jax.jit(over_members(lambda params: quantity(model, params, x)))(stack)
    apart = jnp.stack([quantity(model, params, x) for params in members])
    np.testing.assert_allclose(together, apart, rtol=1e-10)


def test_outputs_come_with_the_trace(network):
    model, params, x = network
    outputs, shares = outputs_and_layer_traces(model, params, x)
    np.testing.assert_allclose(outputs, model.apply(params, x), rtol=1e-12)
    assert float(shares.sum()) == pytest.approx(float(ntk_trace(*network)), rel=1e-12)
    names = layer_names(model, params, x)
    assert len(names) == len(shares)
    kernels = {layer.layer: float(layer.trace) for layer in layer_kernels(model, params, x)}
    found = dict(zip(names, shares.tolist(), strict=True))
    assert {name: found[name] for name in kernels} == pytest.approx(kernels, rel=1e-12)
    assert set(names) - set(kernels) <= {"other parameters"}


@pytest.mark.parametrize("block_size", [None, 3])
def test_outputs_come_with_the_matrix(network, block_size):
    model, params, x = network
    outputs, theta = outputs_and_matrix(model, params, x, block_size=block_size)
    np.testing.assert_allclose(outputs, model.apply(params, x), rtol=1e-12)
    np.testing.assert_allclose(theta, ntk_matrix(model, params, x, block_size=block_size), rtol=1e-12)


def test_layer_names_need_shapes_alone():
    model = DenseNetwork(11, 4, 2)
    shapes = jax.eval_shape(lambda: initial_parameters(model, 3, 0))
    names = [*(f"hidden_{number}" for number in range(1, 12)), "output"]
    assert layer_names(model, shapes, jnp.ones((5, 3))) == tuple(names)


def test_layer_pieces_are_the_factors_of_the_layer_kernels(network):
    kernels, pieces = layer_kernels(*network), layer_pieces(*network)
    for kernel, piece in zip(kernels, pieces, strict=True):
        d, n = piece.sensitivity.shape[:2]
        inputs, sensitivity = piece.inputs.reshape(d, -1), piece.sensitivity.reshape(d * n, -1)
        np.testing.assert_allclose(inputs @ inputs.T, kernel.conjugate, rtol=1e-10, atol=1e-12)
        np.testing.assert_allclose(sensitivity @ sensitivity.T, kernel.sensitivity, rtol=1e-10, atol=1e-12)


def test_trace_forms_no_matrix():
    """Of 400 samples and 10 outputs, Θ would have 16 million entries."""
    model, x = DenseNetwork(3, 8, 10), jnp.ones((400, 12))
    params = initial_parameters(model, 12, 0)
    program = jax.jit(lambda params, x: ntk_trace(model, params, x)).lower(params, x).compile()
    assert program.memory_analysis().temp_size_in_bytes < 8 * 4000**2 / 10


def test_layer_kernels_add_up_to_the_ntk():
    model, x = DenseNetwork(2, 6, 3), jax.random.normal(jax.random.key(1), (5, 4))
    params = random_parameters(model, 4)
    layers = layer_kernels(model, params, x)
    assert [layer.layer for layer in layers] == ["hidden_1", "hidden_2", "output"]
    ones = np.ones((3, 3))
    total = sum(layer.sensitivity * np.kron(layer.conjugate + 1, ones) for layer in layers)
    np.testing.assert_allclose(total, true_matrix(model, params, x), rtol=1e-10)
    np.testing.assert_allclose(layers[0].conjugate, x @ x.T, rtol=1e-12)
    np.testing.assert_allclose(layers[-1].sensitivity, np.kron(np.ones((5, 5)), np.eye(3)), atol=1e-12)
    traces = sum(float(layer.trace) for layer in layers)
    assert traces == pytest.approx(float(ntk_trace(model, params, x)), rel=1e-12)


def test_layer_kernels_of_a_convolution():
    model, shape = ARCHITECTURES["strided-convolutions"]
    params, x = random_parameters(model, *shape), jax.random.normal(jax.random.key(1), (4, *shape))
    layers = layer_kernels(model, params, x)
    assert [layer.layer for layer in layers] == ["Conv_0", "Conv_1", "Dense_0"]
    for layer in layers:
        assert layer.conjugate.shape == (4, 4)
        assert layer.sensitivity.shape == (12, 12)
    traces = sum(float(layer.trace) for layer in layers)
    assert traces == pytest.approx(float(ntk_trace(model, params, x)), rel=1e-12)


class InFourDimensions(nn.Module):
    @nn.compact
    def __call__(self, x):
        return nn.Dense(2)(jnp.tanh(nn.Conv(2, (2, 1, 2, 2))(x)).reshape(len(x), -1))


def test_a_convolution_in_four_dimensions_is_exact():
    model, x = InFourDimensions(), jax.random.normal(jax.random.key(1), (3, 2, 2, 2, 2, 1))
    params = random_parameters(model, *x.shape[1:])
    np.testing.assert_allclose(ntk_matrix(model, params, x), true_matrix(model, params, x), rtol=1e-10)


class LeftOut(nn.Module):
    """A plain layer behind others whose kernels are not those of single layers, or not plain ones."""

    @nn.compact
    def __call__(self, x):
        x = jnp.tanh(nn.Conv(4, (2,), feature_group_count=2, name="grouped")(x))
        x = jnp.tanh(nn.Conv(2, (2,), padding="CIRCULAR", name="circular")(x)).reshape(len(x), -1)
        return nn.Dense(2, name="plain")(jnp.tanh(nn.remat(nn.Dense)(3, name="inside_remat")(x)))


def test_layer_kernels_are_those_of_plain_layers():
    model, x = LeftOut(), jax.random.normal(jax.random.key(1), (4, 3, 2))
    params = random_parameters(model, 3, 2)
    assert [layer.layer for layer in layer_kernels(model, params, x)] == ["plain"]
    assert layer_names(model, params, x) == ("plain", "other parameters")


def test_without_a_bias_the_share_of_a_layer_has_no_one():
    model, x = nn.Dense(3, use_bias=False), jax.random.normal(jax.random.key(1), (4, 5))
    params = random_parameters(model, 5)
    (layer,) = layer_kernels(model, params, x)
    expected = layer.sensitivity * np.kron(layer.conjugate, np.ones((3, 3)))
    np.testing.assert_allclose(ntk_matrix(model, params, x), expected, rtol=1e-10, atol=1e-12)


def test_outputs_of_another_shape_raise():
    class Sequence(nn.Module):
        @nn.compact
        def __call__(self, x):
            return nn.Dense(2)(x)

    params = random_parameters(Sequence(), 3, 4)
    with pytest.raises(ValueError, match=r"outputs are \(5, 3, 2\) for 5 samples"):
        ntk_matrix(Sequence(), params, jnp.ones((5, 3, 4)))


class OfConstants(nn.Module):
    """Multiplies its samples by a layer of constants, of which there are as many as there may be samples."""

    @nn.compact
    def __call__(self, x):
        constants = self.param("constants", nn.initializers.normal(1.0), (6, 3))
        return nn.Dense(2)(jnp.tanh(nn.Dense(4)(x)) @ nn.Dense(4)(constants).T)


@pytest.mark.parametrize("samples", [1, 3, 5, 6, 12])
def test_an_axis_as_long_as_that_of_the_samples_is_not_taken_for_it(samples):
    model, x = OfConstants(), jax.random.normal(jax.random.key(1), (samples, 3))
    params = random_parameters(model, 3)
    expected = true_matrix(model, params, x)
    np.testing.assert_allclose(ntk_matrix(model, params, x), expected, rtol=1e-9, atol=1e-12)


class OfFrequencies(nn.Module):
    """A layer of complex numbers with real parameters."""

    @nn.compact
    def __call__(self, x):
        return nn.Dense(2)(jnp.abs(nn.Dense(4)(jnp.fft.fft(x))))


def test_a_layer_of_complex_numbers_is_exact():
    model, x = OfFrequencies(), jax.random.normal(jax.random.key(1), (4, 3))
    params = random_parameters(model, 3)
    np.testing.assert_allclose(ntk_matrix(model, params, x), true_matrix(model, params, x), rtol=1e-9)


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


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_wide_network_approaches_the_infinite_width_kernel(layers):
    x = jax.random.normal(jax.random.key(1), (4, 6))

    def distance(width):
        model = DenseNetwork(layers, width, 2)
        theta = np.mean([ntk_matrix(model, initial_parameters(model, 6, s), x) for s in range(4)], axis=0)
        return relative_difference(theta, limit.ntk(np.asarray(x), layers * [width], 2))

    assert distance(2048) < 0.05
    assert distance(2048) < distance(32) / 3
