"""The Jacobian J of a Flax network's outputs with respect to its parameters, one piece per layer.

J is (d·n, P): d samples, n outputs, P parameters; row i·n + k is output k of sample i. The piece of a Dense
or Conv layer is stored as two factors and its columns of J are never formed. The factors are the layer's
input X and its sensitivity S, the derivative of every output with respect to the layer's pre-activation. The
row of output k of sample i is

    Σ_p x_ip ⊗ s_ikp   for the kernel,   Σ_p s_ikp   for the bias,

where p runs over the positions at which the layer is applied to one sample: one for a Dense layer on
vectors, the pixels of its output for a convolution, the tokens of a sequence. A layer that is called several
times has the positions of every call. The piece of all other parameters is written out, sample by sample.
All of it is exact, provided that a sample's outputs depend on that sample alone.

Axis names: p positions, w the layer's outputs (units or filters), v its inputs (the values under the kernel).
"""

# JAX's and Flax's functions are annotated in part.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias, cast

import jax
import jax.numpy as jnp
from flax import linen as nn
from flax import struct
from flax.core import tracers
from flax.traverse_util import unflatten_dict
from jax import lax
from jaxtyping import Array, Float, Inexact, Shaped

from ntklens.kernel.arguments import check_outputs
from ntklens.kernel.layer_inputs import INPUT_ROWS, has_own_kernel
from ntklens.kernel.network import Network, ParameterPath, Params, Path, Samples, by_path

UNROLLED_OUTPUTS = 16  # unrolling more would take longer to compile than it saves
OTHER_PARAMETERS: Path = ("other parameters",)  # the path of the piece that belongs to no layer


@struct.dataclass
class LayerPiece:
    """The columns of J that belong to one Dense or Conv layer, as two factors."""

    # JAX also makes instances with other shapes or with placeholders, so the tests do not check the fields.
    __no_type_check__ = True

    inputs: Float[Array, "d p v"]  # X
    sensitivity: Float[Array, "d n p w"]  # S
    bias: bool = struct.field(pytree_node=False)

    def gram(self, other: "LayerPiece") -> Float[Array, "d n e n"]:
        """This layer's share of the NTK between these d samples and the e samples of ``other``.

        Σ_{p,q} (s_p · s_q)(x_p · x_q + 1): for one position, Eq. 12 of the paper with a bias.
        """
        (d, n, p, _), (d_other, _, p_other, _) = self.sensitivity.shape, other.sensitivity.shape
        sensitivities = _row_products(self.sensitivity, other.sensitivity)
        inputs = _row_products(self.inputs, other.inputs) + self.bias
        products = sensitivities.reshape(d, n, p, d_other, n, p_other)
        return jnp.sum(products * inputs.reshape(d, 1, p, d_other, 1, p_other), axis=(2, 5))

    def squared_norm(self) -> Float[Array, ""]:
        """This layer's share of Tr Θ. Products between different samples are not formed."""
        if self.inputs.shape[1] == 1:
            gain = jnp.sum(self.sensitivity**2, axis=(1, 2, 3))
            return jnp.sum(gain * (jnp.sum(self.inputs**2, axis=(1, 2)) + self.bias))
        # One sample at a time: written out for all samples, this piece can be larger than everything else.
        return jnp.sum(cast(Array, lax.map(_written_norm, self.each_sample())))

    def pull_back(self, v: Float[Array, "d n"]) -> Float[Array, " P_l"]:
        """Jᵀv for this layer's parameters."""
        kernel = jnp.einsum("ipv,in,inpw->vw", self.inputs, v, self.sensitivity).ravel()
        bias = jnp.einsum("in,inpw->w", v, self.sensitivity) if self.bias else jnp.zeros(0, kernel.dtype)
        return jnp.concatenate([kernel, bias])

    def written_out(self) -> "WrittenPiece":
        """The same piece as a `WrittenPiece`."""
        d, n, _, _ = self.sensitivity.shape
        kernel = jnp.einsum("ipv,inpw->invw", self.inputs, self.sensitivity).reshape(d, n, -1)
        if not self.bias:
            return WrittenPiece(kernel)
        return WrittenPiece(jnp.concatenate([kernel, jnp.sum(self.sensitivity, axis=2)], axis=-1))

    def each_sample(self) -> "LayerPiece":
        """A piece for each sample alone, stacked along a leading axis."""
        return LayerPiece(self.inputs[:, None], self.sensitivity[:, None], self.bias)

    def gram_operations(self) -> tuple[int, int]:
        """The multiplications of `gram` with itself, from the factors and from the piece written out."""
        d, n, p, w = self.sensitivity.shape
        rows, parameters = d * n, (self.inputs.shape[2] + self.bias) * w
        # Memory bandwidth limits the sum over pairs of positions: it takes as long as 8 times its operations.
        factored = rows**2 * p**2 * (w + 8) + d**2 * p**2 * self.inputs.shape[2]
        return factored, rows * p * parameters + rows**2 * parameters


@struct.dataclass
class WrittenPiece:
    """Columns of J, written out."""

    __no_type_check__ = True  # as in `LayerPiece`

    jacobian: Float[Array, "d n P_l"]

    def gram(self, other: "WrittenPiece") -> Float[Array, "d n e n"]:
        """These parameters' share of the NTK between these d samples and the e samples of ``other``."""
        d, n, _ = self.jacobian.shape
        return _row_products(self.jacobian, other.jacobian).reshape(d, n, -1, n)

    def squared_norm(self) -> Float[Array, ""]:
        """These parameters' share of Tr Θ."""
        return jnp.sum(self.jacobian**2)

    def pull_back(self, v: Float[Array, "d n"]) -> Float[Array, " P_l"]:
        """Jᵀv for these parameters."""
        return jnp.einsum("in,inv->v", v, self.jacobian)


Piece: TypeAlias = LayerPiece | WrittenPiece

# Values for each call of a layer, by the layer's path and the number of the call.
ByCall: TypeAlias = dict[tuple[Path, int], Array]
Backward: TypeAlias = Callable[[Array], tuple[ByCall]]


def _written_norm(piece: LayerPiece) -> Float[Array, ""]:
    return piece.written_out().squared_norm()


def _row_products(
    left: Float[Array, "*rows v"], right: Float[Array, "*others v"]
) -> Float[Array, "rows others"]:
    """The products of every row of ``left`` with every row of ``right``; rows lie along the last axis."""
    return left.reshape(-1, left.shape[-1]) @ right.reshape(-1, right.shape[-1]).T


def outputs_and_pieces(
    model: Network, params: Params, x: Samples
) -> tuple[Inexact[Array, "d n"], dict[Path, Piece]]:
    """The outputs of ``model`` on ``x``, and J's pieces by the path of their layer.

    Derivatives are taken with respect to the collection "params" of ``params``. The layers come in the order
    of their first call. All other parameters share a last piece, `OTHER_PARAMETERS`: those of no Dense or
    Conv layer, and those of a layer inside another transformation of the network (scan, remat, jit) or
    called by another path than its parameters'.
    Raises UnusableArgumentError if the outputs are not a matrix with one row per sample.
    """
    shapes, layers = _capturable(model, params, x)
    check_outputs(shapes, x.shape[0])
    outputs, pieces = _layer_pieces(model, params, x, shapes, layers)
    others = [path for path in by_path(params["params"]) if path[:-1] not in layers]
    if others:
        pieces[OTHER_PARAMETERS] = WrittenPiece(_per_sample_jacobian(model, params, x, others))
    return outputs, pieces


def _capturable(model: Network, params: Params, x: Samples) -> tuple[jax.ShapeDtypeStruct, list[Path]]:
    """The outputs' shape, and the paths of the layers whose piece can be factored.

    These are called at as many positions of a sample whatever the number of samples. Without that condition
    an axis that happens to be as long as that of the samples would be taken for it.
    """
    (outputs, calls), (_, with_another) = (_calls(model, params, x, len(x) + more) for more in (0, 1))
    return outputs, [path for path in calls if calls[path] == with_another.get(path)]


def _calls(
    model: Network, params: Params, x: Samples, samples: int
) -> tuple[jax.ShapeDtypeStruct, dict[Path, list[int]]]:
    """The outputs' shape for ``samples`` like those of ``x``, and by layer the positions in each call.

    Layers that cannot be factored are left out.
    """
    called: list[tuple[Path, int]] = []  # JAX would return a dictionary's keys in alphabetical order
    refused: list[Path] = []

    def run(x: Samples) -> tuple[Any, ByCall, ByCall]:
        return _run(model, params, x, called=called, refused=refused)

    outputs, _, _ = jax.eval_shape(run, jax.ShapeDtypeStruct((samples, *x.shape[1:]), jnp.result_type(x)))
    calls: dict[Path, list[int]] = {}
    for path, positions in called:
        if path not in refused:
            calls.setdefault(path, []).append(positions)
    return outputs, calls


def _layer_pieces(
    model: Network, params: Params, x: Samples, shapes: jax.ShapeDtypeStruct, layers: Sequence[Path]
) -> tuple[Inexact[Array, "d n"], dict[Path, Piece]]:
    """The outputs, of the shape and type of ``shapes``, and the pieces of ``layers``."""
    _, _, pre_activations = jax.eval_shape(lambda: _run(model, params, x, layers))
    zeros = {call: jnp.zeros(z.shape, z.dtype) for call, z in pre_activations.items()}

    def forward(perturbations: ByCall) -> tuple[Array, tuple[Array, ByCall]]:
        outputs, inputs, _ = _run(model, params, x, layers, perturbations)
        return outputs, (outputs, inputs)

    _, backward, (outputs, inputs) = jax.vjp(forward, zeros, has_aux=True)
    d, n = shapes.shape
    one_hot = jnp.broadcast_to(jnp.eye(n, dtype=shapes.dtype)[:, None, :], (n, d, n))
    several_positions = any(rows.shape[1] > 1 for rows in inputs.values())
    (sensitivities,) = _for_each_output(cast("Backward", backward), one_hot, several_positions)
    leaves = by_path(params["params"])
    pieces: dict[Path, Piece] = {}
    for path in layers:
        calls = [key for key in inputs if key[0] == path]
        columns = [sensitivities[key].reshape(d, n, -1, sensitivities[key].shape[-1]) for key in calls]
        # A layer may compute in a lower precision than that of its parameters; products of its rows may not.
        precision = jnp.result_type(leaves[(*path, "kernel")], *(inputs[key] for key in calls))
        pieces[path] = LayerPiece(
            inputs=jnp.concatenate([inputs[key] for key in calls], axis=1, dtype=precision),
            sensitivity=jnp.concatenate(columns, axis=2, dtype=precision),
            bias=(*path, "bias") in leaves,
        )
    return outputs, pieces


def _for_each_output(
    backward: Backward, one_hot: Inexact[Array, "n d n"], several_positions: bool
) -> tuple[ByCall]:
    """The result of ``backward`` for each of the cotangents ``one_hot``; its leaves are (d, n, …)."""
    # Dense layers make one product of all outputs. The backward pass of a pooling layer for all outputs at
    # once takes XLA three times as long on a CPU as one output after the other.
    if several_positions and len(one_hot) <= UNROLLED_OUTPUTS:
        results = [backward(cotangent) for cotangent in one_hot]
        return jax.tree.map(lambda *leaves: jnp.stack(leaves, axis=1), *results)
    return jax.vmap(backward, out_axes=1)(one_hot)


def _run(
    model: Network,
    params: Params,
    x: Samples,
    layers: Sequence[Path] | None = None,
    perturbations: ByCall | None = None,
    called: list[tuple[Path, int]] | None = None,
    refused: list[Path] | None = None,
) -> tuple[Any, ByCall, ByCall]:
    """The outputs, and the input (d, p, v) and the pre-activation of each call of a layer.

    ``perturbations`` are added to the pre-activations: the derivatives with respect to them are the
    sensitivities. Only calls of ``layers`` are recorded, by default those of all layers. Their paths and
    numbers of positions are appended to ``called``, paths of layers that cannot be factored to ``refused``.
    """
    inputs: ByCall = {}
    pre_activations: ByCall = {}
    calls: Counter[Path] = Counter()
    leaves = by_path(params["params"])

    def record(
        call: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        context: nn.module.InterceptorContext,
    ) -> Any:
        module, path = context.module, context.module.path
        output = call(*args, **kwargs)
        if context.method_name != "__call__" or type(module) not in INPUT_ROWS:
            return output
        if layers is not None and path not in layers:
            return output
        # Converted to the type in which the layer multiplies: products of an image's integers would overflow.
        multiplied = jnp.asarray(args[0] if args else kwargs["inputs"], output.dtype)
        own = has_own_kernel(module, leaves)
        rows = INPUT_ROWS[type(module)](module, multiplied, x.shape[0]) if own else None
        # A complex layer has no real sensitivity. A value that is computed inside a transformation of the
        # network cannot leave it.
        if rows is None or jnp.iscomplexobj(output) or tracers.current_trace() != outermost:
            assert refused is not None, "a layer that was captured before is refused now"
            refused.append(path)
            return output
        key = path, calls[path]
        calls[path] += 1
        if called is not None:
            called.append((path, rows.shape[1]))
        inputs[key], pre_activations[key] = rows, output
        return output if perturbations is None else output + perturbations[key]

    outermost = tracers.current_trace()
    with nn.intercept_methods(record):
        outputs = model.apply(params, x)
    return outputs, inputs, pre_activations


def _per_sample_jacobian(
    model: Network, params: Params, x: Samples, paths: Sequence[ParameterPath]
) -> Float[Array, "d n P_l"]:
    """The derivatives of the outputs with respect to the parameters at ``paths``."""
    leaves = by_path(params["params"])

    def outputs(chosen: dict[ParameterPath, Any], sample: Shaped[Array, "..."]) -> Inexact[Array, " n"]:
        own = unflatten_dict({**leaves, **chosen})
        return model.apply({**params, "params": own}, sample[None])[0]

    chosen = {path: leaves[path] for path in paths}
    derivatives = cast("Callable[..., dict[ParameterPath, Array]]", jax.jacrev(outputs))
    jacobian = jax.vmap(derivatives, in_axes=(None, 0))(chosen, x)
    return jnp.concatenate([leaf.reshape(*leaf.shape[:2], -1) for leaf in jacobian.values()], axis=-1)
