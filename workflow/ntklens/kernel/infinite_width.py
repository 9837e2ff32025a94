"""The NTK of dense ReLU networks of infinite width, in closed form.

As widths grow, pre-activations become Gaussian, and the NTK stops depending on the draw of the
parameters (Jacot et al. 2018; Lee et al. 2019). With Λ_l the covariance of one unit of layer l
(Λ_0 = x·x'/n₀) and Σ̇_l that of its derivative, the arc-cosine kernels of order 1 and 0 (Cho & Saul
2009) of the angle θ_l between two samples' pre-activations,

    Λ_l = √(K_l K'_l) (sin θ_l + (π − θ_l) cos θ_l) / 2π,    Σ̇_l = (π − θ_l) / 2π,
    K_l = σ_w² Λ_{l-1} + σ_b²,    cos θ_l = K_l(x, x') / √(K_l K'_l),

where kernels have variance σ_w² / fan-in and biases σ_b². LeCun initialisation is σ_w² = 1, He's is
2. Outputs are independent and alike: a kernel between d samples, (d, d), stands for one of (d·n, d·n),
sample-major, which is zero between different outputs.

Angles rather than cosines are carried from layer to layer: near 0 and π a cosine has lost half of
an angle's digits, so that arccos of it is off by 1e-8, for a sample and itself too.
"""

from typing import NamedTuple

import numpy as np
from scipy.spatial.distance import cdist

from ntklens.spectrum.effective_rank import effective_rank as effective_rank_of_spectrum
from ntklens.spectrum.eigenvalues import eigenvalues, normalised


def ntk(x, widths, outputs, weight_variance=1.0, bias_variance=0.0):
    """The NTK (d·n, d·n), sample-major, in the standard parametrisation: what wide networks approach.

        Θ = δ_kk' Σ_l (n_{l-1} Λ_{l-1} + 1) Π_{k≥l} σ²_{w,k+1} Σ̇_k,  l = 1 … L + 1

    for samples ``x`` (d, n₀), hidden layers of ``widths`` n_1 … n_L and n ``outputs``.
    ``weight_variance`` is σ_w², kernels' variance times fan-in, and ``bias_variance`` σ_b²: numbers,
    or a sequence with one for each of the L + 1 layers. A ``bias_variance`` of None means no biases,
    and then the + 1 is absent. Raises ValueError where a shape or a value makes no sense.
    """
    layers = _layers(x, len(widths), weight_variance, bias_variance)
    if outputs < 1 or any(width < 1 for width in widths):
        raise ValueError(f"widths and outputs must be positive, not {list(widths)} and {outputs}")
    fans, biases = [np.shape(x)[1], *widths], float(bias_variance is not None)
    terms = (fan * layer.features + biases for fan, layer in zip(fans, layers, strict=True))
    return _for_outputs(_sum_over_layers(terms, layers), outputs)


def ntk_parametrised(x, hidden_layers, outputs, sigma_w=1.0, sigma_b=0.0):
    """The NTK (d·n, d·n), sample-major, in the NTK parametrisation, where widths drop out.

        Θ = δ_kk' Σ_l (σ_w² Λ_{l-1} + σ_b²) Π_{k≥l} σ_w² Σ̇_k,  l = 1 … L + 1

    Layers are σ_w / √n_{l-1} W x + σ_b b with W and b standard normal; L is ``hidden_layers``. Raises
    ValueError where a shape or a value makes no sense.
    """
    layers = _layers(x, hidden_layers, sigma_w**2, sigma_b**2)
    if outputs < 1:
        raise ValueError(f"outputs must be positive, not {outputs}")
    terms = (sigma_w**2 * layer.features + sigma_b**2 for layer in layers)
    return _for_outputs(_sum_over_layers(terms, layers), outputs)


def nngp(x, hidden_layers, weight_variance=1.0, bias_variance=0.0):
    """The covariance (d, d) of an output on the samples ``x`` (d, n₀): K_{L+1}, in either parametrisation.

    Arguments and errors as for `ntk`.
    """
    output = _layers(x, hidden_layers, weight_variance, bias_variance)[-1]
    return output.weight_variance * output.features + output.bias_variance


def effective_rank(x, hidden_layers, outputs, weight_variance=1.0, bias_variance=0.0):
    """Γ_∞: what Γ of networks in the standard parametrisation approaches as all widths m → ∞.

    The terms of layers behind a hidden one grow with m, m Σ_{l≥2} Λ_{l-1} Π_{k≥l} σ_w² Σ̇_k, and drown
    the rest: Γ of their normalised sum, n times that of its (d, d) factor. Arguments and errors as
    for `ntk`; raises ValueError too for a linear network, none of whose terms grows.
    """
    layers = _layers(x, hidden_layers, weight_variance, bias_variance)
    if hidden_layers < 1 or outputs < 1:
        raise ValueError(f"needs a hidden layer and an output, not {hidden_layers} and {outputs}")
    growing = _sum_over_layers((layer.features for layer in layers[1:]), layers[1:])
    return outputs * effective_rank_of_spectrum(eigenvalues(normalised(growing)))


class _Layer(NamedTuple):
    """One of the L + 1 layers, seen from its input."""

    features: np.ndarray  # Λ_{l-1}, (d, d): covariance of a unit of its input
    derivative: np.ndarray | float  # σ²_{w,l} Σ̇_{l-1}, (d, d): from its pre-activations to its predecessor's
    weight_variance: float
    bias_variance: float


def _layers(x, hidden_layers, weight_variance, bias_variance):
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


def _first_pre_activations(x, weight_variance, bias_variance):
    """Norms √K_1 (d,) and angles θ_1 (d, d) of the first layer's pre-activations.

    Samples with the bias as one more coordinate are vectors with Gram matrix K_1. The angle between
    unit vectors u and v is 2 arctan(‖u − v‖ / ‖u + v‖), accurate for all angles from 0 to π.
    """
    bias = np.full((len(x), 1), np.sqrt(bias_variance))
    vectors = np.hstack([x * np.sqrt(weight_variance / x.shape[1]), bias])
    norms = np.linalg.norm(vectors, axis=1)
    units = vectors / np.where(norms > 0, norms, 1)[:, None]
    return norms, 2 * np.arctan2(cdist(units, units), cdist(units, -units))


def _derivative(norms, angle):
    """Σ̇ = (π − θ) / 2π, but 0 where a pre-activation is always 0: so is there JAX's derivative of ReLU."""
    alive = norms > 0
    return np.where(np.outer(alive, alive), (np.pi - angle) / (2 * np.pi), 0.0)


def _versine_after_relu(angle):
    """1 − cos φ, φ the angle between two samples' units behind a ReLU: cos φ = (sin θ + (π − θ) cos θ) / π.

    Written so that for small θ no two numbers near 1 are subtracted.
    """
    return 2 * np.sin(angle / 2) ** 2 - (np.sin(angle) - angle * np.cos(angle)) / np.pi


def _with_bias(norms, versine, bias):
    """Norms and angles once all vectors of these ``norms`` (d,) have ``bias`` as one more coordinate.

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


def _sum_over_layers(terms, layers):
    """Σ_l term_l Π_{k>l} derivative_k, (d, d): going forward, the sum so far gains each layer's factor."""
    total = 0.0
    for term, layer in zip(terms, layers, strict=True):
        total = total * layer.derivative + term
    return total


def _for_outputs(kernel, outputs):
    return np.kron(kernel, np.eye(outputs))


def _checked_samples(x):
    x = np.asarray(x, dtype=np.float64)
    if x.ndim != 2 or 0 in x.shape:
        raise ValueError(f"samples must be a matrix (d, n₀), not of shape {x.shape}")
    return x


def _variances(hidden_layers, weight_variance, bias_variance):
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
