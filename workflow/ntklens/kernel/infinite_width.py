"""The NTK of dense ReLU networks of infinite width, in closed form.

As widths grow, pre-activations become Gaussian, and the NTK no longer depends on the random draw of the
parameters (Jacot et al. 2018; Lee et al. 2019). Let Λ_l be the covariance of one unit of layer l between two
samples (Λ_0 = x·x'/n₀) and Σ̇_l that of the unit's derivative. They are the arc-cosine kernels of order 1 and
0 (Cho & Saul 2009) of the angle θ_l between the two samples' pre-activations:

    Λ_l = √(K_l K'_l) (sin θ_l + (π − θ_l) cos θ_l) / 2π,    Σ̇_l = (π − θ_l) / 2π,
    K_l = σ_w² Λ_{l-1} + σ_b²,    cos θ_l = K_l(x, x') / √(K_l K'_l),

where the layers' kernels have variance σ_w² / fan-in and their biases σ_b². LeCun initialisation has
σ_w² = 1, He initialisation σ_w² = 2. The n outputs are independent and have the same distribution: a (d, d)
kernel between d samples stands for the sample-major (d·n, d·n) one, which is zero between different outputs.

The layers pass on angles rather than cosines. Near 0 and π a cosine has lost half of the angle's digits, so
its arccos is off by 1e-8, even for the angle between a sample and itself.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple, TypeAlias, cast

import numpy as np
from jaxtyping import Array, Float, Real
from scipy.spatial.distance import cdist  # pyright: ignore[reportMissingTypeStubs] scipy has no stubs

from ntklens.spectrum.effective_rank import effective_rank as effective_rank_of_spectrum
from ntklens.spectrum.eigenvalues import eigenvalues, normalised

# Samples as an array, or row by row.
Inputs: TypeAlias = Real[Array | np.ndarray, "d n0"] | Sequence[Sequence[float | int]]
# One variance for all layers, or one for each of the L + 1 layers.
Variance: TypeAlias = float | int | Sequence[float | int] | Real[np.ndarray, " layers"]


def ntk(
    x: Inputs,
    widths: Sequence[int],
    outputs: int,
    weight_variance: Variance = 1.0,
    bias_variance: Variance | None = 0.0,
) -> Float[np.ndarray, "N N"]:
    """The NTK that wide networks in the standard parametrisation approach, sample-major, of N = d·n rows.

        Θ = δ_kk' Σ_l (n_{l-1} Λ_{l-1} + 1) Π_{k≥l} σ²_{w,k+1} Σ̇_k,  l = 1 … L + 1

    for the samples ``x``, hidden layers of ``widths`` n_1 … n_L and n ``outputs``. ``weight_variance`` is
    σ_w², the variance of the layers' kernels times fan-in, and ``bias_variance`` is σ_b². A ``bias_variance``
    of None means no biases, and then the + 1 is absent. Raises ValueError for shapes and values that are not
    possible.
    """
    layers = _layers(x, len(widths), weight_variance, bias_variance)
    if outputs < 1 or any(width < 1 for width in widths):
        raise ValueError(f"widths and outputs must be positive, not {list(widths)} and {outputs}")
    fans, biases = [np.shape(x)[1], *widths], float(bias_variance is not None)
    terms = (fan * layer.features + biases for fan, layer in zip(fans, layers, strict=True))
    return _for_outputs(_sum_over_layers(terms, layers), outputs)


def ntk_parametrised(
    x: Inputs,
    hidden_layers: int,
    outputs: int,
    sigma_w: float | int = 1.0,
    sigma_b: float | int = 0.0,
) -> Float[np.ndarray, "N N"]:
    """The NTK in the NTK parametrisation, sample-major, of N = d·n rows. It does not depend on the widths.

        Θ = δ_kk' Σ_l (σ_w² Λ_{l-1} + σ_b²) Π_{k≥l} σ_w² Σ̇_k,  l = 1 … L + 1

    Layers are σ_w / √n_{l-1} W x + σ_b b with W and b standard normal; L is ``hidden_layers``. Raises
    ValueError for shapes and values that are not possible.
    """
    layers = _layers(x, hidden_layers, sigma_w**2, sigma_b**2)
    if outputs < 1:
        raise ValueError(f"outputs must be positive, not {outputs}")
    terms = (sigma_w**2 * layer.features + sigma_b**2 for layer in layers)
    return _for_outputs(_sum_over_layers(terms, layers), outputs)


def nngp(
    x: Inputs,
    hidden_layers: int,
    weight_variance: Variance = 1.0,
    bias_variance: Variance | None = 0.0,
) -> Float[np.ndarray, "d d"]:
    """The covariance K_{L+1} of an output between the samples ``x``, the same in either parametrisation.

    Arguments and errors as for `ntk`.
    """
    output = _layers(x, hidden_layers, weight_variance, bias_variance)[-1]
    return output.weight_variance * output.features + output.bias_variance


def effective_rank(
    x: Inputs,
    hidden_layers: int,
    outputs: int,
    weight_variance: Variance = 1.0,
    bias_variance: Variance | None = 0.0,
) -> float:
    """The limit Γ_∞ of the effective rank of networks in the standard parametrisation, as all widths m → ∞.

    The terms of the layers after the first grow with m, as m Σ_{l≥2} Λ_{l-1} Π_{k≥l} σ_w² Σ̇_k, and outweigh
    the rest. Γ_∞ is the effective rank of their normalised sum: n times that of its (d, d) factor. Arguments
    and errors are those of `ntk`; also raises ValueError for a linear network, where no term grows.
    """
    layers = _layers(x, hidden_layers, weight_variance, bias_variance)
    if hidden_layers < 1 or outputs < 1:
        raise ValueError(f"needs a hidden layer and an output, not {hidden_layers} and {outputs}")
    growing = _sum_over_layers((layer.features for layer in layers[1:]), layers[1:])
    return float(outputs * effective_rank_of_spectrum(eigenvalues(normalised(growing))))


class _Layer(NamedTuple):
    """One of the L + 1 layers, in terms of its input."""

    features: Float[np.ndarray, "d d"]  # Λ_{l-1}: covariance of a unit of its input
    derivative: Float[np.ndarray, "d d"] | float  # σ²_{w,l} Σ̇_{l-1}: from its pre-activations to those before
    weight_variance: float
    bias_variance: float


def _layers(
    x: Inputs, hidden_layers: int, weight_variance: Variance, bias_variance: Variance | None
) -> list[_Layer]:
    """The `_Layer`s 1 … L + 1 on the samples ``x``."""
    x = _checked_samples(x)
    weights, biases = _variances(hidden_layers, weight_variance, bias_variance)
    layers = [_Layer(x @ x.T / x.shape[1], 1.0, weights[0], biases[0])]
    norms, angle = _first_pre_activations(x, weights[0], biases[0])
    for weight, bias in zip(weights[1:], biases[1:], strict=True):
        unit = (np.sin(angle) + (np.pi - angle) * np.cos(angle)) / (2 * np.pi)
        features = np.outer(norms, norms) * unit
        layers.append(_Layer(features, weight * _derivative(norms, angle), weight, bias))
        # A ReLU halves a centred Gaussian's mean square.
        norms, angle = _with_bias(np.sqrt(weight / 2) * norms, _versine_after_relu(angle), np.sqrt(bias))
    return layers


def _first_pre_activations(
    x: Float[np.ndarray, "d n0"], weight_variance: float, bias_variance: float
) -> tuple[Float[np.ndarray, " d"], Float[np.ndarray, "d d"]]:
    """Norms √K_1 and angles θ_1 of the first layer's pre-activations.

    K_1 is the Gram matrix of the samples with the bias as one more coordinate. The angle between unit vectors
    u and v is 2 arctan(‖u − v‖ / ‖u + v‖), which is accurate for all angles from 0 to π.
    """
    bias = np.full((len(x), 1), np.sqrt(bias_variance))
    vectors = np.hstack([x * np.sqrt(weight_variance / x.shape[1]), bias])
    norms = np.linalg.norm(vectors, axis=1)
    units = vectors / np.where(norms > 0, norms, 1)[:, None]
    return norms, 2 * np.arctan2(_distances(units, units), _distances(units, -units))


def _distances(left: Float[np.ndarray, "d v"], right: Float[np.ndarray, "d v"]) -> Float[np.ndarray, "d d"]:
    """The Euclidean distance of every row of ``left`` from every row of ``right``."""
    return cast(np.ndarray, cdist(left, right))


def _derivative(norms: Float[np.ndarray, " d"], angle: Float[np.ndarray, "d d"]) -> Float[np.ndarray, "d d"]:
    """Σ̇ = (π − θ) / 2π, but 0 where a pre-activation is always 0, as JAX's derivative of ReLU is there."""
    alive = norms > 0
    return np.where(np.outer(alive, alive), (np.pi - angle) / (2 * np.pi), 0.0)


def _versine_after_relu(angle: Float[np.ndarray, "d d"]) -> Float[np.ndarray, "d d"]:
    """1 − cos φ for the angle φ between two samples' units after a ReLU: cos φ = (sin θ + (π − θ) cos θ) / π.

    In this form no two numbers near 1 are subtracted for small θ.
    """
    return 2 * np.sin(angle / 2) ** 2 - (np.sin(angle) - angle * np.cos(angle)) / np.pi


def _with_bias(
    norms: Float[np.ndarray, " d"], versine: Float[np.ndarray, "d d"], bias: float
) -> tuple[Float[np.ndarray, " d"], Float[np.ndarray, "d d"]]:
    """Norms and angles of d vectors after ``bias`` is added to each as one more coordinate.

    With r the norms, s the bias and ρ² = r² + s², the new versine is (ρρ' − s² − rr' cos φ) / ρρ', where
    ρρ' − s² − rr' = s² (r − r')² / (ρρ' + rr' + s²) without cancellation.
    """
    longer = np.hypot(norms, bias)
    products, longer_products = np.outer(norms, norms), np.outer(longer, longer)
    positive = np.where(longer_products > 0, longer_products, 1.0)
    differences = np.subtract.outer(norms, norms)
    apart = bias**2 * differences**2 / (positive + products + bias**2)
    versine = (apart + products * versine) / positive
    return longer, 2 * np.arcsin(np.sqrt(np.clip(versine / 2, 0, 1)))


def _sum_over_layers(
    terms: Iterable[Float[np.ndarray, "d d"]], layers: Sequence[_Layer]
) -> Float[np.ndarray, "d d"]:
    """Σ_l term_l Π_{k>l} derivative_k. Going forward, each layer's derivative multiplies the sum so far."""
    total: np.ndarray | float = 0.0
    for term, layer in zip(terms, layers, strict=True):
        total = total * layer.derivative + term
    return np.asarray(total)


def _for_outputs(kernel: Float[np.ndarray, "d d"], outputs: int) -> Float[np.ndarray, "N N"]:
    """The kernel of several independent outputs from that of one, sample-major."""
    return np.kron(kernel, np.eye(outputs))


def _checked_samples(x: Inputs) -> Float[np.ndarray, "d n0"]:
    """``x`` in double precision. Raises ValueError if it is no matrix or is empty."""
    x = np.asarray(x, dtype=np.float64)
    if x.ndim != 2 or 0 in x.shape:
        raise ValueError(f"samples must be a matrix (d, n₀), not of shape {x.shape}")
    return x


def _variances(
    hidden_layers: int, weight_variance: Variance, bias_variance: Variance | None
) -> tuple[Float[np.ndarray, " layers"], Float[np.ndarray, " layers"]]:
    """σ_w² and σ_b² of each of the L + 1 layers; no biases count as biases of variance 0."""
    if hidden_layers < 0:
        raise ValueError(f"hidden_layers must not be negative, but is {hidden_layers}")
    bias_variance = 0.0 if bias_variance is None else bias_variance
    weights, biases = (
        np.broadcast_to(np.asarray(variance, dtype=np.float64), hidden_layers + 1)
        for variance in (weight_variance, bias_variance)
    )
    if not (np.all(weights > 0) and np.all(biases >= 0)):
        raise ValueError("weight_variance must be positive and bias_variance not negative")
    return weights, biases
