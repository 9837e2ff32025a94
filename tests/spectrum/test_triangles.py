import numpy as np
import pytest
from ntklens.spectrum.triangles import is_finite, symmetric

SIZES = pytest.mark.parametrize("size", [0, 1, 5, 64, 65, 200])


def garbled(size, above):
    """A random matrix with ``above`` in place of its upper triangle."""
    matrix = np.tril(np.random.default_rng(0).standard_normal((size, size)))
    matrix[np.triu_indices(size, 1)] = above
    return matrix


@SIZES
@pytest.mark.parametrize("above", [7.0, np.nan])
def test_symmetric_mirrors_the_lower_triangle(size, above):
    matrix = garbled(size, above)
    before, lower = matrix.copy(), np.tril(matrix)
    np.testing.assert_array_equal(symmetric(matrix), lower + np.tril(lower, -1).T)
    np.testing.assert_array_equal(matrix, before)


@SIZES
@pytest.mark.parametrize("above", [0.0, np.nan, np.inf])
def test_entries_above_the_diagonal_may_be_anything(size, above):
    assert is_finite(garbled(size, above))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("place", [(0, 0), (60, 3), (70, 70)])
def test_entry_of_the_lower_triangle_that_is_not_finite_is_seen(place, value):
    matrix = garbled(71, 0.0)
    matrix[place] = value
    assert not is_finite(matrix)


def test_huge_entries_are_finite_though_their_squares_are_not():
    assert is_finite(np.full((4, 4), 1e30, dtype=np.float32))
