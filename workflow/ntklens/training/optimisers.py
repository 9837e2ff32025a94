"""The optimisers that a recipe can name, each by its constants: the learning rate comes at every call.

Optax is imported when an optimiser is built: Snakemake imports this module in every job that it starts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import optax


@dataclass(frozen=True)
class Adam:
    """Adam's constants (Kingma & Ba, 2015); of them the paper states b1 alone (App. D.1)."""

    b1: float
    b2: float
    eps: float
    name: Literal["adam"] = "adam"

    def at_rate(self, learning_rate: float) -> optax.GradientTransformation:
        import optax

        return optax.adam(learning_rate, b1=self.b1, b2=self.b2, eps=self.eps)


@dataclass(frozen=True)
class Sgd:
    """Gradient descent: v ← momentum · v + gradient, then parameters ← parameters − learning_rate · v."""

    momentum: float
    name: Literal["sgd"] = "sgd"

    def at_rate(self, learning_rate: float) -> optax.GradientTransformation:
        import optax

        return optax.sgd(learning_rate, momentum=self.momentum or None)


Optimiser = Adam | Sgd
