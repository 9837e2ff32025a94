"""The neural tangent kernel Θ = J Jᵀ of a Flax network made of Dense layers, in structured form.

With n outputs and d samples, J is the (d·n, P) Jacobian of the outputs with respect to all P
parameters; row i·n + k is output k of sample i. Nothing of size P is ever formed: for a layer with
input X (d, w') and sensitivity S (d·n, w), the derivative of every output with respect to that
layer's pre-activation, the kernel's share is

    (S Sᵀ) ∘ ((X Xᵀ + 1) ⊗ 1_{n×n}),

Eq. 12 of the paper for several outputs; the + 1 is the bias. The sum over layers is exact, provided
that a sample's outputs depend on that sample alone.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from flax import linen as nn


class LayerFactors(NamedTuple):
    """What one Dense layer contributes to the kernel."""

    inputs: jax.Array  # X, (d, w')
    sensitivity: jax.Array  # S, (d, n, w)
    bias: float  # 1 where the layer has a bias, else 0


def ntk_matrix(model, params, x):
    """The NTK, (d·n, d·n), of ``model`` at ``params`` on the samples ``x`` (d, n₀).

    Rows are sample-major and outputs are never averaged over (App. A). Raises as `layer_factors`.
    """
    theta = 0.0
    # Recent GPUs round float32 products to TF32 unless asked not to.
    with jax.default_matmul_precision("highest"):
        for layer in layer_factors(model, params, x):
            d, n, _ = layer.sensitivity.shape
            rows = layer.sensitivity.reshape(d * n, -1)
            features = layer.inputs @ layer.inputs.T + layer.bias
            share = (rows @ rows.T).reshape(d, n, d, n) * features[:, None, :, None]
            theta = theta + share.reshape(d * n, d * n)
    return theta


def ntk_trace(model, params, x):
    """Tr Θ, raw and undivided, of ``model`` at ``params`` on ``x`` (d, n₀), without forming Θ.

    Each row of a layer's sensitivity adds ‖s‖² (‖x‖² + 1). Raises as `layer_factors`.
    """
    trace = 0.0
    with jax.default_matmul_precision("highest"):
        for layer in layer_factors(model, params, x):
            gain = jnp.sum(layer.sensitivity**2, axis=(1, 2))
            trace = trace + jnp.sum(gain * (jnp.sum(layer.inputs**2, axis=1) + layer.bias))
    return trace


def layer_factors(model, params, x):
    """The `LayerFactors` of every Dense layer of ``model``, in the order of their paths.

    Raises TypeError where a parameter belongs to no Dense layer, or a layer is called more than
    once: the structured form would silently miss a part of the kernel.
    """
    outputs, _, pre_activations = jax.eval_shape(lambda: _forward(model, params, x, None))
    _check_every_parameter_is_counted(params, pre_activations)
    zeros = {path: jnp.zeros(z.shape, z.dtype) for path, z in pre_activations.items()}
    _, backward, inputs = jax.vjp(
        lambda perturbations: _forward(model, params, x, perturbations)[:2], zeros, has_aux=True
    )
    d, n = outputs.shape
    one_hot = jnp.broadcast_to(jnp.eye(n, dtype=outputs.dtype)[:, None, :], (n, d, n))
    (sensitivities,) = jax.vmap(backward)(one_hot)
    return [
        LayerFactors(
            inputs=inputs[path],
            sensitivity=jnp.moveaxis(sensitivity, 0, 1),
            bias=float("bias" in _parameters_at(params, path)),
        )
        for path, sensitivity in sensitivities.items()
    ]


def _forward(model, params, x, perturbations):
    """Outputs; each Dense layer's input and pre-activation by path.

    Where ``perturbations`` are given they are added to the pre-activations: derivatives with
    respect to them are the sensitivities.
    """
    inputs, pre_activations = {}, {}

    def record(call, args, kwargs, context):
        if type(context.module) is not nn.Dense or context.method_name != "__call__":
            return call(*args, **kwargs)
        path = context.module.path
        if path in inputs:
            raise TypeError(f"layer {'/'.join(path)} is called more than once: its NTK is not supported")
        inputs[path] = args[0]
        pre_activations[path] = call(*args, **kwargs)
        if perturbations is None:
            return pre_activations[path]
        return pre_activations[path] + perturbations[path]

    with nn.intercept_methods(record):
        outputs = model.apply(params, x)
    return outputs, inputs, pre_activations


def _parameters_at(params, path):
    layer = params["params"]
    for name in path:
        layer = layer[name]
    return layer


def _check_every_parameter_is_counted(params, layers):
    counted = sum(len(jax.tree.leaves(_parameters_at(params, path))) for path in layers)
    if counted != len(jax.tree.leaves(params)):
        raise TypeError(
            f"{len(jax.tree.leaves(params)) - counted} parameters belong to no Dense layer: "
            "their share of the NTK is not supported"
        )
