"""What training does to each layer of a dense network: its NTK at initialisation and at the minimum.

Both ends are measured on the first draw of NTK samples. One compiled program yields the two factors of each
layer's piece of the Jacobian. The NTK, each layer's share of it, and their spectra follow from these factors
in NumPy (`ntklens.spectrum.layer_shares`).

The *weighted* NTK is that of the same function in the NTK parametrisation, in which every parameter is a
number of variance one times its initial standard deviation. The share of each layer's kernel is multiplied by
the kernel's initial variance, 1 / fan-in for LeCun initialisation (`ntklens.networks.modules.ntk_weights`).
Biases start at zero: their initial variance is 0, and their share is left out. It would hide the rest: at
initialisation, biases that are not scaled make up nine tenths of such an NTK's trace. That share is stored as
``bias_traces``.
"""

from collections.abc import Sequence
from concurrent.futures import Future
from typing import NamedTuple

import jax
import numpy as np
from jaxtyping import Array, Float

from ntklens.kernel.jacobian import LayerPiece
from ntklens.kernel.ntk import layer_names, layer_pieces
from ntklens.networks.modules import DenseNetwork, Parameters, ntk_weights
from ntklens.spectrum.effective_rank import effective_rank
from ntklens.spectrum.eigenvalues import eigenvalues, normalised
from ntklens.spectrum.layer_shares import gram_rank, layer_share
from ntklens.storage.run_files import End, Ends
from ntklens.studies.spectrum_workers import SpectrumWorkers
from ntklens.training.linearised import linearised_loss
from ntklens.training.members import Samples


class Distances(NamedTuple):
    """How far the minimum lies from the initialisation, apart from the NTK."""

    parameter_change: float
    linearised_test_loss: float


class EndsMeasurement:
    """Measures the two ends of members of one dense network ``model`` on the NTK samples ``images``."""

    def __init__(self, model: DenseNetwork, images: Float[Array, "d n0"], test_set: Samples) -> None:
        self._model, self._images, self._test_set = model, images, test_set
        self._pieces = jax.jit(lambda params, x: layer_pieces(model, params, x))

    def submit(self, initial: Parameters, minimum: Parameters, threads: SpectrumWorkers) -> Future[Ends]:
        """A future of the `Ends` of a member with these parameters at initialisation and at its minimum."""
        names, weights = layer_names(self._model, initial, self._images), ntk_weights(self._model, initial)
        distances = Distances(
            parameter_change=parameter_change(initial, minimum),
            linearised_test_loss=linearised_loss(self._model, initial, minimum, self._test_set),
        )
        before, after = (self._pieces(params, self._images) for params in (initial, minimum))
        return threads.submit(ends_of, before, after, [weights[name] for name in names], distances)


def ends_of(
    initial: Sequence[LayerPiece],
    minimum: Sequence[LayerPiece],
    weights: Sequence[float],
    distances: Distances,
) -> Ends:
    """The `Ends` from the layers' pieces of the Jacobian and their ``weights`` in the weighted NTK."""
    (first, before), (second, after) = (end_of(pieces, weights) for pieces in (initial, minimum))
    return Ends(
        initial=first,
        minimum=second,
        kernel_change=kernel_change(before, after),
        kernel_cosine_distance=cosine_distance(before, after),
        **distances._asdict(),
    )


def end_of(pieces: Sequence[LayerPiece], weights: Sequence[float]) -> tuple[End, Float[np.ndarray, "N N"]]:
    """The `End`, and the NTK there."""
    d, n = pieces[0].sensitivity.shape[:2]
    theta, weighted = np.zeros((2, d * n, d * n), pieces[0].sensitivity.dtype)
    traces, bias_traces, conjugate_ranks, sensitivity_ranks = [], [], [], []
    for piece, weight in zip(pieces, weights, strict=True):
        inputs, sensitivity = np.asarray(piece.inputs), np.asarray(piece.sensitivity)
        inputs, sensitivity = inputs.reshape(d, -1), sensitivity.reshape(d * n, -1)
        kernel, bias = layer_share(inputs, sensitivity)
        bias *= piece.bias
        traces.append(_trace(kernel) + _trace(bias))
        bias_traces.append(_trace(bias))
        theta += kernel
        theta += bias
        kernel *= weight
        weighted += kernel
        conjugate_ranks.append(gram_rank(inputs))
        sensitivity_ranks.append(gram_rank(sensitivity))
    end = End(
        layer_traces=np.array(traces),
        bias_traces=np.array(bias_traces),
        conjugate_ranks=np.array(conjugate_ranks),
        sensitivity_ranks=np.array(sensitivity_ranks),
        weighted_trace=_trace(weighted),
        weighted_effective_rank=float(effective_rank(eigenvalues(normalised(weighted)))),
    )
    return end, theta


def kernel_change(before: Float[np.ndarray, "N N"], after: Float[np.ndarray, "N N"]) -> float:
    """‖Θ' − Θ‖_F / ‖Θ‖_F."""
    return float(np.linalg.norm(after - before) / np.linalg.norm(before))


def cosine_distance(before: Float[np.ndarray, "N N"], after: Float[np.ndarray, "N N"]) -> float:
    """1 − ⟨Θ, Θ'⟩_F / (‖Θ‖_F ‖Θ'‖_F) = ‖Θ/‖Θ‖_F − Θ'/‖Θ'‖_F‖²_F / 2: no two numbers near 1 are subtracted."""
    between = after / np.linalg.norm(after) - before / np.linalg.norm(before)
    return float(np.linalg.norm(between) ** 2 / 2)


def parameter_change(before: Parameters, after: Parameters) -> float:
    """‖θ' − θ‖ / ‖θ‖, over all parameters."""
    pairs = zip(jax.tree.leaves(before), jax.tree.leaves(after), strict=True)
    norms = [(_squared(np.asarray(b) - np.asarray(a)), _squared(np.asarray(a))) for a, b in pairs]
    change, whole = np.sum(norms, axis=0)
    return float(np.sqrt(change / whole))


def _squared(values: Float[np.ndarray, "..."]) -> float:
    return float(np.vdot(values, values))


def _trace(theta: Float[np.ndarray, "N N"]) -> float:
    return float(np.sum(np.diagonal(theta), dtype=np.float64))
