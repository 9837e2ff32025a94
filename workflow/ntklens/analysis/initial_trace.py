"""The expected NTK trace at initialisation in closed form, and what it predicts for the trace ratio.

For a dense ReLU network of L hidden layers of m units, n₀ inputs, LeCun initialisation and biases that start
at zero, on samples of mean square norm ⟨‖x‖²⟩, and with N = d·n rows of the NTK,

    E[Tr Θ₀] / N = 2^{−L} ⟨‖x‖²⟩ (1 + L m / n₀) + 2 − 2^{−L}.

Each of the L + 1 layers adds the square norm of its input, which is m/n₀ times that of the layer before and
halved by ReLU, times the square of the derivative behind it; the last two terms are the biases'. So Tr Θ₀ is
T₀ (1 + m/m*), an `ntklens.analysis.laws.OFFSET`, with its bend at

    m* = (n₀ / L) (1 + (2^{L+1} − 1) / ⟨‖x‖²⟩).

If training adds the same trace ΔTr at every width, then β(m) = ΔTr / E[Tr Θ₀(m)] bends at m* too, with no
fitted parameter but the height.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Integer


@dataclass(frozen=True)
class InitialTrace:
    """What determines E[Tr Θ₀(m)]."""

    inputs: int  # n₀
    hidden_layers: int  # L
    rows: int  # N
    mean_square_norm: float  # ⟨‖x‖²⟩ of the NTK samples

    def at(self, width: Integer[np.ndarray, " points"]) -> Float[np.ndarray, " points"]:
        """E[Tr Θ₀] at each ``width``."""
        shrunk = 2.0**-self.hidden_layers
        growth = 1 + self.hidden_layers * width / self.inputs
        return self.rows * (shrunk * self.mean_square_norm * growth + 2 - shrunk)

    @property
    def bend(self) -> float:
        """The width m* at which E[Tr Θ₀] is twice its limit for m → 0."""
        biases = (2.0 ** (self.hidden_layers + 1) - 1) / self.mean_square_norm
        return self.inputs / self.hidden_layers * (1 + biases)
