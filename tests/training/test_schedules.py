import pytest
from ntklens.training.schedules import Schedule, Stop


def test_members_with_a_fixed_stop_end_at_its_epoch():
    assert Stop.fixed(7) == Stop(window_first=7, window_last=7, patience=1.0, max_epochs=7)
    assert Schedule(Stop.fixed(7), evaluate_every=3).evaluate_every == 3


def test_evaluated_are_regular_epochs_all_measured_ones_and_the_last():
    schedule = Schedule(Stop.fixed(16), evaluate_every=6, trace_every=4, snapshots=(0, 2))
    assert schedule.evaluated == [0, 2, 4, 6, 8, 12, 16]


def test_without_epochs_the_initial_state_is_evaluated():
    assert Schedule(Stop.fixed(0)).evaluated == [0]


@pytest.mark.parametrize(
    ("snapshots", "updates_after", "yields"),
    [((), True, set()), ((0, 7), False, {0, 7}), ((0, 7, 8), True, {0, 1, 7, 8, 9}), ((20,), True, {20, 21})],
)
def test_yields_are_snapshots_and_updates_after_them(snapshots, updates_after, yields):
    assert Schedule(Stop.fixed(20), snapshots=snapshots, updates_after=updates_after).yields == yields


def test_snapshot_beyond_the_last_epoch_raises():
    with pytest.raises(ValueError, match=r"snapshots \(0, 9\) lie beyond the last epoch, 8"):
        Schedule(Stop.fixed(8), snapshots=(0, 9))


@pytest.mark.parametrize(("patience", "minimum", "last"), [(1.1, 100, 110), (1.2, 330, 396), (1.2, 331, 398)])
def test_last_epoch_is_the_first_that_is_patience_times_the_minimum(patience, minimum, last):
    assert Stop(20, 20, patience, max_epochs=900).last(minimum) == last
