"""What is no network, no parameters or no samples is refused with one sentence that names the argument."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn
from ntklens.kernel.arguments import UnusableArgumentError
from ntklens.kernel.ntk import layer_kernels, layer_names, ntk_matrix, ntk_trace

from tests.support.unchecked import unchecked

MODEL = nn.Dense(2)
X = np.random.default_rng(0).standard_normal((4, 3)).astype(np.float32)
PARAMS = MODEL.init(jax.random.key(0), X)
OWN = PARAMS["params"]


class Applied:
    """A network that applies ``function`` to the outputs of a layer."""

    def __init__(self, function):
        self.function = function

    def apply(self, params, x):
        return self.function(MODEL.apply(params, x))


def refused(quantity, model, params, x, **options):
    """The sentence with which the arguments are refused. Annotations are not checked, as outside of tests."""
    with unchecked(), pytest.raises(UnusableArgumentError) as caught:
        quantity(model, params, x, **options)
    sentence = str(caught.value)
    assert "\n" not in sentence
    return sentence


OF_A_NETWORK = pytest.mark.parametrize("quantity", [ntk_matrix, ntk_trace, layer_kernels])


@OF_A_NETWORK
@pytest.mark.parametrize(
    ("function", "said"),
    [
        (lambda outputs: (outputs, {}), "of type tuple: model.apply must return one array"),
        (lambda outputs: [outputs], "of type list"),
        (lambda outputs: {"logits": outputs}, "of type dict"),
        (lambda outputs: None, "of type NoneType"),
        (jnp.sum, r"() for 4 samples: (samples, outputs) is needed"),
        (lambda outputs: outputs[:, 0], "(4,) for 4 samples"),
        (lambda outputs: outputs[:, :0], "(4, 0) for 4 samples"),
        (lambda outputs: outputs[:3], "(3, 2) for 4 samples"),
        (lambda outputs: outputs.astype(jnp.int32), "of type int32: real floating-point numbers"),
        (lambda outputs: outputs + 1j, "of type complex64"),
        (lambda outputs: outputs[:, : len(outputs)], "(4, 2) for 4 samples, but (1, 1) for one"),
    ],
)
def test_outputs_that_are_no_matrix_of_real_numbers(quantity, function, said):
    assert f"outputs are {said}" in refused(quantity, Applied(function), PARAMS, X)


@OF_A_NETWORK
@pytest.mark.parametrize("samples", [np.ones((0, 3)), [], np.float32(1), np.ones((4, 0)), 3.0])
def test_no_samples(quantity, samples):
    shape = np.shape(samples)
    expected = f"x has shape {shape}: an array of one or more samples is needed"
    assert expected in refused(quantity, MODEL, PARAMS, samples)


@pytest.mark.parametrize(
    ("samples", "said"),
    [
        (X.astype(complex), "x is of type complex128: samples of real numbers"),
        (jnp.asarray(X, jnp.complex64), "x is of type complex64"),
        (np.array([["a", "b", "c"]]), "x is of type <U1"),
        (np.array([[1, 2, 3]], "m8[s]"), "x is of type timedelta64[s]"),
        (X.astype(object), "x is a ndarray of objects"),
        (None, "x is a NoneType of objects"),
        ({"image": X}, "x is a dict of objects"),
        ([[1, 2, 3], [4]], "x is a list that is no array of samples of equal shape"),
        (jax.random.key(0)[None], "x is of type key<fry>"),
        (np.ma.masked_array(X, mask=X > 0), "x is a masked array"),
    ],
    ids=str,
)
def test_samples_of_no_numbers(samples, said):
    assert said in refused(ntk_trace, MODEL, PARAMS, samples)


@pytest.mark.parametrize("samples", [[[1, 2, 2**40]], np.array([[1, 2, 2**31]]), np.array([[2**32]], "u8")])
def test_integers_that_jax_would_cut_off(samples):
    largest = np.max(samples)
    assert f"x holds {largest}, of which JAX would keep 32 bits" in refused(ntk_trace, MODEL, PARAMS, samples)


@pytest.mark.parametrize(
    "samples",
    [
        np.asfortranarray(X),
        np.repeat(X, 2, axis=1)[:, ::2],
        X[::-1][::-1],
        X.astype(">f4"),
        X.astype(np.longdouble),
        X.tolist(),
        tuple(X),
        [jnp.asarray(row) for row in X],
    ],
    ids=["Fortran", "strided", "reversed", "big-endian", "long double", "list", "tuple", "arrays of JAX"],
)
def test_samples_in_any_layout_are_the_same(samples):
    with unchecked():
        found = ntk_matrix(MODEL, PARAMS, samples)
    np.testing.assert_allclose(found, ntk_matrix(MODEL, PARAMS, X), rtol=1e-6)


def test_a_list_of_traced_samples():
    def trace(first, second):
        return ntk_trace(MODEL, PARAMS, [first, second])

    assert float(jax.jit(trace)(*X[:2])) == pytest.approx(float(ntk_trace(MODEL, PARAMS, X[:2])), rel=1e-6)


@OF_A_NETWORK
@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({}, 'params has no dictionary "params"'),
        (OWN, 'params has no dictionary "params"'),
        (None, 'params has no dictionary "params"'),
        ([OWN], 'params has no dictionary "params"'),
        ({"params": {}}, 'params["params"] holds no parameter'),
        ({"params": {"kernel": np.ones((3, 0))}}, 'params["params"] holds no parameter'),
        ({"params": {**OWN, "extra": None}}, "params['params']['extra'] is a NoneType"),
        ({"params": {**OWN, "extra": [1.0]}}, "params['params']['extra'] is a list"),
        ({"params": {"inner": {"kernel": "a"}}}, "params holds a str"),
        ({**PARAMS, "other": {"name": np.array("a")}}, "params holds a ndarray"),
        ({"params": {**OWN, "kernel": np.ones((3, 2), int)}}, "params['params']['kernel'] is of type int32"),
        ({"params": {**OWN, "bias": jnp.ones(2, jnp.complex64)}}, "['bias'] is of type complex64"),
        ({"params": {**OWN, "bias": jnp.ones(2, bool)}}, "['bias'] is of type bool"),
        ({"params": {**OWN, "bias": np.ones(2, np.clongdouble)}}, "['bias'] is of type complex"),
        ({"params": {**OWN, "bias": np.ma.masked_array([1.0, 2], [0, 1])}}, "params holds a masked array"),
        ({**PARAMS, "other": {"mean": np.ma.masked_array([1.0, 2], [0, 1])}}, "params holds a masked array"),
    ],
)
def test_what_are_no_parameters(quantity, params, said):
    assert said in refused(quantity, MODEL, params, X)


@OF_A_NETWORK
@pytest.mark.parametrize("dtype", [">f4", np.longdouble])
def test_parameters_of_files_are_as_good_as_those_of_jax(quantity, dtype):
    held = {"other": {"mean": np.ones(2, dtype), "count": np.array(3, ">i4")}}
    params = {**jax.tree.map(lambda leaf: np.asarray(leaf).astype(dtype), PARAMS), **held}
    with unchecked():
        found = quantity(Applied(jnp.tanh), params, X)
        assert layer_names(MODEL, params, X) == ("",)
    expected = quantity(Applied(jnp.tanh), PARAMS, X)
    for leaf, other in zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True):
        np.testing.assert_allclose(leaf, other, rtol=1e-6)


@pytest.mark.parametrize(
    ("params", "x", "said"),
    [
        (
            {"params": {"kernel": OWN["kernel"]}},
            X,
            'ScopeParamNotFoundError: Could not find parameter named "bias"',
        ),
        (PARAMS, X[:, :2], "fails for x of shape (4, 2) and type float32: ScopeParamShapeError"),
        ({"params": {**OWN, "kernel": np.ones((3, 5))}}, X, "ScopeParamShapeError"),
    ],
)
def test_parameters_and_samples_of_another_network(params, x, said):
    sentence = refused(ntk_matrix, MODEL, params, x)
    assert sentence.startswith("model.apply(params, x) fails for x of shape")
    assert said in sentence


def test_empty_parts_of_the_parameters_change_nothing():
    params = {"params": {**OWN, "none": {}, "unused": np.ones(3, np.float32), "empty": np.ones((0, 2))}}
    np.testing.assert_allclose(ntk_matrix(MODEL, params, X), ntk_matrix(MODEL, PARAMS, X), rtol=1e-6)


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (None, "model is a NoneType: give an instance"),
        (nn.Dense, "model is the class Dense: give an instance"),
        (MODEL.apply, "model is a method"),
    ],
)
def test_what_is_no_network(model, said):
    assert said in refused(ntk_trace, model, PARAMS, X)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"block_size": 0}, "block_size is 0"),
        ({"block_size": -3}, "block_size is -3"),
        ({"block_size": 2.5}, "block_size is 2.5"),
        ({"block_size": "2"}, "block_size is '2'"),
        ({"memory": -1}, "memory is -1"),
        ({"memory": 1e9}, "memory is 1000000000.0"),
        ({"memory": None}, "memory is None"),
    ],
)
def test_sizes_that_are_none(options, said):
    assert said in refused(ntk_matrix, MODEL, PARAMS, X, **options)


@pytest.mark.parametrize("options", [{"block_size": np.int64(3)}, {"memory": 0}, {"block_size": 100}])
def test_any_whole_size_will_do(options):
    with unchecked():
        found = ntk_matrix(MODEL, PARAMS, X, **options)
    np.testing.assert_allclose(found, ntk_matrix(MODEL, PARAMS, X), rtol=1e-5)


def test_layer_names_need_samples_too():
    with unchecked(), pytest.raises(UnusableArgumentError, match="one or more samples"):
        layer_names(MODEL, PARAMS, [])


def test_keys_of_random_numbers_may_stand_beside_the_parameters():
    class WithoutKeys:
        def apply(self, params, x):
            return MODEL.apply({"params": params["params"]}, x)

    params = {**PARAMS, "keys": {"dropout": jax.random.key(0)}}
    assert ntk_trace(WithoutKeys(), params, X) == ntk_trace(MODEL, PARAMS, X)
