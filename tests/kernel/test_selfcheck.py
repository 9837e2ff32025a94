"""Networks whose NTK would be wrong are refused, at their first use, wherever that is."""

from contextlib import nullcontext
from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn
from ntklens.kernel import selfcheck
from ntklens.kernel.ntk import layer_kernels, ntk_matrix, ntk_trace
from ntklens.kernel.selfcheck import InexactNtkError
from ntklens.networks.modules import DenseNetwork, initial_parameters

from tests.support.architectures import ARCHITECTURES


class BatchNormalised(nn.Module):
    @nn.compact
    def __call__(self, x):
        x = nn.BatchNorm(use_running_average=False, momentum=0.9)(nn.Dense(5)(x))
        return nn.Dense(2)(nn.relu(x))


class Training(NamedTuple):
    """A network as it is applied in training."""

    model: nn.Module

    def init(self, key, x):
        return self.model.init(key, x)

    def apply(self, params, x):
        return self.model.apply(params, x, mutable=["batch_stats"])[0]


class Centred(nn.Module):
    """Subtracts the mean over the batch from its outputs."""

    @nn.compact
    def __call__(self, x):
        x = nn.Dense(2)(x)
        return x - jnp.mean(x, axis=0)


class Switchable(nn.Module):
    """Normalises over the batch in training alone."""

    @nn.compact
    def __call__(self, x, train=True):
        x = nn.BatchNorm(use_running_average=not train)(nn.Dense(5)(x))
        return nn.Dense(2)(nn.relu(x))


class Evaluated(NamedTuple):
    """A network as it is applied after training; as a tuple it is equal to `Training` of the same."""

    model: nn.Module

    def apply(self, params, x):
        return self.model.apply(params, x, train=False)


class CentredIfTrue(nn.Module):
    """Subtracts the mean over the batch if ``centred`` is True, not if it is 1."""

    centred: object

    @nn.compact
    def __call__(self, x):
        x = nn.Dense(2)(x)
        return x - jnp.mean(x, axis=0) if self.centred is True else x


@dataclass(frozen=True)
class Holding:
    """A network with something beside it."""

    model: nn.Module
    held: object

    def apply(self, params, x):
        return self.model.apply(params, x)


class TokenMajor(nn.Module):
    """A layer on all tokens of all samples in one row, the tokens first: their order hides the samples."""

    @nn.compact
    def __call__(self, x):
        rows = jnp.swapaxes(x, 0, 1).reshape(-1, x.shape[-1])
        rows = jnp.tanh(nn.Dense(2)(rows)).reshape(x.shape[1], x.shape[0], 2)
        return rows.sum(axis=0)


class Siamese(nn.Module):
    """The same layer on both halves of every sample, of which all first ones come before all second ones."""

    @nn.compact
    def __call__(self, x):
        both = jnp.concatenate(jnp.split(x, 2, axis=1), axis=0)
        one, other = jnp.split(nn.tanh(nn.Dense(5)(both)), 2)
        return nn.Dense(2)(one * other)


class Saturated(nn.Module):
    """Raw pixel values drive its hidden units to ±1, where tanh's derivative is rounding error."""

    @nn.compact
    def __call__(self, x):
        return nn.Dense(3)(jnp.tanh(nn.Dense(6)(jnp.tanh(nn.Dense(5)(x)))))


class Counting(nn.Module):
    """Has an integer in a collection of its own, and scales its outputs by a number among its parameters."""

    @nn.compact
    def __call__(self, x):
        calls = self.variable("counters", "calls", lambda: jnp.zeros((), jnp.int32))
        scale = self.param("scale", lambda key: jnp.ones(()))
        return scale * nn.Dense(2)(x) + 0 * calls.value


class InPrecision(nn.Module):
    """A network that computes in ``dtype``, with parameters of ``param_dtype``."""

    dtype: object
    param_dtype: object

    def layer(self, kind, *sizes, **options):
        return kind(*sizes, dtype=self.dtype, param_dtype=self.param_dtype, **options)


class TiedInPrecision(InPrecision):
    @nn.compact
    def __call__(self, x):
        tied = self.layer(nn.Dense, 6, use_bias=False)
        hidden = nn.tanh(tied(x))
        kernel = tied.variables["params"]["kernel"]
        return self.layer(nn.Dense, 3)(nn.tanh(hidden @ kernel.T.astype(hidden.dtype)))


class MixedInPrecision(InPrecision):
    @nn.compact
    def __call__(self, x):
        x = self.layer(nn.Dense, 32)(x)
        return self.layer(nn.Dense, 3)(nn.relu(x - 0.5 * nn.sigmoid(x).mean(axis=0)))


class NormalisedInPrecision(InPrecision):
    @nn.compact
    def __call__(self, x):
        x = nn.gelu(self.layer(nn.LayerNorm)(self.layer(nn.Dense, 24)(x)))
        x = self.layer(nn.Conv, 8, kernel_size=(3,))(x.reshape(len(x), 6, 4))
        x = nn.relu(self.layer(nn.LayerNorm)(x))
        return self.layer(nn.Dense, 3)(x.reshape(len(x), -1))


def initialised(model, *shape):
    x = jax.random.normal(jax.random.key(1), (4, *shape))
    return model, model.init(jax.random.key(0), x), x


@pytest.mark.parametrize("quantity", [ntk_matrix, ntk_trace, layer_kernels])
@pytest.mark.parametrize(
    "model", [Training(BatchNormalised()), Centred()], ids=lambda model: type(model).__name__
)
def test_samples_that_mix_raise(model, quantity):
    model, params, x = initialised(model, 3)
    with pytest.raises(InexactNtkError, match="depend on the other samples"):
        quantity(model, params, x)


@pytest.mark.parametrize("transform", [lambda f: f, jax.jit, jax.vmap], ids=["eager", "jit", "vmap"])
def test_tied_kernel_raises_with_its_name(transform):
    model, shape = ARCHITECTURES["tied-kernel"]
    _, params, x = initialised(model, *shape)
    if transform is jax.vmap:
        params = jax.tree.map(lambda leaf: jnp.stack(2 * [leaf]), params)
    with pytest.raises(InexactNtkError, match=r"tied: .*used outside the layer"):
        transform(lambda params: ntk_matrix(model, params, x))(params)


def in_precision(kind, dtype):
    """A network of ``kind`` with parameters of ``dtype``, these, and 32 samples of the same type."""
    model, x = kind(None, dtype), jax.random.normal(jax.random.key(0), (32, 6)).astype(dtype)
    return model, model.init(jax.random.key(1), x), x


@pytest.mark.parametrize(
    ("kind", "said"), [(TiedInPrecision, "Dense_0: .*tied weights"), (MixedInPrecision, "other samples")]
)
def test_low_precision_hides_no_wrong_network(kind, said):
    with pytest.raises(InexactNtkError, match=said):
        selfcheck.check(*in_precision(kind, jnp.bfloat16))


def test_rounding_errors_of_low_precision_pass():
    selfcheck.check(*in_precision(NormalisedInPrecision, jnp.bfloat16))


@pytest.mark.parametrize("dtype", [jnp.bfloat16, jnp.float16, jnp.float32, jnp.float64])
def test_no_precision_lets_a_tenth_pass(dtype):
    assert selfcheck._tolerance(float(jnp.finfo(dtype).eps)) < 0.1


@pytest.mark.parametrize(("model", "shape"), [(TokenMajor(), (3, 5)), (Siamese(), (6,))])
def test_hidden_sample_axis_raises(model, shape):
    model, params, x = initialised(model, *shape)
    with pytest.raises(InexactNtkError, match=r"Dense_0: .*first axis"):
        ntk_trace(model, params, x)


def test_mixing_is_found_while_a_program_is_compiled():
    model, params, x = initialised(Centred(), 3)
    with pytest.raises(InexactNtkError, match="depend on the other samples"):
        jax.jit(lambda params: ntk_trace(model, params, x))(params)


def test_a_network_is_checked_once_for_its_shapes(monkeypatch):
    checks = []
    monkeypatch.setattr(selfcheck, "check", lambda model, params, x: checks.append(x.shape))
    model = DenseNetwork(1, 3, 2)
    for samples in (5, 6, 5, 5):
        x = jnp.ones((samples, 17))
        ntk_trace(model, initial_parameters(model, 17, seed=samples), x)
    assert checks == [(5, 17), (6, 17)]


def test_diverged_parameters_pass():
    model = DenseNetwork(1, 3, 2)
    params = jax.tree.map(lambda leaf: leaf * jnp.nan, initial_parameters(model, 4, 0))
    assert jnp.isnan(ntk_trace(model, params, jnp.ones((5, 4))))


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize(
    "scale", [3.0, np.float32(3), jnp.float32(3)], ids=lambda scale: type(scale).__name__
)
@pytest.mark.parametrize("calls", [7, np.int64(7), jnp.int32(7)], ids=lambda calls: type(calls).__name__)
def test_a_step_counter_and_a_python_number_pass(calls, scale, compiled):
    model, params, x = initialised(Counting(), 3)
    expected = ntk_trace(model, {**params, "params": {**params["params"], "scale": jnp.float32(3)}}, x)
    params = {"params": {**params["params"], "scale": scale}, "counters": {"calls": calls}}

    def trace(dense):
        return ntk_trace(model, {**params, "params": {**params["params"], "Dense_0": dense}}, x)

    found = (jax.jit(trace) if compiled else trace)(params["params"]["Dense_0"])
    assert found == pytest.approx(float(expected), rel=1e-6)


@pytest.mark.parametrize(("seed", "largest"), [(2, 255), (3, 160)])
def test_saturated_layers_pass(seed, largest):
    """The first layer's share, below a ten-millionth of the trace, has two digits: two ways to it differ."""
    pixels = np.random.default_rng(seed).integers(0, 256, (7, 4)) / 256
    x = (pixels * largest).astype(np.float32)
    model = Saturated()
    assert ntk_trace(model, model.init(jax.random.key(0), x), x) > 0


def test_mixing_beside_a_step_counter_is_found():
    model, params, x = initialised(Centred(), 3)
    with pytest.raises(InexactNtkError, match="depend on the other samples"):
        ntk_trace(model, {**params, "counters": {"step": jnp.int32(7)}}, x)


def test_a_python_number_of_another_type_is_checked_anew(monkeypatch):
    checks = []
    monkeypatch.setattr(selfcheck, "check", lambda _, params, x: checks.append(params["counters"]["step"]))
    model, params, x = initialised(nn.Dense(3), 3)
    for step in (1, 2, 1.0):
        selfcheck.check_once(model, {**params, "counters": {"step": step}}, x)
    assert checks == [1, 1.0]


def test_the_pieces_of_a_large_batch_are_checked_on_some_of_its_samples(monkeypatch):
    """All pieces of J are held for them: of a large batch they would not fit."""
    checked, pieces = [], selfcheck.outputs_and_pieces

    def noted(model, params, x):
        checked.append(len(x))
        return pieces(model, params, x)

    monkeypatch.setattr(selfcheck, "outputs_and_pieces", noted)
    model = DenseNetwork(hidden_layers=1, width=3, outputs=2)
    params = initial_parameters(model, 4, 0)
    for samples in (3, 1000):
        selfcheck.check_once(model, params, jnp.zeros((samples, 4)))
    assert checked == [3, selfcheck.CHECKED_SAMPLES]


class MixingFrom(nn.Module):
    """Adds each sample's outputs to those of the next, from ``first`` on."""

    first: int

    @nn.compact
    def __call__(self, x):
        x = nn.Dense(2)(x)
        return x + jnp.roll(x, 1, axis=0) * (jnp.arange(len(x)) >= self.first)[:, None]


@pytest.mark.parametrize(("first", "samples"), [(32, 40), (99, 100), (3999, 4000)])
def test_mixing_anywhere_in_a_large_batch_raises(first, samples):
    _, params, _ = initialised(MixingFrom(5), 3)
    x = np.random.default_rng(0).standard_normal((samples, 3)).astype(np.float32)
    with pytest.raises(InexactNtkError, match="depend on the other samples"):
        ntk_trace(MixingFrom(first), params, x)
    assert ntk_trace(MixingFrom(samples), params, x) > 0


@pytest.mark.parametrize("values", [jnp.zeros, jnp.ones, lambda shape: jnp.full(shape, jnp.nan)])
def test_samples_that_hide_mixing_do_not_pass_for_others(values):
    """All samples are alike, or NaN: the outputs do not show that their mean is subtracted."""
    model, params, x = initialised(Centred(), 3)
    with pytest.raises(InexactNtkError, match="depend on the other samples"):
        ntk_trace(model, params, values(x.shape))


def test_a_sample_that_makes_others_nan_is_found():
    model, params, x = initialised(Centred(), 3)
    _, _, mixing = selfcheck._compared(model, params, x.at[1].set(jnp.nan))
    assert mixing == jnp.inf


def test_a_sample_that_is_not_finite_leaves_the_others_as_they_are():
    model, params, x = initialised(nn.Dense(2), 3)
    theta, expected = ntk_matrix(model, params, x.at[1].set(jnp.nan)), ntk_matrix(model, params, x)
    known = np.repeat(np.arange(4) != 1, 2)
    np.testing.assert_allclose(theta[known][:, known], expected[known][:, known], rtol=1e-6)
    assert jnp.isnan(theta[~known][:, ~known].diagonal()).all()


class Dropping(nn.Module):
    @nn.compact
    def __call__(self, x):
        return nn.Dense(2)(nn.Dropout(0.5, deterministic=False)(nn.Dense(8)(x)))


class WithKey(NamedTuple):
    """A network that drops the same units at every call."""

    model: nn.Module

    def apply(self, params, x):
        return self.model.apply(params, x, rngs={"dropout": jax.random.key(3)})


def test_units_dropped_at_random_raise():
    x = jax.random.normal(jax.random.key(1), (4, 3))
    params = Dropping().init({"params": jax.random.key(0), "dropout": jax.random.key(1)}, x)
    with pytest.raises(InexactNtkError, match="a Dropout deterministic=True"):
        ntk_trace(WithKey(Dropping()), params, x)


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("model", [Centred(), nn.Dense(2)], ids=["wrong", "right"])
def test_a_large_batch_is_checked_inside_a_program_too(model, compiled):
    model, params, _ = initialised(model, 3)
    x = jax.random.normal(jax.random.key(2), (100, 3))

    def trace(params):
        return ntk_trace(model, params, x)

    expected = pytest.raises(InexactNtkError, match="other samples")
    with expected if isinstance(model, Centred) else nullcontext():
        assert (jax.jit(trace) if compiled else trace)(params) > 0


@pytest.mark.parametrize("quantity", [ntk_matrix, ntk_trace, layer_kernels])
def test_another_wrapper_of_a_checked_network_is_checked(quantity):
    model, params, x = initialised(Switchable(), 3)
    quantity(Evaluated(model), params, x)
    assert Evaluated(model) == Training(model)
    with pytest.raises(InexactNtkError, match="depend on the other samples"):
        quantity(Training(model), params, x)


@pytest.mark.parametrize("other", [1, 1.0])
def test_a_field_of_another_type_is_another_network(other):
    model, params, x = initialised(CentredIfTrue(other), 3)
    ntk_trace(model, params, x)
    with pytest.raises(InexactNtkError, match="depend on the other samples"):
        ntk_trace(CentredIfTrue(True), params, x)


def test_equal_networks_made_anew_are_checked_once(monkeypatch):
    checks = []
    monkeypatch.setattr(selfcheck, "check", lambda model, params, x: checks.append(model))
    _, params, x = initialised(nn.Dense(2), 3)
    for held in (1, 1, True, (1, 2), (1, 2), 1):
        selfcheck.check_once(Holding(nn.Dense(2), held), params, x)
    assert [model.held for model in checks] == [1, True, (1, 2)]
