import numpy as np
import pytest
from ntklens.spectrum.effective_rank import effective_rank
from ntklens.spectrum.layer_shares import gram_rank, layer_share

RNG = np.random.default_rng(0)


def test_parts_of_a_layer_are_gram_matrices_of_its_derivatives():
    """The derivative of output k of sample i is x_i ⊗ s_ik for the kernel and s_ik for the bias."""
    inputs, sensitivity = RNG.standard_normal((3, 4)), RNG.standard_normal((6, 5))
    kernel = np.einsum("iv,ikw->ikvw", inputs, sensitivity.reshape(3, 2, 5)).reshape(6, 20)
    share = layer_share(inputs, sensitivity)
    np.testing.assert_allclose(share.kernel, kernel @ kernel.T, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(share.bias, sensitivity @ sensitivity.T, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("shape", [(9, 4), (4, 9), (5, 5)], ids=["tall", "wide", "square"])
def test_rank_is_that_of_the_whole_normalised_gram_matrix(shape):
    vectors = RNG.standard_normal(shape)
    units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    assert gram_rank(vectors) == pytest.approx(effective_rank(np.linalg.eigvalsh(units @ units.T)), rel=1e-9)


def test_rank_does_not_depend_on_lengths():
    vectors = RNG.standard_normal((9, 4)).astype(np.float32)
    lengths = RNG.uniform(0.1, 10, (9, 1)).astype(np.float32)
    assert gram_rank(vectors * lengths) == pytest.approx(gram_rank(vectors), rel=1e-4)


def test_rank_of_orthogonal_vectors_is_their_number():
    assert gram_rank(np.repeat(np.diag([1.0, 2.0, 3.0]), 4, axis=0)) == pytest.approx(3)


def test_vector_of_zeros_does_not_count():
    assert gram_rank(np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 2.0]])) == pytest.approx(2)


def test_vectors_that_are_not_finite_have_no_rank():
    assert np.isnan(gram_rank(np.array([[np.nan, 1.0], [1.0, 0.0]])))
