"""The gradient of the training loss against JAX's own, of networks that are narrow, wide, and both."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn
from ntklens.networks.architectures import NetworkSettings
from ntklens.networks.modules import build_network, ensemble_parameters, initial_parameters
from ntklens.training.gradients import loss_and_gradient
from ntklens.training.members import Samples, loss_and_accuracy
from ntklens.training.narrow_layers import NARROW, dot_general

SHAPE, OUTPUTS = (6, 5, 2), 3
DENSE = NetworkSettings(hidden_layers=2, width=7)
NETWORKS = {
    "narrow": DENSE,
    "widest that counts as narrow": replace(DENSE, width=NARROW),
    "wide": replace(DENSE, width=NARROW + 1),
    "NTK parametrisation": replace(DENSE, parametrisation="ntk"),
    "without biases": replace(DENSE, biases=False),
    "one layer": replace(DENSE, hidden_layers=0),
    "convolutional": replace(DENSE, convolutions=2, filters=4),
}
IMAGES = jax.random.normal(jax.random.key(1), (11, 60))
SAMPLES = Samples(IMAGES, jnp.arange(11) % OUTPUTS)


def plainly(model, params, samples):
    def objective(params):
        return loss_and_accuracy(model.apply(params, samples.images), samples.labels)

    return jax.value_and_grad(objective, has_aux=True)(params)


def assert_close(found, expected):
    assert jax.tree.structure(found) == jax.tree.structure(expected)
    for own, other in zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True):
        np.testing.assert_allclose(own, other, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("settings", NETWORKS.values(), ids=NETWORKS)
def test_gradient_is_that_of_jax(settings):
    model = build_network(settings, SHAPE, OUTPUTS)
    params = initial_parameters(model, 60, 0)
    assert_close(loss_and_gradient(model, params, SAMPLES), plainly(model, params, SAMPLES))


def test_members_that_advance_together_have_the_gradients_of_each():
    model = build_network(DENSE, SHAPE, OUTPUTS)
    ensemble = ensemble_parameters(model, 60, [0, 1, 2])
    own = Samples(jnp.stack([IMAGES, -IMAGES, 2 * IMAGES]), jnp.stack([SAMPLES.labels] * 3))
    together = jax.vmap(lambda params, samples: loss_and_gradient(model, params, samples))(ensemble, own)
    for member in range(3):
        params, samples = jax.tree.map(lambda leaf, at=member: leaf[at], (ensemble, own))
        expected = plainly(model, params, samples)
        assert_close(jax.tree.map(lambda leaf, at=member: leaf[at], together), expected)


def test_a_network_of_another_class_is_differentiated_as_it_is():
    class Affine(nn.Module):
        @nn.compact
        def __call__(self, x):
            return nn.Dense(OUTPUTS)(x)

    model = Affine()
    params = model.init(jax.random.key(0), IMAGES)
    assert_close(loss_and_gradient(model, params, SAMPLES), plainly(model, params, SAMPLES))


@pytest.mark.parametrize(
    ("shape", "precision"), [((4, 60), None), ((4, 60), "highest"), ((2, 4, 60), None)], ids=str
)
def test_a_dense_layer_multiplies_as_with_its_own_product(shape, precision):
    x = jax.random.normal(jax.random.key(2), shape)
    plain, fast = (nn.Dense(5, precision=precision, dot_general=own) for own in (None, dot_general))
    params = plain.init(jax.random.key(3), x)

    def total(layer):
        def squares(params, x):
            return jnp.sum(layer.apply(params, x) ** 2)

        return jax.value_and_grad(squares, argnums=(0, 1))(params, x)

    assert_close(total(fast), total(plain))
