import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from ntklens.spectrum.effective_rank import effective_rank
from ntklens.spectrum.eigenvalues import eigenvalues, normalised
from ntklens.storage.import_closure import import_closure

from tests.support.unchecked import unchecked

WORKFLOW = Path(__file__).parents[2] / "workflow"


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


def test_a_spectrum_without_eigenvalues_raises():
    for nothing in ([], [[]], np.zeros((0, 3, 0)), 1.0):
        with unchecked(), pytest.raises(ValueError, match=r"of shape .*: each spectrum needs one or more"):
            effective_rank(nothing)
    assert effective_rank(np.zeros((0, 3))).shape == (0,)


NO_NUMBERS = [["1", "2"], [1j, 2], None, [[1, 2], [1]], {}, np.array([1, 2], object)]


@pytest.mark.parametrize("values", [*NO_NUMBERS, np.ma.masked_array([1.0, 2, 100], [0, 0, 1])])
def test_what_are_no_real_numbers_raises(values):
    with unchecked(), pytest.raises(TypeError, match="an array of real numbers is needed"):
        effective_rank(values)


@pytest.mark.parametrize("values", [[np.nan, 1], [np.inf, 1], [0, 0, 0], [1e-15, 1e-16]])
def test_rank_that_no_number_states_is_nan(values):
    """Also of a kernel of zeros: clipped, its eigenvalues would be equal, and its rank their number."""
    assert np.isnan(effective_rank(values))
    both = effective_rank([values, np.eye(len(values))[0]])
    assert np.isnan(both[0])
    assert both[1] == pytest.approx(1)


@pytest.mark.parametrize("values", [[-1, -2], [-1, 2], [-0.02, 1], [1, -np.inf]])
def test_negative_eigenvalues_beyond_rounding_raise(values):
    with pytest.raises(ValueError, match="those of a kernel are not negative"):
        effective_rank([[1.0, 2.0], values])


def test_huge_and_tiny_eigenvalues_do_not_overflow():
    assert effective_rank([1e308] * 3) == pytest.approx(3)
    assert effective_rank([1e-10] * 3) == pytest.approx(3)


def test_float32_costs_little_effective_rank():
    theta = random_kernel(300, 1000)
    assert gamma(theta.astype(np.float32)) == pytest.approx(gamma(theta), rel=1e-5)


def test_import_needs_numpy_alone():
    code = """if True:
        import sys
        import ntklens.spectrum.effective_rank
        print(*(name in sys.modules for name in ("jax", "scipy", "ntklens.spectrum.lapack")))
    """
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    result = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, encoding="utf-8", check=True
    )
    assert result.stdout.split() == ["False", "False", "False"]


KINDS = sorted({figure.stem for figure in (WORKFLOW / "ntklens/figures").glob("*.py")} - {"__init__"})
DEPENDENTS = [(name, ()) for name in ("adaptation_rate", "aggregate", "power_laws", "transition")]
DEPENDENTS += [("figure", (f"ntklens.figures.{kind}",)) for kind in KINDS]


@pytest.mark.parametrize(
    ("script", "modules"), DEPENDENTS, ids=[" ".join((name, *modules)) for name, modules in DEPENDENTS]
)
def test_analyses_and_figures_depend_on_nothing_else_of_the_spectrum(script, modules):
    """Edited code that takes eigenvalues or alignments must not refit a law or redraw a figure."""
    closure = import_closure(WORKFLOW / f"scripts/{script}.py", *modules)
    spectrum = {path.stem for path in closure if path.parent.name == "spectrum"}
    assert spectrum <= {"__init__", "effective_rank"}
