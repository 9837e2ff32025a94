"""Operations counted by hand, and beside the layers that Flax's networks have."""

import math
from dataclasses import replace

import jax
import jax.numpy as jnp
import pytest
from ntklens.costs import operations
from ntklens.kernel.jacobian import outputs_and_pieces
from ntklens.networks.architectures import NetworkSettings
from ntklens.networks.modules import build_network, initial_parameters

DENSE = NetworkSettings(hidden_layers=2, width=8)
CONVOLUTIONAL = NetworkSettings(hidden_layers=1, width=6, convolutions=2, filters=4)


@pytest.mark.parametrize(
    ("network", "shape"),
    [(DENSE, (4, 5, 3)), (CONVOLUTIONAL, (9, 8, 3)), (replace(CONVOLUTIONAL, pooling="none"), (5, 5, 1))],
)
def test_layers_are_those_of_the_network(network, shape):
    layers = operations.layers_of(network, shape, outputs=7)
    model, x = build_network(network, shape, outputs=7), jnp.zeros((3, math.prod(shape)))
    params = initial_parameters(model, x.shape[1], seed=0)
    assert operations.parameters(layers) == sum(leaf.size for leaf in jax.tree.leaves(params))
    pieces = outputs_and_pieces(model, params, x)[1].values()
    assert [(p.inputs.shape[1:], p.sensitivity.shape[1:]) for p in pieces] == [
        ((layer.positions, layer.inputs), (7, layer.positions, layer.units)) for layer in layers
    ]


def test_operations_of_a_tiny_network():
    layers = [operations.Layer(1, 5, 3), operations.Layer(1, 3, 2)]
    assert operations.parameters(layers) == 5 * 3 + 3 + 3 * 2 + 2
    assert operations.forward(layers) == 2 * (15 + 6)
    assert operations.trace(layers, samples=4) == 4 * 2 * 2 * 6  # back through the last layer alone
    assert operations.activations(layers) == 5


def test_a_convolution_is_multiplied_in_its_cheaper_form():
    convolution, last = operations.Layer(1024, 27, 32), operations.Layer(1, 10, 4)
    rows = 400 * 4
    written = 2 * rows * 1024 * 27 * 32 + rows**2 * 27 * 32
    share = operations.kernel([convolution, last], 400) - operations.kernel([last], 400)
    assert share == written + 400 * 2 * 1024 * 27 * 32 + operations.trace([convolution, last], 400)
