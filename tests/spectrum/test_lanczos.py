import numpy as np
import pytest
from ntklens.spectrum import lanczos, lapack
from ntklens.spectrum.alignments import misalignments

from tests.support.unchecked import unchecked

SIZE, COUNT = 600, 30


def of_spectrum(values, seed=0, dtype=np.float32):
    """A symmetric matrix with known eigenvalues, and its eigenvectors, one per row."""
    basis, _ = np.linalg.qr(np.random.default_rng(seed).standard_normal((len(values), len(values))))
    return symmetrised((basis * values) @ basis.T).astype(dtype), basis.T


def symmetrised(matrix):
    return (matrix + matrix.T) / 2


def decaying(size=SIZE):
    """Eigenvalues that decay as those of NTKs do."""
    return np.arange(1, size + 1) ** -1.5


@pytest.fixture
def alone(monkeypatch):
    """Lanczos without the help of LAPACK for the whole matrix."""
    solve = lapack.top_eigenvectors

    def of_small_matrices(matrix, count):
        assert len(matrix) < SIZE, "LAPACK took over"
        return solve(matrix, count)

    monkeypatch.setattr(lapack, "top_eigenvectors", of_small_matrices)


@pytest.fixture
def taken_over(monkeypatch):
    """Whether LAPACK solved for the whole matrix."""
    solve, calls = lapack.top_eigenvectors, []

    def counted(matrix, count):
        calls.extend([matrix] * (len(matrix) == SIZE))
        return solve(matrix, count)

    monkeypatch.setattr(lapack, "top_eigenvectors", counted)
    return calls


def residuals(matrix, vectors):
    """‖Θv − λv‖ of every row v, in rounding errors of the largest eigenvalue."""
    exact, vectors = matrix.astype(np.float64), vectors.astype(np.float64)
    values = np.sum(vectors @ exact * vectors, axis=1)
    rounding = np.finfo(matrix.dtype).eps * np.linalg.norm(exact, 2)
    return np.linalg.norm(vectors @ exact - values[:, None] * vectors, axis=1) / rounding


@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("count", [1, 15, 16, 17, COUNT])
def test_vectors_are_those_of_the_largest_eigenvalues_in_order(count, dtype):
    matrix, expected = of_spectrum(decaying(), dtype=dtype)
    before = matrix.copy()
    found = lanczos.top_eigenvectors(matrix, count)
    assert found.dtype == dtype
    np.testing.assert_array_equal(matrix, before)
    rounding = np.finfo(dtype).eps
    np.testing.assert_allclose(found @ found.T, np.eye(count), atol=100 * rounding)
    assert residuals(matrix, found).max() < 20
    _, matched, free = misalignments(found, expected[:count])
    assert free < 1e6 * rounding**2 + 10 * rounding
    assert matched < 1e8 * rounding**2 + 10 * rounding


@pytest.mark.usefixtures("alone")
def test_vectors_nearby_lead_to_those_of_a_similar_matrix():
    matrix, _ = of_spectrum(decaying())
    change = np.random.default_rng(1).standard_normal(matrix.shape)
    after = matrix + 1e-4 * symmetrised(change).astype(np.float32)
    near = lanczos.top_eigenvectors(matrix, COUNT)
    cold, warm = lanczos.top_eigenvectors(after, COUNT), lanczos.top_eigenvectors(after, COUNT, near)
    assert residuals(after, warm).max() < 20
    assert misalignments(cold, near)[2] > 1e-2
    assert misalignments(cold, warm)[2] < 1e-5


@pytest.mark.usefixtures("alone")
def test_vectors_that_none_of_those_nearby_shares_are_found():
    """The top eigenvectors of the second matrix are orthogonal to those of the first."""
    values, basis = decaying(), np.eye(SIZE, dtype=np.float32)
    first, second = (np.diag(v).astype(np.float32) for v in (values, np.roll(values, SIZE // 2)))
    near = lanczos.top_eigenvectors(first, COUNT)
    np.testing.assert_allclose(misalignments(near, basis[:COUNT])[2], 0, atol=1e-5)
    found = lanczos.top_eigenvectors(second, COUNT, near)
    expected = basis[SIZE // 2 : SIZE // 2 + COUNT]
    np.testing.assert_allclose(misalignments(found, expected)[2], 0, atol=1e-5)


@pytest.mark.parametrize("repeated", [2, 10, 16, 17, 40])
@pytest.mark.parametrize("first", [0, 5, COUNT - 1])
def test_equal_eigenvalues_are_all_found(first, repeated):
    values = decaying()
    values[first : first + repeated] = values[first]
    matrix, expected = of_spectrum(values)
    found = lanczos.top_eigenvectors(matrix, COUNT)
    np.testing.assert_allclose(found @ found.T, np.eye(COUNT), atol=1e-5)
    end = first + repeated  # any basis of the repeated ones' space is right, and any part of it at the end
    distinct, space = expected[: min(first, COUNT)], expected[: max(end, COUNT)]
    np.testing.assert_allclose(np.linalg.norm(found @ distinct.T, axis=0), 1, atol=1e-4)
    np.testing.assert_allclose(np.linalg.norm(found @ space.T, axis=1), 1, atol=1e-4)


def test_eigenvalue_repeated_more_often_than_a_block_is_left_to_lapack(taken_over):
    values = decaying()
    values[3 : 3 + lanczos.BLOCK + 1] = values[3]
    lanczos.top_eigenvectors(of_spectrum(values)[0], COUNT)
    assert taken_over


@pytest.mark.parametrize("rank", [0, 1, 16, 20, COUNT - 1])
def test_matrix_may_have_fewer_eigenvalues_above_zero(rank):
    values = decaying() * (np.arange(SIZE) < rank)
    matrix, expected = of_spectrum(values)
    found = lanczos.top_eigenvectors(matrix, COUNT)
    np.testing.assert_allclose(found @ found.T, np.eye(COUNT), atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(found @ expected[:rank].T, axis=0), 1, atol=1e-4)


def test_slow_convergence_is_left_to_lapack(taken_over):
    """Eigenvalues without a gap, as those of random matrices."""
    matrix, expected = of_spectrum(np.linspace(1, 0.9, SIZE), dtype=np.float64)
    found = lanczos.top_eigenvectors(matrix, COUNT)
    assert taken_over
    np.testing.assert_allclose(misalignments(found, expected[:COUNT])[2], 0, atol=1e-9)


@pytest.mark.parametrize(("size", "count"), [(1, 1), (2, 2), (40, 6), (150, 1), (400, 400), (400, 100)])
def test_small_matrices_and_many_vectors_are_lapacks_but_for_signs(size, count):
    matrix, _ = of_spectrum(decaying(size))
    found, expected = lanczos.top_eigenvectors(matrix, count), lapack.top_eigenvectors(matrix, count)
    np.testing.assert_array_equal(np.abs(found), np.abs(expected))


def test_same_arguments_give_the_same_vectors():
    matrix, _ = of_spectrum(decaying())
    once, again = (lanczos.top_eigenvectors(matrix, COUNT) for _ in range(2))
    np.testing.assert_array_equal(once, again)


@pytest.mark.parametrize("count", [0, SIZE + 1])
def test_count_that_the_matrix_has_not_is_refused(count):
    with unchecked(), pytest.raises(ValueError, match=f"{SIZE} rows has no {count} largest"):
        lanczos.top_eigenvectors(np.eye(SIZE), count)


def test_signs_do_not_depend_on_the_method_and_follow_the_matrix():
    """So eigenvectors that hardly turn in one update keep their signs."""
    matrix, _ = of_spectrum(decaying())
    turned = symmetrised(matrix + 1e-4 * np.random.default_rng(1).standard_normal(matrix.shape)).astype("f4")
    by_method = lanczos.top_eigenvectors(matrix, 5), lanczos.top_eigenvectors(matrix, SIZE // 2)[:5]
    for vectors in (*by_method, lanczos.top_eigenvectors(turned, 5, near=by_method[0])):
        largest = np.abs(vectors).argmax(axis=1)
        assert (vectors[np.arange(5), largest] > 0).all()
        assert (np.sum(vectors * by_method[0], axis=1) > 0.9).all()
