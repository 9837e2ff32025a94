from dataclasses import is_dataclass

import h5py
import numpy as np
import pytest
from ntklens.storage.quantities import QUANTITIES
from ntklens.storage.run_files import DIVERGED, read_run, write_run

from tests.support.trajectories import bare, whole


def assert_same(found, expected):
    if is_dataclass(expected):
        found, expected = vars(found), vars(expected)
    if isinstance(expected, dict):
        assert found.keys() == expected.keys()
        for name, value in expected.items():
            assert_same(found[name], value)
    elif expected is None:
        assert found is None
    else:
        np.testing.assert_array_equal(found, expected)
        assert np.asarray(found).dtype == np.asarray(expected).dtype


@pytest.fixture
def path(tmp_path):
    return tmp_path / "seeds-3-4.h5"


def everything(path):
    """Name -> group or dataset of a run file, closed again: their attributes and, of datasets, the shape."""
    found = {}

    def visit(name, item):
        found[name] = dict(item.attrs), getattr(item, "shape", None)

    with h5py.File(path) as file:
        file.visititems(visit)
    return found


@pytest.mark.parametrize(
    "written",
    [
        [whole(3), whole(4, DIVERGED)],
        [bare(3), bare(4, DIVERGED, spectra=0)],
        [whole(3, parameters={"hidden_1": {"kernel": np.ones((3, 2), np.float32), "bias": np.zeros(2)}})],
        [whole(9_999), whole(10_000)],
    ],
    ids=["whole", "bare", "with parameters", "large seeds"],
)
def test_round_trip_keeps_every_value_and_type(path, written):
    write_run(path, written, {"seeds": [3, 4]})
    read = read_run(path)
    assert [t.seed for t in read] == [t.seed for t in written]
    for found, expected in zip(read, written, strict=True):
        assert_same(found, expected)


def test_what_was_not_measured_is_not_there(path):
    write_run(path, [bare(3)], {})
    found = everything(path)
    assert {"seed-0003/copied_from", "seed-0003/spectrum/eigenvalues"} <= found.keys()
    assert not [name for name in found if "trace/" in name or "minimum" in name or "alignment" in name]


def test_spectra_have_an_axis_of_epochs_one_of_draws_and_one_of_rows(path):
    write_run(path, [whole(3)], {})
    assert everything(path)["seed-0003/spectrum/eigenvalues"][1] == (2, 1, 6)


def test_everything_is_described_as_the_table_of_quantities_says(path):
    write_run(
        path, [whole(3, parameters={"output": {"bias": np.ones(2)}}), bare(4)], {"settings": {"width": 8}}
    )
    for name, (attributes, shape) in everything(path).items():
        assert attributes["description"], name
        quantity = name.rpartition("/")[2]
        if shape is not None and "parameters" not in name:
            assert attributes["description"] == QUANTITIES[quantity].description
            assert attributes["units"] == QUANTITIES[quantity].unit
    with h5py.File(path) as file:
        assert file.attrs["description"]
        assert file.attrs["settings"] == '{"width": 8}'


def test_arrays_are_compressed(path):
    write_run(path, [whole(3)], {})
    with h5py.File(path) as file:
        assert file["seed-0003/spectrum/eigenvalues"].compression == "gzip"
        assert file["seed-0003/test_loss"].compression == "gzip"


@pytest.mark.parametrize("make", [whole, bare])
def test_same_content_makes_the_same_bytes(path, tmp_path, make):
    for name in (path, tmp_path / "again.h5"):
        write_run(name, [make(3)], {"seeds": [3]})
    assert path.read_bytes() == (tmp_path / "again.h5").read_bytes()


def test_interrupted_writing_leaves_nothing(path):
    with pytest.raises(AttributeError):
        write_run(path, [whole(3), None], {})
    assert list(path.parent.iterdir()) == []
