"""Checks what a caller hands to the NTK's functions: each defect gets one sentence that names the argument.

Without these checks a defect would show as an error deep inside JAX or Flax, or as a wrong number: JAX cuts
integers of 64 bits off without a word, and NumPy drops an array's mask.
"""

# JAX's functions are annotated in part.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from collections.abc import Mapping
from typing import Any, TypeGuard, cast

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jaxtyping import Shaped

from ntklens.kernel.network import Network, Params, Samples, by_path

NUMBERS = bool | int | float | complex
LONGEST_REASON = 300  # characters of another library's message that are repeated


class UnusableArgumentError(ValueError):
    """A network, its parameters or its samples have no NTK. The message names the argument and says why."""


def usable_arguments(model: Network, params: Params, x: Any) -> tuple[Params, Samples]:
    """``params`` with arrays that JAX takes, and the samples ``x`` as an array.

    Raises UnusableArgumentError unless the arguments may have an NTK.
    """
    _check_model(model)
    params = in_native_order(params)
    _check_params(params)
    return params, as_samples(x)


def in_native_order(params: Params) -> Params:
    """``params`` with NumPy's arrays in types that JAX takes, as those of files need not be."""

    def native(leaf: Any) -> Any:
        return _native(leaf) if isinstance(leaf, np.ndarray | np.generic) else leaf

    return jax.tree.map(native, params)


def as_samples(x: Any) -> Samples:
    """``x`` as an array: itself if it is one of JAX, of native byte order.

    Raises UnusableArgumentError unless it holds one or more samples of real numbers.
    """
    # Inside a trace JAX would also trace the conversion of an array, and the check would not know its values.
    array = x if isinstance(x, jax.Array) else _from_numpy(x)
    if not _is_real(array.dtype):
        raise UnusableArgumentError(f"x is of type {array.dtype}: samples of real numbers are needed")
    if not array.shape or not array.size:
        raise UnusableArgumentError(
            f"x has shape {array.shape}: an array of one or more samples is needed, none of them empty"
        )
    return array


def output_shape(model: Network, params: Params, x: Samples) -> jax.ShapeDtypeStruct:
    """Shape and type of the outputs on ``x``; nothing is computed.

    Raises UnusableArgumentError if the network cannot be applied to all samples or to one alone, or if its
    outputs are not a matrix (d, n) of real numbers, with the same n for one sample.
    """
    outputs, alone = (_applied(model, params, x, samples) for samples in (len(x), 1))
    if alone.shape[1] != outputs.shape[1]:
        raise UnusableArgumentError(
            f"outputs are {outputs.shape} for {len(x)} samples, but {alone.shape} for one: their number must "
            "not depend on that of the samples"
        )
    return outputs


def check_outputs(outputs: Any, samples: int) -> TypeGuard[jax.ShapeDtypeStruct]:
    """True. Raises UnusableArgumentError unless ``outputs`` are a real matrix, one row for each sample."""
    shape = getattr(outputs, "shape", None)
    if shape is None:
        raise UnusableArgumentError(
            f"outputs are of type {type(outputs).__name__}: model.apply must return one array (samples, "
            "outputs); give an object whose apply selects it, as for a network that is applied with mutable"
        )
    if len(shape) != 2 or shape[0] != samples or not shape[1]:
        raise UnusableArgumentError(
            f"outputs are {shape} for {samples} samples: (samples, outputs) is needed"
        )
    if not jnp.issubdtype(outputs.dtype, jnp.floating):
        raise UnusableArgumentError(
            f"outputs are of type {outputs.dtype}: real floating-point numbers are needed"
        )
    return True


def check_blocks(block_size: Any, memory: Any) -> None:
    """Raise UnusableArgumentError unless these are whole numbers that an NTK can be computed with."""
    if block_size is not None and not (_is_whole(block_size) and block_size >= 1):
        raise UnusableArgumentError(f"block_size is {block_size!r}: it must be None or a number of samples")
    if not (_is_whole(memory) and memory >= 0):
        raise UnusableArgumentError(f"memory is {memory!r}: it must be a number of bytes")


def _check_model(model: Any) -> None:
    if isinstance(model, type) or not callable(getattr(model, "apply", None)):
        name = f"the class {model.__name__}" if isinstance(model, type) else f"a {type(model).__name__}"
        raise UnusableArgumentError(
            f"model is {name}: give an instance of a Flax module, or another object with apply(params, x)"
        )


def _check_params(params: Any) -> None:
    collections = cast(Mapping[str, Any], params) if isinstance(params, Mapping) else {}
    if not isinstance(collections.get("params"), Mapping):
        raise UnusableArgumentError(
            'params has no dictionary "params": it must be what model.init returns, {"params": …}'
        )
    for leaf in jax.tree.leaves(params):
        if isinstance(leaf, np.ma.MaskedArray):
            raise UnusableArgumentError(
                "params holds a masked array, whose mask would be ignored: fill its values"
            )
        if not _is_number(leaf):
            raise UnusableArgumentError(
                f"params holds a {type(leaf).__name__}: arrays and numbers are needed"
            )
    leaves = by_path(collections["params"])
    for path, leaf in leaves.items():
        name = "".join(f"[{part!r}]" for part in ("params", *path))
        if not _is_number(leaf):
            raise UnusableArgumentError(f"params{name} is a {type(leaf).__name__}: make it an array")
        dtype = np.dtype(jnp.result_type(leaf))
        if not jnp.issubdtype(dtype, jnp.floating):
            raise UnusableArgumentError(
                f"params{name} is of type {dtype}: only real floating-point numbers have derivatives; keep "
                'constants in another collection than "params"'
            )
    if not sum(np.size(leaf) for leaf in leaves.values()):
        raise UnusableArgumentError('params["params"] holds no parameter: the NTK needs one or more')


def _from_numpy(x: Any) -> Samples:
    """``x``, which is no array of JAX, as an array that JAX takes without changing a value."""
    if isinstance(x, np.ma.MaskedArray):
        raise UnusableArgumentError("x is a masked array, whose mask would be ignored: fill or drop values")
    if any(isinstance(part, Tracer) for part in jax.tree.leaves(x)):
        return jnp.asarray(x)
    try:
        array = np.asarray(x)
    except Exception as error:  # of any class: it is the object's own conversion
        raise UnusableArgumentError(
            f"x is a {type(x).__name__} that is no array of samples of equal shape ({_reason(error)})"
        ) from error
    if array.dtype.hasobject:
        raise UnusableArgumentError(f"x is a {type(x).__name__} of objects: make it an array of numbers")
    if array.dtype.kind in "iu" and array.size and jnp.result_type(array) != array.dtype:
        _check_range(array, np.dtype(jnp.result_type(array)))
    return _native(array)


def _native(array: Any) -> Any:
    """A NumPy ``array`` in a type that JAX takes: of native byte order, and with no more than 64 bits."""
    if array.dtype.char in "gG":  # long double, real and complex
        return array.astype(np.float64 if array.dtype.char == "g" else np.complex128)
    return array.astype(array.dtype.newbyteorder("="), copy=False)


def _check_range(array: Shaped[np.ndarray, "..."], dtype: np.dtype[Any]) -> None:
    """Raise UnusableArgumentError if a number would be cut off where JAX stores it as ``dtype``."""
    limits = np.iinfo(dtype)
    for value in (int(array.min()), int(array.max())):
        if not limits.min <= value <= limits.max:
            raise UnusableArgumentError(
                f"x holds {value}, of which JAX would keep 32 bits: make x floating-point numbers, or enable "
                "jax_enable_x64"
            )


def _applied(model: Network, params: Params, x: Samples, samples: int) -> jax.ShapeDtypeStruct:
    """Shape and type of the outputs on ``samples`` samples like those of ``x``."""
    given = jax.ShapeDtypeStruct((samples, *x.shape[1:]), jnp.result_type(x))
    try:
        outputs: Any = jax.eval_shape(model.apply, params, given)
    except Exception as error:  # of any class: the network is the caller's code
        raise UnusableArgumentError(
            f"model.apply(params, x) fails for x of shape {given.shape} and type {given.dtype}: "
            f"{_reason(error)}"
        ) from error
    check_outputs(outputs, samples)
    return outputs


def _reason(error: Exception) -> str:
    """The class of ``error`` and the beginning of its message, on one line."""
    return f"{type(error).__name__}: {' '.join(str(error).split())}"[:LONGEST_REASON]


def _is_real(dtype: np.dtype[Any]) -> bool:
    kinds = (jnp.bool_, jnp.integer, jnp.floating)
    return getattr(dtype, "kind", None) != "m" and any(jnp.issubdtype(dtype, kind) for kind in kinds)


def _is_number(leaf: Any) -> bool:
    """Whether ``leaf`` is a number or an array that JAX takes, be it one of keys of random numbers."""
    if not hasattr(leaf, "dtype"):
        return isinstance(leaf, NUMBERS)
    return getattr(leaf.dtype, "kind", "V") not in "OSUMm"


def _is_whole(value: Any) -> bool:
    return isinstance(value, int | np.integer)
