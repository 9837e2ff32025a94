"""The Jacobian J of a Flax network's outputs in its parameters, one piece a layer.

J is (d·n, P): d samples, n outputs, P parameters; row i·n + k is output k of sample i. A Dense or
Conv layer's piece stays factored and is never formed. With the layer's input X and its sensitivity
S, the derivative of every output in the layer's pre-activation, the row of output k of sample i is

    Σ_p x_ip ⊗ s_ikp   for the kernel,   Σ_p s_ikp   for the bias,

p running over the positions at which the layer is applied to one sample: one for a Dense layer on
vectors, the pixels of its output for a convolution, the tokens of a sequence; a layer that is
called several times counts each call's. Every other parameter's piece is written out, sample by
sample. All of it is exact, provided that a sample's outputs depend on that sample alone.
"""

from collections import Counter
from math import prod

import jax
import jax.numpy as jnp
from flax import linen as nn
from flax import struct
from flax.core import tracers
from flax.traverse_util import flatten_dict, unflatten_dict
from jax import lax

UNROLLED_OUTPUTS = 16  # more would take longer to compile than they save
OTHER_PARAMETERS = ("other parameters",)  # the path of the piece that belongs to no layer


@struct.dataclass
class LayerPiece:
    """What one Dense or Conv layer contributes to J, factored."""

    inputs: jax.Array  # X, (d, p, w')
    sensitivity: jax.Array  # S, (d, n, p, w)
    bias: bool = struct.field(pytree_node=False)

    def gram(self, other):
        """This layer's share of the NTK between these samples and ``other``'s, (d, n, d', n).

        Σ_{p,q} (s_p · s_q)(x_p · x_q + 1): for one position, Eq. 12 of the paper with a bias.
        """
        (d, n, p, _), (d_other, _, p_other, _) = self.sensitivity.shape, other.sensitivity.shape
        sensitivities = _row_products(self.sensitivity, other.sensitivity)
        inputs = _row_products(self.inputs, other.inputs) + self.bias
        products = sensitivities.reshape(d, n, p, d_other, n, p_other)
        return jnp.sum(products * inputs.reshape(d, 1, p, d_other, 1, p_other), axis=(2, 5))

    def squared_norm(self):
        """This layer's share of Tr Θ; no product of two samples is formed."""
        if self.inputs.shape[1] == 1:
            gain = jnp.sum(self.sensitivity**2, axis=(1, 2, 3))
            return jnp.sum(gain * (jnp.sum(self.inputs**2, axis=(1, 2)) + self.bias))
        # A sample at a time: written out for all, this piece can be larger than everything else.
        return jnp.sum(lax.map(lambda one: one.written_out().squared_norm(), self.each_sample()))

    def pull_back(self, v):
        """Jᵀv (P_l,) for ``v`` (d, n)."""
        kernel = jnp.einsum("ipv,in,inpw->vw", self.inputs, v, self.sensitivity).ravel()
        bias = jnp.einsum("in,inpw->w", v, self.sensitivity) if self.bias else jnp.zeros(0, kernel.dtype)
        return jnp.concatenate([kernel, bias])

    def written_out(self):
        """The same piece as a `WrittenPiece`."""
        d, n, _, _ = self.sensitivity.shape
        kernel = jnp.einsum("ipv,inpw->invw", self.inputs, self.sensitivity).reshape(d, n, -1)
        if not self.bias:
            return WrittenPiece(kernel)
        return WrittenPiece(jnp.concatenate([kernel, jnp.sum(self.sensitivity, axis=2)], axis=-1))

    def each_sample(self):
        """This piece with a leading axis over samples, each of them a piece of one sample."""
        return jax.tree.map(lambda leaf: leaf[:, None], self)

    def gram_operations(self):
        """Multiplications of `gram` with itself, and those of writing out and multiplying that."""
        d, n, p, w = self.sensitivity.shape
        rows, parameters = d * n, (self.inputs.shape[2] + self.bias) * w
        # Adding up the products over pairs of positions is bound by memory: eight times its count.
        factored = rows**2 * p**2 * (w + 8) + d**2 * p**2 * self.inputs.shape[2]
        return factored, rows * p * parameters + rows**2 * parameters


@struct.dataclass
class WrittenPiece:
    """Columns of J written out."""

    jacobian: jax.Array  # (d, n, P_l)

    def gram(self, other):
        """These parameters' share of the NTK between these samples and ``other``'s, (d, n, d', n)."""
        d, n, _ = self.jacobian.shape
        return _row_products(self.jacobian, other.jacobian).reshape(d, n, -1, n)

    def squared_norm(self):
        return jnp.sum(self.jacobian**2)

    def pull_back(self, v):
        """Jᵀv (P_l,) for ``v`` (d, n)."""
        return jnp.einsum("in,inv->v", v, self.jacobian)


def _row_products(left, right):
    """All products of a row of ``left`` with one of ``right``; rows lie along the last axis."""
    return left.reshape(-1, left.shape[-1]) @ right.reshape(-1, right.shape[-1]).T


def outputs_and_pieces(model, params, x):
    """The outputs (d, n) of ``model`` on ``x`` (d, …), and J's pieces by the path of their layer.

    ``params`` is what ``model.apply`` takes; derivatives are taken in its collection "params".
    Layers come in the order of their first call; `OTHER_PARAMETERS` last, where there are any. A layer
    inside another transformation of the network (scan, remat, jit) is among the others.
    Raises ValueError for outputs of another shape.
    """
    shapes, layers = _capturable(model, params, x)
    if len(shapes.shape) != 2 or shapes.shape[0] != x.shape[0]:
        raise ValueError(f"outputs are {shapes.shape} for {x.shape[0]} samples: (samples, outputs) is needed")
    outputs, pieces = _layer_pieces(model, params, x, shapes, layers)
    others = [path for path in flatten_dict(params["params"]) if path[:-1] not in layers]
    if others:
        pieces[OTHER_PARAMETERS] = WrittenPiece(_per_sample_jacobian(model, params, x, others))
    return outputs, pieces


def _capturable(model, params, x):
    """The outputs' shape, and the paths of the layers whose piece can be factored."""
    refused = []
    outputs, inputs, _ = jax.eval_shape(lambda: _run(model, params, x, refused=refused))
    return outputs, list(dict.fromkeys(path for path, _ in inputs if path not in refused))


def _layer_pieces(model, params, x, shapes, layers):
    _, _, pre_activations = jax.eval_shape(lambda: _run(model, params, x, layers))
    zeros = jax.tree.map(lambda z: jnp.zeros(z.shape, z.dtype), pre_activations)

    def forward(perturbations):
        outputs, inputs, _ = _run(model, params, x, layers, perturbations)
        return outputs, (outputs, inputs)

    _, backward, (outputs, inputs) = jax.vjp(forward, zeros, has_aux=True)
    d, n = shapes.shape
    one_hot = jnp.broadcast_to(jnp.eye(n, dtype=shapes.dtype)[:, None, :], (n, d, n))
    (sensitivities,) = _for_each_output(backward, one_hot, any(rows.shape[1] > 1 for rows in inputs.values()))
    leaves, pieces = flatten_dict(params["params"]), {}
    for path in layers:
        calls = [key for key in inputs if key[0] == path]
        columns = [sensitivities[key].reshape(d, n, -1, sensitivities[key].shape[-1]) for key in calls]
        # A layer may compute in less than the precision of its parameters, products of its rows may not.
        precision = jnp.result_type(leaves[(*path, "kernel")], *(inputs[key] for key in calls))
        pieces[path] = LayerPiece(
            inputs=jnp.concatenate([inputs[key] for key in calls], axis=1, dtype=precision),
            sensitivity=jnp.concatenate(columns, axis=2, dtype=precision),
            bias=(*path, "bias") in leaves,
        )
    return outputs, pieces


def _for_each_output(backward, one_hot, several_positions):
    """``backward`` of the cotangents ``one_hot`` (n, d, n), its results' leaves (d, n, …)."""
    # Dense layers make one product of all outputs. A pooling layer's backward pass for all outputs at
    # once takes XLA three times as long on a CPU as that for one after the other.
    if several_positions and len(one_hot) <= UNROLLED_OUTPUTS:
        results = [backward(cotangent) for cotangent in one_hot]
        return jax.tree.map(lambda *leaves: jnp.stack(leaves, axis=1), *results)
    return jax.vmap(backward, out_axes=1)(one_hot)


def _run(model, params, x, layers=None, perturbations=None, refused=None):
    """Outputs; each layer call's input (d, p, w') and pre-activation, by (path, number of the call).

    ``perturbations`` are added to the pre-activations: derivatives in them are the sensitivities.
    ``layers`` restricts all this to some paths; the paths of layers that cannot be factored are
    appended to ``refused``.
    """
    inputs, pre_activations, calls = {}, {}, Counter()

    def record(call, args, kwargs, context):
        module, path = context.module, context.module.path
        output = call(*args, **kwargs)
        if context.method_name != "__call__" or type(module) not in INPUT_ROWS:
            return output
        if layers is not None and path not in layers:
            return output
        # In the type in which the layer multiplies it: products of an image's integers would overflow.
        multiplied = jnp.asarray(args[0] if args else kwargs["inputs"], output.dtype)
        rows = INPUT_ROWS[type(module)](module, multiplied, x.shape[0])
        # What a transformation inside the network computes cannot be carried out of it.
        if rows is None or tracers.current_trace() != outermost:
            refused.append(path)
            return output
        key = path, calls[path]
        calls[path] += 1
        inputs[key], pre_activations[key] = rows, output
        return output if perturbations is None else output + perturbations[key]

    outermost = tracers.current_trace()
    with nn.intercept_methods(record):
        outputs = model.apply(params, x)
    return outputs, inputs, pre_activations


def _dense_rows(layer, inputs, samples):
    """A Dense layer's input as (d, positions, w'); None where that is not what it multiplies."""
    if layer.dot_general or layer.dot_general_cls or inputs.ndim < 2 or inputs.shape[0] % samples:
        return None
    return inputs.reshape(samples, -1, inputs.shape[-1])


def _conv_rows(layer, inputs, samples):
    """The patch under the kernel at each position, (d, positions, w'); None where it has another form."""
    kernel = _per_dimension(layer.kernel_size, 1)
    rank = len(kernel)
    padding = _explicit_padding(layer.padding, rank)
    own_product = layer.conv_general_dilated or layer.conv_general_dilated_cls
    plain = layer.feature_group_count == 1 and layer.mask is None and not own_product
    if not plain or padding is None or inputs.ndim != rank + 2 or inputs.shape[0] != samples:
        return None
    letters = "DHW"[-rank:]
    patches = lax.conv_general_dilated_patches(
        inputs,
        kernel,
        window_strides=_per_dimension(layer.strides, rank),
        padding=padding,
        lhs_dilation=_per_dimension(layer.input_dilation, rank),
        rhs_dilation=_per_dimension(layer.kernel_dilation, rank),
        dimension_numbers=(f"N{letters}C", f"{letters}IO", f"N{letters}C"),
    )
    return patches.reshape(samples, prod(patches.shape[1:-1]), patches.shape[-1])


INPUT_ROWS = {nn.Dense: _dense_rows, nn.Conv: _conv_rows}


def _per_dimension(value, rank):
    if value is None:
        return (1,) * rank
    return (value,) * rank if isinstance(value, int) else tuple(value)


def _explicit_padding(padding, rank):
    """``padding`` as XLA takes it; None for the kinds that Flax adds to those (circular, causal, …)."""
    if isinstance(padding, str):
        return padding if padding in ("SAME", "VALID") else None
    pads = _per_dimension(padding, rank)
    return [(pad, pad) if isinstance(pad, int) else tuple(pad) for pad in pads]


def _per_sample_jacobian(model, params, x, paths):
    """(d, n, P'), the outputs' derivatives in the parameters at ``paths`` alone."""
    leaves = flatten_dict(params["params"])

    def outputs(chosen, sample):
        own = unflatten_dict({**leaves, **chosen})
        return model.apply({**params, "params": own}, sample[None])[0]

    chosen = {path: leaves[path] for path in paths}
    jacobian = jax.vmap(jax.jacrev(outputs), in_axes=(None, 0))(chosen, x)
    return jnp.concatenate([leaf.reshape(*leaf.shape[:2], -1) for leaf in jacobian.values()], axis=-1)
