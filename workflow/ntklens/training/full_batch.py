"""Full-batch training of an ensemble of narrow networks, evaluated at every epoch (App. D.1).

Epoch e is the state after e updates; losses, accuracies and trace at epoch e belong to the same parameters. A
member follows its own test loss at every epoch, so its minimum is exact. It is finished once it is past its
`Stop`; nothing later changes its record. That record therefore follows from the member's own seed, not from
the batch in which it advances.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any, NamedTuple, cast

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import linen as nn
from flax import serialization
from jax import lax
from jaxtyping import Array, Float, Int

from ntklens.networks.modules import Ensemble, Parameters
from ntklens.storage.quantities import CURVES
from ntklens.training.gradients import loss_and_gradient
from ntklens.training.members import (
    AtMinimum,
    Record,
    Samples,
    State,
    Trace,
    loss_and_accuracy,
    on_host,
    outputs_of,
    status_of,
)
from ntklens.training.optimisers import Optimiser
from ntklens.training.schedules import EPOCHS_PER_CALL, VECTORISED_PARAMETERS, Schedule
from ntklens.training.transformations import transformation


class BestSoFar(NamedTuple):
    """The least test loss so far, its epoch, and the parameters there."""

    epoch: Int[Array | np.ndarray, "*members"]
    test_loss: Float[Array | np.ndarray, "*members"]
    params: Parameters


class Member(NamedTuple):
    """One seed in training. `FullBatch.train` yields it with a leading ensemble axis on every array."""

    params: Parameters
    optimiser_state: optax.OptState
    best: BestSoFar
    stop_epoch: Int[Array, "*members"]  # -1 while running
    curves: dict[str, Float[Array, "*members epochs"]]  # for each of CURVES, at epochs 0 to max_epochs
    traces: Float[Array, "*members traces layers"]  # at epochs 0, trace_every, 2 trace_every, ...


@dataclass(frozen=True)
class FullBatch:
    """The `Trainer` of an ensemble by full-batch updates, which evaluates at every epoch.

    Ends when all members are finished. Values in a member's curves beyond its ``stop_epoch`` mean nothing.
    """

    model: nn.Module
    optimiser: Optimiser
    schedule: Schedule
    trace: Trace | None = None  # needed where the schedule has traces

    def train(
        self,
        params: Ensemble,
        train_sets: Sequence[Samples],
        test_set: Samples,
        learning_rate: float,
        seeds: Sequence[int] | None = None,
        start: tuple[int, State] | None = None,
    ) -> Iterator[tuple[int, Member]]:
        first, members = 0, _new_members(self.optimiser, self.schedule, self._layers, params)
        if start is not None:
            first, members = start[0], cast(Member, serialization.from_state_dict(members, start[1]))
            start[1].clear()
        size = sum(leaf.size // len(leaf) for leaf in jax.tree.leaves(params))
        advance = partial(_advance, self, size < VECTORISED_PARAMETERS)
        # NumPy stacks them: it needs no program compiled for every new shape.
        stacked = jax.device_put(jax.tree.map(lambda *leaves: np.stack(leaves), *train_sets))
        last = self.schedule.stop.max_epochs
        boundaries = self.schedule.yields | set(range(0, last, EPOCHS_PER_CALL))
        ends = [first, *sorted(epoch for epoch in boundaries if epoch > first), last + 1]
        for epoch, end in pairwise(ends):
            yield epoch, members
            if np.all(np.asarray(members.stop_epoch) >= 0):
                return
            members = advance(members, stacked, test_set, learning_rate, epoch, end)
        yield ends[-1], members

    @property
    def _layers(self) -> int:
        return self.trace.layers if self.trace else 0

    @staticmethod
    def state_of(members: Member) -> State:
        return serialization.to_state_dict(on_host(members))

    @staticmethod
    def parameters_of(members: Member) -> list[Parameters]:
        return _members(on_host(members.params))

    @staticmethod
    def measurable(members: Member, epoch: int) -> list[bool]:
        # All members advance until the last is finished: values beyond a member's end are dropped later.
        return [True] * len(members.stop_epoch)

    @staticmethod
    def latest(members: Member, epoch: int) -> tuple[dict[str, float], int, int]:
        # The epochs before this one have been measured.
        values = {name: float(np.mean(np.asarray(members.curves[name])[:, epoch - 1])) for name in CURVES}
        return values, int(np.sum(np.asarray(members.stop_epoch) >= 0)), len(members.stop_epoch)

    def records(self, members: Member) -> list[Record]:
        return [self._record(member) for member in _members(on_host(members))]

    def _record(self, member: Member) -> Record:
        finished = int(member.stop_epoch) >= 0
        last = int(member.stop_epoch) if finished else self.schedule.stop.max_epochs
        curves = {name: np.asarray(curve)[: last + 1] for name, curve in member.curves.items()}
        trace_epoch = np.arange(0, last + 1, self.schedule.trace_every or last + 2, dtype=np.int32)
        epoch, best = np.arange(last + 1, dtype=np.int32), member.best
        minimum = AtMinimum(
            epoch=int(best.epoch),
            train_loss=float(curves["train_loss"][int(best.epoch)]),
            test_loss=float(best.test_loss),
            params=best.params,
        )
        return Record(
            status=status_of(curves, finished),
            epoch=epoch,
            test_epoch=epoch,
            curves=curves,
            trace_epoch=trace_epoch[: len(member.traces)],
            layer_traces=np.asarray(member.traces)[: len(trace_epoch)],
            minimum=minimum if self.schedule.minimum else None,
        )


# The programs below are compiled once for each network and schedule: trials at several learning rates share
# them.
@partial(jax.jit, static_argnums=(0, 1, 2))
def _new_members(optimiser: Optimiser, schedule: Schedule, layers: int, params: Ensemble) -> Member:
    return jax.vmap(partial(_new_member, optimiser, schedule, layers))(params)


def _new_member(optimiser: Optimiser, schedule: Schedule, layers: int, params: Parameters) -> Member:
    # Explicit types: with a weakly typed first state the whole loop would be compiled twice.
    dtype = jax.tree.leaves(params)[0].dtype
    last = schedule.stop.max_epochs
    unmeasured = jnp.full(last + 1, jnp.nan, dtype)
    traces = last // schedule.trace_every + 1 if schedule.trace_every else 0
    return Member(
        params=params,
        optimiser_state=transformation(optimiser, 0.0).init(params),
        best=BestSoFar(epoch=jnp.array(0, jnp.int32), test_loss=jnp.array(jnp.inf, dtype), params=params),
        stop_epoch=jnp.array(-1, jnp.int32),
        curves=dict.fromkeys(CURVES, unmeasured),
        traces=jnp.full((traces, layers), jnp.nan, dtype),
    )


@partial(jax.jit, static_argnums=(0, 1))
def _advance(
    trainer: FullBatch,
    vectorised: bool,
    members: Member,
    train_sets: Samples,
    test_set: Samples,
    learning_rate: Float[Array, ""],
    begin: Int[Array, ""],
    end: Int[Array, ""],
) -> Member:
    """``members`` advanced from epoch ``begin`` to ``end``, and measured at every epoch."""
    optimiser = transformation(trainer.optimiser, learning_rate)

    def advance_member(member: Member, train_set: Samples) -> Member:
        step = partial(_step, trainer, optimiser, train_set, test_set)
        return lax.fori_loop(begin, end, step, member)

    if vectorised:
        return jax.vmap(advance_member)(members, train_sets)
    return lax.map(lambda pair: advance_member(*pair), (members, train_sets))


def _step(
    trainer: FullBatch,
    optimiser: optax.GradientTransformation,
    train_set: Samples,
    test_set: Samples,
    epoch: Int[Array, ""],
    member: Member,
) -> Member:
    """Measure ``member`` at ``epoch``, then update its parameters once."""
    (train_loss, train_accuracy), gradient = loss_and_gradient(trainer.model, member.params, train_set)
    test_outputs, traces = _test_outputs(trainer, member, test_set.images, epoch)
    test_loss, test_accuracy = loss_and_accuracy(test_outputs, test_set.labels)
    values = {
        "train_loss": train_loss,
        "test_loss": test_loss,
        "train_accuracy": train_accuracy,
        "test_accuracy": test_accuracy,
    }
    updates, optimiser_state = optimiser.update(gradient, member.optimiser_state, member.params)
    best, stop_epoch = _follow_minimum(trainer.schedule, member, epoch, train_loss, test_loss)
    return Member(
        params=optax.apply_updates(member.params, updates),
        optimiser_state=optimiser_state,
        best=best,
        stop_epoch=stop_epoch,
        curves={name: member.curves[name].at[epoch].set(values[name]) for name in values},
        traces=traces,
    )


def _test_outputs(
    trainer: FullBatch, member: Member, images: Float[Array, "d n0"], epoch: Int[Array, ""]
) -> tuple[Float[Array, "d n"], Float[Array, "traces layers"]]:
    """The outputs on the test set and ``member.traces``, with those at ``epoch`` where they are due.

    The traces take the activations of its samples, the first of the test set, from the forward pass that the
    test loss needs anyway.
    """
    every, measured = trainer.schedule.trace_every, trainer.trace
    if not every or measured is None:
        return outputs_of(trainer.model, member.params, images), member.traces
    first, rest = images[: measured.samples], images[measured.samples :]

    def with_trace() -> tuple[Float[Array, "first n"], Float[Array, "traces layers"]]:
        outputs, shares = measured.measure(trainer.model, member.params, first)
        return outputs, member.traces.at[epoch // every].set(shares)

    # The epoch is the same for every member, so this stays a branch under vmap.
    outputs, traces = lax.cond(
        epoch % every == 0,
        with_trace,
        lambda: (outputs_of(trainer.model, member.params, first), member.traces),
    )
    return jnp.concatenate([outputs, outputs_of(trainer.model, member.params, rest)]), traces


def _follow_minimum(
    schedule: Schedule,
    member: Member,
    epoch: Int[Array, ""],
    train_loss: Float[Array, ""],
    test_loss: Float[Array, ""],
) -> tuple[BestSoFar, Int[Array, ""]]:
    """``member``'s minimum and the epoch of its end, with the losses at ``epoch`` taken into account."""
    best = member.best
    running = member.stop_epoch < 0
    better = running & (test_loss < best.test_loss)
    candidate = BestSoFar(epoch=jnp.asarray(epoch, jnp.int32), test_loss=test_loss, params=member.params)
    best = jax.tree.map(lambda new, old: jnp.where(better, new, old), candidate, best)
    # A table, since in float32 the rule would round up where it must not. All later epochs are alike.
    stop, after = schedule.stop, schedule.stop.max_epochs + 1
    last = jnp.array([min(stop.last(minimum), after) for minimum in range(after)])
    ends = (epoch >= last[best.epoch]) | ~jnp.isfinite(train_loss + test_loss)
    return best, jnp.where(running & ends, candidate.epoch, member.stop_epoch)


def _members(tree: Any) -> list[Any]:
    """The part of ``tree`` that belongs to each member."""
    count = len(jax.tree.leaves(tree)[0])
    return [jax.tree.map(lambda leaf: leaf[index], tree) for index in range(count)]  # noqa: B023
