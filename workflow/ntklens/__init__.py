"""The neural tangent kernel of networks in training: its trace, its spectrum, their scaling.

The names in `__all__` are the ones to use on a network of your own: ``from ntklens import ntk_matrix``.
Each is imported when it is first used, so that ``import ntklens`` loads neither JAX nor NumPy. The
workflow's own code imports from the modules instead: `storage.import_closure` reads import statements, and
from this module it could not tell which modules a script depends on. Type checkers and editors read the names
in __init__.pyi.
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_MODULES = {
    "effective_rank": "ntklens.spectrum.effective_rank",
    "layer_kernels": "ntklens.kernel.ntk",
    "normalised": "ntklens.spectrum.eigenvalues",
    "ntk_matrix": "ntklens.kernel.ntk",
    "ntk_trace": "ntklens.kernel.ntk",
    "read_run": "ntklens.storage.run_files",
}

__all__ = list(_MODULES)  # pyright: ignore[reportUnsupportedDunderAll]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_MODULES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
