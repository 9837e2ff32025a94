"""The networks (App. D), as Flax modules: dense ones, and convolutions before dense layers.

All take images as rows of pixels (d, n₀). Biases start at zero. The NTK parametrisation draws kernels of
variance one and multiplies by the initialisation's standard deviation in the forward pass: the
network starts as the same function, but its kernels move, and its NTK weighs them, by that factor.
"""

import dataclasses
import math
from functools import partial

import jax
import jax.numpy as jnp
from flax import linen as nn
from jax import lax

from ntklens.networks.architectures import INITIALISATIONS, POOLED


class DenseNetwork(nn.Module):
    """``hidden_layers`` ReLU layers of ``width`` units each, then a linear layer of ``outputs``.

    The paper's "three-layer" network has two hidden layers: its output layer counts.
    """

    hidden_layers: int
    width: int
    outputs: int
    initialisation: str = "lecun-normal"
    parametrisation: str = "standard"
    biases: bool = True

    @nn.compact
    def __call__(self, x):
        return _dense_layers(self, x)


class ConvolutionalNetwork(nn.Module):
    """``convolutions`` times convolution, ReLU and pooling, then the layers of a `DenseNetwork`.

    Convolutions keep the image's size, pooling halves it; ``image_shape`` is (height, width, channels).
    """

    image_shape: tuple
    convolutions: int
    filters: int
    kernel_size: int
    pooling: str
    hidden_layers: int
    width: int
    outputs: int
    initialisation: str = "lecun-normal"
    parametrisation: str = "standard"
    biases: bool = True

    @nn.compact
    def __call__(self, x):
        x = x.reshape(len(x), *self.image_shape)
        kernel = (self.kernel_size, self.kernel_size)
        for number in range(1, self.convolutions + 1):
            x = nn.relu(_layer(self, nn.Conv, f"convolution_{number}", x, self.filters, kernel_size=kernel))
            x = _pooled(self.pooling, x)
        return _dense_layers(self, x.reshape(len(x), -1))


def _dense_layers(network, x):
    for number in range(1, network.hidden_layers + 1):
        x = nn.relu(_layer(network, nn.Dense, f"hidden_{number}", x, network.width))
    return _layer(network, nn.Dense, "output", x, network.outputs)


def _layer(network, kind, name, x, features, **sizes):
    """A Dense or Conv layer of ``network``, applied to ``x``."""
    scale, mode, distribution = INITIALISATIONS[network.initialisation]
    if network.parametrisation == "ntk":
        fan_in = x.shape[-1] * math.prod(sizes.get("kernel_size", ()))
        fan_out = features * math.prod(sizes.get("kernel_size", ()))
        variance = scale / {"fan_in": fan_in, "fan_avg": (fan_in + fan_out) / 2}[mode]
        # Multiplying the layer's input scales its kernel alone, not its bias.
        x, scale = x * math.sqrt(variance), scale / variance
    kernel_init = nn.initializers.variance_scaling(scale, mode, distribution)
    return kind(features, **sizes, kernel_init=kernel_init, use_bias=network.biases, name=name)(x)


def _pooled(pooling, x):
    if pooling == "none":
        return x
    images, height, width, channels = x.shape
    rows, columns = height // POOLED, width // POOLED
    # As reshape and reduction, which XLA differentiates twice as fast as its sliding windows.
    x = x[:, : rows * POOLED, : columns * POOLED]
    x = x.reshape(images, rows, POOLED, columns, POOLED, channels)
    return {"max": jnp.max, "average": jnp.mean}[pooling](x, axis=(2, 4))


def build_network(settings, image_shape, outputs):
    """The network that an entry of the config's ``networks``, with a width, describes.

    Keys that it leaves out take the network's defaults.
    """
    own = {"outputs": outputs, "image_shape": tuple(image_shape)}
    kind = ConvolutionalNetwork if settings.get("convolutions") else DenseNetwork
    fields = {field.name for field in dataclasses.fields(kind)}
    return kind(**{key: value for key, value in {**settings, **own}.items() if key in fields})


def initial_parameters(model, inputs, seed):
    """Parameters of ``model`` for ``inputs`` pixels, drawn from ``seed``."""
    return model.init(jax.random.key(seed), jnp.zeros((1, inputs)))


def ensemble_parameters(model, inputs, seeds):
    """Parameters for each of ``seeds``, stacked along a leading ensemble axis.

    A member depends on its own seed alone, not on which others it is drawn with.
    """
    return _draw(model, inputs, jnp.asarray(seeds))


# The inverse error function is long to optimise: this level takes a third of the time to compile,
# draws the same bits, and as fast.
@partial(jax.jit, static_argnums=(0, 1), compiler_options={"xla_backend_optimization_level": 1})
def _draw(model, inputs, seeds):
    # One after the other: vectorised, the random numbers take XLA longer to compile than to draw.
    return lax.map(partial(initial_parameters, model, inputs), seeds)
