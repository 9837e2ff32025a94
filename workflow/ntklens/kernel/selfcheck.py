"""A check of J's pieces against a gradient, at the first use of a network.

For any v, ‖Jᵀv‖² = vᵀΘv, and Jᵀv is one backward pass. Here it is compared layer by layer with what
the layer's piece of J gives, for a random v: the two differ where a kernel is used outside its own
layer (tied weights) and where a sample's outputs depend on other samples (normalisation over the
batch). Both would make the NTK wrong without a sign of it.
"""

from functools import partial
from math import prod

import jax
import jax.numpy as jnp
import numpy as np
from flax.traverse_util import flatten_dict

from ntklens.kernel.jacobian import OTHER_PARAMETERS, outputs_and_pieces
from ntklens.kernel.static_model import StaticModel

# This program runs once: compiled in full it would take longer than it saves, by a factor of five.
QUICK_TO_COMPILE = {"xla_backend_optimization_level": 0, "xla_llvm_disable_expensive_passes": True}

# All pieces of J are held for them at once, whatever memory the NTK itself may take; and what the check finds
# does not hide among the others.
CHECKED_SAMPLES = 32

_checked = set()


class InexactNtkError(ValueError):
    """The NTK of this network would be wrong. The message says which layer's, and the likely cause."""


def check_once(model, params, x):
    """Check ``model`` unless it was, on these shapes. Under a transformation: on random values.

    Raises `InexactNtkError`.
    """
    key = _key(model, params, x)
    if key not in _checked:
        # By NumPy: inside a trace JAX would trace the slice too.
        check(model, _concrete(params), np.asarray(_concrete(x))[:CHECKED_SAMPLES])
        _checked.add(key)


def check(model, params, x):
    """Raises `InexactNtkError` where a piece of J does not give the gradient of ``model`` at these values."""
    compared = jax.jit(partial(_compared, model), compiler_options=QUICK_TO_COMPILE)
    # Compiled by hand, the program runs at once even where a caller's own is being traced.
    ours, gradients, mixing = compared.lower(params, x).compile()(params, x)
    precision = _coarsest_precision((params, mixing))
    tolerance = 10 * np.sqrt(precision)
    if float(mixing) > tolerance:
        raise InexactNtkError(
            "a sample's outputs depend on the other samples of the batch, so the network has no NTK of "
            "single samples. Does it normalise over the batch? A BatchNorm needs use_running_average=True"
        )
    # A saturated layer's share is rounding error alone, too small to show in the sum over layers.
    negligible = precision * sum(float(gradients[path]) for path in ours)
    for path, own in ours.items():
        exact = float(gradients[path])
        if abs(float(own) - exact) > tolerance * max(exact, float(own)) + negligible:
            raise InexactNtkError(
                f"{'/'.join(path)}: vᵀΘv is {float(own):.6g} for this layer's share, but its gradient has "
                f"‖Jᵀv‖² = {exact:.6g}. Is its kernel also used outside the layer's own call (tied "
                "weights), or is the input's first axis not that of the samples there?"
            )


def _compared(model, params, x):
    """By path, vᵀΘ_l v from the pieces and ‖J_lᵀv‖² from a gradient; how much samples mix."""
    with jax.default_matmul_precision("highest"):
        outputs, pieces = outputs_and_pieces(model, params, x)
        v = jax.random.normal(jax.random.key(0), outputs.shape, outputs.dtype)
        rest = {name: values for name, values in params.items() if name != "params"}
        _, backward = jax.vjp(lambda own: model.apply({**rest, "params": own}, x), params["params"])
        gradients = flatten_dict(backward(v)[0])
        alone = jax.vmap(lambda sample: model.apply(params, sample[None])[0])(x)
    norms = dict.fromkeys(pieces, 0.0)
    for path, gradient in gradients.items():
        owner = path[:-1] if path[:-1] in pieces else OTHER_PARAMETERS
        norms[owner] = norms[owner] + jnp.sum(gradient**2)
    ours = {path: jnp.sum(piece.pull_back(v) ** 2) for path, piece in pieces.items()}
    mixing = jnp.linalg.norm(outputs - alone) / (jnp.linalg.norm(outputs) + jnp.finfo(outputs.dtype).tiny)
    return ours, norms, mixing


def _coarsest_precision(tree):
    """The largest machine epsilon of the leaves in floating point; a step counter has none."""
    dtypes = {_dtype(leaf) for leaf in jax.tree.leaves(tree)}
    return max(float(jnp.finfo(dtype).eps) for dtype in dtypes if jnp.issubdtype(dtype, jnp.inexact))


def _key(model, params, x):
    """What one check holds for: another use of the same key needs none."""
    leaves, tree = jax.tree.flatten((params, x))
    return StaticModel(model), tree, tuple((jnp.shape(leaf), str(_dtype(leaf))) for leaf in leaves)


def _dtype(leaf):
    """The type of an array's numbers, or that which JAX gives a Python number."""
    return leaf.dtype if hasattr(leaf, "dtype") else jnp.result_type(leaf)


def _concrete(tree):
    """``tree`` itself, or random values of its shapes where it stands for values not yet known."""
    leaves, structure = jax.tree.flatten(tree)
    if not any(isinstance(leaf, jax.core.Tracer) for leaf in leaves):
        return tree
    rng = np.random.default_rng(0)
    return jax.tree.unflatten(structure, [_random(rng, jnp.shape(leaf), _dtype(leaf)) for leaf in leaves])


def _random(rng, shape, dtype):
    if not jnp.issubdtype(dtype, jnp.floating):
        return rng.integers(0, 2, shape).astype(dtype)
    # Positive where it may be a scale or a variance; of the size of an initial kernel elsewhere.
    if len(shape) < 2:
        return np.asarray(np.abs(rng.standard_normal(shape)) + 0.1).astype(dtype)
    return (rng.standard_normal(shape, np.float32) / np.sqrt(prod(shape[:-1]))).astype(dtype)
