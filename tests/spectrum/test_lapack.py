import ctypes
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import scipy.linalg
from ntklens.spectrum import lapack

from tests.support.unchecked import unchecked


def random_symmetric(size, dtype=np.float64, seed=0):
    matrix = np.random.default_rng(seed).standard_normal((size, size))
    return (matrix + matrix.T).astype(dtype)


def one_eigenvector(matrix):
    return lapack.top_eigenvectors(matrix, 1)


SOLVERS = pytest.mark.parametrize("solve", [lapack.eigenvalues, one_eigenvector])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("size", [1, 2, 7, 150, 400])
def test_eigenvalues_are_those_of_scipy(size, dtype):
    matrix = random_symmetric(size, dtype)
    before = matrix.copy()
    found = lapack.eigenvalues(matrix)
    assert found.dtype == dtype
    np.testing.assert_array_equal(matrix, before)
    expected = scipy.linalg.eigvalsh(matrix.astype(np.float64))
    tolerance = (10 + size) * np.finfo(dtype).eps * np.abs(expected).max()
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance)


def test_empty_matrix_has_no_eigenvalues():
    assert lapack.eigenvalues(np.zeros((0, 0))).shape == (0,)


def test_matrix_may_be_a_view_in_any_order():
    matrix = random_symmetric(60)
    expected = scipy.linalg.eigvalsh(matrix[::2, ::2])
    np.testing.assert_allclose(lapack.eigenvalues(matrix[::2, ::2]), expected, atol=1e-12)
    lower = np.asfortranarray(np.tril(matrix[::2, ::2]))
    np.testing.assert_allclose(lapack.eigenvalues(lower), expected, atol=1e-12)


@pytest.mark.parametrize("above", [7.0, np.nan])
@SOLVERS
def test_only_the_lower_triangle_is_read(solve, above):
    matrix = random_symmetric(20)
    garbled = np.full((20, 20), above)
    garbled[np.tril_indices(20)] = matrix[np.tril_indices(20)]
    np.testing.assert_array_equal(solve(garbled), solve(matrix))


@SOLVERS
def test_threads_may_solve_at_once(solve):
    matrices = [random_symmetric(120, seed=seed) for seed in range(16)]
    alone = [solve(matrix) for matrix in matrices]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(solve, matrices))
    np.testing.assert_array_equal(together, alone)


def awakenings_during(solve, matrix):
    """How often this thread wakes from a sleep of a millisecond while another one computes."""
    with ThreadPoolExecutor(1) as pool:
        result, count = pool.submit(solve, matrix), 0
        while not result.done():
            time.sleep(0.001)
            count += 1
    return count


@SOLVERS
def test_other_threads_run_meanwhile(solve):
    """A solver that held the GIL would let this thread wake once or twice."""
    assert awakenings_during(solve, random_symmetric(1000)) > 10


@SOLVERS
@pytest.mark.parametrize("shape", [(3,), (2, 3), (2, 3, 3)])
def test_other_shape_than_square_is_refused(solve, shape):
    with unchecked(), pytest.raises(ValueError, match="square"):
        solve(np.zeros(shape))


@SOLVERS
@pytest.mark.parametrize("dtype", [np.int64, np.float16, np.complex64])
def test_other_numbers_are_refused(solve, dtype):
    with unchecked(), pytest.raises(TypeError, match=np.dtype(dtype).name):
        solve(np.eye(3, dtype=dtype))


@pytest.mark.parametrize(("info", "message"), [(-4, "argument 4"), (2, "did not converge.* 2$")])
@SOLVERS
def test_failure_of_lapack_raises(monkeypatch, solve, info, message):
    def failing(*arguments):
        ctypes.c_int.from_address(arguments[-1].value).value = info

    monkeypatch.setattr(lapack, "_routine", lambda name: failing)
    with pytest.raises(np.linalg.LinAlgError, match=message):
        solve(np.eye(5))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("size", "count"), [(1, 1), (7, 7), (60, 1), (150, 40)])
def test_top_eigenvectors_are_those_of_scipy(size, count, dtype):
    matrix = random_symmetric(size, dtype)
    before = matrix.copy()
    found = lapack.top_eigenvectors(matrix, count)
    assert found.dtype == dtype
    np.testing.assert_array_equal(matrix, before)
    expected = scipy.linalg.eigh(matrix.astype(np.float64))[1][:, ::-1][:, :count].T
    tolerance = 100 * size * np.finfo(dtype).eps
    np.testing.assert_allclose(np.abs(np.sum(found * expected, axis=1)), 1, atol=tolerance)
    np.testing.assert_allclose(found @ found.T, np.eye(count), atol=tolerance)


def test_top_eigenvectors_of_equal_eigenvalues_are_orthonormal():
    found = lapack.top_eigenvectors(np.eye(30), 12)
    np.testing.assert_allclose(found @ found.T, np.eye(12), atol=1e-12)


@pytest.mark.parametrize("count", [0, 4])
def test_top_eigenvectors_refuse_a_count_that_the_matrix_has_not(count):
    with pytest.raises(ValueError, match=f"3 rows has no {count} largest"):
        lapack.top_eigenvectors(np.eye(3), count)
