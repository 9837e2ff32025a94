import h5py
import numpy as np
import pytest
from ntklens.storage.averages import Average, Mean, read_averages, write_averages


def average(scale, minimum=True):
    rng = np.random.default_rng(scale)
    names = ("test_loss", "effective_rank", "label_alignment")
    per_seed = {name: rng.random(2) for name in ("test_loss", "trace_ratio")} if minimum else {}
    return Average(
        scale=scale,
        seeds=np.array([0, 2]),
        left_out=("seed 1: diverged",),
        minimum_epoch=4,
        along={name: Mean(np.array([0, 4, 9]), rng.random(3), rng.random(3)) for name in names},
        minimum=per_seed,
    )


def assert_same(found, expected):
    assert (found.scale, found.left_out, found.minimum_epoch) == (
        expected.scale,
        expected.left_out,
        expected.minimum_epoch,
    )
    np.testing.assert_array_equal(found.seeds, expected.seeds)
    for name in ("along", "minimum"):
        one, other = getattr(found, name), getattr(expected, name)
        assert one.keys() == other.keys()
        for key, values in other.items():
            np.testing.assert_array_equal(one[key], values)


@pytest.mark.parametrize("minimum", [True, False])
def test_points_come_back_whole_and_in_order_of_scale(tmp_path, minimum):
    scales = (50, 0, 1_000_000, 1024, 8)
    write_averages(tmp_path / "curve.h5", [average(scale, minimum) for scale in scales])
    read = read_averages(tmp_path / "curve.h5")
    assert [point.scale for point in read] == sorted(scales)
    for point in read:
        assert_same(point, average(point.scale, minimum))


def test_until_cuts_a_mean_behind_an_epoch():
    mean = Mean(np.array([0, 4, 9]), np.array([1.0, 2.0, 3.0]), np.array([0.1, 0.2, 0.3]))
    shown = mean.until(4)
    assert [list(part) for part in shown] == [[0, 4], [1, 2], [0.1, 0.2]]
    assert len(mean.until(-1).epoch) == 0


def test_values_at_epochs_are_those_measured_there():
    point = average(8)
    np.testing.assert_array_equal(point.at_epochs("test_loss", [0, 9]), point.along["test_loss"].mean[[0, 2]])


@pytest.mark.parametrize("epochs", [[3], [0, 10]])
def test_epochs_without_a_measurement_raise(epochs):
    with pytest.raises(ValueError, match="test_loss was not measured at every one of the epochs"):
        average(8).at_epochs("test_loss", epochs)


def test_everything_carries_description_and_datasets_units(tmp_path):
    write_averages(tmp_path / "curve.h5", [average(8)])

    def check(name, item):
        assert item.attrs["description"], name
        if isinstance(item, h5py.Dataset):
            assert item.attrs["units"], name

    with h5py.File(tmp_path / "curve.h5") as file:
        file.visititems(check)
        assert list(file) == ["scale-000008"]
        assert file["scale-000008/test_loss/mean"].attrs["units"] == "nat"
