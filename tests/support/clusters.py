"""A small task, easy to learn and to overfit, and training written out in a few lines."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from ntklens.data.subsets import Subset
from ntklens.training.members import Samples


def clusters():
    """A pool of 40 and 50 test images of 2 × 3 pixels, in three noisy clusters."""
    rng = np.random.default_rng(0)
    labels = np.arange(90, dtype=np.int32) % 3
    images = (np.eye(3, 6)[labels] + 0.9 * rng.standard_normal((90, 6))).astype(np.float32)
    return Subset(images[:40], labels[:40], images[40:], labels[40:], classes=3, image_shape=(2, 3, 1))


def samples(images, labels):
    return Samples(jnp.asarray(images), jnp.asarray(labels))


@partial(jax.jit, static_argnums=0)
def cross_entropy(model, params, images, labels):
    logits = jax.nn.log_softmax(model.apply(params, images))
    return -jnp.mean(logits[jnp.arange(len(labels)), labels])


def trained_plainly(model, params, step, batches):
    """Parameters at epochs 0, 1, …: the rule ``step`` applied to the batches of each epoch, `Samples`."""
    gradient_of = jax.jit(jax.grad(partial(cross_entropy, model)))
    history, state, updates = [params], (jax.tree.map(jnp.zeros_like, params),) * 2, 0
    for of_epoch in batches:
        for batch in of_epoch:
            updates += 1
            params, state = step(params, state, gradient_of(params, *batch), updates)
        history.append(params)
    return history


def adam(params, moments, gradient, updates, rate=0.006, b1=0.9, b2=0.999, eps=1e-8):
    first, second = moments
    first = jax.tree.map(lambda m, g: b1 * m + (1 - b1) * g, first, gradient)
    second = jax.tree.map(lambda v, g: b2 * v + (1 - b2) * g**2, second, gradient)

    def moved(p, m, v):
        return p - rate * (m / (1 - b1**updates)) / (jnp.sqrt(v / (1 - b2**updates)) + eps)

    return jax.tree.map(moved, params, first, second), (first, second)


def heavy_ball(params, state, gradient, updates, rate=0.05, momentum=0.9):
    velocity = jax.tree.map(lambda v, g: momentum * v + g, state[0], gradient)
    return jax.tree.map(lambda p, v: p - rate * v, params, velocity), (velocity, None)
