import ctypes
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import PackageNotFoundError
from types import SimpleNamespace

import numpy as np
import pytest
import scipy.linalg
from ntklens.spectrum import lapack, mkl
from ntklens.spectrum import normalised as spectrum
from threadpoolctl import threadpool_info


def two_stage_of_openblas(routine):
    """The binding of the OpenBLAS that scipy or numpy has brought along, in ``routine``'s spelling."""
    for library in threadpool_info():
        handle = ctypes.CDLL(library["filepath"])
        if hasattr(handle, routine.format("s")):
            return lapack.solver(handle, routine)
    return pytest.skip(f"no loaded library has {routine}")


def installed_mkl():
    path = mkl.installed_library()
    return mkl.mkl_solver(path) if path else pytest.skip("the package mkl is not installed")


BINDINGS = {
    "scipy's LAPACK": lapack.scipy_solver,
    "OpenBLAS": lambda: two_stage_of_openblas("scipy_{}syevd_2stage_"),
    "OpenBLAS of 64-bit integers": lambda: two_stage_of_openblas("scipy_{}syevd_2stage_64_"),
    "MKL": installed_mkl,
}


@pytest.fixture(params=BINDINGS)
def solve(request):
    return BINDINGS[request.param]()


@pytest.fixture(params=BINDINGS)
def route(request, monkeypatch):
    """`spectrum.eigenvalues` by each of the solvers."""
    solver = BINDINGS[request.param]()
    monkeypatch.setattr(spectrum, "_solver", lambda: solver)
    return spectrum.eigenvalues


def random_symmetric(size, dtype=np.float64, seed=0):
    matrix = np.random.default_rng(seed).standard_normal((size, size))
    return (matrix + matrix.T).astype(dtype)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("size", [1, 2, 7, 150, 400])
def test_eigenvalues_are_those_of_scipy(solve, size, dtype):
    matrix = random_symmetric(size, dtype)
    before = matrix.copy()
    found = solve(matrix)
    assert found.dtype == dtype
    np.testing.assert_array_equal(matrix, before)
    expected = scipy.linalg.eigvalsh(matrix.astype(np.float64))
    tolerance = (10 + size) * np.finfo(dtype).eps * np.abs(expected).max()
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance)


def test_empty_matrix_has_no_eigenvalues(solve):
    assert solve(np.zeros((0, 0))).shape == (0,)


def test_matrix_may_be_a_view_in_any_order(solve):
    matrix = random_symmetric(60)
    expected = scipy.linalg.eigvalsh(matrix[::2, ::2])
    np.testing.assert_allclose(solve(matrix[::2, ::2]), expected, atol=1e-12)
    lower = np.asfortranarray(np.tril(matrix[::2, ::2]))
    np.testing.assert_allclose(solve(lower), expected, atol=1e-12)


def test_threads_may_solve_at_once(solve):
    matrices = [random_symmetric(120, seed=seed) for seed in range(16)]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(solve, matrices))
    expected = [scipy.linalg.eigvalsh(matrix) for matrix in matrices]
    np.testing.assert_allclose(found, expected, atol=1e-11)


@pytest.mark.parametrize("shape", [(3,), (2, 3), (2, 3, 3)])
def test_other_shape_than_square_is_refused(solve, shape):
    with pytest.raises(ValueError, match="square"):
        solve(np.zeros(shape))


@pytest.mark.parametrize("dtype", [np.int64, np.float16, np.complex64])
def test_other_numbers_are_refused(solve, dtype):
    with pytest.raises(TypeError, match=np.dtype(dtype).name):
        solve(np.eye(3, dtype=dtype))


@pytest.mark.parametrize(("info", "message"), [(-4, "argument 4"), (2, "did not converge.* 2$")])
def test_failure_of_lapack_raises(info, message):
    def failing(*arguments):
        work, info_address = arguments[6].value, arguments[10].value
        ctypes.c_double.from_address(work).value = 1  # the size asked for
        ctypes.c_int32.from_address(info_address).value = info

    solve = lapack.solver(SimpleNamespace(ssyevd_=failing, dsyevd_=failing), "{}syevd_")
    with pytest.raises(np.linalg.LinAlgError, match=message):
        solve(np.eye(5))


def test_library_without_the_routine_is_refused():
    with pytest.raises(AttributeError):
        lapack.solver(ctypes.CDLL(None), "{}no_such_routine_")


@pytest.fixture
def settings():
    """Each number of threads that `library` had, the first before it was set."""
    return [7]


@pytest.fixture
def library(settings):
    def set_threads(count):
        settings.append(count)
        return settings[-2]

    return SimpleNamespace(MKL_Set_Num_Threads_Local=set_threads)


def test_mkl_has_one_thread_during_a_call_and_its_own_number_after(library, settings):
    during = mkl._with_one_thread(library, lambda matrix: list(settings), np.eye(2))
    assert during == [7, 1]
    assert settings == [7, 1, 7]


def test_mkl_has_its_own_number_of_threads_after_a_failure(library, settings):
    def fail(matrix):
        raise np.linalg.LinAlgError

    with pytest.raises(np.linalg.LinAlgError):
        mkl._with_one_thread(library, fail, np.eye(2))
    assert settings == [7, 1, 7]


def test_library_is_found_among_the_files_of_the_package(tmp_path, monkeypatch):
    packages = tmp_path / "lib" / "python3" / "site-packages"
    record = packages / "mkl-2000.1.dist-info" / "RECORD"
    record.parent.mkdir(parents=True)
    record.with_name("METADATA").write_text("Metadata-Version: 2.1\nName: mkl\nVersion: 2000.1\n")
    record.write_text("../../libmkl_core.so.9,,\n../../libmkl_rt.so.9,,\n")
    monkeypatch.setattr(sys, "path", [str(packages), *sys.path])
    assert mkl.installed_library() == tmp_path / "lib" / "libmkl_rt.so.9"


def test_no_library_where_the_package_is_not_installed(monkeypatch):
    def files(name):
        raise PackageNotFoundError(name)

    monkeypatch.setattr(mkl, "files", files)
    assert mkl.installed_library() is None


@pytest.fixture
def fresh_choice():
    spectrum._solver.cache_clear()
    yield
    spectrum._solver.cache_clear()


@pytest.mark.usefixtures("fresh_choice")
@pytest.mark.parametrize("installed", [True, False])
def test_spectrum_uses_mkl_where_it_is_installed_and_decides_once(monkeypatch, installed):
    looked, loaded = [], []
    monkeypatch.setattr(mkl, "installed_library", lambda: looked.append(1) or ("path" if installed else None))
    monkeypatch.setattr(mkl, "mkl_solver", lambda path: loaded.append(path) or (lambda matrix: "by MKL"))
    answers = [spectrum.eigenvalues(np.eye(2)) for _ in range(2)]
    assert len(looked) == 1
    if installed:
        assert answers == ["by MKL", "by MKL"]
        assert loaded == ["path"]
    else:
        np.testing.assert_allclose(answers, 1)
        assert not loaded


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("above", [7.0, np.nan, np.inf])
def test_only_the_lower_triangle_is_read(route, above, dtype):
    matrix = random_symmetric(130, dtype)
    lower = matrix.copy()
    lower[np.triu_indices(len(lower), 1)] = above
    found = route(lower)
    assert found.dtype == dtype
    np.testing.assert_array_equal(found, route(matrix))
    assert (np.diff(found) >= 0).all()


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("place", [(2, 2), (3, 1)])
def test_entry_that_is_not_finite_gives_nan_throughout(route, place, value):
    matrix = np.eye(4, dtype=np.float32)
    matrix[place] = value
    found = route(matrix)
    assert np.isnan(found).all()
    assert found.shape == (4,)
    assert found.dtype == np.float32


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


def test_top_eigenvectors_read_the_lower_triangle_alone():
    matrix = random_symmetric(20)
    garbled = np.tril(matrix) + np.triu(np.full((20, 20), 7.0), 1)
    np.testing.assert_array_equal(lapack.top_eigenvectors(garbled, 3), lapack.top_eigenvectors(matrix, 3))


def test_threads_may_take_eigenvectors_at_once():
    matrices = [random_symmetric(120, seed=seed) for seed in range(16)]
    alone = [lapack.top_eigenvectors(matrix, 20) for matrix in matrices]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda matrix: lapack.top_eigenvectors(matrix, 20), matrices))
    np.testing.assert_array_equal(together, alone)


@pytest.mark.parametrize("count", [0, 4])
def test_top_eigenvectors_refuse_a_count_that_the_matrix_has_not(count):
    with pytest.raises(ValueError, match=f"3 rows has no {count} largest"):
        lapack.top_eigenvectors(np.eye(3), count)
