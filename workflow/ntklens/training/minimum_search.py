"""The exact minimum of a test loss that was evaluated on a grid of epochs only.

Training is deterministic: from a state that was kept it passes through the same states again, bit for bit. So
the search returns to the evaluated epoch before the grid's minimum, evaluates every `FINER` epochs up to the
evaluated epoch after it, and at last every epoch around the least value found.
"""

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import optax

from ntklens.networks.modules import Parameters
from ntklens.training.schedules import FINER


class Position(NamedTuple):
    """A member's state after ``epoch`` updates or passes, from which training can go on."""

    epoch: int
    params: Parameters
    optimiser_state: optax.OptState


@dataclass(frozen=True)
class GridMinimum:
    """The least of the test losses evaluated so far.

    ``before`` is the position at the last evaluated epoch before ``epoch``, or at ``epoch`` if that is the
    first one. ``latest`` is the position at the latest evaluated epoch.
    """

    epoch: int
    test_loss: float
    before: Position
    latest: Position

    @classmethod
    def nothing(cls, start: Position) -> "GridMinimum":
        """Before any evaluation, of a member that starts at ``start``."""
        return cls(start.epoch, math.inf, before=start, latest=start)

    def after(self, position: Position, test_loss: float) -> "GridMinimum":
        """The minimum with ``test_loss`` at the evaluated ``position`` taken into account."""
        if test_loss < self.test_loss:
            return GridMinimum(position.epoch, test_loss, before=self.latest, latest=position)
        return GridMinimum(self.epoch, self.test_loss, self.before, latest=position)


class ExactMinimum(NamedTuple):
    """The least test loss in the neighbourhood of a grid's minimum, and the parameters there."""

    epoch: int
    test_loss: float
    params: Parameters


def exact_minimum(
    found: GridMinimum,
    end: int,
    advance: Callable[[Position, int], Position],
    test_loss: Callable[[Parameters], float],
) -> ExactMinimum:
    """The `ExactMinimum` near ``found``, the minimum among the evaluated epochs.

    ``end`` is the evaluated epoch after it, or the minimum's own if that is the last.

    ``advance(position, epoch)`` returns the position at a later epoch, ``test_loss`` the loss that the grid
    has. Of equal losses the first counts.
    """
    first = found.before.epoch
    known = {found.epoch: found.test_loss}

    def walk(epochs: Iterable[int]) -> Iterator[Position]:
        position = found.before
        for epoch in epochs:
            position = advance(position, epoch) if epoch > position.epoch else position
            if epoch not in known:
                known[epoch] = test_loss(position.params)
            yield position

    def inner(begin: int, stop: int, every: int) -> list[int]:
        """Epochs of a pass: the losses at ``first`` and ``end`` are known not to be the least."""
        regular = range(first + every, end, every)
        return sorted({found.epoch, *(epoch for epoch in regular if begin <= epoch <= stop)})

    if max(found.epoch - first, end - found.epoch) > FINER:
        for _ in walk(inner(first, end, FINER)):
            pass
    least = min(known, key=lambda epoch: (known[epoch], epoch))
    best = ExactMinimum(found.epoch, math.inf, found.before.params)
    for position in walk(inner(least - FINER, least + FINER, 1)):
        if known[position.epoch] < best.test_loss:
            best = ExactMinimum(position.epoch, known[position.epoch], position.params)
    return best
