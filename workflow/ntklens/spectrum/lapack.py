"""LAPACK's eigenvalues and eigenvectors of a symmetric matrix, called so that several threads can at once.

scipy's own functions keep Python's lock while LAPACK computes: two threads take as long as one after
the other, and a training beside them stands still. Called by ctypes, LAPACK lets go of it.
"""

import ctypes
from functools import cache, partial
from types import SimpleNamespace

import numpy as np
from scipy.linalg import cython_lapack


def scipy_solver():
    """As `solver`, by ?SYEVD of the LAPACK that scipy has."""
    return solver(_scipy_library(), "{}syevd")


@cache
def _scipy_library():
    """The routines that this module calls, of the LAPACK that scipy has."""
    names = ("ssyevd", "dsyevd", "ssyevr", "dsyevr")
    addresses = {name: _address(cython_lapack.__pyx_capi__[name]) for name in names}
    # Without a declared argument, a function takes any.
    return SimpleNamespace(**{name: ctypes.CFUNCTYPE(None)(address) for name, address in addresses.items()})


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
    return partial(_eigenvalues, _by_precision(library, routine))


def top_eigenvectors(matrix, count):
    """Eigenvectors (count, N) of the ``count`` largest eigenvalues of ``matrix`` (N, N), the largest first.

    By scipy's ?SYEVR, which computes no others. A row is a vector of length one, its sign the solver's.
    Of the matrix, float32 or float64, the lower triangle alone is read; threads and errors are as with
    the functions by `solver`.
    """
    function = _checked(_by_precision(_scipy_library(), "{}syevr"), matrix)
    if not 1 <= count <= len(matrix):
        raise ValueError(f"a matrix of {len(matrix)} rows has no {count} largest eigenvalues")
    call = partial(_call_for_vectors, function, np.array(matrix, order="C"), count)
    best_size, best_integer_size = np.empty(1, matrix.dtype), _integer(0)
    call(best_size, -1, best_integer_size, -1)
    sizes = int(best_size[0]), int(best_integer_size.view(np.int32)[0])
    return call(np.empty(sizes[0], matrix.dtype), sizes[0], np.empty(sizes[1], "<i8"), sizes[1])[::-1]


def _by_precision(library, routine):
    letters = {np.dtype(np.float32): "s", np.dtype(np.float64): "d"}
    return {dtype: getattr(library, routine.format(letter)) for dtype, letter in letters.items()}


def _checked(functions, matrix):
    """Of ``functions`` by precision, that for ``matrix``."""
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise ValueError(f"a square matrix is needed, not one of shape {matrix.shape}")
    if matrix.dtype not in functions:
        raise TypeError(f"a float32 or float64 matrix is needed, not {matrix.dtype}")
    return functions[matrix.dtype]


def _eigenvalues(functions, matrix):
    function = _checked(functions, matrix)
    call = partial(_call, function, np.array(matrix, order="C"))  # LAPACK overwrites it
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
    _run(function, b"NU", arguments)
    _check(info, rows)
    return values


def _call_for_vectors(function, matrix, count, work, work_size, integer_work, integer_work_size):
    """The eigenvectors, ascending; with sizes −1 none, but the best sizes in the work arrays' first items."""
    rows = len(matrix)
    values, vectors = np.empty(rows, matrix.dtype), np.empty((count, rows), matrix.dtype)
    unused_bounds, tolerance = [np.zeros(1, matrix.dtype)] * 2, np.zeros(1, matrix.dtype)
    leading, first, size, integer_size, found, info = (
        _integer(n) for n in (rows, rows - count + 1, work_size, integer_work_size, 0, 0)
    )
    support = np.empty(2 * rows, "<i8")
    # N, A, LDA, VL, VU, IL, IU, ABSTOL, M, W, Z, LDZ, ISUPPZ, WORK, LWORK, IWORK, LIWORK, INFO
    arguments = [leading, matrix, leading, *unused_bounds, first, leading, tolerance, found, values]
    arguments += [vectors, leading, support, work, size, integer_work, integer_size, info]
    _run(function, b"VIU", arguments)
    _check(info, rows)
    return vectors


def _run(function, options, arguments):
    """Call ``function`` with one string for each letter of ``options`` and pointers to ``arguments``.

    Fortran sees a matrix stored by rows as its transpose: the lower triangle is its upper one ("U").
    Behind the arguments stand the strings' lengths.
    """
    letters = [bytes([letter]) for letter in options]
    lengths = [ctypes.c_size_t(1)] * len(letters)
    function(*letters, *(ctypes.c_void_p(array.ctypes.data) for array in arguments), *lengths)


def _integer(value):
    return np.array([value], "<i8")


def _check(info, rows):
    info = int(info.view(np.int32)[0])
    if info < 0:
        raise np.linalg.LinAlgError(f"LAPACK refuses its argument {-info} for a matrix of {rows} rows")
    if info > 0:
        raise np.linalg.LinAlgError(
            f"the eigenvalues of a matrix of {rows} rows did not converge: LAPACK's info is {info}"
        )
