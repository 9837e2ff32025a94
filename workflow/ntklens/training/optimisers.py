"""The optimisers that a recipe can name, each by its constants: the learning rate comes at every call."""

from dataclasses import dataclass

import optax


@dataclass(frozen=True)
class Adam:
    """Adam's constants (Kingma & Ba, 2015); of them the paper states b1 alone (App. D.1)."""

    b1: float
    b2: float
    eps: float

    def at_rate(self, learning_rate):
        return optax.adam(learning_rate, b1=self.b1, b2=self.b2, eps=self.eps)


@dataclass(frozen=True)
class Sgd:
    """Gradient descent: v ← momentum · v + gradient, then parameters ← parameters − learning_rate · v."""

    momentum: float

    def at_rate(self, learning_rate):
        return optax.sgd(learning_rate, momentum=self.momentum or None)


OPTIMISERS = {"adam": Adam, "sgd": Sgd}


def build_optimiser(settings):
    """The optimiser of a recipe's ``settings``: its name and its constants."""
    constants = {key: value for key, value in settings.items() if key != "name"}
    return OPTIMISERS[settings["name"]](**constants)
