"""The optimisers that a recipe can name, each by its constants. The learning rate is given at every call.

`ntklens.training.transformations` makes them Optax's. This module does not import Optax: Snakemake imports it
in every job that it starts.
"""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Adam:
    """Adam's constants (Kingma & Ba, 2015); of them the paper states b1 alone (App. D.1)."""

    b1: float
    b2: float
    eps: float
    name: Literal["adam"] = "adam"


@dataclass(frozen=True)
class Sgd:
    """Gradient descent: v ← momentum · v + gradient, then parameters ← parameters − learning_rate · v."""

    momentum: float
    name: Literal["sgd"] = "sgd"


Optimiser = Adam | Sgd
