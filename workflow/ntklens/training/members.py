"""What trainers are given and what they give back, whatever the way they train.

A *trainer* advances the members of an ensemble, one for each seed. `full_batch.FullBatch` and
`mini_batch.MiniBatch` have the same methods, which `ntklens.studies.recorder` calls:

``train(params, train_sets, test_set, learning_rate, seeds, start=None)``
    yields pairs (epoch, members) at every epoch of the schedule's ``yields``, now and then between them, and
    at the end. ``params`` has a leading ensemble axis; ``train_sets`` has a `Samples` for each member.
    ``start`` is a pair (epoch, ``state_of(members)``) that an earlier call came to: what follows is the same,
    bit for bit.
``state_of(members)``
    the members as nested dictionaries of arrays in the host's memory, for a checkpoint.
``parameters_of(members)``
    a list of every member's parameters.
``measurable(members, epoch)``
    for each member, whether its NTK can be measured at the ``epoch`` at which ``members`` were yielded.
``latest(members, epoch)``
    the latest values of the curves, averaged over members, how many members are finished, and how many there
    are.
``records(members)``
    the `Record` of each member, when training has ended.

What measures the NTK's trace along training, if anything, is given to a trainer: `Trace`.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from ntklens.storage.run_files import DIVERGED, OK, UNFINISHED


class Samples(NamedTuple):
    """Images (d, n₀), floating point, with labels (d,), integers."""

    images: jax.Array
    labels: jax.Array


class Trace(NamedTuple):
    """``measure(model, params, images)`` gives outputs and Tr Θ on the first ``samples`` of the test set."""

    measure: Callable
    samples: int


class BestSoFar(NamedTuple):
    """The least test loss so far, its epoch, and the parameters there."""

    epoch: jax.Array
    test_loss: jax.Array
    params: dict


class Record(NamedTuple):
    """One member's training: curves (E,) at ``epoch``, ``ntk_trace`` (T,) at ``trace_epoch``."""

    status: str
    epoch: np.ndarray
    curves: dict
    trace_epoch: np.ndarray
    ntk_trace: np.ndarray
    best: BestSoFar


def loss_and_accuracy(outputs, labels):
    """Mean softmax cross-entropy and the share classified correctly, of ``outputs`` (d, n)."""
    loss = optax.softmax_cross_entropy_with_integer_labels(outputs, labels).mean()
    return loss, jnp.mean(jnp.argmax(outputs, axis=-1) == labels)


def losses_are_finite(curves):
    """Whether both losses are finite where ``curves`` end."""
    return bool(np.isfinite(curves["train_loss"][-1] + curves["test_loss"][-1]))


def status_of(curves, finished):
    """How a member ended whose ``curves`` these are."""
    if not losses_are_finite(curves):
        return DIVERGED
    return OK if finished else UNFINISHED


def on_host(tree):
    """``tree`` as NumPy arrays, whose slices need no compiled program each."""
    return jax.tree.map(np.asarray, tree)
