"""The search for a minimum between the epochs of a grid, on losses that are given."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ntklens.training.minimum_search import FINER, GridMinimum, Position, exact_minimum


class Descent:
    """Training whose test loss at each epoch is given; it counts its evaluations and never goes backwards."""

    def __init__(self, losses):
        self.losses, self.evaluations = [float(loss) for loss in losses], []

    def advance(self, position, epoch):
        assert epoch > position.epoch
        return position._replace(epoch=epoch, params={"epoch": epoch})

    def test_loss(self, params):
        self.evaluations.append(params["epoch"])
        return self.losses[params["epoch"]]

    def on_grid(self, step):
        """The `GridMinimum` of every ``step``-th epoch and the last."""
        last = len(self.losses) - 1
        found = GridMinimum.nothing(Position(0, {"epoch": 0}, {}))
        for epoch in sorted({*range(0, last, step), last}):
            found = found.after(Position(epoch, {"epoch": epoch}, {}), self.losses[epoch])
        return found

    def minimum(self, step):
        found, last = self.on_grid(step), len(self.losses) - 1
        return exact_minimum(found, min(found.epoch + step, last), self.advance, self.test_loss)


@given(st.integers(0, 120), st.integers(0, 120), st.integers(1, 40), st.floats(0.1, 3))
def test_minimum_of_a_valley_is_found_to_the_epoch(before, after, step, steepness):
    descent = Descent([abs(epoch - before) ** steepness for epoch in range(before + after + 1)])
    found = descent.minimum(step)
    assert (found.epoch, found.test_loss, found.params) == (before, 0, {"epoch": before})


@given(st.lists(st.floats(0, 10), min_size=1, max_size=100), st.integers(1, 40))
def test_no_loss_of_the_grid_is_less_than_the_minimum(losses, step):
    descent = Descent(losses)
    found = descent.minimum(step)
    assert found.test_loss == losses[found.epoch] <= descent.on_grid(step).test_loss
    assert found.params == {"epoch": found.epoch}


@pytest.mark.parametrize("step", [1, 3, 8, 9, 32, 100])
def test_losses_are_evaluated_near_the_minimum_alone(step):
    descent = Descent([(epoch - 333) ** 2 for epoch in range(1000)])
    assert descent.minimum(step).epoch == 333
    assert len(descent.evaluations) == len(set(descent.evaluations)) <= 2 * step / FINER + 2 * FINER
    assert all(abs(epoch - descent.on_grid(step).epoch) < step for epoch in descent.evaluations)


def test_first_of_equal_losses_counts():
    assert Descent([3, 1, 1, 1, 1, 2, 3]).minimum(step=3).epoch == 1


@pytest.mark.parametrize("losses", [[math.nan] * 12, [math.inf] * 12])
def test_minimum_of_losses_that_never_were_finite_is_the_start(losses):
    found = Descent(losses).minimum(step=4)
    assert (found.epoch, found.params) == (0, {"epoch": 0})


def test_losses_that_are_not_finite_are_passed_over():
    assert Descent([5, math.nan, 4, 3, math.nan, 2, math.nan, math.nan, 9]).minimum(step=3).epoch == 5


def test_search_ends_at_the_next_evaluated_epoch():
    """Where evaluated epochs are unevenly spaced, as in mini-batch training."""
    descent = Descent([(epoch - 21) ** 2 for epoch in range(100)])
    found = GridMinimum.nothing(Position(0, {"epoch": 0}, {}))
    for epoch in (0, 16, 18, 20, 22, 32, 48):
        found = found.after(Position(epoch, {"epoch": epoch}, {}), descent.losses[epoch])
    assert exact_minimum(found, 22, descent.advance, descent.test_loss).epoch == 21
    assert set(descent.evaluations) == {19, 21}
