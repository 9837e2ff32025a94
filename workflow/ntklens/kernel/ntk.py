"""The neural tangent kernel Θ = J Jᵀ of any Flax network, exact.

With n outputs and d samples, J is the (d·n, P) Jacobian of the outputs with respect to all P parameters. Row
i·n + k is output k of sample i; outputs are never averaged (App. A). Θ is the sum of the contributions of J's
pieces, one per layer (`ntklens.kernel.jacobian`): for Dense and Conv layers nothing as large as their
parameters is formed. At the first use of a network on a shape, the pieces are compared with a gradient
(`ntklens.kernel.selfcheck`).

``model`` is a Flax Linen module, or any object with an ``apply(params, x)``; `ntklens.kernel.static_model`
says which models share a compiled program. ``params`` is the first argument of ``apply``, with the parameters
to differentiate in the collection "params". The samples ``x`` have any type that the network takes: integer
images give the same result as their floating-point copies. All functions are compiled, work under
``jax.jit``, ``jax.vmap`` and ``jax.lax.map``, and compute in the precision of ``params``.
"""

# JAX's functions are annotated in part.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple, TypeAlias, cast

import jax
import jax.numpy as jnp
import numpy as np
from flax import struct
from jax import lax
from jaxtyping import Array, Float, Inexact, Int

from ntklens.kernel.arguments import as_samples, check_blocks, in_native_order, usable_arguments
from ntklens.kernel.jacobian import LayerPiece, Piece, outputs_and_pieces
from ntklens.kernel.memory import PIECES_MEMORY as MEMORY
from ntklens.kernel.network import Network, Params, Path, Samples
from ntklens.kernel.selfcheck import check_once
from ntklens.kernel.static_model import StaticModel

TILE_ROWS = 384  # rows of Θ in a tile: its product fits a core's cache, and is large enough to be fast

# Samples as an array, or as a list that JAX turns into one.
SamplesLike: TypeAlias = Samples | Sequence[Any]


@struct.dataclass
class LayerKernels:
    """One layer's kernels.

    The share in the NTK of a Dense layer on vectors is sensitivity ∘ ((conjugate + 1) ⊗ 1), Eq. 12; without
    the + 1 if it has no bias. Of a layer with several positions the two kernels do not tell the share: it has
    products between positions (`jacobian.LayerPiece`).
    """

    # JAX also makes instances with other shapes or with placeholders, so the tests do not check the fields.
    __no_type_check__ = True

    layer: str = struct.field(pytree_node=False)  # its path, such as "hidden_1"
    conjugate: Float[Array, "d d"]  # C_{l−1} = X_{l−1} X_{l−1}ᵀ of the layer's input, Eq. 10
    sensitivity: Float[Array, "d*n d*n"]  # Σ_l = S_l S_lᵀ, Eq. 13
    trace: Float[Array, ""]  # this layer's share of Tr Θ


def ntk_matrix(
    model: Network,
    params: Params,
    x: SamplesLike,
    *,
    lower: bool = False,
    block_size: int | None = None,
    memory: int = MEMORY,
) -> Float[Array, "N N"]:
    """The NTK Θ of ``model`` at ``params`` on the d samples ``x``, of N = d·n rows.

    With ``lower`` only the lower triangle is computed, for a symmetric eigenvalue solver; the entries above
    it are undefined. J's pieces are held for ``block_size`` samples at once and recomputed for each pair of
    blocks. By default a block has as many samples as fit in ``memory`` bytes, usually all. Raises as
    `ntk_trace`.
    """
    return outputs_and_matrix(model, params, x, lower=lower, block_size=block_size, memory=memory)[1]


def outputs_and_matrix(
    model: Network,
    params: Params,
    x: SamplesLike,
    *,
    lower: bool = False,
    block_size: int | None = None,
    memory: int = MEMORY,
) -> tuple[Inexact[Array, "d n"], Float[Array, "N N"]]:
    """The outputs on the samples ``x`` and the NTK there. Other arguments and errors as for `ntk_matrix`."""
    params, x = usable_arguments(model, params, x)
    check_blocks(block_size, memory)
    check_once(model, params, x)
    return _outputs_and_matrix(StaticModel(model), params, x, lower, block_size, memory)


def ntk_trace(model: Network, params: Params, x: SamplesLike) -> Float[Array, ""]:
    """Tr Θ of ``model`` at ``params`` on the samples ``x``, not divided by anything; Θ is not formed.

    Raises `arguments.UnusableArgumentError` if an argument is not what it has to be, such as outputs that are
    not (d, n), and `selfcheck.InexactNtkError` if the network mixes samples or also uses a layer's kernel
    outside the layer. Both are ValueErrors.
    """
    return jnp.sum(outputs_and_layer_traces(model, params, x)[1])


def outputs_and_layer_traces(
    model: Network, params: Params, x: SamplesLike
) -> tuple[Inexact[Array, "d n"], Float[Array, " layers"]]:
    """The outputs on the samples ``x`` and each layer's share of Tr Θ there, from one forward pass.

    The layers come in the order of `layer_names`. Raises as `ntk_trace`.
    """
    params, x = usable_arguments(model, params, x)
    check_once(model, params, x)
    return _outputs_and_layer_traces(StaticModel(model), params, x)


def layer_names(model: Network, params: Params, x: SamplesLike) -> tuple[str, ...]:
    """The path of every plain Dense and Conv layer, such as "hidden_1", in the order of their first calls.

    If there are other parameters, the name of their piece of J follows. Among them are those of layers that
    are not plain: of subclasses; masked, grouped, circular or causal convolutions; layers with a product of
    their own; layers inside a scan, remat, jit or vmap of the network; layers to which ``apply`` gives other
    parameters than those at their path. Nothing is computed: the shapes of ``params`` suffice. Raises
    ValueError as `ntk_trace`.
    """
    names: list[str] = []

    def note_names(params: Params, x: Samples) -> None:
        names.extend("/".join(path) for path in _pieces(StaticModel(model), params, x))

    jax.eval_shape(note_names, in_native_order(params), as_samples(x))
    return tuple(names)


def layer_kernels(model: Network, params: Params, x: SamplesLike) -> list[LayerKernels]:
    """The `LayerKernels` of every plain Dense and Conv layer (`layer_names`), in that order.

    Their traces add up to that of the NTK if there are no other parameters. If a layer is applied at several
    positions of a sample (a convolution), the sample's vectors X and S are those of its positions,
    concatenated. Raises as `ntk_trace`.
    """
    params, x = usable_arguments(model, params, x)
    check_once(model, params, x)
    return _layer_kernels(StaticModel(model), params, x)


def layer_pieces(model: Network, params: Params, x: SamplesLike) -> list[LayerPiece]:
    """The two factors of the piece of J of every plain Dense and Conv layer, in the order of `layer_names`.

    For a dense network they are far smaller than its `layer_kernels`. Raises as `ntk_trace`.
    """
    params, x = usable_arguments(model, params, x)
    check_once(model, params, x)
    return _layer_pieces(StaticModel(model), params, x)


# Recent GPUs round float32 products to TF32 by default.
_full_precision = partial(jax.default_matmul_precision, "highest")


@partial(jax.jit, static_argnums=(0, 3, 4, 5))
def _outputs_and_matrix(
    model: StaticModel, params: Params, x: Samples, lower: bool, block_size: int | None, memory: int
) -> tuple[Inexact[Array, "d n"], Float[Array, "N N"]]:
    with _full_precision():
        blocks = _blocks(model, params, x, block_size, memory)
        if len(blocks.starts) == 1:
            outputs, found = outputs_and_pieces(model, params, x)
            pieces = _in_cheapest_form(found, memory)
            return outputs, _product(pieces, pieces, symmetric=True, mirrored=not lower)
        return model.apply(params, x), _product_by_blocks(model, params, x, blocks, lower, memory)


@partial(jax.jit, static_argnums=0)
def _outputs_and_layer_traces(
    model: StaticModel, params: Params, x: Samples
) -> tuple[Inexact[Array, "d n"], Float[Array, " layers"]]:
    with _full_precision():
        outputs, pieces = outputs_and_pieces(model, params, x)
        return outputs, jnp.stack([piece.squared_norm() for piece in pieces.values()])


@partial(jax.jit, static_argnums=0)
def _layer_pieces(model: StaticModel, params: Params, x: Samples) -> list[LayerPiece]:
    with _full_precision():
        return [p for p in _pieces(model, params, x).values() if isinstance(p, LayerPiece)]


@partial(jax.jit, static_argnums=0)
def _layer_kernels(model: StaticModel, params: Params, x: Samples) -> list[LayerKernels]:
    with _full_precision():
        pieces = _pieces(model, params, x)
        return [_kernels_of(path, piece) for path, piece in pieces.items() if isinstance(piece, LayerPiece)]


def _kernels_of(path: Path, piece: LayerPiece) -> LayerKernels:
    d, n = piece.sensitivity.shape[:2]
    inputs, sensitivity = piece.inputs.reshape(d, -1), piece.sensitivity.reshape(d * n, -1)
    return LayerKernels(
        layer="/".join(path),
        conjugate=inputs @ inputs.T,
        sensitivity=sensitivity @ sensitivity.T,
        trace=piece.squared_norm(),
    )


def _pieces(model: StaticModel, params: Params, x: Samples) -> dict[Path, Piece]:
    return outputs_and_pieces(model, params, x)[1]


class _Blocks(NamedTuple):
    """Blocks of samples ``start`` … ``start + size − 1`` that cover all samples. The last two may overlap."""

    starts: Int[np.ndarray, " blocks"]
    size: int


def _blocks_of(d: int, largest: int) -> _Blocks:
    """The fewest blocks of equal size, at most ``largest`` samples, that hold ``d`` samples."""
    size = -(-d // -(-d // max(1, largest)))
    return _Blocks(np.unique(np.minimum(np.arange(0, d, size), d - size)), size)


def _blocks(model: StaticModel, params: Params, x: Samples, block_size: int | None, memory: int) -> _Blocks:
    """The blocks of samples whose pieces are held at once."""
    if block_size is None:
        pieces = jax.eval_shape(lambda: _pieces(model, params, x))
        held = sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(pieces))
        # Two blocks are held at once, unless one holds everything.
        block_size = len(x) if held <= memory else len(x) * memory // (2 * held)
    return _blocks_of(len(x), block_size)


def _in_cheapest_form(pieces: dict[Path, Piece], memory: int) -> list[Piece]:
    """The pieces, written out if their product is then cheaper: for many positions, as in a convolution."""

    def form(piece: Piece) -> Piece:
        if not isinstance(piece, LayerPiece):
            return piece
        factored, written = piece.gram_operations()
        size = jax.eval_shape(piece.written_out).jacobian
        fits = size.size * size.dtype.itemsize <= memory
        return piece.written_out() if written < factored and fits else piece

    return [form(piece) for piece in pieces.values()]


def _product(
    left: list[Piece], right: list[Piece], symmetric: bool = False, mirrored: bool = False
) -> Float[Array, "rows rows"]:
    """Σ J_l J'_lᵀ, (d·n, d·n), between two sets of d samples, tile by tile.

    If ``symmetric``, only tiles on and below the diagonal are computed; ``mirrored`` copies them above it.
    """
    d, n = jax.tree.leaves(left)[-1].shape[:2]
    tiles = _blocks_of(d, _tile_size(left, n))
    pairs = [(i, j) for i in tiles.starts for j in tiles.starts if j <= i or not symmetric]
    pairs = jnp.array(pairs, jnp.int32)

    def add_tile(index: Int[Array, ""], theta: Float[Array, "rows rows"]) -> Float[Array, "rows rows"]:
        i, j = pairs[index]
        tile = _tile(_samples(left, i, tiles.size), _samples(right, j, tiles.size))
        if mirrored:
            # Without the barrier XLA computes the tile twice, the second time in the order of its transpose.
            tile = lax.optimization_barrier(tile)
            theta = lax.dynamic_update_slice(theta, tile.T, (j * n, i * n))
        return lax.dynamic_update_slice(theta, tile, (i * n, j * n))

    return lax.fori_loop(0, len(pairs), add_tile, jnp.zeros((d * n, d * n), _dtype(left)))


def _product_by_blocks(
    model: StaticModel, params: Params, x: Samples, blocks: _Blocks, lower: bool, memory: int
) -> Float[Array, "N N"]:
    """Θ, holding the pieces of two blocks of samples at a time."""
    starts = jnp.asarray(blocks.starts, jnp.int32)

    def pieces_at(index: Int[Array, ""]) -> list[Piece]:
        samples = lax.dynamic_slice_in_dim(x, starts[index], blocks.size)
        return _in_cheapest_form(_pieces(model, params, samples), memory // 2)

    shapes = jax.eval_shape(pieces_at, 0)
    n = jax.tree.leaves(shapes)[-1].shape[1]

    def add_row(row: Int[Array, ""], theta: Float[Array, "N N"]) -> Float[Array, "N N"]:
        left = pieces_at(row)

        def add_block(column: Int[Array, ""], theta: Float[Array, "N N"]) -> Float[Array, "N N"]:
            block = _product(left, pieces_at(column))
            if not lower:
                theta = lax.dynamic_update_slice(theta, block.T, (starts[column] * n, starts[row] * n))
            return lax.dynamic_update_slice(theta, block, (starts[row] * n, starts[column] * n))

        return lax.fori_loop(0, row + 1, add_block, theta)

    theta = jnp.zeros((len(x) * n, len(x) * n), _dtype(shapes))
    return lax.fori_loop(0, len(starts), add_row, theta)


def _tile_size(pieces: list[Piece], n: int) -> int:
    """Samples per tile: fewer if a layer has several positions, whose products take up the tile's memory."""
    positions = max((p.inputs.shape[1] for p in pieces if isinstance(p, LayerPiece)), default=1)
    return max(1, TILE_ROWS // (n * positions))


def _samples(pieces: list[Piece], start: Int[Array, ""], size: int) -> list[Piece]:
    """The pieces of ``size`` samples from ``start``."""

    def samples(leaf: Float[Array, "d ..."]) -> Float[Array, "size ..."]:
        return lax.dynamic_slice_in_dim(leaf, start, size)

    return jax.tree.map(samples, pieces)


def _tile(left: list[Any], right: list[Any]) -> Float[Array, "rows columns"]:
    """Σ J_l J'_lᵀ between all samples of ``left`` and of ``right``, in one product per piece."""
    tile = cast(Array, sum(a.gram(b) for a, b in zip(left, right, strict=True)))
    d, n, other, _ = tile.shape
    return tile.reshape(d * n, other * n)


def _dtype(pieces: list[Piece]) -> np.dtype[Any]:
    return jnp.result_type(*jax.tree.leaves(pieces))
