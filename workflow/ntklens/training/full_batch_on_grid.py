"""Full-batch training of wide networks, with the test loss on a grid of epochs (App. D.1).

Epoch e is the state after e updates. The train loss comes with every update; the trace is measured on a grid
of its own. Between two evaluations a member advances inside one compiled loop, which copies no parameters.
"""

from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import linen as nn
from jax import lax
from jaxtyping import Array, Bool, Float, Int

from ntklens.networks.modules import Parameters
from ntklens.storage.quantities import TRAIN_CURVES
from ntklens.training.gradients import loss_and_gradient
from ntklens.training.grid_trainer import Curve, GridTrainer, Task, Values, evaluate
from ntklens.training.members import Samples, Trace
from ntklens.training.minimum_search import Position
from ntklens.training.optimisers import Optimiser
from ntklens.training.transformations import transformation

# Parameters, optimiser's state, and the measurements.
Carry = tuple[Parameters, optax.OptState, Float[Array, "measured length"]]


class Loop(NamedTuple):
    """What the compiled loop depends on. It holds the measurements of at most ``length`` epochs."""

    model: nn.Module
    optimiser: Optimiser
    trace: Trace | None
    trace_every: int  # 0 for no traces
    length: int


@dataclass(frozen=True)
class FullBatchOnGrid(GridTrainer):
    """The `Trainer` of an ensemble by full-batch updates, which evaluates at the schedule's grid alone."""

    @property
    def evaluated(self) -> list[int]:
        return self.schedule.grid

    def measured(self, params: Parameters, task: Task, epoch: int) -> Values:
        values: Values = dict(zip(TRAIN_CURVES, evaluate(self.model, params, task.train_set), strict=True))
        if self._traced(epoch):
            values["layer_traces"] = np.asarray(_traces_of(self._loop, params, task.test_set.images)).tolist()
        return values

    def advanced(
        self, position: Position, task: Task, end: int, traced: bool = True
    ) -> tuple[Position, dict[str, Curve]]:
        losses: dict[str, dict[int, float]] = {name: {} for name in TRAIN_CURVES}
        traces: dict[int, list[float]] = {}
        begin, params, state = position
        for start in range(begin, end, self._loop.length):
            epochs = range(start, min(start + self._loop.length, end))
            images, rate = task.test_set.images, task.learning_rate
            params, state, values = _advanced(
                self._loop, params, state, task.train_set, images, rate, epochs[0], epochs[-1], traced
            )
            for epoch, column in zip(epochs, np.asarray(values).T.tolist(), strict=False):
                for name, value in zip(losses, column, strict=False):
                    losses[name][epoch] = value
                if traced and self._traced(epoch):
                    traces[epoch] = column[len(losses) :]
        return Position(end, params, state), {**losses, "layer_traces": traces}

    @property
    def _loop(self) -> Loop:
        schedule = self.schedule
        every = schedule.trace_every if self.trace else 0
        # A grid may be coarser than the whole training, which then bounds the memory.
        length = max(1, min(schedule.evaluate_every, schedule.stop.max_epochs))
        return Loop(self.model, self.optimiser, self.trace, every, length)

    def _traced(self, epoch: int) -> bool:
        every = self._loop.trace_every
        return every > 0 and epoch % every == 0


@partial(jax.jit, static_argnums=0)
def _traces_of(loop: Loop, params: Parameters, test_images: Float[Array, "d n0"]) -> Float[Array, " layers"]:
    """The layers' shares in the trace."""
    assert loop.trace is not None  # traces are due only where they are measured
    return loop.trace.measure(loop.model, params, test_images[: loop.trace.samples])[1]


@partial(jax.jit, static_argnums=0)
def _advanced(
    loop: Loop,
    params: Parameters,
    optimiser_state: optax.OptState,
    train_set: Samples,
    test_images: Float[Array, "d n0"],
    learning_rate: Float[Array, ""],
    first: Int[Array, ""],
    last: Int[Array, ""],
    traced: Bool[Array, ""],
) -> Carry:
    """Parameters and state after epoch ``last``, from those at ``first``; train loss, accuracy and traces.

    Traces are zero unless ``traced``. As it is no static argument, the search for the minimum, which needs no
    traces, runs the program of the training.
    """
    optimiser = transformation(loop.optimiser, learning_rate)
    layers = loop.trace.layers if loop.trace and loop.trace_every else 0

    def step(epoch: Int[Array, ""], carry: Carry) -> Carry:
        params, state, values = carry
        (loss, accuracy), gradient = loss_and_gradient(loop.model, params, train_set)
        traces = jnp.zeros(layers, loss.dtype)
        if loop.trace_every:
            due = traced & (epoch % loop.trace_every == 0)
            traces = lax.cond(due, lambda: _traces_of(loop, params, test_images), lambda: traces)
        values = values.at[:, epoch - first].set(jnp.stack([loss, accuracy, *traces]))
        updates, state = optimiser.update(gradient, state, params)
        return optax.apply_updates(params, updates), state, values

    nothing = jnp.zeros((len(TRAIN_CURVES) + layers, loop.length), jax.tree.leaves(params)[0].dtype)
    return lax.fori_loop(first, last + 1, step, (params, optimiser_state, nothing))
