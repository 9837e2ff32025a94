"""Import neural-tangents, with which our NTK is compared. No figure depends on it.

Its last release needs an older JAX than the workflow's, so it has an environment of its own
(requirements-oracle.in), where it is installed without TensorFlow. On import it loads its subpackage
`neural_tangents.experimental`, which needs TensorFlow; an empty module registered under that name first
takes its place.
"""

import importlib
import sys
from types import ModuleType
from typing import TypeVar

import numpy as np
from jaxtyping import Array, Float

Kernel = TypeVar("Kernel", Array, np.ndarray)


def import_neural_tangents() -> ModuleType:
    """Import and return `neural_tangents`. Raises ImportError outside its environment."""
    sys.modules.setdefault("neural_tangents.experimental", ModuleType("neural_tangents.experimental"))
    return importlib.import_module("neural_tangents")


def flattened(kernel: Float[Kernel, "d d n n"]) -> Float[Kernel, "d*n d*n"]:
    """A kernel of neural-tangents in our layout: row i·n + k is output k of sample i."""
    d, _, n, _ = kernel.shape
    return kernel.transpose(0, 2, 1, 3).reshape(d * n, d * n)
