"""The NTK of random networks on random samples against an explicit Jacobian; other calls get one sentence.

A few networks are drawn for a run, and each is compiled once for each shape and type of its samples, so that
thousands of cases take a minute or two. What is drawn is not shrunk: that would compile hundreds of networks.
"""

from functools import cache
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import linen as nn
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from ntklens.kernel.arguments import UnusableArgumentError
from ntklens.kernel.ntk import layer_kernels, ntk_matrix, ntk_trace
from ntklens.kernel.selfcheck import InexactNtkError
from ntklens.spectrum.effective_rank import effective_rank

from tests.fuzz.conftest import CASES
from tests.fuzz.outcomes import Outcome
from tests.support.unchecked import unchecked

NETWORKS = 16  # drawn anew in every run
SAMPLES = (1, 2, 5)
TYPES = ["f4", ">f4", "f2", "f8", "u1", "i2", "i8", "?"]
ACTIVATIONS = [jnp.tanh, nn.relu, nn.gelu, jnp.sin]
FEW = settings(max_examples=NETWORKS, phases=[Phase.generate])
OWN_ERRORS = (UnusableArgumentError, InexactNtkError)

seeds = st.integers(0, 2**32 - 1)


class Layer(NamedTuple):
    """Settings of a layer: its kind, its size, whether it has a bias, how often it is called."""

    kind: str
    size: int
    bias: bool
    calls: int


class Network(nn.Module):
    """Layers one after the other, then a dense layer of outputs."""

    layers: tuple[Layer, ...]
    activation: int
    outputs: int
    mixes: str = "nothing"

    @nn.compact
    def __call__(self, x):
        x, activation = jnp.asarray(x, jnp.promote_types(x.dtype, jnp.float32)), ACTIVATIONS[self.activation]
        for kind, size, bias, calls in self.layers:
            if kind == "conv":
                x = activation(nn.Conv(size, (2, 2), strides=calls, use_bias=bias)(x))
            elif kind == "norm":
                x = nn.LayerNorm(use_bias=bias)(x)
            else:
                x = x if kind == "dense" else nn.Dense(x.shape[-1])(x)
                shared = nn.Dense(x.shape[-1] if calls > 1 else size, use_bias=bias)
                for _ in range(calls):
                    x = activation(shared(x))
        x = x.reshape(len(x), -1)
        if self.mixes == "the mean":
            x = x - jnp.mean(x, axis=0)
        if self.mixes == "neighbours":
            x = x + 0.3 * jnp.roll(x, 1, axis=0)
        last = nn.Dense(self.outputs, name="last")
        outputs = last(x)
        if self.mixes == "a kernel by hand":
            outputs = outputs + jnp.tanh(x) @ last.variables["params"]["kernel"]
        return outputs


layers = st.builds(
    Layer,
    st.sampled_from(["dense", "dense", "conv", "norm", "residual"]),
    st.integers(1, 5),
    st.booleans(),
    st.integers(1, 2),
)
networks = st.tuples(
    st.builds(Network, st.lists(layers, max_size=3).map(tuple), st.integers(0, 3), st.integers(1, 3)),
    st.sampled_from([(3,), (1,), (4, 3, 2), (3, 3, 1), (2, 3)]),
).filter(lambda drawn: len(drawn[1]) == 3 or all(layer.kind != "conv" for layer in drawn[0].layers))


def parameters(model, shape, seed):
    """Normal everywhere, the biases included, in single precision."""
    shapes = parameter_shapes(model, shape)
    rng = np.random.default_rng(seed)
    leaves, tree = jax.tree.flatten(shapes)
    drawn = [rng.standard_normal(leaf.shape) / np.sqrt(max(1, np.prod(leaf.shape[:-1]))) for leaf in leaves]
    return jax.tree.unflatten(tree, [leaf.astype(np.float32) for leaf in drawn])


@cache
def parameter_shapes(model, shape):
    return jax.eval_shape(model.init, jax.random.key(0), jnp.zeros((1, *shape)))


def samples_of(rng, samples, shape, dtype):
    """Pixels, up to the largest number that the type has or a few thousand."""
    if np.dtype(dtype).kind == "f":
        return (3 * rng.standard_normal((samples, *shape))).astype(dtype)
    return rng.integers(0, {"?": 2, "u1": 256}.get(dtype, 3000), (samples, *shape)).astype(dtype)


@cache
def jacobian_program(model):
    """The Jacobian of one sample's outputs, compiled; in double precision outside of a Flax layer's calls."""

    def outputs(own, sample):
        return model.apply({"params": own}, sample[None])[0]

    return jax.jit(jax.jacrev(outputs))


def explicit_ntk(model, params, x, precision=np.float64):
    """J Jᵀ, sample by sample, of a Jacobian in this precision."""
    with jax.enable_x64(True):
        own = jax.tree.map(lambda leaf: np.asarray(leaf, precision), params["params"])
        rows = [
            np.concatenate(
                [np.asarray(leaf).reshape(model.outputs, -1) for leaf in jax.tree.leaves(jacobian)], axis=1
            )
            for jacobian in (jacobian_program(model)(own, np.asarray(one, precision)) for one in x)
        ]
    rows = np.concatenate(rows).astype(np.float64)
    return rows @ rows.T


def arrange(x, layout):
    """The samples ``x`` in another layout, or as a list."""
    if layout == "Fortran":
        return np.asfortranarray(x)
    if layout == "strided":
        return np.repeat(x, 2, axis=-1)[..., ::2]
    return x.tolist() if layout == "list" else x


def error_of(found, expected):
    """Relative to the largest entry."""
    found = np.asarray(found, np.float64)
    if found.shape != expected.shape:
        return np.inf
    return np.abs(found - expected).max() / (np.abs(expected).max() + 1e-30)


def settle(tally, call, right):
    """Count what becomes of ``call``; fail unless it is right or refused with one line of our own."""
    try:
        found = call()
    except OWN_ERRORS as error:
        outcome, said = Outcome.REFUSED if str(error).isprintable() else Outcome.TRACEBACK, str(error)
    except Exception as error:
        outcome, said = Outcome.TRACEBACK, repr(error)
    else:
        outcome, said = Outcome.RIGHT if right is not None and right(found) else Outcome.WRONG, str(found)
    tally(outcome)
    assert outcome in (Outcome.RIGHT, Outcome.REFUSED), said
    return outcome


def test_random_networks(tally):
    """Each network on two kinds of samples, in any layout."""
    count = tally("random network")

    @FEW
    @given(networks, seeds)
    def check(drawn, seed):
        model, shape = drawn
        rng = np.random.default_rng(seed)
        kinds = [(int(rng.choice(SAMPLES)), str(rng.choice(TYPES))) for _ in range(2)]
        quantities = ["trace", "layers", str(rng.choice(["matrix", "lower"]))]
        for _ in range(max(1, CASES // NETWORKS)):
            samples, dtype = kinds[rng.integers(2)]
            x = samples_of(rng, samples, shape, dtype)
            params = parameters(model, shape, int(rng.integers(2**32)))
            quantity = str(rng.choice(quantities))
            arranged = arrange(x, rng.choice(["plain", "Fortran", "strided", "list"]))

            def call(quantity=quantity, params=params, x=arranged):
                with unchecked():
                    return measured(quantity, model, params, x)

            def right(found, quantity=quantity, params=params, x=x):
                return is_right_in_single_precision(quantity, found, model, params, x)

            outcome = settle(count, call, right)
            assert outcome is Outcome.RIGHT, f"{model} on {x.dtype} {x.shape} is refused"

    check()


def measured(quantity, model, params, x):
    if quantity == "trace":
        return ntk_trace(model, params, x)
    if quantity == "layers":
        return layer_kernels(model, params, x)
    return ntk_matrix(model, params, x, lower=quantity == "lower")


def is_right(quantity, found, expected, tolerance=2e-4):
    """Whether a quantity is what ``expected``, the NTK, says; by default within single precision."""
    if quantity == "trace":
        return error_of(found[None], np.trace(expected)[None]) <= tolerance
    if quantity == "layers":  # beside them there may be other parameters
        return sum(float(layer.trace) for layer in found) <= np.trace(expected) * (1 + tolerance)
    if quantity == "matrix" and error_of(found, expected) > tolerance:
        return False
    return error_of(np.tril(found), np.tril(expected)) <= tolerance


def is_right_in_single_precision(quantity, found, model, params, x):
    """`is_right`, but a network that enlarges rounding errors may be as far off as a float32 Jacobian."""
    expected = explicit_ntk(model, params, x)
    if is_right(quantity, found, expected):
        return True
    error = error_of(explicit_ntk(model, params, x, np.float32), expected)
    return is_right(quantity, found, expected, 2e-4 + 5 * error)


MIXING = ["the mean", "neighbours", "a kernel by hand"]


def test_networks_without_an_ntk_of_samples(tally):
    """They are refused, or right where what mixes is the same for all samples, so that nothing does."""
    count = tally("network that mixes samples")

    @FEW
    @given(networks, st.sampled_from(MIXING), st.sampled_from([3, 40]), seeds)
    def check(drawn, mixes, samples, seed):
        model, shape = drawn[0].clone(mixes=mixes), drawn[1]
        x = samples_of(np.random.default_rng(seed), samples, shape, "f4")
        params = parameters(model, shape, seed)

        def right(found):
            return is_right("trace", found, ntk_of_the_batch(model, params, x))

        settle(count, lambda: ntk_trace(model, params, x), right)

    check()


def ntk_of_the_batch(model, params, x):
    """J Jᵀ of all samples together, in double precision."""
    with jax.enable_x64(True):
        own, x = jax.tree.map(lambda leaf: np.asarray(leaf, np.float64), (params["params"], x))
        jacobian = jax.jit(jax.jacrev(lambda own: model.apply({"params": own}, x)))(own)
    rows = [np.asarray(leaf).reshape(len(x) * model.outputs, -1) for leaf in jax.tree.leaves(jacobian)]
    return sum(leaf @ leaf.T for leaf in rows)


MODEL = Network((Layer("dense", 4, True, 1),), 0, 2)
PARAMS = parameters(MODEL, (3,), 0)
OWN = PARAMS["params"]
X = np.random.default_rng(0).standard_normal((2, 3)).astype(np.float32)


class Wrapped:
    """Applies a function to the outputs of a network."""

    def __init__(self, change):
        self.change = change

    def apply(self, params, x):
        return self.change(MODEL.apply(params, x))


BAD_MODELS = [None, 3, Network, MODEL.apply, "Dense", [MODEL]]
BAD_OUTPUTS = [
    lambda o: (o, o),
    lambda o: [o],
    lambda o: {"a": o},
    lambda o: None,
    lambda o: "text",
    lambda o: 1.0,
    lambda o: o.sum(),
    lambda o: o[:, 0],
    lambda o: o[None],
    lambda o: o[:, :0],
    lambda o: o[1:],
    lambda o: o + 1j,
    lambda o: o > 0,
    lambda o: o.astype(int),
    lambda o: o[:, : len(o)],
    lambda o: 1 / 0,
]
BAD_LEAVES = [
    None,
    "a",
    [1.0],
    (1.0,),
    {1, 2},
    3,
    True,
    1j,
    np.array("a"),
    np.array(None),
    np.ones(4, int),
    b"1",
]
BAD_SAMPLES = [None, "a", b"a", 3, 1.5, [], [[]], [[], []], [1, [2]], [["a", "b", "c"]], [None], iter("ab")]
BAD_SAMPLES += [{}, {"x": X}, {1, 2}, object(), jax.random.key(0), [X, X[:1]], X[0], X[None], X[:0]]
BAD_SAMPLES += [X[:, :0], X[:, :2], X.astype(complex), X.astype(object), X.astype(str), X > 0, X[::-1]]
BAD_SAMPLES += [[[2**40, 1, 2]], np.array([[2**62, 1, 2]]), np.array([[2**63, 1, 2]], "u8")]
BAD_SAMPLES += [np.ma.masked_array(X, X > 0), np.array([[1, 2, 3]], "M8[s]"), np.array([[1, 2, 3]], "m8[s]")]
BAD_OPTIONS = [{"block_size": v} for v in (0, -1, 1.5, "a", [], 1j)] + [
    {"memory": v} for v in (-1, 1.5, None, "a", [], 1j)
]


def test_other_calls(tally):
    """One or two arguments are not what they have to be, or good ones of another kind."""
    count = tally("call of the engine")
    places = ["model", "outputs", "leaf", "tree", "samples", "options"]

    @given(st.lists(st.sampled_from(places), min_size=1, max_size=2), seeds)
    def check(changed, seed):
        rng = np.random.default_rng(seed)
        model, params, x, options = MODEL, PARAMS, X, {}
        for place in changed:
            if place == "model":
                model = BAD_MODELS[rng.integers(len(BAD_MODELS))]
            elif place == "outputs":
                model = Wrapped(BAD_OUTPUTS[rng.integers(len(BAD_OUTPUTS))])
            elif place == "samples":
                x = BAD_SAMPLES[rng.integers(len(BAD_SAMPLES))]
            elif place == "options":
                options = BAD_OPTIONS[rng.integers(len(BAD_OPTIONS))]
            else:
                params = changed_tree(rng) if place == "tree" else changed_leaf(rng)
        quantity = ntk_matrix if options else [ntk_matrix, ntk_trace, layer_kernels][rng.integers(3)]

        def call():
            with unchecked():
                return quantity(model, params, x, **options)

        settle(count, call, valid(params, x, quantity))

    check()


def valid(params, x, quantity):
    """A check against an explicit Jacobian, for samples that are good ones; None for other arguments."""
    if params is not PARAMS or not isinstance(x, np.ndarray) or x.shape != X.shape:
        return None
    name = {ntk_trace: "trace", layer_kernels: "layers"}.get(quantity, "matrix")
    return lambda found: is_right(name, found, explicit_ntk(MODEL, PARAMS, x))


def changed_leaf(rng):
    """The parameters with one leaf that is none."""
    layer = str(rng.choice(sorted(OWN)))
    name = str(rng.choice(sorted(OWN[layer])))
    leaf = BAD_LEAVES[rng.integers(len(BAD_LEAVES))]
    return {"params": {**OWN, layer: {**OWN[layer], name: leaf}}}


def changed_tree(rng):
    """Parameters of another structure."""
    layer = str(rng.choice(sorted(OWN)))
    without = {name: OWN[name] for name in OWN if name != layer}
    trees = [{}, OWN, None, [], 3, "params", {"params": None}, {"params": {}}, {"params": [OWN]}]
    trees += [{"parameters": OWN}, {"params": OWN, "other": "text"}, {"params": without}]
    trees += [{"params": {**OWN, layer: odd}} for odd in ({}, None, [1.0], {"deep": OWN})]
    trees += [{"params": {**without, "other": OWN[layer]}}]
    trees += [{"params": {layer: jax.tree.map(lambda leaf: leaf[:0], OWN[layer])}}]
    trees += [{"params": jax.tree.map(lambda leaf: leaf[..., None], OWN)}]
    return trees[rng.integers(len(trees))]


def test_effective_ranks(tally):
    """Against a sum number by number; NaN where there is none, one sentence where there is no spectrum."""
    count = tally("spectrum")
    numbers = st.floats(0, 1e300) | st.sampled_from(
        [0.0, 1e-14, 1e-300, 1e308, np.nan, np.inf, -np.inf, -1.0, -1e-9]
    )
    odd = st.sampled_from(
        [None, "a", ["a"], [[1.0], [1.0, 2.0]], 1.0, {}, [1j], [[]], np.ones((2, 0)), [None]]
    )

    @given(st.lists(numbers, max_size=6) | odd)
    def check(values):
        try:
            with unchecked():
                found = effective_rank(values)
        except (ValueError, TypeError) as error:
            own = any(
                part in str(error) for part in ("needs one or more", "real numbers is needed", "not negative")
            )
            outcome, said = Outcome.REFUSED if own else Outcome.TRACEBACK, repr(error)
        else:
            known = rank_by_hand(values)
            agree = np.isnan(found) if known is None else abs(found - known) <= 1e-9 * known
            outcome, said = Outcome.RIGHT if agree else Outcome.WRONG, f"{values}: {found}, not {known}"
        count(outcome)
        assert outcome in (Outcome.RIGHT, Outcome.REFUSED), said

    check()


def rank_by_hand(values):
    """exp of the entropy, in steps; None where the spectrum has no rank."""
    if not np.isfinite(values).all() or max(values) <= 1e-14:
        return None
    largest = max(values)
    scaled = [max(value, 1e-14) / largest for value in values]
    entropy = -sum(value / sum(scaled) * (np.log(value) - np.log(sum(scaled))) for value in scaled)
    return np.exp(entropy)
