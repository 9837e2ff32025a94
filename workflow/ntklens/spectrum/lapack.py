"""LAPACK's eigenvalues and eigenvectors of a symmetric matrix, by calls that release the GIL.

scipy's own functions hold the GIL while LAPACK computes: two threads then take as long as one after the
other, and training in another thread stands still. Here ctypes calls the same routines of scipy's LAPACK and
releases the GIL, so several threads can compute at once.

Both functions read only the lower triangle of a matrix and leave the matrix unchanged. They raise ValueError
if it is not square, TypeError if it is neither float32 nor float64, and numpy.linalg.LinAlgError if LAPACK
fails.
"""

import ctypes
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, TypeAlias, cast

import numpy as np
from jaxtyping import Float
from scipy.linalg import cython_lapack as _untyped  # pyright: ignore

CYTHON_LAPACK = cast(Any, _untyped)

Routine: TypeAlias = Callable[..., None]
Arguments: TypeAlias = Sequence[int | np.ndarray]  # the number of rows comes first

PRECISION_LETTERS = {np.dtype(np.float32): "s", np.dtype(np.float64): "d"}


def eigenvalues(matrix: Float[np.ndarray, "N N"]) -> Float[np.ndarray, " N"]:
    """Eigenvalues of ``matrix``, ascending, in its precision, by ?SYEVD."""
    routine = _routine_for(matrix, "syevd")
    rows = len(matrix)
    values = np.empty(rows, matrix.dtype)
    overwritten = np.array(matrix, order="C")
    # N, A, LDA, W
    _run(routine, "NU", [rows, overwritten, max(1, rows), values], matrix.dtype)
    return values


def top_eigenvectors(matrix: Float[np.ndarray, "N N"], count: int) -> Float[np.ndarray, "{count} N"]:
    """Eigenvectors of the ``count`` largest eigenvalues of ``matrix``, the largest first, one per row.

    ?SYEVR computes these eigenvectors and no others. Their length is one; their sign is the solver's.
    Raises ValueError if ``count`` is not between 1 and N.
    """
    routine = _routine_for(matrix, "syevr")
    rows = len(matrix)
    if not 1 <= count <= rows:
        raise ValueError(f"a matrix of {rows} rows has no {count} largest eigenvalues")
    values, vectors = np.empty(rows, matrix.dtype), np.empty((count, rows), matrix.dtype)
    overwritten, support = np.array(matrix, order="C"), np.empty(2 * rows, np.intc)
    unused_bound, default_tolerance = np.zeros(1, matrix.dtype), np.zeros(1, matrix.dtype)
    # N, A, LDA, VL, VU, IL, IU, ABSTOL, M, W, Z, LDZ, ISUPPZ
    arguments: list[int | np.ndarray] = [rows, overwritten, rows, unused_bound, unused_bound]
    arguments += [rows - count + 1, rows, default_tolerance, count, values, vectors, rows, support]
    _run(routine, "VIU", arguments, matrix.dtype)
    return vectors[::-1]


def _routine_for(matrix: np.ndarray, name: str) -> Routine:
    """LAPACK's routine ``name`` in the precision of ``matrix``. Raises ValueError or TypeError."""
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise ValueError(f"a square matrix is needed, not one of shape {matrix.shape}")
    if matrix.dtype not in PRECISION_LETTERS:
        raise TypeError(f"a float32 or float64 matrix is needed, not {matrix.dtype}")
    return _routine(PRECISION_LETTERS[matrix.dtype] + name)


@cache
def _routine(name: str) -> Routine:
    """The C function that scipy exports under ``name`` for other packages to call."""
    capsule = CYTHON_LAPACK.__pyx_capi__[name]
    capsule_name = ctypes.pythonapi.PyCapsule_GetName
    capsule_name.restype, capsule_name.argtypes = ctypes.c_char_p, [ctypes.py_object]
    pointer = ctypes.pythonapi.PyCapsule_GetPointer
    pointer.restype, pointer.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    # A function made by CFUNCTYPE releases the GIL while it runs. Without declared arguments it takes any.
    return ctypes.CFUNCTYPE(None)(pointer(capsule, capsule_name(capsule)))


def _run(routine: Routine, options: str, arguments: Arguments, dtype: np.dtype[Any]) -> None:
    """Call ``routine`` for the sizes of its work arrays WORK and IWORK, then again to compute with them."""
    work, integer_work = np.empty(1, dtype), np.empty(1, np.intc)
    _call(routine, options, [*arguments, work, -1, integer_work, -1])
    work, integer_work = np.empty(int(work[0]), dtype), np.empty(int(integer_work[0]), np.intc)
    _call(routine, options, [*arguments, work, len(work), integer_work, len(integer_work)])


def _call(routine: Routine, options: str, arguments: Arguments) -> None:
    """Call ``routine`` with one string per letter of ``options``, then pointers to ``arguments`` and INFO.

    Fortran sees a matrix stored by rows as its transpose: the lower triangle is its upper one ("U").
    """
    info = np.zeros(1, np.intc)
    arrays = [np.array(value, np.intc) if isinstance(value, int) else value for value in arguments]
    pointers = [ctypes.c_void_p(array.ctypes.data) for array in [*arrays, info]]
    routine(*(letter.encode() for letter in options), *pointers)
    _check(int(info[0]), rows=cast(int, arguments[0]))


def _check(info: int, rows: int) -> None:
    """Raise LinAlgError if LAPACK's status ``info`` tells of a failure."""
    if info < 0:
        raise np.linalg.LinAlgError(f"LAPACK refuses its argument {-info} for a matrix of {rows} rows")
    if info > 0:
        raise np.linalg.LinAlgError(
            f"the eigenvalues of a matrix of {rows} rows did not converge: LAPACK's info is {info}"
        )
