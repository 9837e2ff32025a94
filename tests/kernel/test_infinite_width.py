"""Kernels of infinite width: by hand where angles are simple, else against wide networks."""

import jax
import numpy as np
import pytest
from flax import linen as nn
from hypothesis import given, settings
from hypothesis import strategies as st
from ntklens.kernel import infinite_width as limit
from ntklens.kernel.ntk import ntk_matrix
from ntklens.spectrum.effective_rank import effective_rank
from ntklens.spectrum.eigenvalues import eigenvalues, normalised

from tests.support.unchecked import unchecked


def samples(d=5, inputs=4, seed=0):
    return np.random.default_rng(seed).standard_normal((d, inputs))


def test_linear_network_is_its_inputs_gram_matrix():
    x = samples()
    gram = x @ x.T
    np.testing.assert_allclose(limit.ntk(x, [], 1), gram + 1, rtol=1e-14)
    np.testing.assert_allclose(limit.ntk(x, [], 1, bias_variance=None), gram, rtol=1e-14)
    np.testing.assert_allclose(limit.nngp(x, 0, 2.0, 0.3), 2 * gram / 4 + 0.3, rtol=1e-14)
    np.testing.assert_allclose(limit.ntk_parametrised(x, 0, 1, 2.0, 0.5), 4 * gram / 4 + 0.25, rtol=1e-14)


# With one hidden layer, n₀ inputs and samples of length r at an angle θ:
#     Θ = (r² cos θ + 1) (π − θ) / 2π + m Λ + 1,  Λ = r² / n₀ (sin θ + (π − θ) cos θ) / 2π.
BY_HAND = {
    "identical": ([2.0, 0.0], (4 + 1) / 2, 4 / 2 / 2),
    "parallel": ([4.0, 0.0], (8 + 1) / 2, 8 / 2 / 2),
    "orthogonal": ([0.0, 2.0], 1 / 4, 4 / 2 / (2 * np.pi)),
    "opposite": ([-2.0, 0.0], 0.0, 0.0),
    "at 60°": (
        [1.0, np.sqrt(3)],
        (2 + 1) / 3,
        4 / 2 * (np.sqrt(3) / 2 + np.pi / 3) / (2 * np.pi),
    ),
}


@pytest.mark.parametrize("case", BY_HAND)
def test_one_hidden_layer_by_hand(case):
    other, first_term, features = BY_HAND[case]
    x = np.array([[2.0, 0.0], other])
    assert limit.ntk(x, [7], 1)[0, 1] == pytest.approx(first_term + 7 * features + 1, abs=1e-14)
    assert limit.nngp(x, 1)[0, 1] == pytest.approx(features, abs=1e-15)
    assert limit.nngp(x, 1, weight_variance=2.0)[0, 1] == pytest.approx(4 * features, abs=1e-15)


@pytest.mark.parametrize("angle", [1e-12, 1e-9, 1e-6, 1e-3, np.pi - 1e-9])
def test_angles_near_0_and_pi_keep_their_digits(angle):
    """An arccos of the cosine would be off by 1e-8."""
    x = np.array([[1.0, 0.0], [np.cos(angle), np.sin(angle)]])
    derivative = (np.pi - angle) / (2 * np.pi)
    features = 0.5 * (np.sin(angle) + (np.pi - angle) * np.cos(angle)) / (2 * np.pi)
    expected = np.cos(angle) * derivative + features
    assert limit.ntk(x, [1], 1, bias_variance=None)[0, 1] == pytest.approx(expected, abs=1e-15)


def test_bias_does_not_cost_small_angles_their_digits():
    """Two samples 1e-9 apart, at an angle of 1e-9 r / (r² + s²) behind biases; two layers deep."""
    distance, weight, bias = 1e-9, 1.5, 0.7
    x = np.array([[1.0, 0.0], [1.0, distance]])
    first = distance * np.sqrt(weight / 2) / np.sqrt(weight / 2 + bias)
    # cos φ = (sin θ + (π − θ) cos θ) / π keeps a small angle; the bias then shortens it again.
    features = (weight / 2 + bias) / 2
    second = first * np.sqrt(weight * features / (weight * features + bias))
    slope = [weight * (np.pi - angle) / (2 * np.pi) for angle in (first, second)]
    deeper = (weight * features + bias) / 2
    expected = (1 + 1) * slope[0] * slope[1] + (3 * features + 1) * slope[1] + 3 * deeper + 1
    theta = limit.ntk(x, [3, 3], 1, weight_variance=weight, bias_variance=bias)
    assert theta[0, 1] == pytest.approx(expected, rel=1e-14)


def test_outputs_are_independent_and_alike():
    x = samples()
    np.testing.assert_array_equal(limit.ntk(x, [6, 5], 3), np.kron(limit.ntk(x, [6, 5], 1), np.eye(3)))


def test_width_of_the_last_hidden_layer_counts_alone_for_the_output_layer():
    x = samples()
    difference = limit.ntk(x, [6, 9], 1) - limit.ntk(x, [6, 5], 1)
    np.testing.assert_allclose(difference, 4 * limit.nngp(x, 2), rtol=1e-12)


def test_parametrisations_share_the_ntk_of_layers_scaled_alike():
    """Multiplying layer l's gradient by σ_w / √n_{l-1} turns one into the other: without biases, terms
    of the NTK parametrisation are those of the standard one with all fan-ins 1."""
    x = samples(inputs=1)
    theirs = limit.ntk(x, [1, 1], 2, weight_variance=1.0, bias_variance=None)
    np.testing.assert_allclose(limit.ntk_parametrised(x, 2, 2, 1.0, 0.0), theirs, rtol=1e-14)


def test_layers_may_differ_in_variance():
    x = samples()
    np.testing.assert_array_equal(
        limit.ntk(x, [6, 5], 2, [2, 2, 2], [0.1, 0.1, 0.1]), limit.ntk(x, [6, 5], 2, 2, 0.1)
    )
    # The output layer's variance enters as the factor of all terms but its own.
    own = limit.ntk(x, [6, 5], 1, [1, 1, 3]) - 3 * limit.ntk(x, [6, 5], 1, [1, 1, 1])
    np.testing.assert_allclose(own, -2 * (5 * limit.nngp(x, 2) + 1), rtol=1e-12)


finite = st.floats(-10, 10, allow_subnormal=False, width=32)


@settings(deadline=None, max_examples=60)
@given(
    x=st.integers(1, 4).flatmap(
        lambda inputs: st.lists(st.lists(finite, min_size=inputs, max_size=inputs), min_size=1, max_size=6)
    ),
    hidden_layers=st.integers(0, 5),
    weight_variance=st.floats(0.1, 4),
    bias_variance=st.none() | st.floats(0, 2),
)
def test_kernels_are_symmetric_positive_semidefinite_and_finite(
    x, hidden_layers, weight_variance, bias_variance
):
    """For any samples, zeros and duplicates among them."""
    arguments = weight_variance, bias_variance
    kernels = [limit.ntk(x, hidden_layers * [3], 1, *arguments), limit.nngp(x, hidden_layers, *arguments)]
    kernels.append(limit.ntk_parametrised(x, hidden_layers, 1, weight_variance, bias_variance or 0.0))
    for kernel in kernels:
        np.testing.assert_allclose(kernel, kernel.T, rtol=1e-12, atol=1e-300)
        spectrum = np.linalg.eigvalsh(kernel)
        assert spectrum[0] >= -1e-13 * max(spectrum[-1], 1e-300) * len(x)


def test_samples_in_another_order_give_the_same_kernel_in_that_order():
    x, order = samples(6), np.array([3, 0, 5, 1, 4, 2])
    rows = (2 * order[:, None] + np.arange(2)).ravel()
    shuffled = limit.ntk(x[order], [5, 6], 2, 1.3, 0.2)
    np.testing.assert_allclose(shuffled, limit.ntk(x, [5, 6], 2, 1.3, 0.2)[np.ix_(rows, rows)], rtol=1e-13)
    rank = limit.effective_rank(x, 2, 2)
    assert limit.effective_rank(x[order], 2, 2) == pytest.approx(rank, rel=1e-12)


class Network(nn.Module):
    widths: tuple
    outputs: int
    weight_variance: float
    bias_variance: float | None

    @nn.compact
    def __call__(self, x):
        for width in self.widths:
            x = nn.relu(self.layer(width)(x))
        return self.layer(self.outputs)(x)

    def layer(self, units):
        weights = nn.initializers.variance_scaling(self.weight_variance, "fan_in", "normal")
        if self.bias_variance is None:
            return nn.Dense(units, kernel_init=weights, use_bias=False)
        biases = nn.initializers.normal(np.sqrt(self.bias_variance))
        return nn.Dense(units, kernel_init=weights, bias_init=biases)


def mean_distance(widths, x, weight_variance, bias_variance, draws):
    """Relative distance of the mean NTK of ``draws`` networks from the limit's."""
    model = Network(tuple(widths), 2, weight_variance, bias_variance)
    kernel = jax.jit(lambda key: ntk_matrix(model, model.init(key, x), x))
    theta = np.mean([np.asarray(kernel(jax.random.key(draw))) for draw in range(draws)], axis=0)
    expected = limit.ntk(x, widths, 2, weight_variance, bias_variance)
    return np.linalg.norm(theta - expected) / np.linalg.norm(expected)


@pytest.mark.parametrize(
    ("shape", "weight_variance", "bias_variance"),
    [
        ([1], 1.0, 0.0),
        ([1, 1], 2.0, None),
        ([2, 1], 1.0, 0.5),
        ([1, 2, 1], 2.0, 0.1),
    ],
)
def test_wide_networks_approach_the_limit(shape, weight_variance, bias_variance):
    with jax.enable_x64(True):
        x = samples(4, 6)
        arguments = x, weight_variance, bias_variance
        wide, narrow = (mean_distance([m * w for w in shape], *arguments, 24) for m in (512, 32))
    assert wide < 0.05
    assert wide < narrow / 2


def test_sample_of_zeros_has_the_kernel_of_a_finite_network():
    """Without biases in its way nothing but the output layer's bias moves it: JAX's ReLU is flat at 0."""
    x = samples()
    x[2] = 0
    for kernel in (limit.ntk(x, [6, 5], 1), limit.ntk(x, [6, 5], 1, bias_variance=None)):
        assert np.isfinite(kernel).all()
    np.testing.assert_array_equal(limit.ntk(x, [6, 5], 1)[2], np.ones(5))
    with jax.enable_x64(True):
        model = Network((6, 5), 1, 1.0, 0.0)
        row = ntk_matrix(model, model.init(jax.random.key(0), x), x)[2]
    np.testing.assert_array_equal(row, np.ones(5))


@pytest.mark.parametrize("hidden_layers", [1, 2, 4])
def test_effective_rank_is_that_of_the_ntk_at_great_width(hidden_layers):
    x, outputs = samples(7, 5), 3
    theta = limit.ntk(x, hidden_layers * [10**9], outputs, 1.2, 0.1)
    expected = effective_rank(eigenvalues(normalised(theta)))
    assert limit.effective_rank(x, hidden_layers, outputs, 1.2, 0.1) == pytest.approx(expected, rel=1e-7)


def test_effective_rank_of_opposite_samples_is_their_number():
    """Behind one ReLU their features do not overlap."""
    assert limit.effective_rank([[1.0, 2.0], [-1.0, -2.0]], 1, 5) == pytest.approx(10, rel=1e-12)


def test_effective_rank_of_equal_samples_is_the_number_of_outputs():
    assert limit.effective_rank([[1.0, 2.0], [2.0, 4.0]], 3, 5) == pytest.approx(5, rel=1e-9)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: limit.ntk(x[0], [3], 1), r"matrix \(d, n₀\), not of shape \(4,\)"),
        (lambda x: limit.nngp(x[:0], 2), r"matrix \(d, n₀\), not of shape \(0, 4\)"),
        (lambda x: limit.ntk(x, [3, 0], 1), r"must be positive, not \[3, 0\] and 1"),
        (lambda x: limit.ntk(x, [3], 0), r"must be positive, not \[3\] and 0"),
        (lambda x: limit.ntk(x, [3, 3], 1, [1.0, 2.0]), r"\(2,\).*\(3,\)"),
        (lambda x: limit.ntk(x, [3], 1, 0.0), "weight_variance must be positive"),
        (lambda x: limit.ntk(x, [3], 1, 1.0, -0.1), "bias_variance not negative"),
        (lambda x: limit.ntk_parametrised(x, -1, 1), "hidden_layers must not be negative"),
        (lambda x: limit.ntk_parametrised(x, 1, 0), "outputs must be positive"),
        (lambda x: limit.effective_rank(x, 0, 2), "needs a hidden layer"),
    ],
)
def test_arguments_that_make_no_sense_raise(call, message):
    with unchecked(), pytest.raises(ValueError, match=message):
        call(samples())
