"""LAPACK's eigenvalues and eigenvectors of a symmetric matrix, by calls that release the GIL.

scipy's own functions hold the GIL while LAPACK computes: two threads take as long as one after the other,
and a training beside them stands still. Here ctypes calls the same routines of scipy's LAPACK and releases
the GIL, so several threads can compute at once.

Both functions read only the lower triangle of a matrix and leave the matrix unchanged. They raise ValueError
or TypeError if it is not square or neither float32 nor float64, numpy.linalg.LinAlgError if LAPACK fails.
"""

import ctypes
from functools import cache

import numpy as np
from scipy.linalg import cython_lapack

PRECISION_LETTERS = {np.dtype(np.float32): "s", np.dtype(np.float64): "d"}


def eigenvalues(matrix):
    """Eigenvalues (N,), ascending, of ``matrix`` (N, N), in its precision, by ?SYEVD."""
    routine = _routine_for(matrix, "syevd")
    rows = len(matrix)
    values = np.empty(rows, matrix.dtype)
    overwritten = np.array(matrix, order="C")
    # N, A, LDA, W
    _run(routine, "NU", [rows, overwritten, max(1, rows), values], matrix.dtype)
    return values


def top_eigenvectors(matrix, count):
    """Eigenvectors (count, N) of the ``count`` largest eigenvalues of ``matrix`` (N, N), the largest first.

    ?SYEVR computes these eigenvectors and no others. Each row is a vector of length one, with the sign that
    the solver gave it. Raises ValueError if ``count`` is not between 1 and N.
    """
    routine = _routine_for(matrix, "syevr")
    rows = len(matrix)
    if not 1 <= count <= rows:
        raise ValueError(f"a matrix of {rows} rows has no {count} largest eigenvalues")
    values, vectors = np.empty(rows, matrix.dtype), np.empty((count, rows), matrix.dtype)
    overwritten, support = np.array(matrix, order="C"), np.empty(2 * rows, np.intc)
    unused_bound, default_tolerance = np.zeros(1, matrix.dtype), np.zeros(1, matrix.dtype)
    # N, A, LDA, VL, VU, IL, IU, ABSTOL, M, W, Z, LDZ, ISUPPZ
    arguments = [rows, overwritten, rows, unused_bound, unused_bound, rows - count + 1, rows]
    arguments += [default_tolerance, count, values, vectors, rows, support]
    _run(routine, "VIU", arguments, matrix.dtype)
    return vectors[::-1]


def _routine_for(matrix, name):
    """LAPACK's routine ``name`` in the precision of ``matrix``; raises if that is no matrix for it."""
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise ValueError(f"a square matrix is needed, not one of shape {matrix.shape}")
    if matrix.dtype not in PRECISION_LETTERS:
        raise TypeError(f"a float32 or float64 matrix is needed, not {matrix.dtype}")
    return _routine(PRECISION_LETTERS[matrix.dtype] + name)


@cache
def _routine(name):
    """The C function that scipy exports under ``name`` for other packages to call."""
    capsule = cython_lapack.__pyx_capi__[name]
    capsule_name = ctypes.pythonapi.PyCapsule_GetName
    capsule_name.restype, capsule_name.argtypes = ctypes.c_char_p, [ctypes.py_object]
    pointer = ctypes.pythonapi.PyCapsule_GetPointer
    pointer.restype, pointer.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    # Such a function releases the GIL. Without declared arguments it takes any.
    return ctypes.CFUNCTYPE(None)(pointer(capsule, capsule_name(capsule)))


def _run(routine, options, arguments, dtype):
    """Call ``routine`` for the sizes of its two work arrays, WORK and IWORK, then to compute with these."""
    work, integer_work = np.empty(1, dtype), np.empty(1, np.intc)
    _call(routine, options, [*arguments, work, -1, integer_work, -1])
    work, integer_work = np.empty(int(work[0]), dtype), np.empty(int(integer_work[0]), np.intc)
    _call(routine, options, [*arguments, work, len(work), integer_work, len(integer_work)])


def _call(routine, options, arguments):
    """Call ``routine`` with one string per letter of ``options``, then pointers to ``arguments`` and INFO.

    Fortran sees a matrix stored by rows as its transpose: the lower triangle is its upper one ("U").
    """
    info = np.zeros(1, np.intc)
    arrays = [np.array(value, np.intc) if isinstance(value, int) else value for value in arguments]
    pointers = [ctypes.c_void_p(array.ctypes.data) for array in [*arrays, info]]
    routine(*(letter.encode() for letter in options), *pointers)
    _check(int(info[0]), rows=arguments[0])


def _check(info, rows):
    if info < 0:
        raise np.linalg.LinAlgError(f"LAPACK refuses its argument {-info} for a matrix of {rows} rows")
    if info > 0:
        raise np.linalg.LinAlgError(
            f"the eigenvalues of a matrix of {rows} rows did not converge: LAPACK's info is {info}"
        )
