"""Narrow layers with gradients that take a fraction of the time of XLA's own on a CPU.

The gradient of a layer's kernel is xᵀδ, of the layer's inputs x and the derivatives δ with respect to its
outputs. XLA transposes x for it, at every update. Where x is a large training set, or one of large images,
that takes longer than a narrow layer's products. (δᵀx)ᵀ is the same and needs the transpose of δ alone.
"""

from typing import Any

import jax
from jax import lax
from jaxtyping import Array, Float, Num

# Products of a wider layer take so long that transposing x hardly counts, and in XLA's form they are faster.
# benchmarks/narrow_layers.py compares both.
NARROW = 64  # units


def dot_general(
    x: Num[Array, "*samples inputs"],
    kernel: Float[Array, "inputs units"],
    dimensions: Any,
    precision: Any = None,
) -> Float[Array, "*samples units"]:
    """`lax.dot_general` for a Dense layer. A narrow layer has no forward-mode derivatives then."""
    if x.ndim != 2 or kernel.shape[1] > NARROW or precision is not None:
        return lax.dot_general(x, kernel, dimensions, precision)
    return _product(x, kernel)


@jax.custom_vjp
def _product(x: Num[Array, "d inputs"], kernel: Float[Array, "inputs units"]) -> Float[Array, "d units"]:
    return x @ kernel


def _with_factors(x: Any, kernel: Any) -> Any:
    return x @ kernel, (x, kernel)


def _derivatives(factors: Any, of_outputs: Float[Array, "d units"]) -> Any:
    x, kernel = factors
    # Without the barrier XLA turns this into the product with x transposed.
    return of_outputs @ kernel.T, lax.optimization_barrier(of_outputs.T @ x).T


_product.defvjp(_with_factors, _derivatives)
