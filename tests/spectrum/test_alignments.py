import numpy as np
import pytest
from ntklens.spectrum.alignments import alignments, label_alignment, misalignments, summed_label_alignment

SAMPLES, OUTPUTS = 5, 3
LABELS = np.array([2, 0, 1, 2, 0])


@pytest.fixture
def theta():
    """A positive matrix (15, 15) of full rank."""
    rows = np.random.default_rng(0).standard_normal((SAMPLES * OUTPUTS, 40))
    return rows @ rows.T


def one_hot():
    return np.eye(OUTPUTS)[LABELS]


def test_label_alignment_is_that_of_the_formula(theta):
    y = one_hot().ravel()
    kernel = np.outer(y, y)
    expected = np.sum(theta * kernel) / np.linalg.norm(theta) / np.linalg.norm(kernel)
    assert label_alignment(theta, LABELS) == pytest.approx(expected, rel=1e-12)


def test_summed_label_alignment_is_that_of_the_formula(theta):
    summed = sum(theta[k::OUTPUTS, k::OUTPUTS] for k in range(OUTPUTS))
    kernel = one_hot() @ one_hot().T
    expected = np.sum(summed * kernel) / np.linalg.norm(summed) / np.linalg.norm(kernel)
    assert summed_label_alignment(theta, LABELS) == pytest.approx(expected, rel=1e-12)


def test_kernel_of_the_labels_is_aligned_completely():
    y = one_hot().ravel()
    assert label_alignment(np.outer(y, y), LABELS) == pytest.approx(1)
    same_class = np.kron(one_hot() @ one_hot().T, np.eye(OUTPUTS))
    assert summed_label_alignment(same_class, LABELS) == pytest.approx(1)


@pytest.mark.parametrize("measure", [label_alignment, summed_label_alignment])
def test_upper_triangle_does_not_count(theta, measure):
    garbled = np.tril(theta) + np.triu(np.full_like(theta, np.nan), 1)
    assert measure(garbled, LABELS) == pytest.approx(measure(theta, LABELS), rel=1e-12)


def orthonormal(count, size, seed):
    return np.linalg.qr(np.random.default_rng(seed).standard_normal((size, count)))[0].T


def test_unchanged_eigenvectors_have_no_misalignment():
    vectors = orthonormal(4, 9, 0)
    np.testing.assert_allclose(misalignments(vectors, vectors), 0, atol=1e-12)


def test_flipped_signs_show_in_the_printed_form_alone():
    vectors = orthonormal(4, 9, 0)
    flipped = vectors * np.array([1, -1, -1, 1])[:, None]
    np.testing.assert_allclose(misalignments(vectors, flipped), [1, 0, 0], atol=1e-12)


def test_rotation_within_the_space_does_not_show_in_the_basis_free_form():
    vectors = orthonormal(2, 9, 0)
    angle = 0.3
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    lost = 1 - np.cos(angle)
    np.testing.assert_allclose(misalignments(vectors, turn @ vectors), [lost, lost, 0], atol=1e-12)


def test_rotation_out_of_the_space_shows_in_every_form():
    vectors, angle = np.eye(4), 0.3
    turned = np.cos(angle) * vectors[:1] + np.sin(angle) * vectors[1:2]
    expected = [1 - np.cos(angle)] * 2 + [np.sin(angle) ** 2]
    np.testing.assert_allclose(misalignments(vectors[:1], turned), expected, atol=1e-12)


def test_forms_are_those_of_the_formula():
    before, after = orthonormal(4, 9, 0), orthonormal(4, 9, 1)
    printed = 1 - np.sum(before * after) / np.linalg.norm(before) / np.linalg.norm(after)
    signs = np.sign(np.sum(before * after, axis=1))[:, None]
    matched = 1 - np.sum(before * signs * after) / np.linalg.norm(before) / np.linalg.norm(after)
    basis_free = 1 - np.linalg.norm(before @ after.T) ** 2 / 4
    np.testing.assert_allclose(misalignments(before, after), [printed, matched, basis_free], rtol=1e-12)


def test_alignments_take_the_top_eigenvectors(theta):
    change = np.random.default_rng(1).standard_normal(theta.shape)
    after = theta + 0.1 * (change + change.T)
    found = alignments(np.tril(theta), np.tril(after), LABELS, 3)
    vectors = [np.linalg.eigh(matrix)[1][:, ::-1][:, :3].T for matrix in (theta, after)]
    _, sign_matched, basis_free = misalignments(*vectors)
    assert found.label_alignment == label_alignment(theta, LABELS)
    assert found.summed_label_alignment == summed_label_alignment(theta, LABELS)
    assert found.misalignment_sign_matched == pytest.approx(sign_matched, rel=1e-8)
    assert found.misalignment_basis_free == pytest.approx(basis_free, rel=1e-8)


def test_diverged_network_has_no_alignments(theta):
    found = alignments(theta, np.full_like(theta, np.nan), LABELS, 3)
    assert found.label_alignment > 0
    assert np.isnan(found[2:]).all()
    assert np.isnan(alignments(np.full_like(theta, np.nan), theta, LABELS, 3)).all()


def test_alignments_in_single_precision_are_close(theta):
    after = theta * 1.01 + np.eye(len(theta))
    exact = alignments(theta, after, LABELS, 2)
    single = alignments(theta.astype(np.float32), after.astype(np.float32), LABELS, 2)
    assert single.label_alignment == pytest.approx(exact.label_alignment, rel=1e-6)
    assert single.misalignment_basis_free == pytest.approx(exact.misalignment_basis_free, abs=1e-6)
