"""The gradient of the training loss, which every trainer's updates follow."""

import jax
from flax import linen as nn
from jaxtyping import Array, Float

from ntklens.networks.modules import ConvolutionalNetwork, DenseNetwork, Parameters
from ntklens.training import narrow_layers
from ntklens.training.members import Samples, loss_and_accuracy, outputs_of


def loss_and_gradient(
    model: nn.Module, params: Parameters, samples: Samples
) -> tuple[tuple[Float[Array, ""], Float[Array, ""]], Parameters]:
    """Loss and accuracy of ``model`` on ``samples``, and the loss's gradient with respect to ``params``."""
    if isinstance(model, DenseNetwork | ConvolutionalNetwork):
        model = model.clone(dot_general=narrow_layers.dot_general)

    def objective(params: Parameters) -> tuple[Float[Array, ""], Float[Array, ""]]:
        return loss_and_accuracy(outputs_of(model, params, samples.images), samples.labels)

    return jax.value_and_grad(objective, has_aux=True)(params)
