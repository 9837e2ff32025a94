"""LAPACK's eigenvalues of a symmetric matrix, called so that several threads can at once.

scipy's own functions keep Python's lock while LAPACK computes: two threads take as long as one after
the other, and a training beside them stands still. Called by ctypes, LAPACK lets go of it.
"""

import ctypes
from functools import partial
from types import SimpleNamespace

import numpy as np
from scipy.linalg import cython_lapack


def scipy_solver():
    """As `solver`, by ?SYEVD of the LAPACK that scipy has."""
    addresses = {name: _address(cython_lapack.__pyx_capi__[name]) for name in ("ssyevd", "dsyevd")}
    # Without a declared argument, a function takes any.
    functions = {name: ctypes.CFUNCTYPE(None)(address) for name, address in addresses.items()}
    return solver(SimpleNamespace(**functions), "{}syevd")


def _address(capsule):
    """Of the C function that scipy exports for other packages to call."""
    name = ctypes.pythonapi.PyCapsule_GetName
    name.restype, name.argtypes = ctypes.c_char_p, [ctypes.py_object]
    pointer = ctypes.pythonapi.PyCapsule_GetPointer
    pointer.restype, pointer.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    return pointer(capsule, name(capsule))


def solver(library, routine):
    """The function matrix (N, N) -> eigenvalues (N,), ascending, that calls ``routine`` of ``library``.

    ``routine`` is LAPACK's ?SYEVD or ?SYEVD_2STAGE as the `ctypes.CDLL` ``library`` spells it, "{}"
    standing for the letter of the precision. Of the matrix, float32 or float64, the lower triangle
    alone is read. Several threads may call the function at once: ctypes lets go of Python's lock.

    Raises AttributeError where the library lacks the routine; the function raises ValueError or
    TypeError for another matrix than described, numpy.linalg.LinAlgError where LAPACK fails.
    """
    letters = {np.dtype(np.float32): "s", np.dtype(np.float64): "d"}
    functions = {dtype: getattr(library, routine.format(letter)) for dtype, letter in letters.items()}
    return partial(_eigenvalues, functions)


def _eigenvalues(functions, matrix):
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise ValueError(f"a square matrix is needed, not one of shape {matrix.shape}")
    if matrix.dtype not in functions:
        raise TypeError(f"a float32 or float64 matrix is needed, not {matrix.dtype}")
    call = partial(_call, functions[matrix.dtype], np.array(matrix, order="C"))  # LAPACK overwrites it
    best_size = np.empty(1, matrix.dtype)
    call(best_size, -1)
    size = int(best_size[0])
    return call(np.empty(size, matrix.dtype), size)


def _call(function, matrix, work, work_size):
    """The eigenvalues; with ``work_size`` −1 none, but the best size in ``work[0]``.

    Integers are passed in 64 bits, of which a library of 32-bit integers takes the lower half.
    """
    rows = len(matrix)
    values = np.empty(rows, matrix.dtype)
    order, leading, size, one, info = (_integer(n) for n in (rows, max(1, rows), work_size, 1, 0))
    integer_work = _integer(0)
    arguments = [order, matrix, leading, values, work, size, integer_work, one, info]
    # Fortran sees a matrix stored by rows as its transpose: the lower triangle is its upper one. Behind
    # the arguments stand the lengths of the two strings.
    lengths = [ctypes.c_size_t(1)] * 2
    function(b"N", b"U", *(ctypes.c_void_p(a.ctypes.data) for a in arguments), *lengths)
    _check(int(info.view(np.int32)[0]), rows)
    return values


def _integer(value):
    return np.array([value], "<i8")


def _check(info, rows):
    if info < 0:
        raise np.linalg.LinAlgError(f"LAPACK refuses its argument {-info} for a matrix of {rows} rows")
    if info > 0:
        raise np.linalg.LinAlgError(
            f"the eigenvalues of a matrix of {rows} rows did not converge: LAPACK's info is {info}"
        )
