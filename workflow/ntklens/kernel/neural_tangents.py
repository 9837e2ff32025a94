"""neural-tangents, which nothing on the path of a figure needs: our NTK is compared with it.

Its last release needs a JAX too old for the rest (requirements-oracle.in). It is installed without
its dependency on TensorFlow, which it imports for one subpackage, `neural_tangents.experimental`,
that its own first line asks for. An empty module under that one name, registered before, is taken
instead.
"""

import importlib
import sys
from types import ModuleType


def import_neural_tangents():
    """The module `neural_tangents`. Raises ImportError outside its environment."""
    sys.modules.setdefault("neural_tangents.experimental", ModuleType("neural_tangents.experimental"))
    return importlib.import_module("neural_tangents")


def flattened(kernel):
    """A kernel of neural-tangents, (d, d, n, n), as ours: (d·n, d·n), sample-major."""
    d, _, n, _ = kernel.shape
    return kernel.transpose(0, 2, 1, 3).reshape(d * n, d * n)
