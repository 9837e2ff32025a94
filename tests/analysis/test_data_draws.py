import numpy as np
import pytest
from ntklens.analysis.data_draws import QUANTITIES, DataDrawsError, drawn_runs
from ntklens.storage.run_files import DIVERGED

from tests.support.drawn_runs import run


def test_values_lie_by_training_draw_seed_and_ntk_draw() -> None:
    by_draw = [
        [run(0, 1.0, (10, 11)), run(3, 2.0, (12, 13))],
        [run(3, 4.0, (16, 17)), run(0, 3.0, (14, 15))],
    ]
    found = drawn_runs(by_draw)
    assert found.seeds.tolist() == [0, 3]
    assert found.test_loss.tolist() == [[1, 2], [3, 4]]
    assert found.initial_trace.tolist() == [[[10, 11], [12, 13]], [[14, 15], [16, 17]]]


def test_the_minimum_on_other_ntk_draws_follows_from_the_nearest_snapshot() -> None:
    own = run(0, traces=(40.0, 20.0), ranks=(2, 6), minimum=(22, 30.0, 1.0))
    found = drawn_runs([[own, run(1)], [run(0), run(1)]])
    assert found.trace[0, 0] == pytest.approx([30, 15])
    assert found.effective_rank[0, 0] == pytest.approx([1, 3])
    assert found.epochs_apart == pytest.approx(2 / 22)


def test_seeds_that_did_not_end_well_on_every_draw_are_left_out() -> None:
    by_draw = [[run(0), run(1), run(2)], [run(0), run(1, status=DIVERGED), run(2)]]
    assert drawn_runs(by_draw).seeds.tolist() == [0, 2]


@pytest.mark.parametrize(
    "zero",
    [{"initial_traces": (0.0, 0.0)}, {"traces": (30.0, 0.0)}, {"minimum": (22, 0.0, 4.0)}],
    ids=["at first", "on one NTK draw", "at the minimum"],
)
def test_seeds_whose_ntk_is_zero_are_left_out(zero) -> None:
    found = drawn_runs([[run(0), run(1), run(2)], [run(0), run(1, **zero), run(2)]])
    assert found.seeds.tolist() == [0, 2]
    assert np.isfinite([own.mean for own in found.deviations().values()]).all()


@pytest.mark.parametrize(
    ("by_draw", "message"),
    [
        ([[run(0), run(1)]], "there are 1 draws of training samples"),
        ([[run(0), run(1)], [run(1), run(2)]], "1 seeds are usable on every training draw"),
    ],
)
def test_what_is_missing_is_said(by_draw, message) -> None:
    with pytest.raises(DataDrawsError, match=message):
        drawn_runs(by_draw)


def test_deviations_are_shares_of_the_mean() -> None:
    by_draw = [[run(0, 1.0), run(1, 3.0)], [run(0, 1.0), run(1, 3.0)]]
    own = drawn_runs(by_draw).deviations()["test_loss"]
    assert own.mean == 2
    assert own.relative.tolist() == [[-0.5, 0.5], [-0.5, 0.5]]


def test_the_trace_ratio_is_that_of_means_with_deviations_of_both() -> None:
    # A seed with twice both traces has the same ratio: nothing deviates.
    one, double = run(0), run(1, 1.0, (20, 20), (60, 60), minimum=(22, 60.0, 4.0))
    own = drawn_runs([[one, double], [one, double]]).deviations()["trace_ratio"]
    assert own.mean == pytest.approx(2)
    np.testing.assert_allclose(own.relative, 0, atol=1e-12)


def test_a_single_ntk_draw_is_no_factor() -> None:
    by_draw = [[run(seed, 1.0, (10,), (30,), (4,)) for seed in (0, 1)] for _ in range(3)]
    found = drawn_runs(by_draw).deviations()
    assert set(found) == set(QUANTITIES)
    assert all(own.relative.shape == (3, 2) for own in found.values())
