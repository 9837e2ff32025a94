"""Check the pieces of the Jacobian J against a gradient, at the first use of a network.

For any v, ‖Jᵀv‖² = vᵀΘv, and one backward pass gives Jᵀv. For a random v, each layer's part of it is
compared with the same part computed from the layer's piece of J. The two differ if a kernel is also used
outside its own layer (tied weights) or a sample's outputs depend on other samples (normalisation over the
batch). The outputs on every sample of the whole batch are also compared with those on that sample alone.
Without this check the NTK of such a network would be wrong without any message.
"""

# JAX's and Flax's functions are annotated in part.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from collections.abc import Hashable, Mapping
from functools import partial
from math import prod
from typing import Any, TypeAlias, cast

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jaxtyping import Array, Float, Int, Shaped

from ntklens.kernel.arguments import output_shape
from ntklens.kernel.jacobian import OTHER_PARAMETERS, outputs_and_pieces
from ntklens.kernel.network import Network, Params, Path, Samples, by_path
from ntklens.kernel.static_model import StaticModel

# The check runs once: compiling it with all optimisations would take five times as long as they save.
QUICK_TO_COMPILE = {"xla_backend_optimization_level": 0, "xla_llvm_disable_expensive_passes": True}

# The check holds all pieces of J of these samples at once, however little memory the NTK itself may take. An
# error in a piece appears on any samples; samples may mix anywhere, so for that all are compared.
CHECKED_SAMPLES = 32

# The largest relative difference that passes for rounding errors, whatever the precision: 10·√eps would be
# 0.88 in bfloat16. Dense, convolutional, normalised and attention networks differ there by 0.0075 at most.
LARGEST_TOLERANCE = 0.05

ByLayer: TypeAlias = Mapping[Path, Float[Array, ""] | float]

_checked: set[Hashable] = set()


class InexactNtkError(ValueError):
    """The NTK of this network would be wrong. The message names the layer and the likely cause."""


def check_once(model: Network, params: Params, x: Samples) -> None:
    """Check ``model``, unless it was checked on arguments of these shapes before.

    Inside a transformation of JAX, where values are not known, the check uses random ones.
    Raises `InexactNtkError`, and UnusableArgumentError as `arguments.output_shape`.
    """
    key = _key(model, params, x)
    if key not in _checked:
        output_shape(model, params, x)
        check(model, _concrete(params), np.asarray(_concrete(x)))
        _checked.add(key)


def check(model: Network, params: Params, x: Samples) -> None:
    """Raise `InexactNtkError` if a piece of J does not give the gradient of ``model``, or if samples mix.

    The network is checked at these values, and at random ones too: values that are equal, zero or not finite
    hide errors, and no other values of these shapes are checked later.
    """
    compared = jax.jit(partial(_compared, model), compiler_options=QUICK_TO_COMPILE)
    # Compiled explicitly, the program runs at once even while a caller's program is being traced.
    program = compared.lower(params, x).compile()
    precision = _coarsest_precision((params, output_shape(model, params, x)))
    found = [program(*values) for values in ((params, x), _random_like((params, x)))]
    for _, _, mixing in found:
        _judge_mixing(mixing, precision)
    for ours, gradients, _ in found:
        _judge_pieces(ours, gradients, precision)


def _judge_mixing(mixing: Float[Array, ""], precision: float) -> None:
    """Raise `InexactNtkError` if ``mixing``, a result of `_compared`, is more than rounding errors."""
    if float(mixing) > _tolerance(precision):
        raise InexactNtkError(
            "a sample's outputs depend on the other samples of the batch or on its place among them, so the "
            "network has no NTK of single samples. Does it normalise over the batch, or drop units at "
            "random? A BatchNorm needs use_running_average=True, a Dropout deterministic=True"
        )


def _judge_pieces(ours: ByLayer, gradients: ByLayer, precision: float) -> None:
    """Raise `InexactNtkError` if two results of `_compared` differ by more than rounding errors."""
    tolerance = _tolerance(precision)
    # The share of a saturated layer may be mere rounding error, too small to show in the sum over layers.
    negligible = precision * sum(float(gradients[path]) for path in ours)
    for path, own in ours.items():
        exact = float(gradients[path])
        if abs(float(own) - exact) > tolerance * max(exact, float(own)) + negligible:
            raise InexactNtkError(
                f"{'/'.join(path)}: vᵀΘv is {float(own):.6g} for this layer's share, but its gradient has "
                f"‖Jᵀv‖² = {exact:.6g}. Is its kernel also used outside the layer's own call (tied "
                "weights), does a wrapper such as WeightNorm change it before the call, or is the input's "
                "first axis not that of the samples there?"
            )


def _tolerance(precision: float) -> float:
    """The relative difference that rounding errors of numbers of this ``precision`` may make."""
    return min(10 * float(np.sqrt(precision)), LARGEST_TOLERANCE)


def _compared(model: Network, params: Params, x: Samples) -> tuple[ByLayer, ByLayer, Float[Array, ""]]:
    """By layer, vᵀΘ_l v from the pieces and ‖J_lᵀv‖² from a gradient; then how much the samples mix.

    The first two are computed on some of the samples, the last on all.
    """
    rest = {name: values for name, values in params.items() if name != "params"}
    some = x[_some_rows(len(x))]

    def outputs_at(own: Any) -> Array:
        return model.apply({**rest, "params": own}, some)

    with jax.default_matmul_precision("highest"):
        outputs, pieces = outputs_and_pieces(model, params, some)
        v = jax.random.normal(jax.random.key(0), outputs.shape, outputs.dtype)
        _, backward = jax.vjp(outputs_at, params["params"])
        gradients = by_path(backward(v)[0])
        mixing = _mixing(model, params, x)
    norms: dict[Path, Array | float] = dict.fromkeys(pieces, 0.0)
    for path, gradient in gradients.items():
        owner = path[:-1] if path[:-1] in pieces else OTHER_PARAMETERS
        norms[owner] = norms[owner] + jnp.sum(gradient**2)
    ours = {path: jnp.sum(piece.pull_back(v) ** 2) for path, piece in pieces.items()}
    return ours, norms, mixing


def _some_rows(d: int) -> Int[np.ndarray, " rows"]:
    """The rows of at most `CHECKED_SAMPLES` of ``d`` samples, from all parts of the batch."""
    return np.sort(np.random.default_rng(0).permutation(d)[:CHECKED_SAMPLES])


def _mixing(model: Network, params: Params, x: Samples) -> Float[Array, ""]:
    """How much the outputs on a sample in its batch differ from those on it alone: the largest relative norm.

    Norms are relative to the sample's outputs, or to the median sample's if these are larger: a sum that
    happens to be near zero has large relative rounding errors. A sample that is NaN only among others differs
    infinitely.
    """

    def output_of(sample: Shaped[Array | np.ndarray, "..."]) -> Float[Array, " n"]:
        return model.apply(params, sample[None])[0]

    together, alone = model.apply(params, x), jax.vmap(output_of)(x)
    precision = jnp.promote_types(together.dtype, jnp.float32)
    together, alone = together.astype(precision), alone.astype(precision)
    sizes = cast(Array, jnp.linalg.norm(alone, axis=1))
    typical = jnp.nanmedian(jnp.where(jnp.isfinite(sizes), sizes, jnp.nan))
    scale = jnp.fmax(sizes, typical) + jnp.finfo(precision).tiny
    relative = cast(Array, jnp.linalg.norm(together - alone, axis=1) / scale)
    hidden = jnp.any(jnp.isnan(together) & jnp.isfinite(alone), axis=1)
    return jnp.max(jnp.where(hidden, jnp.inf, jnp.nan_to_num(relative, nan=0, posinf=0)))


def _coarsest_precision(tree: Any) -> float:
    """The largest machine epsilon of the leaves of floating-point type; a step counter has none."""
    dtypes = {_dtype(leaf) for leaf in jax.tree.leaves(tree)}
    floating = [dtype for dtype in dtypes if jnp.issubdtype(dtype, jnp.inexact)]
    return max(float(cast(Any, jnp.finfo(dtype).eps)) for dtype in floating)


def _key(model: Network, params: Params, x: Samples) -> Hashable:
    """The network, and structure, shapes and types of its arguments: one check holds for all of one key."""
    leaves, tree = jax.tree.flatten((params, x))
    return StaticModel(model), tree, tuple((jnp.shape(leaf), str(_dtype(leaf))) for leaf in leaves)


def _dtype(leaf: Any) -> Any:
    """The type of an array's numbers or keys, or the type that JAX gives a Python number."""
    return leaf.dtype if hasattr(leaf, "dtype") else jnp.result_type(leaf)


def _concrete(tree: Any) -> Any:
    """``tree`` itself, or random values of the same shapes if some of its values are not known yet."""
    unknown = any(isinstance(leaf, Tracer) for leaf in jax.tree.leaves(tree))
    return _random_like(tree) if unknown else tree


def _random_like(tree: Any) -> Any:
    """Random values of the shapes and types of ``tree``."""
    rng = np.random.default_rng(0)
    leaves, structure = cast("tuple[list[Any], Any]", jax.tree.flatten(tree))
    return jax.tree.unflatten(structure, [_random(rng, leaf) for leaf in leaves])


def _random(rng: np.random.Generator, leaf: Any) -> Shaped[Array | np.ndarray | np.generic, "..."]:
    """Values of a scale that parameters and samples may have, for a ``leaf`` of these; a random key stays."""
    shape, dtype = jnp.shape(leaf), _dtype(leaf)
    if jnp.issubdtype(dtype, jax.dtypes.prng_key):
        return leaf
    if not jnp.issubdtype(dtype, jnp.floating):
        return rng.integers(0, 2, shape).astype(dtype)
    # Positive where it may be a scale or a variance; of the size of an initial kernel elsewhere.
    if len(shape) < 2:
        return np.asarray(np.abs(rng.standard_normal(shape)) + 0.1).astype(dtype)
    return (rng.standard_normal(shape, np.float32) / np.sqrt(prod(shape[:-1]))).astype(dtype)
