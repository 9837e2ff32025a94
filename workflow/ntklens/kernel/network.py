"""The arguments of the NTK: a network, its parameters, and the samples on which it is evaluated."""

from collections.abc import Mapping
from typing import Any, Protocol, TypeAlias, cast, runtime_checkable

import numpy as np
from flax.traverse_util import flatten_dict  # pyright: ignore[reportUnknownVariableType] not annotated
from jaxtyping import Array, Shaped

# The first argument of a network's `apply`: PyTrees by collection. The NTK differentiates in "params".
Params: TypeAlias = Mapping[str, Any]

# Samples along the first axis, of any shape and type that the network takes.
Samples: TypeAlias = Shaped[Array | np.ndarray, "d ..."]

Path: TypeAlias = tuple[str, ...]  # the names that lead to a layer
ParameterPath: TypeAlias = tuple[Any, ...]  # those that lead to a parameter; Flax NNX uses numbers too


@runtime_checkable
class Network(Protocol):
    """A Flax Linen module, or any other object with this method."""

    def apply(self, params: Any, x: Any, /) -> Any:
        """The outputs of the network with ``params`` on the samples ``x``, one row for each sample."""
        ...


def by_path(tree: Any) -> dict[ParameterPath, Any]:
    """The leaves of a nested dictionary by their path."""
    return cast("dict[ParameterPath, Any]", flatten_dict(tree))
