"""Operations and memory of a network's training and of its NTK, counted from the network's settings.

A multiplication with its addition counts as two operations. Operations of biases, ReLU, pooling and the loss
are not counted: they are a small share for every network whose price matters. Symbols as in `jacobian`.
"""

from collections.abc import Sequence
from itertools import pairwise
from math import prod
from typing import NamedTuple

from ntklens.networks.architectures import POOLED, NetworkSettings


class Layer(NamedTuple):
    """A Dense layer (one position) or a convolution (one position per pixel)."""

    positions: int
    inputs: int  # of one position: w'
    units: int  # w


def layers_of(network: NetworkSettings, image_shape: tuple[int, int, int], outputs: int) -> list[Layer]:
    """The `Layer`s of ``network`` for images of ``image_shape`` (height, width, channels)."""
    layers, (height, width, channels) = [], image_shape
    for _ in range(network.convolutions):
        layers.append(Layer(height * width, network.kernel_size**2 * channels, network.filters))
        channels = network.filters
        if network.pooling != "none":
            height, width = height // POOLED, width // POOLED
    sizes = [height * width * channels, *[network.width] * network.hidden_layers, outputs]
    return layers + [Layer(1, *pair) for pair in pairwise(sizes)]


def parameters(layers: Sequence[Layer]) -> int:
    """P, biases included."""
    return sum((layer.inputs + 1) * layer.units for layer in layers)


def activations(layers: Sequence[Layer]) -> int:
    """How many numbers the layers output for one sample."""
    return sum(layer.positions * layer.units for layer in layers)


def forward(layers: Sequence[Layer]) -> int:
    """Operations of the forward pass of one sample."""
    return sum(2 * prod(layer) for layer in layers)


def trace(layers: Sequence[Layer], samples: int) -> int:
    """Operations of Tr Θ beyond the forward pass: d·n rows of derivatives, down to the first layer."""
    return samples * layers[-1].units * forward(layers[1:])


def kernel(layers: Sequence[Layer], samples: int) -> int:
    """Operations of one triangle of Θ: forward pass, sensitivities, and every layer's share."""
    shares = sum(_share(layer, samples, layers[-1].units) for layer in layers)
    return samples * forward(layers) + trace(layers, samples) + shares


def _share(layer: Layer, samples: int, outputs: int) -> int:
    """Operations of one triangle of a layer's share in Θ, in the cheaper form: half of
    `LayerPiece.gram_operations`."""
    rows, (p, inputs, units) = samples * outputs, layer
    factored = rows**2 * p**2 * units + samples**2 * p**2 * inputs
    written = 2 * rows * p * inputs * units + rows**2 * inputs * units
    return min(factored, written)


def pieces(layers: Sequence[Layer], samples: int) -> int:
    """How many numbers J's pieces hold: inputs, sensitivities, and convolutions written out."""
    rows = samples * layers[-1].units
    factors = sum(p * (samples * inputs + rows * units) for p, inputs, units in layers)
    return factors + sum(rows * inputs * units for p, inputs, units in layers if p > 1)
