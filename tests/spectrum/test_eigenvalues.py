import os
import subprocess
import sys

import numpy as np
import pytest
from ntklens.spectrum.normalised import effective_rank, eigenvalues, normalised


def random_kernel(size, rank, seed=0):
    factor = np.random.default_rng(seed).standard_normal((size, rank))
    return factor @ factor.T


def gamma(matrix):
    return effective_rank(eigenvalues(matrix))


def test_effective_rank_of_equation_14_is_two():
    assert gamma(np.diag([1 / 2, 1 / 2])) == pytest.approx(2)


def test_effective_rank_of_equation_15_is_two_only_once_normalised():
    theta = np.diag([1 / 3, 2 / 3])
    assert gamma(theta) == pytest.approx(3 / 2 ** (2 / 3))  # = 1.8899
    assert gamma(normalised(theta)) == pytest.approx(2)


@pytest.mark.parametrize("rank", [1, 3, 12, 40])
def test_effective_rank_is_at_most_rows_and_parameters(rank):
    value = gamma(normalised(random_kernel(12, rank)))
    assert 1 <= value <= min(12, rank) + 1e-9


def test_effective_rank_of_projector_is_its_rank():
    basis, _ = np.linalg.qr(np.random.default_rng(0).standard_normal((9, 4)))
    assert gamma(basis @ basis.T) == pytest.approx(4)


def test_effective_rank_ignores_scale_and_acts_along_last_axis():
    spectra = np.array([[1.0, 1.0, 0.0], [5.0, 5.0, 5.0]])
    np.testing.assert_allclose(effective_rank(spectra), [2, 3], rtol=1e-9)


def test_negative_rounding_errors_do_not_count():
    assert effective_rank([-1e-7, 1.0, 1.0]) == pytest.approx(2)


def test_normalised_has_unit_diagonal_and_trace_n():
    theta = random_kernel(20, 50)
    result = normalised(theta)
    np.testing.assert_allclose(np.diagonal(result), 1)
    i, j = 3, 17
    assert result[i, j] == pytest.approx(theta[i, j] / np.sqrt(theta[i, i] * theta[j, j]))


def test_normalised_keeps_a_row_of_zeros():
    theta = np.diag([0.0, 4.0])
    np.testing.assert_array_equal(normalised(theta), np.diag([0.0, 1.0]))


def test_eigenvalues_are_known_and_ascending():
    basis, _ = np.linalg.qr(np.random.default_rng(1).standard_normal((6, 6)))
    known = np.array([0.0, 0.5, 1, 2, 3, 8])
    np.testing.assert_allclose(eigenvalues(basis * known @ basis.T), known, atol=1e-12)


def test_eigenvalues_of_a_kernel_with_nan_are_nan():
    assert np.isnan(eigenvalues(np.array([[1.0, np.nan], [np.nan, 1.0]]))).all()


def test_float32_costs_little_effective_rank():
    theta = random_kernel(300, 1000)
    assert gamma(theta.astype(np.float32)) == pytest.approx(gamma(theta), rel=1e-5)


def test_import_is_light():
    """Environments without JAX have this module too; no solver is loaded before it is needed."""
    code = """if True:
        import sys
        from ntklens.spectrum import normalised as spectrum
        print("jax" in sys.modules, spectrum._solver.cache_info().currsize)
    """
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    result = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert result.stdout.split() == ["False", "0"]
