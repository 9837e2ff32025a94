"""The network linearised at its initial parameters, f₀(x) + J₀(x)(θ − θ₀), evaluated without a Jacobian."""

from functools import partial

import jax
import jax.numpy as jnp
from flax import linen as nn
from jaxtyping import Array, Float, Int

from ntklens.networks.modules import Parameters
from ntklens.training.members import Samples, loss_and_accuracy, mean_over_parts, outputs_of, part_of


def linearised_loss(model: nn.Module, initial: Parameters, params: Parameters, samples: Samples) -> float:
    """Mean cross-entropy on ``samples`` of ``model`` linearised at ``initial``, at the parameters ``params``.

    A forward derivative gives J₀(θ − θ₀), for `EVALUATED_AT_ONCE` samples at a time.
    """
    return float(
        mean_over_parts(
            samples, lambda start, size: _loss_of_part(model, size, initial, params, samples, start)
        )
    )


@partial(jax.jit, static_argnums=(0, 1))
def _loss_of_part(
    model: nn.Module,
    size: int,
    initial: Parameters,
    params: Parameters,
    samples: Samples,
    start: Int[Array, ""],
) -> Float[Array, ""]:
    part = part_of(samples, start, size)
    change = jax.tree.map(jnp.subtract, params, initial)
    outputs, change_of_outputs = jax.jvp(lambda at: outputs_of(model, at, part.images), (initial,), (change,))
    return loss_and_accuracy(outputs + change_of_outputs, part.labels)[0]
