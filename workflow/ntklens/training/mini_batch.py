"""Training one network by stochastic gradient descent with momentum, on mini-batches (App. D.2).

Epoch e is the state after e passes over the training set. A pass visits every sample once, in an
order drawn from the seed and the epoch; the last batch is smaller where the batch size does not
divide the set (the paper does not say: so no sample is left out).

The loop over batches is Python's, around one compiled step: inside XLA's loops convolutions run
thirty times slower on a CPU.
"""

from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import serialization
from jax import lax

from ntklens.training.full_batch import loss_and_accuracy

EVALUATED_AT_ONCE = 500  # samples, so that memory stays bounded


@dataclass(frozen=True)
class Sgd:
    """v ← momentum · v + gradient, then parameters ← parameters − learning_rate · v."""

    learning_rate: float
    momentum: float
    batch_size: int

    def optimizer(self):
        return optax.sgd(self.learning_rate, momentum=self.momentum)


class State(NamedTuple):
    """One network in training."""

    params: dict
    velocity: tuple  # the optimiser's


def train(model, sgd, params, train_set, epochs, yield_at, seed, start=None):
    """Yield ``(epoch, State)`` at every epoch of ``yield_at``, which lie between 0 and ``epochs``.

    A state's velocity is to be read before the next is asked for. ``params`` are the initial parameters,
    ``train_set`` `Samples`; ``seed`` decides on their order. ``start`` is a pair (epoch, `state_of` the
    state) that an earlier call came to: what follows is the same, bit for bit.
    """
    first, state = 0, State(params, sgd.optimizer().init(params))
    if start is not None:
        first, state = start[0], jax.tree.map(jnp.asarray, serialization.from_state_dict(state, start[1]))
    for epoch in range(first, epochs + 1):
        if epoch in yield_at:
            yield epoch, state
        if epoch < epochs:
            for rows in batches(len(train_set.labels), sgd.batch_size, seed, epoch):
                state = State(*_step(model, sgd, *state, train_set, rows))


def state_of(state):
    """``state`` as nested dictionaries of arrays in the host's memory."""
    return serialization.to_state_dict(jax.tree.map(np.asarray, state))


def batches(samples, batch_size, seed, epoch):
    """The rows of each mini-batch that leads from ``epoch`` to the next, a list of arrays."""
    order = np.random.default_rng([4, seed, epoch]).permutation(samples).astype(np.int32)
    return [order[start : start + batch_size] for start in range(0, samples, batch_size)]


# The velocity is nobody else's, so its memory is used again. Parameters are the caller's too.
@partial(jax.jit, static_argnums=(0, 1), donate_argnums=3)
def _step(model, sgd, params, velocity, train_set, rows):
    def loss(params):
        return loss_and_accuracy(model.apply(params, train_set.images[rows]), train_set.labels[rows])[0]

    updates, velocity = sgd.optimizer().update(jax.grad(loss)(params), velocity, params)
    return optax.apply_updates(params, updates), velocity


def evaluate(model, params, samples):
    """Mean loss and accuracy of ``model`` on `Samples`, two numbers."""
    total = len(samples.labels)
    starts = range(0, total, EVALUATED_AT_ONCE)
    sizes = [min(EVALUATED_AT_ONCE, total - start) for start in starts]
    parts = [
        _evaluate_part(model, size, params, samples, start) for start, size in zip(starts, sizes, strict=True)
    ]
    loss, accuracy = np.average(np.array(parts, dtype=np.float64), axis=0, weights=sizes)
    return float(loss), float(accuracy)


@partial(jax.jit, static_argnums=(0, 1))
def _evaluate_part(model, size, params, samples, start):
    part = jax.tree.map(lambda leaf: lax.dynamic_slice_in_dim(leaf, start, size), samples)
    return loss_and_accuracy(model.apply(params, part.images), part.labels)
