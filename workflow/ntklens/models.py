"""The networks (App. D): dense, ReLU, LeCun initialisation, as Flax modules."""

from functools import partial

import jax
import jax.numpy as jnp
from flax import linen as nn
from jax import lax


class DenseNetwork(nn.Module):
    """``hidden_layers`` ReLU layers of ``width`` units each, then a linear layer of ``outputs``.

    Kernels are drawn from a normal distribution truncated at two standard deviations, of variance
    1 / fan-in (LeCun); biases start at zero. The paper's "three-layer" network has two hidden
    layers: its output layer counts.
    """

    hidden_layers: int
    width: int
    outputs: int

    @nn.compact
    def __call__(self, x):
        for layer in range(1, self.hidden_layers + 1):
            x = nn.relu(nn.Dense(self.width, name=f"hidden_{layer}")(x))
        return nn.Dense(self.outputs, name="output")(x)


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
