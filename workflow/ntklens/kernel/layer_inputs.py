"""The inputs X of Dense and Conv layers: the rows, by sample and position, that multiply a layer's kernel.

Layers whose kernel is none of the parameters, or that multiply something else, have none.

Axis names: p positions, v the values under the kernel.
"""

# JAX's functions are annotated in part.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from collections.abc import Callable, Mapping, Sequence
from math import prod
from typing import Any, TypeAlias, cast

import jax.numpy as jnp
from flax import linen as nn
from jax import lax
from jaxtyping import Array, Num

from ntklens.kernel.network import ParameterPath

SPATIAL = "DHW"  # the dimensions of a convolution; with more of them it is not taken apart


def _dense_rows(
    layer: nn.Dense, inputs: Num[Array, "..."], samples: int
) -> Num[Array, "{samples} p v"] | None:
    """The input of a Dense layer, by sample and position; None if the layer multiplies something else."""
    if layer.dot_general or layer.dot_general_cls or inputs.ndim < 2 or inputs.shape[0] % samples:
        return None
    return inputs.reshape(samples, -1, inputs.shape[-1])


def _conv_rows(layer: nn.Conv, inputs: Num[Array, "..."], samples: int) -> Num[Array, "{samples} p v"] | None:
    """The patch under the kernel at each position; None if the layer is no plain convolution."""
    kernel = _per_dimension(layer.kernel_size, 1)
    rank = len(kernel)
    padding = _explicit_padding(layer.padding, rank)
    own_product = layer.conv_general_dilated or layer.conv_general_dilated_cls
    plain = layer.feature_group_count == 1 and layer.mask is None and not own_product
    of_samples = inputs.ndim == rank + 2 and inputs.shape[0] == samples
    if not plain or padding is None or not of_samples or rank > len(SPATIAL):
        return None
    letters = SPATIAL[-rank:]
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


InputRows: TypeAlias = Callable[[Any, Array, int], Array | None]
INPUT_ROWS: dict[type[nn.Module], InputRows] = {nn.Dense: _dense_rows, nn.Conv: _conv_rows}


def has_own_kernel(module: nn.Module, leaves: Mapping[ParameterPath, Any]) -> bool:
    """Whether the layer ``module`` multiplies by the parameter at its own path.

    A network may apply another one to parameters of its choice: to part of its own, or to constants. Their
    layers' paths lead to no parameter then, or to another layer's. Only a kernel of another type may be the
    same one, converted; the self-check compares.
    """
    kernel = cast(Array, module.get_variable("params", "kernel"))
    expected = leaves.get((*module.path, "kernel"))
    if expected is None or jnp.shape(kernel) != jnp.shape(expected):
        return False
    return kernel is expected or jnp.result_type(kernel) != jnp.result_type(expected)


def _per_dimension(value: int | Sequence[Any] | None, rank: int) -> tuple[Any, ...]:
    """``value`` for each of ``rank`` dimensions: Flax takes one number for all, or none for 1."""
    if value is None:
        return (1,) * rank
    return (value,) * rank if isinstance(value, int) else tuple(value)


def _explicit_padding(padding: str | int | Sequence[Any], rank: int) -> str | list[tuple[int, int]] | None:
    """``padding`` in a form that XLA takes; None for kinds that only Flax knows (circular, causal, …)."""
    if isinstance(padding, str):
        return padding if padding in ("SAME", "VALID") else None
    pads = _per_dimension(padding, rank)
    return [(pad, pad) if isinstance(pad, int) else (pad[0], pad[1]) for pad in pads]
