"""The settings of a network: plain names and numbers, for building it and for estimating its costs."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Literal

Initialisation = Literal["lecun-normal", "xavier-uniform", "he-uniform"]
Parametrisation = Literal["standard", "ntk"]
Pooling = Literal["max", "average", "none"]

Mode = Literal["fan_in", "fan_avg"]
Distribution = Literal["truncated_normal", "uniform"]

# Scale, mode and distribution as `jax.nn.initializers.variance_scaling` takes them.
INITIALISATIONS: dict[Initialisation, tuple[float, Mode, Distribution]] = {
    "lecun-normal": (1.0, "fan_in", "truncated_normal"),  # cut at two standard deviations
    "xavier-uniform": (1.0, "fan_avg", "uniform"),
    "he-uniform": (2.0, "fan_in", "uniform"),
}
POOLED = 2  # pixels a side, without overlap; an odd row or column at the edge is left out


@dataclass(frozen=True)
class NetworkSettings:
    """One network, which `ntklens.networks.modules.build_network` builds.

    Without ``convolutions`` it is dense, and ``filters``, ``kernel_size`` and ``pooling`` have no effect.
    """

    hidden_layers: int  # of ReLU units, before the linear output layer
    width: int  # units of every hidden layer
    convolutions: int = 0  # before the hidden layers, each with ReLU and pooling
    filters: int = 32  # of every convolution
    kernel_size: int = 3  # pixels a side
    pooling: Pooling = "max"
    initialisation: Initialisation = "lecun-normal"
    parametrisation: Parametrisation = "standard"
    biases: bool = True


def initial_variance(initialisation: Initialisation, shape: Sequence[int]) -> float:
    """The variance of a layer's initial kernel of this ``shape`` (…, inputs, outputs), standard parametrised.

    It is the initialisation's scale over the fan-in, or over the mean of fan-in and fan-out.
    """
    scale, mode, _ = INITIALISATIONS[initialisation]
    *sides, inputs, outputs = shape
    fan_in, fan_out = inputs * prod(sides), outputs * prod(sides)
    return scale / {"fan_in": fan_in, "fan_avg": (fan_in + fan_out) / 2}[mode]
