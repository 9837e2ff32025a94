"""Training of an ensemble on mini-batches (App. D.2).

Epoch e is the state after e passes over the training set. A pass visits every sample once, in an order drawn
from the seed and the epoch. The last batch is smaller where the batch size does not divide the set, so that
no sample is left out; the paper does not say whether it does this. Losses and traces are measured at the
epochs that the schedule names.

The loop over batches is Python's, around one compiled step: inside XLA's loops convolutions run thirty times
slower on a CPU.
"""

from dataclasses import dataclass
from functools import partial

import jax
import numpy as np
import optax
from flax import linen as nn
from jaxtyping import Array, Float, Int, Int32

from ntklens.networks.modules import Parameters
from ntklens.storage.quantities import TRAIN_CURVES
from ntklens.training.gradients import loss_and_gradient
from ntklens.training.grid_trainer import Curve, GridTrainer, Task, Values, evaluate
from ntklens.training.members import Samples
from ntklens.training.minimum_search import Position
from ntklens.training.optimisers import Optimiser
from ntklens.training.transformations import transformation


@dataclass(frozen=True)
class MiniBatch(GridTrainer):
    """The `Trainer` of an ensemble on mini-batches."""

    batch_size: int

    def __post_init__(self) -> None:
        if self.schedule.updates_after:
            raise ValueError("mini-batch training cannot yield one update after a snapshot: epochs have many")

    @property
    def evaluated(self) -> list[int]:
        return self.schedule.evaluated

    def measured(self, params: Parameters, task: Task, epoch: int) -> Values:
        values: Values = dict(zip(TRAIN_CURVES, evaluate(self.model, params, task.train_set), strict=True))
        every = self.schedule.trace_every
        if self.trace is not None and every and epoch % every == 0:
            _, shares = self.trace.measure(self.model, params, task.test_set.images[: self.trace.samples])
            values["layer_traces"] = np.asarray(shares).tolist()
        return values

    def advanced(
        self, position: Position, task: Task, end: int, traced: bool = True
    ) -> tuple[Position, dict[str, Curve]]:
        epoch, params, state = position
        # Each step reuses the memory of the state that it is given, but that of ``position`` has to stay.
        state = jax.device_put(state, may_alias=False)
        for pass_of in range(epoch, end):
            for rows in batches(len(task.train_set.labels), self.batch_size, task.seed, pass_of):
                params, state = _step(
                    self.model, self.optimiser, params, state, task.train_set, rows, task.learning_rate
                )
        return Position(end, params, state), {}


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
    batch = jax.tree.map(lambda leaf: leaf[rows], train_set)
    _, gradient = loss_and_gradient(model, params, batch)
    updates, optimiser_state = transformation(optimiser, learning_rate).update(
        gradient, optimiser_state, params
    )
    return optax.apply_updates(params, updates), optimiser_state
