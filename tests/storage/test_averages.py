from dataclasses import replace

import h5py
import numpy as np
import pytest
from ntklens.storage.averages import Average, Mean, read_averages, write_averages
from ntklens.storage.quantities import QUANTITIES

from tests.support.origins import origin

LOSS = Mean(np.array([0, 1, 5]), np.array([3.0, 2.0, 1.0]), np.array([0.5, 0.25, np.nan]))
RANK = Mean(np.array([0, 5]), np.array([4.0, 8.0]), np.array([0.0, 0.0]))
MINIMA = {
    "epoch": np.array([1, 5]),
    "test_loss": np.array([2.0, 1.5]),
    "effective_rank": np.array([4.0, 5.0]),
    "initial_trace": np.array([10.0, 20.0]),
    "trace_ratio": np.array([0.5, 2.0]),
    "layer_traces": np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]),
}
INITIAL = {"weighted_trace": np.array([0.5, 0.25]), "conjugate_ranks": np.ones((2, 3))}
LAYERS = ("hidden_1", "hidden_2", "output")
SHARES = Mean(np.array([0, 2]), np.ones((2, 3)), np.zeros((2, 3)))


def averaged(scale=64, **changes):
    average = Average(
        scale=scale,
        seeds=np.array([0, 3]),
        left_out=("seed 1: diverged", "seed 2: minimum at the last epoch"),
        minimum_epoch=5,
        along={"effective_rank": RANK, "test_loss": LOSS},
        minimum=MINIMA,
        layers=LAYERS,
    )
    return replace(average, **changes)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "curve.h5"


@pytest.mark.parametrize(
    "written",
    [
        averaged(),
        averaged(minimum={}, layers=()),
        averaged(members={"test_loss": np.array([[3, 2, 1], [1, 2, 3]], np.float32)}),
        averaged(initial=INITIAL, along={"layer_traces": SHARES}),
        averaged(
            seeds=np.array([7]), left_out=(), minimum={name: values[:1] for name, values in MINIMA.items()}
        ),
    ],
    ids=["minimum", "no minimum", "members", "by layer", "one seed, none left out"],
)
def test_round_trip_keeps_every_value(path, written):
    write_averages(path, [written], origin("averages"))
    (read,) = read_averages(path)
    assert (read.scale, read.left_out, read.minimum_epoch) == (64, written.left_out, 5)
    np.testing.assert_array_equal(read.seeds, written.seeds)
    assert read.layers == written.layers
    assert read.along.keys() == written.along.keys()
    for name, mean in written.along.items():
        for found, expected in zip(read.along[name], mean, strict=True):
            np.testing.assert_array_equal(found, expected)
    for found, expected in ((read.minimum, written.minimum), (read.initial, written.initial)):
        assert found.keys() == expected.keys()
        for name, values in expected.items():
            np.testing.assert_array_equal(found[name], values)
    assert read.members.keys() == written.members.keys()
    for name, curves in written.members.items():
        np.testing.assert_array_equal(read.members[name], curves)


def test_points_come_in_order_of_scale(path):
    """Hundreds of points, with scales of up to eight digits."""
    scales = [12_345_678, 1_000_000, 999_999, 0, *range(2, 700, 3)]
    write_averages(path, [averaged(scale) for scale in scales], origin("averages"))
    assert [average.scale for average in read_averages(path)] == sorted(scales)


def test_every_dataset_says_what_it_holds(path):
    write_averages(path, [averaged()], origin("averages"))
    said = {}

    def note(name, item):
        assert item.attrs["description"], name
        if isinstance(item, h5py.Dataset):
            said[name.removeprefix("scale-000064/")] = (item.attrs["description"], item.attrs["units"])

    with h5py.File(path) as file:
        file.visititems(note)
        assert file.attrs["description"]
    loss = QUANTITIES["test_loss"].description
    assert said["test_loss/mean"] == (loss, "nat")
    assert said["test_loss/error"] == ("standard error of the mean", "nat")
    assert said["test_loss/epoch"] == (QUANTITIES["epoch"].description, "epoch")
    assert said["minimum/test_loss"] == (loss, "nat")
    assert said["seeds"] == (QUANTITIES["seeds"].description, "1")


def test_at_epochs_takes_the_mean_at_each():
    average = averaged()
    assert average.at_epochs("test_loss", [0, 5]).tolist() == [3, 1]
    assert average.at_epochs("effective_rank", np.array([], int)).tolist() == []


def test_members_are_taken_at_the_same_epochs():
    average = averaged(members={"test_loss": np.array([[3, 2, 1], [1, 2, 4]], np.float32)})
    assert average.members_at_epochs("test_loss", [0, 5]).tolist() == [[3, 1], [1, 4]]


@pytest.mark.parametrize("epochs", [[2], [0, 6], [-1]], ids=["between", "after the last", "before the first"])
def test_at_epochs_refuses_an_epoch_that_was_not_measured(epochs):
    with pytest.raises(ValueError, match="test_loss was not measured at every one of the epochs"):
        averaged().at_epochs("test_loss", epochs)


@pytest.mark.parametrize(("epoch", "left"), [(1, [3, 2]), (4, [3, 2]), (5, [3, 2, 1]), (-1, [])])
def test_until_keeps_what_is_not_later(epoch, left):
    part = LOSS.until(epoch)
    assert part.mean.tolist() == left
    assert len(part.epoch) == len(part.error) == len(left)


def test_mean_spectra_keep_twelve_bits_and_their_errors_eight(path):
    signs = np.random.default_rng(0).choice([-1, 1], 60)
    values = np.sort(signs * np.geomspace(1e-9, 1e3, 60)).reshape(2, 30)
    values[0, :3] = (0, np.nan, np.inf)
    written = Mean(np.array([0, 5]), values, np.abs(values))
    write_averages(path, [averaged(along={"eigenvalues": written})], origin("averages"))
    found = read_averages(path)[0].along["eigenvalues"]
    for stored, exact, bits in ((found.mean, written.mean, 12), (found.error, written.error, 8)):
        np.testing.assert_allclose(stored, exact, rtol=2.0**-bits, atol=0)
        kept = stored[np.isfinite(stored)]
        np.testing.assert_array_equal(np.ldexp(np.frexp(kept)[0], bits) % 1, 0)
    assert np.all(np.diff(found.mean[1]) >= 0)
