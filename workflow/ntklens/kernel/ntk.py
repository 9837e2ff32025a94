"""The neural tangent kernel Θ = J Jᵀ of any Flax network, exact.

With n outputs and d samples, J is the (d·n, P) Jacobian of the outputs with respect to all P
parameters; row i·n + k is output k of sample i, and outputs are never averaged over (App. A). Θ is
the sum over J's pieces, one a layer (`ntklens.kernel.jacobian`): for Dense and Conv layers nothing of the
size of their parameters is formed. At the first use of a network on a shape, the pieces are compared
with a gradient (`ntklens.kernel.selfcheck`).

``model`` is a Flax module, or any object with its ``apply(params, x)``; `ntklens.kernel.static_model` says
which of them share a compiled program. ``params`` is what that takes, with the differentiated parameters in
the collection "params". The samples ``x`` are of any type that the network takes: integer images are as good
as the same in floating point. All functions are compiled, work under ``jax.jit``, ``jax.vmap`` and
``jax.lax.map``, and compute in the precision of ``params``.
"""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import struct
from jax import lax

from ntklens.kernel.jacobian import LayerPiece, outputs_and_pieces
from ntklens.kernel.memory import PIECES_MEMORY as MEMORY
from ntklens.kernel.selfcheck import check_once
from ntklens.kernel.static_model import StaticModel

TILE_ROWS = 384  # of Θ: a tile's product stays in a core's cache, and is large enough to be fast


@struct.dataclass
class LayerKernels:
    """One layer's part in the NTK: share = sensitivity ∘ ((conjugate + 1) ⊗ 1), Eq. 12."""

    layer: str = struct.field(pytree_node=False)  # its path: "hidden_1"
    conjugate: jax.Array  # C_{l−1} = X_{l−1} X_{l−1}ᵀ, (d, d), Eq. 10: of the layer's input
    sensitivity: jax.Array  # Σ_l = S_l S_lᵀ, (d·n, d·n), Eq. 13
    trace: jax.Array  # this layer's share of Tr Θ


def ntk_matrix(model, params, x, *, lower=False, block_size=None, memory=MEMORY):
    """The NTK, (d·n, d·n), of ``model`` at ``params`` on the samples ``x`` (d, …).

    ``lower`` computes the lower triangle alone, for a symmetric eigenvalue solver: what lies above
    it is then not to be read. J's pieces are held for ``block_size`` samples at once and recomputed
    for each pair of blocks; by default for as many as fit in ``memory`` bytes, as a rule all.
    Raises as `ntk_trace`.
    """
    x = _as_array(x)
    check_once(model, params, x)
    return _matrix(StaticModel(model), params, x, lower, block_size, memory)


def ntk_trace(model, params, x):
    """Tr Θ, raw and undivided, of ``model`` at ``params`` on ``x`` (d, …), without forming Θ.

    Raises ValueError where there are no samples or the outputs are not (d, n), and
    `selfcheck.InexactNtkError` where the network mixes samples or uses a layer's kernel elsewhere too.
    """
    return outputs_and_trace(model, params, x)[1]


def outputs_and_trace(model, params, x):
    """The outputs (d, n) on ``x`` and Tr Θ there, from one forward pass. Raises as `ntk_trace`."""
    x = _as_array(x)
    check_once(model, params, x)
    return _outputs_and_trace(StaticModel(model), params, x)


def layer_kernels(model, params, x):
    """A list of the `LayerKernels` of every Dense and Conv layer, in the order of their first calls.

    A layer that is applied at several positions of a sample (a convolution) has its positions'
    rows side by side in both kernels. Raises as `ntk_trace`.
    """
    x = _as_array(x)
    check_once(model, params, x)
    return _layer_kernels(StaticModel(model), params, x)


def _as_array(x):
    """``x`` itself if it is an array, of NumPy's too; a list of samples as an array."""
    # Inside a trace JAX would trace an array's conversion too, and the check would not know its values.
    x = x if hasattr(x, "dtype") else jnp.asarray(x)
    if not x.shape or not x.shape[0]:
        raise ValueError(f"x has shape {x.shape}: an array of one or more samples is needed")
    return x


# Recent GPUs round float32 products to TF32 unless asked not to.
_full_precision = partial(jax.default_matmul_precision, "highest")


@partial(jax.jit, static_argnums=(0, 3, 4, 5))
def _matrix(model, params, x, lower, block_size, memory):
    with _full_precision():
        blocks = _blocks(model, params, x, block_size, memory)
        if len(blocks.starts) == 1:
            pieces = _in_cheapest_form(_pieces(model, params, x), memory)
            return _product(pieces, pieces, symmetric=True, mirrored=not lower)
        return _product_by_blocks(model, params, x, blocks, lower, memory)


@partial(jax.jit, static_argnums=0)
def _outputs_and_trace(model, params, x):
    with _full_precision():
        outputs, pieces = outputs_and_pieces(model, params, x)
        return outputs, sum(piece.squared_norm() for piece in pieces.values())


@partial(jax.jit, static_argnums=0)
def _layer_kernels(model, params, x):
    with _full_precision():
        pieces = _pieces(model, params, x)
        return [_kernels_of(path, piece) for path, piece in pieces.items() if isinstance(piece, LayerPiece)]


def _kernels_of(path, piece):
    d, n = piece.sensitivity.shape[:2]
    inputs, sensitivity = piece.inputs.reshape(d, -1), piece.sensitivity.reshape(d * n, -1)
    return LayerKernels(
        layer="/".join(path),
        conjugate=inputs @ inputs.T,
        sensitivity=sensitivity @ sensitivity.T,
        trace=piece.squared_norm(),
    )


def _pieces(model, params, x):
    return outputs_and_pieces(model, params, x)[1]


class _Blocks(NamedTuple):
    """Samples ``start`` … ``start + size − 1`` for each start: all samples, the last two may overlap."""

    starts: np.ndarray
    size: int


def _blocks_of(d, largest):
    """As few blocks of at most ``largest`` samples as hold ``d``, of equal size."""
    size = -(-d // -(-d // max(1, largest)))
    return _Blocks(np.unique(np.minimum(np.arange(0, d, size), d - size)), size)


def _blocks(model, params, x, block_size, memory):
    if block_size is None:
        pieces = jax.eval_shape(lambda: _pieces(model, params, x))
        held = sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(pieces))
        # Two blocks are held at once, unless one holds everything.
        block_size = len(x) if held <= memory else len(x) * memory // (2 * held)
    return _blocks_of(len(x), block_size)


def _in_cheapest_form(pieces, memory):
    """A layer applied at many positions is cheaper to multiply when it is written out (a convolution)."""

    def form(piece):
        if not isinstance(piece, LayerPiece):
            return piece
        factored, written = piece.gram_operations()
        size = jax.eval_shape(piece.written_out).jacobian
        fits = size.size * size.dtype.itemsize <= memory
        return piece.written_out() if written < factored and fits else piece

    return [form(piece) for piece in pieces.values()]


def _product(left, right, symmetric=False, mirrored=False):
    """Σ J_l J'_lᵀ, (d·n, d·n), between two sets of d samples, tile by tile.

    A ``symmetric`` product has the tiles on and below the diagonal, and if ``mirrored`` those above it.
    """
    d, n = jax.tree.leaves(left)[-1].shape[:2]
    tiles = _blocks_of(d, _tile_size(left, n))
    pairs = [(i, j) for i in tiles.starts for j in tiles.starts if j <= i or not symmetric]
    pairs = jnp.array(pairs, jnp.int32)

    def add_tile(index, theta):
        i, j = pairs[index]
        tile = _tile(_samples(left, i, tiles.size), _samples(right, j, tiles.size))
        if mirrored:
            # Without the barrier XLA computes the tile a second time, in the order of its transpose.
            tile = lax.optimization_barrier(tile)
            theta = lax.dynamic_update_slice(theta, tile.T, (j * n, i * n))
        return lax.dynamic_update_slice(theta, tile, (i * n, j * n))

    return lax.fori_loop(0, len(pairs), add_tile, jnp.zeros((d * n, d * n), _dtype(left)))


def _product_by_blocks(model, params, x, blocks, lower, memory):
    """Θ with the pieces of two blocks of samples at a time."""
    starts = jnp.asarray(blocks.starts, jnp.int32)

    def pieces_at(index):
        samples = lax.dynamic_slice_in_dim(x, starts[index], blocks.size)
        return _in_cheapest_form(_pieces(model, params, samples), memory // 2)

    shapes = jax.eval_shape(pieces_at, 0)
    n = jax.tree.leaves(shapes)[-1].shape[1]

    def add_row(row, theta):
        left = pieces_at(row)

        def add_block(column, theta):
            block = _product(left, pieces_at(column))
            if not lower:
                theta = lax.dynamic_update_slice(theta, block.T, (starts[column] * n, starts[row] * n))
            return lax.dynamic_update_slice(theta, block, (starts[row] * n, starts[column] * n))

        return lax.fori_loop(0, row + 1, add_block, theta)

    theta = jnp.zeros((len(x) * n, len(x) * n), _dtype(shapes))
    return lax.fori_loop(0, len(starts), add_row, theta)


def _tile_size(pieces, n):
    """Samples a tile: fewer where the products of a layer's positions take a tile's memory."""
    positions = max((p.inputs.shape[1] for p in pieces if isinstance(p, LayerPiece)), default=1)
    return max(1, TILE_ROWS // (n * positions))


def _samples(pieces, start, size):
    return jax.tree.map(lambda leaf: lax.dynamic_slice_in_dim(leaf, start, size), pieces)


def _tile(left, right):
    tile = sum(a.gram(b) for a, b in zip(left, right, strict=True))
    d, n, other, _ = tile.shape
    return tile.reshape(d * n, other * n)


def _dtype(pieces):
    return jnp.result_type(*jax.tree.leaves(pieces))
