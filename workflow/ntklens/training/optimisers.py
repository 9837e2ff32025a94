"""The constants of the optimisers that a recipe can name. The learning rate is passed at every call.

`ntklens.training.transformations` makes Optax's optimisers from them. This module does not import
Optax: Snakemake imports it in every job that it starts.
"""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Adam:
    """Adam's constants (Kingma & Ba, 2015); the paper states only b1 (App. D.1)."""

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
