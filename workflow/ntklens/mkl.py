"""Eigenvalues of a symmetric matrix by MKL, where its package is installed (`make mkl`).

scipy's LAPACK reduces a matrix to tridiagonal form in one stage, half of which are products with a
vector, bound by the memory's speed. MKL has the two-stage reduction, over a band matrix, where nearly all
are products of matrices. It is used wherever someone has installed it, and not unasked: which of the two
is faster depends on the processor. MKL is made for Intel's; on an AMD EPYC it was the slower one
(`benchmarks/eigenvalues.py`).

`solver` itself binds any library that has LAPACK's ?SYEVD or ?SYEVD_2STAGE.
"""

import ctypes
from contextlib import contextmanager
from functools import partial
from importlib.metadata import PackageNotFoundError, files

import numpy as np


def installed_library():
    """The path of libmkl_rt of the installed package "mkl", or None."""
    try:
        own = files("mkl") or []
    except PackageNotFoundError:
        return None
    return next((file.locate().resolve() for file in own if file.match("libmkl_rt.so*")), None)


def mkl_solver(path, routine="{}syevd_2stage_"):
    """As `solver`, of the MKL at ``path``, with one thread whatever MKL's own settings are.

    Raises OSError where it cannot be loaded.
    """
    library = ctypes.CDLL(str(path))
    return partial(_with_one_thread, library, solver(library, routine))


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


def _with_one_thread(library, solve, matrix):
    with _one_thread(library):
        return solve(matrix)


@contextmanager
def _one_thread(library):
    # The setting is the calling thread's own; it returns the former one.
    former = library.MKL_Set_Num_Threads_Local(1)
    try:
        yield
    finally:
        library.MKL_Set_Num_Threads_Local(former)


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
