"""The arguments and results that all trainers have in common.

A `Trainer` advances the members of an ensemble, one for each seed: `full_batch.FullBatch`,
`full_batch_on_grid.FullBatchOnGrid` or `mini_batch.MiniBatch`. If the NTK's trace is measured along training,
the function that measures it is passed to the trainer as a `Trace`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, cast, runtime_checkable

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import linen as nn
from jax import lax
from jaxtyping import Array, Float, Int

from ntklens.networks.modules import Ensemble, Parameters
from ntklens.storage.run_files import DIVERGED, OK, UNFINISHED, Status
from ntklens.training.schedules import EVALUATED_AT_ONCE

# The members of an ensemble in training, each trainer's in a form of its own.
Members = Any
# Those members as nested dictionaries of arrays, for a checkpoint.
State = dict[str, Any]


class Samples(NamedTuple):
    """Images and their labels; an ensemble's have a leading axis."""

    images: Float[Array, "*members d n0"]
    labels: Int[Array, "*members d"]


class Trace(NamedTuple):
    """How the NTK's trace is measured along training, on the first ``samples`` of the test set.

    ``measure(model, params, images)`` gives the outputs and the shares of the ``layers`` in Tr Θ.
    """

    measure: Callable[
        [nn.Module, Parameters, Float[Array, "d n0"]], tuple[Float[Array, "d n"], Float[Array, " layers"]]
    ]
    samples: int
    layers: int


class AtMinimum(NamedTuple):
    """The minimum of one member's test loss, and the parameters there."""

    epoch: int
    train_loss: float
    test_loss: float
    params: Parameters


class Record(NamedTuple):
    """One member's training.

    Train curves are at ``epoch``, test curves at ``test_epoch``, and the layers' shares in the NTK's trace
    are at ``trace_epoch``. ``minimum`` is None where the schedule does not follow it.
    """

    status: Status
    epoch: Int[np.ndarray, " epochs"]
    test_epoch: Int[np.ndarray, " test_epochs"]
    curves: dict[str, Float[np.ndarray, " _"]]
    trace_epoch: Int[np.ndarray, " traces"]
    layer_traces: Float[np.ndarray, "traces layers"]
    minimum: AtMinimum | None

    @property
    def ntk_trace(self) -> Float[np.ndarray, " traces"]:
        """The trace of the NTK: the sum over the layers."""
        return self.layer_traces.sum(axis=1)


@runtime_checkable
class Trainer(Protocol):
    """The methods of a trainer that `ntklens.studies` uses."""

    def train(
        self,
        params: Ensemble,
        train_sets: Sequence[Samples],
        test_set: Samples,
        learning_rate: float,
        seeds: Sequence[int],
        start: tuple[int, State] | None = None,
    ) -> Iterator[tuple[int, Members]]:
        """Yield (epoch, members) at least at every epoch of the schedule's ``yields`` and at the end.

        ``params`` has a leading ensemble axis; ``train_sets`` has a `Samples` for each member. ``start`` is a
        pair (epoch, ``state_of(members)``) that an earlier call reached: what follows is the same, bit for
        bit. The state is emptied, since it would otherwise take memory as long as training goes on.
        """
        ...

    def state_of(self, members: Members) -> State:
        """The ``members`` as nested dictionaries of arrays in the host's memory, for a checkpoint."""
        ...

    def parameters_of(self, members: Members) -> list[Parameters]:
        """Every member's parameters."""
        ...

    def measurable(self, members: Members, epoch: int) -> list[bool]:
        """Whether each member's NTK can be measured at ``epoch``, at which ``members`` were yielded."""
        ...

    def latest(self, members: Members, epoch: int) -> tuple[dict[str, float], int, int]:
        """The latest values of the curves, averaged over members, how many members are finished, and how many
        there are."""
        ...

    def records(self, members: Members) -> list[Record]:
        """The `Record` of each member, when training has ended."""
        ...


def outputs_of(model: nn.Module, params: Parameters, images: Float[Array, "d n0"]) -> Float[Array, "d n"]:
    """The outputs of ``model`` on ``images``."""
    return cast(Array, model.apply(params, images))  # without mutable variables, Flax returns outputs alone


def loss_and_accuracy(
    outputs: Float[Array, "d n"], labels: Int[Array, " d"]
) -> tuple[Float[Array, ""], Float[Array, ""]]:
    """Mean softmax cross-entropy of ``outputs``, and the share of samples that they classify correctly."""
    loss = optax.softmax_cross_entropy_with_integer_labels(outputs, labels).mean()
    return loss, jnp.mean(jnp.argmax(outputs, axis=-1) == labels)


def mean_over_parts(samples: Samples, measure: Callable[[int, int], Any]) -> Float[np.ndarray, "*values"]:
    """The mean over ``samples`` of what ``measure(start, size)`` gives as the mean over ``size`` of them.

    At most `EVALUATED_AT_ONCE` are measured at once.
    """
    total = len(samples.labels)
    starts = range(0, total, EVALUATED_AT_ONCE)
    sizes = [min(EVALUATED_AT_ONCE, total - start) for start in starts]
    parts = [measure(start, size) for start, size in zip(starts, sizes, strict=True)]
    return np.asarray(np.average(np.array(parts, np.float64), axis=0, weights=sizes))


def part_of(samples: Samples, start: Int[Array, ""], size: int) -> Samples:
    """``size`` of the ``samples``, from ``start`` on."""
    return jax.tree.map(lambda leaf: lax.dynamic_slice_in_dim(leaf, start, size), samples)


def losses_are_finite(curves: Mapping[str, Sequence[float] | Float[np.ndarray, " _"]]) -> bool:
    """Whether both losses are finite at the last epochs of ``curves``."""
    return bool(np.isfinite(curves["train_loss"][-1] + curves["test_loss"][-1]))


def status_of(curves: Mapping[str, Sequence[float] | Float[np.ndarray, " _"]], finished: bool) -> Status:
    """How the member with these ``curves`` ended."""
    if not losses_are_finite(curves):
        return DIVERGED
    return OK if finished else UNFINISHED


def on_host(tree: Any) -> Any:
    """``tree`` with NumPy arrays for leaves: slicing one needs no compiled program."""
    return jax.tree.map(np.asarray, tree)
