"""Training of an ensemble one member after the other, with the test loss on a grid of epochs.

The test loss of a wide network costs many times its training. So it is evaluated every few epochs, and the
minimum among these epochs is made exact afterwards, by `exact_minimum`. A member is finished once it is past
its `Stop`; nothing later changes its record.

Two trainers differ in how a member advances: `mini_batch.MiniBatch` and `full_batch_on_grid.FullBatchOnGrid`.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, NamedTuple

import jax
import numpy as np
import optax
from flax import linen as nn
from flax import serialization
from jaxtyping import Array, Float, Int

from ntklens.networks.modules import Ensemble, Parameters
from ntklens.storage.quantities import CURVES, TEST_CURVES
from ntklens.storage.run_files import DIVERGED, STATUSES, UNFINISHED, Status
from ntklens.training.members import (
    AtMinimum,
    Record,
    Samples,
    State,
    Trace,
    loss_and_accuracy,
    losses_are_finite,
    mean_over_parts,
    on_host,
    outputs_of,
    part_of,
    status_of,
)
from ntklens.training.minimum_search import GridMinimum, Position, exact_minimum
from ntklens.training.optimisers import Optimiser
from ntklens.training.schedules import Schedule
from ntklens.training.transformations import transformation

MEASURED = (*CURVES, "layer_traces")
Value = Any  # a number or, of the layers' traces, a list of them
Values = dict[str, Value]  # by their names in `MEASURED`
Curve = dict[int, Value]  # the values of one quantity, by epoch


class Task(NamedTuple):
    """What one member learns from, and how: this does not change while it trains."""

    train_set: Samples
    test_set: Samples
    learning_rate: float
    seed: int


@dataclass(frozen=True)
class Member:
    """One seed in training, and the values of `MEASURED` so far.

    ``status`` and ``minimum`` are set when it ends.
    """

    here: Position
    found: GridMinimum
    curves: dict[str, Curve]
    stop_epoch: int = -1  # while it is running
    status: Status = UNFINISHED
    minimum: AtMinimum | None = None


@dataclass(frozen=True)
class GridTrainer(ABC):
    """A `Trainer` that advances members one after the other, in Python's loop."""

    model: nn.Module
    optimiser: Optimiser
    schedule: Schedule
    trace: Trace | None = field(default=None, kw_only=True)  # needed where the schedule has traces

    @property
    @abstractmethod
    def evaluated(self) -> Sequence[int]:
        """The epochs at which members are evaluated, ascending to the last."""

    @abstractmethod
    def measured(self, params: Parameters, task: Task, epoch: int) -> Values:
        """The values at ``epoch`` other than those of the test set."""

    @abstractmethod
    def advanced(
        self, position: Position, task: Task, end: int, traced: bool = True
    ) -> tuple[Position, dict[str, Curve]]:
        """The position at epoch ``end``, and what was measured on the way; traces only where ``traced``."""

    def train(
        self,
        params: Ensemble,
        train_sets: Sequence[Samples],
        test_set: Samples,
        learning_rate: float,
        seeds: Sequence[int],
        start: tuple[int, State] | None = None,
    ) -> Iterator[tuple[int, list[Member]]]:
        tasks = [
            Task(own, test_set, learning_rate, seed) for own, seed in zip(train_sets, seeds, strict=True)
        ]
        members, epoch = [self._new_member(params, index) for index in range(len(seeds))], 0
        if start is None:
            members = self._all_evaluated(members, 0, tasks)
        else:
            epoch = start[0]
            members = [_restored(member, start[1].pop(str(index))) for index, member in enumerate(members)]
        yield epoch, members
        evaluated = set(self.evaluated)
        for following in sorted(own for own in {*evaluated, *self.schedule.yields} if own > epoch):
            if not any(self._goes_on(member, epoch) for member in members):
                return
            members = [
                self._advanced(member, task, following) if self._goes_on(member, epoch) else member
                for member, task in zip(members, tasks, strict=True)
            ]
            epoch = following
            if epoch in evaluated:
                members = self._all_evaluated(members, epoch, tasks)
            yield epoch, members

    @staticmethod
    def state_of(members: list[Member]) -> State:
        return {str(index): _state_of(member) for index, member in enumerate(members)}

    @staticmethod
    def parameters_of(members: list[Member]) -> list[Parameters]:
        return [member.here.params for member in members]

    def measurable(self, members: list[Member], epoch: int) -> list[bool]:
        return [member.here.epoch == epoch and member.status != DIVERGED for member in members]

    @staticmethod
    def latest(members: list[Member], epoch: int) -> tuple[dict[str, float], int, int]:
        last = [
            {name: values[-1] for name, values in _values(member.curves).items() if values}
            for member in members
        ]
        values = {name: float(np.mean([own[name] for own in last])) for name in CURVES}
        return values, sum(member.stop_epoch >= 0 for member in members), len(members)

    def records(self, members: list[Member]) -> list[Record]:
        return [_record(member, self.trace.layers if self.trace else 0) for member in members]

    def _new_member(self, params: Ensemble, index: int) -> Member:
        own = jax.device_put(jax.tree.map(lambda leaf: np.asarray(leaf)[index], params))
        start = Position(0, own, _new_state(self.optimiser, own))
        return Member(start, GridMinimum.nothing(start), curves={name: {} for name in MEASURED})

    def _goes_on(self, member: Member, epoch: int) -> bool:
        """Whether ``member`` advances beyond ``epoch``: while it runs, or for the update after a snapshot."""
        snapshot = member.stop_epoch == epoch and epoch in self.schedule.snapshots
        return member.stop_epoch < 0 or (snapshot and self.schedule.updates_after)

    def _all_evaluated(self, members: list[Member], epoch: int, tasks: Sequence[Task]) -> list[Member]:
        return [
            self._evaluated(member, epoch, task) if member.stop_epoch < 0 else member
            for member, task in zip(members, tasks, strict=True)
        ]

    def _evaluated(self, member: Member, epoch: int, task: Task) -> Member:
        """The running ``member`` with its values at ``epoch``; ended where it has to."""
        test = evaluate(self.model, member.here.params, task.test_set)
        values = self.measured(member.here.params, task, epoch) | dict(zip(TEST_CURVES, test, strict=True))
        curves = _joined(member.curves, {name: {epoch: value} for name, value in values.items()})
        member = replace(member, found=member.found.after(member.here, test[0]), curves=curves)
        stop = self.schedule.stop
        last = min(stop.last(member.found.epoch), stop.max_epochs)
        ends = epoch >= last or not losses_are_finite(_values(curves))
        return self._ended(member, epoch, task) if ends else member

    def _ended(self, member: Member, epoch: int, task: Task) -> Member:
        """``member``, which ends at ``epoch``, with its exact minimum."""
        minimum, stop = None, self.schedule.stop
        last = stop.last(member.found.epoch)
        if self.schedule.minimum:
            exact = exact_minimum(
                member.found,
                min((own for own in self.evaluated if member.found.epoch < own <= epoch), default=epoch),
                advance=lambda position, end: self.advanced(position, task, end, traced=False)[0],
                test_loss=lambda params: evaluate(self.model, params, task.test_set)[0],
            )
            train_loss, _ = evaluate(self.model, exact.params, task.train_set)
            minimum = AtMinimum(exact.epoch, train_loss, exact.test_loss, exact.params)
            # On a coarse grid the least loss may be the last one, long after the minimum. Or the minimum may
            # lie just before the window, and the grid's in it, by which the member ended.
            last = min(last, stop.last(exact.epoch))
        status = status_of(_values(member.curves), epoch >= last)
        # Parameters that only the search needed are let go.
        found = replace(member.found, before=member.here, latest=member.here)
        return replace(member, found=found, minimum=minimum, stop_epoch=epoch, status=status)

    def _advanced(self, member: Member, task: Task, end: int) -> Member:
        """``member`` at epoch ``end``."""
        here, between = self.advanced(member.here, task, end)
        return replace(member, here=here, curves=_joined(member.curves, between))


def _joined(curves: dict[str, Curve], more: dict[str, Curve]) -> dict[str, Curve]:
    return {name: own | more.get(name, {}) for name, own in curves.items()}


def _values(curves: dict[str, Curve]) -> dict[str, list[Value]]:
    return {name: list(curve.values()) for name, curve in curves.items()}


def _record(member: Member, layers: int) -> Record:
    """The `Record` of a ``member`` whose trace was measured by so many ``layers``."""
    curves = {name: np.array(values, np.float32) for name, values in _values(member.curves).items()}
    epochs = {name: np.array(list(member.curves[name]), np.int32) for name in MEASURED}
    return Record(
        status=member.status,
        epoch=epochs["train_loss"],
        test_epoch=epochs["test_loss"],
        curves={name: curves[name] for name in CURVES},
        trace_epoch=epochs["layer_traces"],
        layer_traces=curves["layer_traces"].reshape(len(epochs["layer_traces"]), layers),
        minimum=member.minimum,
    )


def _state_of(member: Member) -> State:
    """``member`` as nested dictionaries of arrays; positions at the same epoch are stored once."""
    found, minimum = member.found, member.minimum
    positions = {position.epoch: position for position in (found.before, found.latest, member.here)}
    return {
        "positions": {
            str(epoch): {
                "params": on_host(position.params),
                "optimiser_state": serialization.to_state_dict(on_host(position.optimiser_state)),
            }
            for epoch, position in positions.items()
        },
        "epochs": [member.here.epoch, found.epoch, found.before.epoch, found.latest.epoch, member.stop_epoch],
        "test_loss": found.test_loss,
        "status": member.status,
        "minimum": {} if minimum is None else {**minimum._asdict(), "params": on_host(minimum.params)},
        "curves": {
            name: {"epoch": np.array(list(curve), int), "value": np.array(list(curve.values()), float)}
            for name, curve in member.curves.items()
        },
    }


def _restored(member: Member, state: State) -> Member:
    """The new ``member`` with the values that it had when `_state_of` returned ``state``."""
    positions = {
        int(epoch): Position(
            int(epoch),
            jax.device_put(stored["params"]),
            jax.device_put(
                serialization.from_state_dict(member.here.optimiser_state, stored["optimiser_state"])
            ),
        )
        for epoch, stored in state["positions"].items()
    }
    here, found, before, latest, stop_epoch = map(int, state["epochs"])
    minimum = None
    if state["minimum"]:
        stored = state["minimum"]
        losses = float(stored["train_loss"]), float(stored["test_loss"])
        minimum = AtMinimum(int(stored["epoch"]), *losses, jax.device_put(stored["params"]))
    return Member(
        here=positions[here],
        found=GridMinimum(found, float(state["test_loss"]), positions[before], positions[latest]),
        curves={
            name: dict(zip(stored["epoch"].tolist(), stored["value"].tolist(), strict=True))
            for name, stored in state["curves"].items()
        },
        stop_epoch=stop_epoch,
        status=STATUSES[str(state["status"])],
        minimum=minimum,
    )


# Compiled, since each of its many small operations would otherwise be a program of its own.
@partial(jax.jit, static_argnums=0)
def _new_state(optimiser: Optimiser, params: Parameters) -> optax.OptState:
    return transformation(optimiser, 0.0).init(params)


def evaluate(model: nn.Module, params: Parameters, samples: Samples) -> tuple[float, float]:
    """Mean loss and accuracy of ``model`` on ``samples``."""
    loss, accuracy = mean_over_parts(
        samples, lambda start, size: _evaluate_part(model, size, params, samples, start)
    )
    return float(loss), float(accuracy)


@partial(jax.jit, static_argnums=(0, 1))
def _evaluate_part(
    model: nn.Module, size: int, params: Parameters, samples: Samples, start: Int[Array, ""]
) -> tuple[Float[Array, ""], Float[Array, ""]]:
    part = part_of(samples, start, size)
    return loss_and_accuracy(outputs_of(model, params, part.images), part.labels)
