"""The public functions refuse arrays of a wrong shape or type: annotations are checked in the tests."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jaxtyping import TypeCheckError
from ntklens import effective_rank, layer_kernels, normalised, ntk_matrix, ntk_trace
from ntklens.analysis.adaptation_rate import adaptation_rate
from ntklens.analysis.fitting import fit_bent_laws, fit_power_laws
from ntklens.analysis.laws import SATURATING
from ntklens.kernel import infinite_width
from ntklens.networks.modules import DenseNetwork, initial_parameters
from ntklens.spectrum import lapack, on_device
from ntklens.spectrum.alignments import label_alignment, misalignments, summed_label_alignment
from ntklens.spectrum.eigenvalues import eigenvalues

MODEL = DenseNetwork(1, 4, 2)
PARAMS = initial_parameters(MODEL, 3, 0)
OF_A_NETWORK = pytest.mark.parametrize("quantity", [ntk_matrix, ntk_trace, layer_kernels])
ROW, OBLONG, SQUARE, CUBE = np.ones(4), np.ones((3, 4)), np.ones((4, 4)), np.ones((4, 4, 4))


@OF_A_NETWORK
@pytest.mark.parametrize("x", [np.float32(1), jnp.ones(())], ids=["NumPy", "JAX"])
def test_a_number_is_no_array_of_samples(quantity, x):
    with pytest.raises(TypeCheckError, match=r"parameter 'x'"):
        quantity(MODEL, PARAMS, x)


@OF_A_NETWORK
def test_a_function_is_no_network(quantity):
    with pytest.raises(TypeCheckError, match=r"parameter 'model'"):
        quantity(MODEL.apply, PARAMS, OBLONG)


@OF_A_NETWORK
def test_bare_leaves_are_no_parameters(quantity):
    with pytest.raises(TypeCheckError, match=r"parameter 'params'"):
        quantity(MODEL, jax.tree.leaves(PARAMS), OBLONG)


@pytest.mark.parametrize("spectrum", [np.float64(1), jnp.ones(()), np.ones(3) > 0, np.ones(3) + 0j])
def test_effective_rank_needs_an_array_of_real_numbers(spectrum):
    with pytest.raises(TypeCheckError, match=r"parameter 'eigenvalues'"):
        effective_rank(spectrum)


@pytest.mark.parametrize(
    "function", [normalised, eigenvalues, on_device.normalised, on_device.eigenvalues, lapack.eigenvalues]
)
@pytest.mark.parametrize(
    "matrix", [ROW, OBLONG, CUBE, SQUARE.astype(int)], ids=lambda matrix: str(matrix.shape)
)
def test_spectra_are_of_square_matrices(function, matrix):
    if function in (on_device.normalised, on_device.eigenvalues):
        matrix = jnp.asarray(matrix)
    with pytest.raises(TypeCheckError, match=r"parameter '(theta|matrix)'"):
        function(matrix)


@pytest.mark.parametrize("function", [normalised, eigenvalues])
def test_spectra_are_of_arrays_of_jax_too(function):
    assert function(jnp.asarray(SQUARE + np.eye(4))).shape in [(4,), (4, 4)]
    with pytest.raises(TypeCheckError):
        function(jnp.asarray(OBLONG))


@pytest.mark.parametrize("function", [label_alignment, summed_label_alignment])
@pytest.mark.parametrize(("theta", "labels"), [(OBLONG, np.arange(2)), (SQUARE, SQUARE), (SQUARE, ROW[:2])])
def test_alignments_are_of_square_matrices_and_integer_labels(function, theta, labels):
    with pytest.raises(TypeCheckError):
        function(theta, labels)


def test_misalignments_are_of_equally_many_vectors():
    with pytest.raises(TypeCheckError):
        misalignments(OBLONG, SQUARE)


def test_adaptation_rate_needs_curves_of_one_length():
    with pytest.raises(TypeCheckError):
        adaptation_rate(np.arange(9), np.ones(9), np.ones(8), 2)


@pytest.mark.parametrize("fit", [fit_power_laws, lambda *data: fit_bent_laws(SATURATING, *data)])
@pytest.mark.parametrize(("x", "y"), [(ROW, np.ones((2, 5))), (OBLONG, OBLONG), (ROW, ROW)])
def test_laws_are_fitted_to_curves_of_one_length(fit, x, y):
    with pytest.raises(TypeCheckError):
        fit(x, y, ROW)


@pytest.mark.parametrize(
    "kernel",
    [
        lambda x: infinite_width.ntk(x, [3], 1),
        lambda x: infinite_width.ntk_parametrised(x, 1, 1),
        lambda x: infinite_width.nngp(x, 1),
        lambda x: infinite_width.effective_rank(x, 1, 2),
    ],
)
@pytest.mark.parametrize("x", [ROW, CUBE, SQUARE + 0j], ids=["row", "cube", "complex"])
def test_limits_are_of_a_matrix_of_samples(kernel, x):
    with pytest.raises(TypeCheckError, match=r"parameter 'x'"):
        kernel(x)
