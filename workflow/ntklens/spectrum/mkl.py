"""Eigenvalues of a symmetric matrix by MKL, where its package is installed (`make mkl`).

scipy's LAPACK reduces a matrix to tridiagonal form in one stage, half of which are products with a
vector, bound by the memory's speed. MKL has the two-stage reduction, over a band matrix, where nearly all
are products of matrices. It is used wherever someone has installed it, and not unasked: which of the two
is faster depends on the processor. MKL is made for Intel's; on an AMD EPYC it was the slower one
(`benchmarks/eigenvalues.py`).
"""

import ctypes
from contextlib import contextmanager
from functools import partial
from importlib.metadata import PackageNotFoundError, files

from ntklens.spectrum.lapack import solver


def installed_library():
    """The path of libmkl_rt of the installed package "mkl", or None."""
    try:
        own = files("mkl") or []
    except PackageNotFoundError:
        return None
    return next((file.locate().resolve() for file in own if file.match("libmkl_rt.so*")), None)


def mkl_solver(path, routine="{}syevd_2stage_"):
    """As `lapack.solver`, of the MKL at ``path``, with one thread whatever MKL's own settings are.

    Raises OSError where it cannot be loaded.
    """
    library = ctypes.CDLL(str(path))
    return partial(_with_one_thread, library, solver(library, routine))


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
