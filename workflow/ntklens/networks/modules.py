"""The networks (App. D), as Flax modules: dense ones, and convolutions before dense layers.

All take images as rows of pixels. Biases start at zero. The NTK parametrisation draws kernels of
variance one and multiplies by the initialisation's standard deviation in the forward pass: the
network starts as the same function, but its derivatives with respect to kernels carry that factor.
"""

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import linen as nn
from jax import lax
from jaxtyping import Array, Float, Int, Num, PyTree

from ntklens.networks.architectures import (
    INITIALISATIONS,
    POOLED,
    Initialisation,
    NetworkSettings,
    Parametrisation,
    Pooling,
    initial_variance,
)

Parameters = PyTree[Float[Array | np.ndarray, "..."]]
Ensemble = PyTree[Float[Array | np.ndarray, "members ..."]]
DotGeneral = Callable[..., Array]  # in place of `lax.dot_general`


class DenseNetwork(nn.Module):
    """``hidden_layers`` ReLU layers of ``width`` units each, then a linear layer of ``outputs``.

    The paper's "three-layer" network has two hidden layers: its output layer counts. ``dot_general`` is the
    product of samples and kernels, as in `flax.linen.Dense`.
    """

    hidden_layers: int
    width: int
    outputs: int
    initialisation: Initialisation = "lecun-normal"
    parametrisation: Parametrisation = "standard"
    biases: bool = True
    dot_general: DotGeneral | None = None

    @nn.compact
    def __call__(self, x: Num[Array | np.ndarray, "d n0"]) -> Float[Array, "d n"]:
        return _dense_layers(self, x)


class ConvolutionalNetwork(nn.Module):
    """``convolutions`` times convolution, ReLU and pooling, then the layers of a `DenseNetwork`.

    Convolutions keep the image's size, pooling halves it; ``image_shape`` is (height, width, channels).
    """

    image_shape: tuple[int, int, int]
    convolutions: int
    filters: int
    kernel_size: int
    pooling: Pooling
    hidden_layers: int
    width: int
    outputs: int
    initialisation: Initialisation = "lecun-normal"
    parametrisation: Parametrisation = "standard"
    biases: bool = True
    dot_general: DotGeneral | None = None

    @nn.compact
    def __call__(self, x: Num[Array | np.ndarray, "d n0"]) -> Float[Array, "d n"]:
        x = x.reshape(len(x), *self.image_shape)
        kernel = (self.kernel_size, self.kernel_size)
        for number in range(1, self.convolutions + 1):
            x = nn.relu(_layer(self, nn.Conv, f"convolution_{number}", x, self.filters, kernel_size=kernel))
            x = _pooled(self.pooling, x)
        return _dense_layers(self, x.reshape(len(x), -1))


def _dense_layers(
    network: DenseNetwork | ConvolutionalNetwork, x: Num[Array | np.ndarray, "d inputs"]
) -> Float[Array, "d n"]:
    dense = partial(_layer, network, nn.Dense, dot_general=network.dot_general)
    for number in range(1, network.hidden_layers + 1):
        x = nn.relu(dense(f"hidden_{number}", x, network.width))
    return dense("output", x, network.outputs)


def _layer(
    network: DenseNetwork | ConvolutionalNetwork,
    kind: type[nn.Dense] | type[nn.Conv],
    name: str,
    x: Num[Array | np.ndarray, "d ..."],
    features: int,
    **options: Any,
) -> Float[Array, "d ..."]:
    """A Dense or Conv layer of ``network``, applied to ``x``."""
    scale, mode, distribution = INITIALISATIONS[network.initialisation]
    if network.parametrisation == "ntk":
        shape = (*options.get("kernel_size", ()), x.shape[-1], features)
        variance = initial_variance(network.initialisation, shape)
        # Multiplying the layer's input scales its kernel alone, not its bias.
        x, scale = x * math.sqrt(variance), scale / variance
    kernel_init = nn.initializers.variance_scaling(scale, mode, distribution)
    return kind(features, **options, kernel_init=kernel_init, use_bias=network.biases, name=name)(x)


def _pooled(
    pooling: Pooling, x: Float[Array, "d height width channels"]
) -> Float[Array, "d pooled_height pooled_width channels"]:
    if pooling == "none":
        return x
    images, height, width, channels = x.shape
    rows, columns = height // POOLED, width // POOLED
    # A reshape and a reduction: XLA differentiates them twice as fast as its sliding windows.
    x = x[:, : rows * POOLED, : columns * POOLED]
    x = x.reshape(images, rows, POOLED, columns, POOLED, channels)
    return {"max": jnp.max, "average": jnp.mean}[pooling](x, axis=(2, 4))


def build_network(
    settings: NetworkSettings, image_shape: tuple[int, int, int], outputs: int
) -> DenseNetwork | ConvolutionalNetwork:
    """The network with these ``settings``, for images of ``image_shape`` (height, width, channels)."""
    dense = {
        "hidden_layers": settings.hidden_layers,
        "width": settings.width,
        "outputs": outputs,
        "initialisation": settings.initialisation,
        "parametrisation": settings.parametrisation,
        "biases": settings.biases,
    }
    if not settings.convolutions:
        return DenseNetwork(**dense)
    return ConvolutionalNetwork(
        image_shape=image_shape,
        convolutions=settings.convolutions,
        filters=settings.filters,
        kernel_size=settings.kernel_size,
        pooling=settings.pooling,
        **dense,
    )


def ntk_weights(network: DenseNetwork | ConvolutionalNetwork, params: Parameters) -> dict[str, float]:
    """The factor of each layer's kernel that turns an NTK of ``network`` into one of the NTK parametrisation.

    The share of a layer's kernel in the NTK, times its factor, is that kernel's share in the NTK of the same
    function in the NTK parametrisation. The factor is the initial variance of the kernel: 1 / fan-in for
    LeCun initialisation. A network in the NTK parametrisation has factors of 1.
    """
    standard = network.parametrisation == "standard"
    return {
        name: initial_variance(network.initialisation, layer["kernel"].shape) if standard else 1.0
        for name, layer in params["params"].items()
    }


def initial_parameters(model: nn.Module, inputs: int, seed: int | Int[Array, ""]) -> Parameters:
    """Parameters of ``model`` for ``inputs`` pixels, drawn from ``seed``.

    At two widths those of one seed are not independent. JAX's random bits do not depend on an array's size
    (``jax_threefry_partitionable``): entry i of a wide layer's kernel, in flat order, is the same normal
    number as entry i of a narrow one's, each times its standard deviation.
    """
    return model.init(jax.random.key(seed), jnp.zeros((1, inputs)))


def ensemble_parameters(model: nn.Module, inputs: int, seeds: Sequence[int]) -> Ensemble:
    """Parameters for each of ``seeds``, stacked along a leading ensemble axis.

    A member depends on its own seed alone, not on the other members.
    """
    return _draw(model, inputs, np.asarray(seeds, np.int32))


# XLA takes long to optimise the inverse error function: at this level it compiles in a third of the time,
# and draws the same bits as fast.
@partial(jax.jit, static_argnums=(0, 1), compiler_options={"xla_backend_optimization_level": 1})
def _draw(model: nn.Module, inputs: int, seeds: Int[Array, " members"]) -> Ensemble:
    # One after the other: XLA takes longer to compile vectorised random numbers than to draw them.
    return lax.map(partial(initial_parameters, model, inputs), seeds)
