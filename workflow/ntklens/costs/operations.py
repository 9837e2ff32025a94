"""What a network's training and its NTK take in operations and in memory, counted from its settings.

A multiplication with its addition counts as two operations. Biases, ReLU, pooling and the loss are left
out of the operations: a small share of every network that is worth pricing. Symbols as in `jacobian`.
"""

from itertools import pairwise
from math import prod
from typing import NamedTuple

from ntklens.networks.architectures import POOLED


class Layer(NamedTuple):
    """A Dense layer (one position) or a convolution (a position a pixel)."""

    positions: int
    inputs: int  # of one position: w'
    units: int  # w


def layers_of(network, image_shape, outputs):
    """The `Layer`s of ``network``, a complete entry of the config's with a width."""
    layers, (height, width, channels) = [], image_shape
    for _ in range(network["convolutions"]):
        layers.append(Layer(height * width, network["kernel_size"] ** 2 * channels, network["filters"]))
        channels = network["filters"]
        if network["pooling"] != "none":
            height, width = height // POOLED, width // POOLED
    sizes = [height * width * channels, *[network["width"]] * network["hidden_layers"], outputs]
    return layers + [Layer(1, *pair) for pair in pairwise(sizes)]


def parameters(layers):
    """P, biases included."""
    return sum((layer.inputs + 1) * layer.units for layer in layers)


def activations(layers):
    """Numbers of one sample's layer outputs."""
    return sum(layer.positions * layer.units for layer in layers)


def forward(layers):
    """Operations of one sample's outputs."""
    return sum(2 * prod(layer) for layer in layers)


def trace(layers, samples):
    """Operations of Tr Θ beyond the forward pass: d·n rows of derivatives, down to the first layer."""
    return samples * layers[-1].units * forward(layers[1:])


def kernel(layers, samples):
    """Operations of one triangle of Θ: forward pass, sensitivities, and every layer's share."""
    shares = sum(_share(layer, samples, layers[-1].units) for layer in layers)
    return samples * forward(layers) + trace(layers, samples) + shares


def _share(layer, samples, outputs):
    """Half of what `LayerPiece.gram_operations` counts, in operations: the cheaper form, one triangle."""
    rows, (p, inputs, units) = samples * outputs, layer
    factored = rows**2 * p**2 * units + samples**2 * p**2 * inputs
    written = 2 * rows * p * inputs * units + rows**2 * inputs * units
    return min(factored, written)


def pieces(layers, samples):
    """Numbers of J's pieces: inputs, sensitivities, and convolutions written out."""
    rows = samples * layers[-1].units
    factors = sum(p * (samples * inputs + rows * units) for p, inputs, units in layers)
    return factors + sum(rows * inputs * units for p, inputs, units in layers if p > 1)
