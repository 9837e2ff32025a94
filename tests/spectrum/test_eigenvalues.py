import jax.numpy as jnp
import numpy as np
import pytest
from ntklens.spectrum import on_device
from ntklens.spectrum.eigenvalues import eigenvalues, normalised

from tests.support.unchecked import unchecked


def random_kernel(size, rank, seed=0):
    factor = np.random.default_rng(seed).standard_normal((size, rank))
    return factor @ factor.T


def test_normalised_has_unit_diagonal_and_trace_n():
    theta = random_kernel(20, 50)
    result = normalised(theta)
    np.testing.assert_allclose(np.diagonal(result), 1)
    i, j = 3, 17
    assert result[i, j] == pytest.approx(theta[i, j] / np.sqrt(theta[i, i] * theta[j, j]))


def test_normalised_keeps_a_row_of_zeros():
    theta = np.diag([0.0, 4.0])
    np.testing.assert_array_equal(normalised(theta), np.diag([0.0, 1.0]))


def test_a_list_is_normalised_as_its_array():
    rows = [[4, 2], [2, 9]]
    np.testing.assert_array_equal(normalised(rows), normalised(np.array(rows, float)))


NO_MATRICES = [np.eye(2, 3), np.ones(3), np.zeros((2, 2, 2)), np.eye(2) * 1j, [1.0, 2.0]]
NO_MATRICES += [np.ma.masked_array(np.eye(2), np.eye(2) > 0)]


@pytest.mark.parametrize("theta", NO_MATRICES)
def test_what_is_no_real_square_matrix_is_not_normalised(theta):
    with unchecked(), pytest.raises(ValueError, match="a real square matrix is needed"):
        normalised(theta)


def test_a_negative_diagonal_is_no_kernel_s():
    with pytest.raises(ValueError, match="negative number on its diagonal"):
        normalised(np.diag([1.0, -1e-3]))
    found = on_device.normalised(jnp.diag(jnp.array([4.0, -1e-3])))
    np.testing.assert_array_equal(jnp.isnan(found.diagonal()), [False, True])


def test_eigenvalues_are_known_and_ascending():
    basis, _ = np.linalg.qr(np.random.default_rng(1).standard_normal((6, 6)))
    known = np.array([0.0, 0.5, 1, 2, 3, 8])
    np.testing.assert_allclose(eigenvalues(basis * known @ basis.T), known, atol=1e-12)


def test_eigenvalues_of_a_kernel_with_nan_are_nan():
    assert np.isnan(eigenvalues(np.array([[1.0, np.nan], [np.nan, 1.0]]))).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("above", [7.0, np.nan, np.inf])
def test_only_the_lower_triangle_is_read(above, dtype):
    matrix = random_kernel(130, 100).astype(dtype)
    lower = matrix.copy()
    lower[np.triu_indices(len(lower), 1)] = above
    found = eigenvalues(lower)
    assert found.dtype == dtype
    np.testing.assert_array_equal(found, eigenvalues(matrix))
    assert (np.diff(found) >= 0).all()


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("place", [(2, 2), (3, 1)])
def test_entry_that_is_not_finite_gives_nan_throughout(place, value):
    matrix = np.eye(4, dtype=np.float32)
    matrix[place] = value
    found = eigenvalues(matrix)
    assert np.isnan(found).all()
    assert found.shape == (4,)
    assert found.dtype == np.float32
