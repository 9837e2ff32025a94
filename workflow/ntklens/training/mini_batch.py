"""Training of an ensemble on mini-batches, one member after the other (App. D.2).

Epoch e is the state after e passes over the training set. A pass visits every sample once, in an order drawn
from the seed and the epoch. The last batch is smaller where the batch size does not divide the set, so that
no sample is left out; the paper does not say whether it does this. Losses are evaluated at the epochs that
the schedule names, and a member's minimum is the least test loss among those.

The loop over batches is Python's, around one compiled step: inside XLA's loops convolutions run thirty times
slower on a CPU.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import linen as nn
from flax import serialization
from jax import lax
from jaxtyping import Array, Float, Int, Int32

from ntklens.networks.modules import Ensemble, Parameters
from ntklens.storage.quantities import CURVES
from ntklens.training.members import (
    BestSoFar,
    Record,
    Samples,
    State,
    Trace,
    loss_and_accuracy,
    losses_are_finite,
    on_host,
    outputs_of,
    status_of,
)
from ntklens.training.optimisers import Optimiser
from ntklens.training.schedules import Schedule
from ntklens.training.transformations import transformation

EVALUATED_AT_ONCE = 500  # samples, so that memory stays bounded


@dataclass(frozen=True)
class Member:
    """One seed in training, and the values that were measured so far."""

    params: Parameters
    optimiser_state: optax.OptState
    best: BestSoFar
    stop_epoch: int = -1  # while it is running
    epochs: tuple[int, ...] = ()
    curves: dict[str, tuple[float, ...]] = field(default_factory=lambda: dict.fromkeys(CURVES, ()))
    trace_epochs: tuple[int, ...] = ()
    traces: tuple[float, ...] = ()


@dataclass(frozen=True)
class MiniBatch:
    """The `Trainer` of an ensemble on mini-batches."""

    model: nn.Module
    optimiser: Optimiser
    schedule: Schedule
    batch_size: int
    trace: Trace | None = None  # needed where the schedule has traces

    def __post_init__(self) -> None:
        if self.schedule.updates_after:
            raise ValueError("mini-batch training cannot yield one update after a snapshot: epochs have many")

    def train(
        self,
        params: Ensemble,
        train_sets: Sequence[Samples],
        test_set: Samples,
        learning_rate: float,
        seeds: Sequence[int],
        start: tuple[int, State] | None = None,
    ) -> Iterator[tuple[int, list[Member]]]:
        first, members = 0, [self._new_member(params, index) for index in range(len(seeds))]
        if start is not None:
            first, members = start[0], _restored(members, start[1])
        evaluated, yields = set(self.schedule.evaluated), {*self.schedule.yields, *self.schedule.evaluated}
        last = self.schedule.stop.max_epochs
        for epoch in range(first, last + 1):
            # The members in a checkpoint were evaluated before it was written.
            if epoch in evaluated and (start is None or epoch > first):
                members = [
                    self._evaluated(member, epoch, train_set, test_set)
                    for member, train_set in zip(members, train_sets, strict=True)
                ]
            if epoch in yields:
                yield epoch, members
            if epoch == last or all(member.stop_epoch >= 0 for member in members):
                return
            members = [
                self._after_a_pass(member, train_set, learning_rate, seed, epoch)
                for member, train_set, seed in zip(members, train_sets, seeds, strict=True)
            ]

    @staticmethod
    def state_of(members: list[Member]) -> State:
        return {str(index): _state_of(member) for index, member in enumerate(members)}

    @staticmethod
    def parameters_of(members: list[Member]) -> list[Parameters]:
        return [member.params for member in members]

    @staticmethod
    def measurable(members: list[Member], epoch: int) -> list[bool]:
        return [member.stop_epoch in (-1, epoch) and losses_are_finite(member.curves) for member in members]

    @staticmethod
    def latest(members: list[Member], epoch: int) -> tuple[dict[str, float], int, int]:
        values = {name: float(np.mean([member.curves[name][-1] for member in members])) for name in CURVES}
        return values, sum(member.stop_epoch >= 0 for member in members), len(members)

    def records(self, members: list[Member]) -> list[Record]:
        return [_record(member) for member in members]

    def _new_member(self, params: Ensemble, index: int) -> Member:
        own = jax.tree.map(lambda leaf: jnp.asarray(np.asarray(leaf)[index]), params)
        best = BestSoFar(epoch=0, test_loss=np.inf, params=own)
        return Member(own, transformation(self.optimiser, 0.0).init(own), best)

    def _evaluated(self, member: Member, epoch: int, train_set: Samples, test_set: Samples) -> Member:
        """``member`` with its losses at ``epoch``, and its trace where that is due; stopped where it ends."""
        if member.stop_epoch >= 0:
            return member
        train = evaluate(self.model, member.params, train_set)
        test = evaluate(self.model, member.params, test_set)
        values = dict(zip(CURVES, (train[0], test[0], train[1], test[1]), strict=True))
        best = member.best
        if values["test_loss"] < best.test_loss:
            best = BestSoFar(epoch, values["test_loss"], member.params)
        curves = {name: (*member.curves[name], values[name]) for name in CURVES}
        finite = losses_are_finite(curves)
        stop = self.schedule.stop
        last = max(stop.window_last, np.ceil(stop.patience * best.epoch))
        member = replace(
            member,
            best=best,
            stop_epoch=epoch if epoch >= last or not finite else -1,
            epochs=(*member.epochs, epoch),
            curves=curves,
        )
        return self._traced(member, epoch, test_set) if finite else member

    def _traced(self, member: Member, epoch: int, test_set: Samples) -> Member:
        every = self.schedule.trace_every
        if self.trace is None or not every or epoch % every:
            return member
        _, trace = self.trace.measure(self.model, member.params, test_set.images[: self.trace.samples])
        traces = (*member.traces, float(trace))
        return replace(member, trace_epochs=(*member.trace_epochs, epoch), traces=traces)

    def _after_a_pass(
        self, member: Member, train_set: Samples, learning_rate: float, seed: int, epoch: int
    ) -> Member:
        """``member`` one epoch later; unchanged if it has stopped."""
        if member.stop_epoch >= 0:
            return member
        params, state = member.params, member.optimiser_state
        for rows in batches(len(train_set.labels), self.batch_size, seed, epoch):
            params, state = _step(self.model, self.optimiser, params, state, train_set, rows, learning_rate)
        return replace(member, params=params, optimiser_state=state)


def _record(member: Member) -> Record:
    curves = {name: np.array(values, np.float32) for name, values in member.curves.items()}
    return Record(
        status=status_of(curves, finished=member.stop_epoch >= 0),
        epoch=np.array(member.epochs, np.int32),
        curves=curves,
        trace_epoch=np.array(member.trace_epochs, np.int32),
        ntk_trace=np.array(member.traces, np.float32),
        best=member.best,
    )


def _state_of(member: Member) -> State:
    """``member`` as nested dictionaries of arrays."""
    best = member.best._asdict()
    return {
        "params": on_host(member.params),
        "optimiser_state": serialization.to_state_dict(on_host(member.optimiser_state)),
        "best": {**best, "params": on_host(best["params"])},
        "stop_epoch": member.stop_epoch,
        "epochs": np.array(member.epochs, int),
        "curves": {name: np.array(values, float) for name, values in member.curves.items()},
        "trace_epochs": np.array(member.trace_epochs, int),
        "traces": np.array(member.traces, float),
    }


def _restored(members: list[Member], state: State) -> list[Member]:
    """New ``members`` with the values that they had when `MiniBatch.state_of` returned ``state``."""
    return [_from_state(member, state[str(index)]) for index, member in enumerate(members)]


def _from_state(member: Member, state: State) -> Member:
    optimiser_state = serialization.from_state_dict(member.optimiser_state, state["optimiser_state"])
    best = state["best"]
    return Member(
        params=_on_device(state["params"]),
        optimiser_state=_on_device(optimiser_state),
        best=BestSoFar(int(best["epoch"]), float(best["test_loss"]), _on_device(best["params"])),
        stop_epoch=int(state["stop_epoch"]),
        epochs=tuple(state["epochs"].tolist()),
        curves={name: tuple(values.tolist()) for name, values in state["curves"].items()},
        trace_epochs=tuple(state["trace_epochs"].tolist()),
        traces=tuple(state["traces"].tolist()),
    )


def _on_device(tree: Any) -> Any:
    return jax.tree.map(jnp.asarray, tree)


def batches(samples: int, batch_size: int, seed: int, epoch: int) -> list[Int32[np.ndarray, " batch"]]:
    """The rows of each mini-batch of the pass that leads from ``epoch`` to the next."""
    order = np.random.default_rng([4, seed, epoch]).permutation(samples).astype(np.int32)
    return [order[start : start + batch_size] for start in range(0, samples, batch_size)]


# Nothing else refers to the optimiser's state, so its memory is reused. The caller keeps the parameters.
@partial(jax.jit, static_argnums=(0, 1), donate_argnums=3)
def _step(
    model: nn.Module,
    optimiser: Optimiser,
    params: Parameters,
    optimiser_state: optax.OptState,
    train_set: Samples,
    rows: Int[Array, " batch"],
    learning_rate: Float[Array, ""],
) -> tuple[Parameters, optax.OptState]:
    def loss(params: Parameters) -> Float[Array, ""]:
        outputs = outputs_of(model, params, train_set.images[rows])
        return loss_and_accuracy(outputs, train_set.labels[rows])[0]

    updates, optimiser_state = transformation(optimiser, learning_rate).update(
        jax.grad(loss)(params), optimiser_state, params
    )
    return optax.apply_updates(params, updates), optimiser_state


def evaluate(model: nn.Module, params: Parameters, samples: Samples) -> tuple[float, float]:
    """Mean loss and accuracy of ``model`` on ``samples``."""
    total = len(samples.labels)
    starts = range(0, total, EVALUATED_AT_ONCE)
    sizes = [min(EVALUATED_AT_ONCE, total - start) for start in starts]
    parts = [
        _evaluate_part(model, size, params, samples, start) for start, size in zip(starts, sizes, strict=True)
    ]
    loss, accuracy = np.average(np.array(parts, dtype=np.float64), axis=0, weights=sizes)
    return float(loss), float(accuracy)


@partial(jax.jit, static_argnums=(0, 1))
def _evaluate_part(
    model: nn.Module, size: int, params: Parameters, samples: Samples, start: Int[Array, ""]
) -> tuple[Float[Array, ""], Float[Array, ""]]:
    part = jax.tree.map(lambda leaf: lax.dynamic_slice_in_dim(leaf, start, size), samples)
    return loss_and_accuracy(outputs_of(model, params, part.images), part.labels)
