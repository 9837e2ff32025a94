"""Full-batch training of an ensemble, one member a seed, with the NTK trace along the way (App. D.1).

Epoch e is the state after e updates; losses, accuracies and trace at epoch e belong to the same
parameters. A member watches its own test loss at every epoch, so its minimum is exact. It is
finished once the epoch window is over and its minimum lies a factor ``patience`` behind; nothing
later changes what it found. A member's record therefore follows from its own seed, not from the
batch in which it advances.
"""

from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import serialization
from jax import lax

from ntklens.kernel.ntk import outputs_and_trace
from ntklens.training.schedules import EPOCHS_PER_CALL, VECTORISED_PARAMETERS

CURVES = ("train_loss", "test_loss", "train_accuracy", "test_accuracy")


class Samples(NamedTuple):
    """Images (d, n₀), floating point, with labels (d,), integers."""

    images: jax.Array
    labels: jax.Array


class Minimum(NamedTuple):
    """The least test loss so far, where, and the parameters there."""

    epoch: jax.Array
    test_loss: jax.Array
    params: dict


class Member(NamedTuple):
    """One seed in training. `train` yields it with a leading ensemble axis on every array."""

    params: dict
    optimizer_state: tuple
    minimum: Minimum
    stop_epoch: jax.Array  # -1 while running
    curves: dict  # one array (max_epochs + 1,) for each of CURVES
    traces: jax.Array  # at epochs 0, trace_every, 2 trace_every, ...


@dataclass(frozen=True)
class Adam:
    """Adam's constants (Kingma & Ba, 2015); of them the paper states b1 alone (App. D.1)."""

    b1: float
    b2: float
    eps: float

    def at_rate(self, learning_rate):
        return optax.adam(learning_rate, b1=self.b1, b2=self.b2, eps=self.eps)


def train(model, adam, learning_rate, params, train_sets, test_set, schedule, ntk_samples=0, start=None):
    """Yield ``(epoch, Member)`` at epoch 0, at every snapshot, one update after each, now and then between,
    and at the end.

    Ends when all members are finished. ``params`` and ``train_sets`` carry a leading ensemble axis;
    ``test_set`` is shared, and the NTK's trace is that on its first ``ntk_samples``. What lies beyond
    a member's ``stop_epoch`` in its curves means nothing. ``start`` is a pair (epoch, `state_of` the members)
    that an earlier call came to: what follows is the same, bit for bit.
    """
    first, members = 0, _new_members(adam, schedule, params)
    if start is not None:
        first, members = start[0], serialization.from_state_dict(members, start[1])
    size = sum(leaf[0].size for leaf in jax.tree.leaves(params))
    advance = partial(_advance, model, adam, schedule, ntk_samples, size < VECTORISED_PARAMETERS)
    boundaries = {*schedule.snapshots, *(epoch + 1 for epoch in schedule.snapshots)}
    boundaries |= set(range(0, schedule.max_epochs, EPOCHS_PER_CALL))
    ends = [first, *sorted(epoch for epoch in boundaries if epoch > first), schedule.max_epochs + 1]
    for epoch, end in pairwise(ends):
        yield epoch, members
        if np.all(np.asarray(members.stop_epoch) >= 0):
            return
        members = advance(members, train_sets, test_set, learning_rate, epoch, end)
    yield end, members


def state_of(members):
    """``members`` as nested dictionaries of arrays in the host's memory."""
    return serialization.to_state_dict(jax.tree.map(np.asarray, members))


# The programs below are compiled once for each network and schedule: trials at several learning
# rates share them.
@partial(jax.jit, static_argnums=(0, 1))
def _new_members(adam, schedule, params):
    return jax.vmap(partial(_new_member, adam, schedule))(params)


def _new_member(adam, schedule, params):
    # Types are spelt out: a weakly typed first state would compile the whole loop twice.
    dtype = jax.tree.leaves(params)[0].dtype
    unmeasured = jnp.full(schedule.max_epochs + 1, jnp.nan, dtype)
    traces = schedule.max_epochs // schedule.trace_every + 1 if schedule.trace_every else 0
    return Member(
        params=params,
        optimizer_state=adam.at_rate(0.0).init(params),
        minimum=Minimum(epoch=jnp.array(0, jnp.int32), test_loss=jnp.array(jnp.inf, dtype), params=params),
        stop_epoch=jnp.array(-1, jnp.int32),
        curves=dict.fromkeys(CURVES, unmeasured),
        traces=jnp.full(traces, jnp.nan, dtype),
    )


@partial(jax.jit, static_argnums=(0, 1, 2, 3, 4))
def _advance(
    model, adam, schedule, ntk_samples, vectorised, members, train_sets, test_set, learning_rate, begin, end
):
    """``members`` taken from epoch ``begin`` to ``end``, measured on the way."""
    optimizer = adam.at_rate(learning_rate)

    def advance_member(member, train_set):
        step = partial(_step, model, optimizer, schedule, ntk_samples, train_set, test_set)
        return lax.fori_loop(begin, end, step, member)

    if vectorised:
        return jax.vmap(advance_member)(members, train_sets)
    return lax.map(lambda pair: advance_member(*pair), (members, train_sets))


def _step(model, optimizer, schedule, ntk_samples, train_set, test_set, epoch, member):
    """Measure ``member`` at ``epoch``, then update its parameters once."""

    def objective(params):
        return loss_and_accuracy(model.apply(params, train_set.images), train_set.labels)

    (train_loss, train_accuracy), gradient = jax.value_and_grad(objective, has_aux=True)(member.params)
    test_outputs, traces = _test_outputs(model, schedule, ntk_samples, member, test_set.images, epoch)
    test_loss, test_accuracy = loss_and_accuracy(test_outputs, test_set.labels)
    values = {
        "train_loss": train_loss,
        "test_loss": test_loss,
        "train_accuracy": train_accuracy,
        "test_accuracy": test_accuracy,
    }
    updates, optimizer_state = optimizer.update(gradient, member.optimizer_state, member.params)
    minimum, stop_epoch = _follow_minimum(schedule, member, epoch, train_loss, test_loss)
    return Member(
        params=optax.apply_updates(member.params, updates),
        optimizer_state=optimizer_state,
        minimum=minimum,
        stop_epoch=stop_epoch,
        curves={name: member.curves[name].at[epoch].set(values[name]) for name in values},
        traces=traces,
    )


def loss_and_accuracy(outputs, labels):
    loss = optax.softmax_cross_entropy_with_integer_labels(outputs, labels).mean()
    return loss, jnp.mean(jnp.argmax(outputs, axis=-1) == labels)


def _test_outputs(model, schedule, ntk_samples, member, images, epoch):
    """The outputs on the test set and ``member.traces``, with the trace at ``epoch`` where it is due.

    The trace takes the activations of its samples, the first of the test set, from the pass that the
    test loss needs anyway.
    """
    if not schedule.trace_every:
        return model.apply(member.params, images), member.traces
    first, rest = images[:ntk_samples], images[ntk_samples:]

    def with_trace():
        outputs, trace = outputs_and_trace(model, member.params, first)
        return outputs, member.traces.at[epoch // schedule.trace_every].set(trace)

    # The epoch is the same for every member, so this stays a branch under vmap.
    outputs, traces = lax.cond(
        epoch % schedule.trace_every == 0,
        with_trace,
        lambda: (model.apply(member.params, first), member.traces),
    )
    return jnp.concatenate([outputs, model.apply(member.params, rest)]), traces


def _follow_minimum(schedule, member, epoch, train_loss, test_loss):
    best = member.minimum
    running = member.stop_epoch < 0
    better = running & (test_loss < best.test_loss)
    candidate = Minimum(epoch=jnp.asarray(epoch, jnp.int32), test_loss=test_loss, params=member.params)
    minimum = jax.tree.map(lambda new, old: jnp.where(better, new, old), candidate, best)
    last = jnp.maximum(schedule.window_last, jnp.ceil(schedule.patience * minimum.epoch))
    ends = (epoch >= last) | ~jnp.isfinite(train_loss + test_loss)
    return minimum, jnp.where(running & ends, candidate.epoch, member.stop_epoch)
