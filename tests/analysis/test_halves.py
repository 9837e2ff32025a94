from dataclasses import replace

import numpy as np
import pytest
from ntklens.analysis.averages import average
from ntklens.analysis.halves import HalvesError, halves, of_seeds
from ntklens.storage.averages import Average

from tests.analysis.test_averages import followed
from tests.support.ensembles import averages_of

# Seeds 0 to 3, whose test losses are least at epochs 1, 1, 2 and 2.
RUNS = [
    followed(0, [4, 3, 2], [3.0, 1.0, 2.0], [10.0, 20.0], 15.0, rank=2),
    followed(1, [4, 2, 1], [3.0, 1.5, 2.0], [12.0, 24.0], 18.0, rank=3),
    followed(2, [8, 4, 2], [5.0, 4.0, 1.0], [14.0, 28.0], 21.0, rank=4),
    followed(3, [8, 2, 1], [5.0, 3.0, 1.0], [16.0, 32.0], 24.0, rank=5),
]
WHOLE = average(64, RUNS, min_members=1)


def assert_same(one: Average, other: Average) -> None:
    """Equal, but for quantities along training without curves of members, and for rounding to float32."""
    assert one.scale == other.scale
    assert one.seeds.tolist() == other.seeds.tolist()
    assert (one.minimum_epoch, one.layers) == (other.minimum_epoch, other.layers)
    for per_seed in ("minimum", "initial", "members"):
        mine, theirs = getattr(one, per_seed), getattr(other, per_seed)
        assert set(mine) == set(theirs)
        for name, own in mine.items():
            np.testing.assert_array_equal(own, theirs[name])
    for name, mean in one.along.items():
        for mine, theirs in zip(mean, other.along[name], strict=True):
            np.testing.assert_allclose(mine, theirs, rtol=1e-6)


@pytest.mark.parametrize("seeds", [[0, 1], [2, 3], [1, 3], [2]])
def test_the_average_of_some_seeds_is_that_of_their_runs(seeds: list[int]) -> None:
    own = of_seeds(WHOLE, seeds)
    assert_same(own, average(64, [RUNS[seed] for seed in seeds], min_members=1))
    assert own.minimum_epoch == (1 if seeds == [0, 1] else 2)


def test_quantities_without_curves_of_members_are_dropped() -> None:
    assert {"train_loss", "train_accuracy", "layer_traces"} <= set(WHOLE.along)
    own = of_seeds(WHOLE, [0, 1])
    assert set(own.along) == set(WHOLE.members)


def test_all_seeds_give_the_whole() -> None:
    assert_same(of_seeds(WHOLE, [0, 1, 2, 3]), WHOLE)


def test_seeds_that_were_left_out_are_no_members() -> None:
    assert of_seeds(of_seeds(WHOLE, [1, 2, 3]), [0, 1]).seeds.tolist() == [1]


@pytest.mark.parametrize(
    ("own", "message"),
    [
        (replace(WHOLE, members={}), "scale 64 has no curves of single members"),
        (of_seeds(WHOLE, [2, 3]), r"scale 64 has none of the seeds \[0, 1\]"),
    ],
)
def test_what_is_missing_is_said(own: Average, message: str) -> None:
    with pytest.raises(HalvesError, match=message):
        of_seeds(own, [0, 1])


def test_halves_are_the_lower_and_the_upper_seeds_at_every_scale() -> None:
    curve = averages_of(scales=(8, 16), members=10)
    curve[1] = of_seeds(curve[1], [0, 1, 2, 3, 5, 6, 9])
    lower, upper = halves(curve)
    assert [own.seeds.tolist() for own in lower] == [[0, 1, 2, 3, 4], [0, 1, 2, 3]]
    assert [own.seeds.tolist() for own in upper] == [[5, 6, 7, 8, 9], [5, 6, 9]]


def test_a_half_of_a_single_member_is_refused() -> None:
    with pytest.raises(HalvesError, match="a half of the seeds has a single member"):
        halves(averages_of(scales=(8, 16), members=3))
