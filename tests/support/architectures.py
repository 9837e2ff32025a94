"""Networks for which the NTK must be right, one of each kind that could break it.

They use only Flax Linen, and only what old and new releases share: the environment of neural-tangents, with
its older JAX and Flax, imports this file too.
"""

from typing import NamedTuple

import jax.numpy as jnp
from flax import linen as nn
from jaxtyping import Array, Float


class Architecture(NamedTuple):
    """A network and the shape of one sample."""

    model: nn.Module
    input_shape: tuple[int, ...]


class Mlp(nn.Module):
    """ReLU layers of ``widths`` units, then ``outputs`` linear ones."""

    widths: tuple[int, ...]
    outputs: int
    use_bias: bool = True

    @nn.compact
    def __call__(self, x: Float[Array, "d inputs"]) -> Float[Array, "d n"]:
        for width in self.widths:
            x = nn.relu(nn.Dense(width, use_bias=self.use_bias)(x))
        return nn.Dense(self.outputs, use_bias=self.use_bias)(x)


class StridedConvolutions(nn.Module):
    """A convolution padded to keep the image's size, one without padding, and both kinds of pooling."""

    @nn.compact
    def __call__(self, x: Float[Array, "d height width channels"]) -> Float[Array, "d n"]:
        x = nn.relu(nn.Conv(4, (3, 3), strides=(2, 2), padding="SAME")(x))
        x = nn.max_pool(x, (2, 2), strides=(1, 1), padding="SAME")
        x = nn.relu(nn.Conv(5, (2, 3), padding="VALID")(x))
        x = nn.avg_pool(x, (2, 2), strides=(2, 2))
        return nn.Dense(3)(x.reshape(len(x), -1))


class GroupedConvolutions(nn.Module):
    """A dilated convolution in two groups, a depthwise one with a bias, a strided one without."""

    @nn.compact
    def __call__(self, x: Float[Array, "d height width channels"]) -> Float[Array, "d n"]:
        x = nn.tanh(nn.Conv(6, (3, 3), kernel_dilation=(2, 2), feature_group_count=2)(x))
        x = nn.tanh(nn.Conv(12, (3, 2), feature_group_count=6, padding="VALID")(x))
        x = nn.tanh(nn.Conv(4, (2, 2), strides=(1, 2), feature_group_count=4, use_bias=False)(x))
        return nn.Dense(2)(jnp.mean(x, axis=(1, 2)))


class SequenceConvolutions(nn.Module):
    """Convolutions in one dimension, one causal and one circular."""

    @nn.compact
    def __call__(self, x: Float[Array, "d length channels"]) -> Float[Array, "d n"]:
        x = nn.relu(nn.Conv(5, (3,), padding="CAUSAL")(x))
        x = nn.relu(nn.Conv(4, (4,), padding="CIRCULAR")(x))
        return nn.Dense(3)(jnp.mean(x, axis=1))


class LayerNormMlp(nn.Module):
    @nn.compact
    def __call__(self, x: Float[Array, "d inputs"]) -> Float[Array, "d n"]:
        x = nn.gelu(nn.LayerNorm()(nn.Dense(9)(x)))
        x = nn.gelu(nn.LayerNorm(use_bias=False)(nn.Dense(8)(x)))
        return nn.Dense(3)(x)


class GroupNormConvolutions(nn.Module):
    @nn.compact
    def __call__(self, x: Float[Array, "d height width channels"]) -> Float[Array, "d n"]:
        x = nn.relu(nn.GroupNorm(num_groups=2)(nn.Conv(6, (3, 3))(x)))
        x = nn.relu(nn.GroupNorm(num_groups=None, group_size=2)(nn.Conv(4, (3, 3), padding="VALID")(x)))
        return nn.Dense(3)(x.reshape(len(x), -1))


class Transformer(nn.Module):
    """One block of self-attention on the tokens of a sample, with a feed-forward layer for each."""

    @nn.compact
    def __call__(self, tokens: Float[Array, "d tokens inputs"]) -> Float[Array, "d n"]:
        x = nn.Dense(8)(tokens)
        x = x + nn.MultiHeadDotProductAttention(num_heads=2)(nn.LayerNorm()(x), nn.LayerNorm()(x))
        x = x + nn.Dense(8)(nn.gelu(nn.Dense(10)(nn.LayerNorm()(x))))
        return nn.Dense(3)(jnp.mean(x, axis=1))


class Attention(nn.Module):
    """Attention written out with DenseGeneral: queries, keys and values for each head, then joined."""

    @nn.compact
    def __call__(self, tokens: Float[Array, "d tokens inputs"]) -> Float[Array, "d n"]:
        heads, features = 2, 3
        queries, keys, values = (nn.DenseGeneral((heads, features), name=name)(tokens) for name in "qkv")
        scores = jnp.einsum("dshf,dthf->dhst", queries, keys) / jnp.sqrt(1.0 * features)
        mixed = jnp.einsum("dhst,dthf->dshf", nn.softmax(scores), values)
        x = nn.DenseGeneral(5, axis=(-2, -1), name="join")(mixed)
        return nn.Dense(2, name="output")(jnp.mean(jnp.tanh(x), axis=1))


class SharedLayer(nn.Module):
    """The same layer three times in a row: its parameters act at three depths."""

    @nn.compact
    def __call__(self, x: Float[Array, "d inputs"]) -> Float[Array, "d n"]:
        layer = nn.Dense(7, name="shared")
        x = nn.Dense(7, name="input")(x)
        for _ in range(3):
            x = jnp.tanh(layer(x))
        return nn.Dense(2, name="output")(x)


class SharedConvolution(nn.Module):
    """One convolution at two resolutions."""

    @nn.compact
    def __call__(self, x: Float[Array, "d height width channels"]) -> Float[Array, "d n"]:
        layer = nn.Conv(3, (3, 3), name="shared")
        x = nn.avg_pool(jnp.tanh(layer(x)), (2, 2), strides=(2, 2))
        return nn.Dense(2)(jnp.tanh(layer(x)).reshape(len(x), -1))


class OwnParameters(nn.Module):
    """Parameters that belong to no layer of Flax: positions, a scale, and a kernel used by hand."""

    @nn.compact
    def __call__(self, tokens: Float[Array, "d tokens inputs"]) -> Float[Array, "d n"]:
        normal = nn.initializers.normal(1.0)
        x = tokens + self.param("positions", normal, tokens.shape[1:])
        x = jnp.tanh(nn.Dense(6)(x)) * self.param("scale", normal, ())
        x = jnp.tanh(x @ self.param("by_hand", normal, (6, 5)))
        return nn.Dense(3)(jnp.mean(x, axis=1))


class TiedKernel(nn.Module):
    """A layer whose kernel is used a second time, transposed, outside the layer.

    The NTK of such a network is refused: the layer's calls do not show the second use.
    """

    @nn.compact
    def __call__(self, x: Float[Array, "d inputs"]) -> Float[Array, "d n"]:
        layer = nn.Dense(6, name="tied")
        hidden = jnp.tanh(layer(x))
        return nn.Dense(2, name="output")(jnp.tanh(hidden @ layer.variables["params"]["kernel"].T))


class Residual(nn.Module):
    @nn.compact
    def __call__(self, x: Float[Array, "d inputs"]) -> Float[Array, "d n"]:
        x = nn.Dense(8)(x)
        for _ in range(2):
            x = x + nn.Dense(8)(nn.relu(nn.Dense(6)(nn.relu(x))))
        return nn.Dense(3)(x)


class PaperConvolutions(nn.Module):
    """The convolutional network of the noise study (App. D.2): 3 × 32 filters, then 64 units.

    The paper states neither the size of the kernels nor where the network pools. Here kernels are 3 × 3, and
    each convolution is followed by pooling.
    """

    outputs: int = 4

    @nn.compact
    def __call__(self, x: Float[Array, "d height width channels"]) -> Float[Array, "d n"]:
        he_uniform = nn.initializers.he_uniform()
        for layer in range(1, 4):
            x = nn.relu(nn.Conv(32, (3, 3), kernel_init=he_uniform, name=f"conv_{layer}")(x))
            x = nn.max_pool(x, (2, 2), strides=(2, 2))
        x = x.reshape(len(x), -1)
        x = nn.relu(nn.Dense(64, kernel_init=he_uniform, name="dense")(x))
        return nn.Dense(self.outputs, kernel_init=he_uniform, name="output")(x)


ARCHITECTURES = {
    "linear": Architecture(Mlp((), 3), (5,)),
    "mlp": Architecture(Mlp((12, 10), 4), (6,)),
    "mlp-one-output": Architecture(Mlp((7, 5, 3), 1), (5,)),
    "mlp-odd-without-bias": Architecture(Mlp((7, 3, 9), 7, use_bias=False), (3,)),
    "strided-convolutions": Architecture(StridedConvolutions(), (9, 8, 2)),
    "grouped-convolutions": Architecture(GroupedConvolutions(), (7, 7, 4)),
    "sequence-convolutions": Architecture(SequenceConvolutions(), (7, 3)),
    "layer-norm": Architecture(LayerNormMlp(), (6,)),
    "group-norm-convolutions": Architecture(GroupNormConvolutions(), (6, 6, 2)),
    "transformer": Architecture(Transformer(), (4, 5)),
    "attention": Architecture(Attention(), (4, 3)),
    "shared-layer": Architecture(SharedLayer(), (5,)),
    "shared-convolution": Architecture(SharedConvolution(), (6, 6, 3)),
    "own-parameters": Architecture(OwnParameters(), (4, 3)),
    "tied-kernel": Architecture(TiedKernel(), (4,)),
    "residual": Architecture(Residual(), (5,)),
    "paper-convolutions": Architecture(PaperConvolutions(), (8, 8, 3)),
}

# Two networks for scikit-learn's digits, images of 8 × 8 pixels.
DIGITS = {
    "dense": Architecture(Mlp((16, 12), 10), (64,)),
    "convolutional": Architecture(PaperConvolutions(outputs=10), (8, 8, 1)),
}
