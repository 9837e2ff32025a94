"""Optimisers as Optax's gradient transformations."""

import optax
from jaxtyping import Array, Float

from ntklens.training.optimisers import Adam, Optimiser


def transformation(
    optimiser: Optimiser, learning_rate: float | Float[Array, ""]
) -> optax.GradientTransformation:
    """Optax's form of ``optimiser`` at ``learning_rate``, which may be traced."""
    if isinstance(optimiser, Adam):
        return optax.adam(learning_rate, b1=optimiser.b1, b2=optimiser.b2, eps=optimiser.eps)
    return optax.sgd(learning_rate, momentum=optimiser.momentum or None)
