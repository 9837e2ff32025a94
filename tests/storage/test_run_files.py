import h5py
import numpy as np
import pytest
from ntklens.spectrum.alignments import Alignments
from ntklens.storage.run_files import Minimum, Trajectory, read_run, write_run


def trajectory(seed, parameters=None):
    rng = np.random.default_rng(seed)
    names = ("train_loss", "test_loss", "train_accuracy", "test_accuracy")
    return Trajectory(
        seed=seed,
        status="ok",
        curves={name: rng.random(9).astype(np.float32) for name in names},
        trace_epoch=np.arange(0, 9, 2, dtype=np.int32),
        ntk_trace=rng.random(5).astype(np.float32),
        spectrum_epoch=np.array([0, 4], dtype=np.int32),
        eigenvalues=rng.random((2, 6)).astype(np.float32),
        alignments=Alignments(*rng.random((5, 2))),
        minimum=Minimum(3, 0.5, 0.75, 1.5, rng.random(6), rng.random(6), parameters),
        train_indices=np.array([4, 1, 3]),
    )


def assert_same(found, expected):
    for name, value in vars(expected).items():
        other = getattr(found, name)
        if isinstance(value, dict):
            assert value.keys() == other.keys()
            for key in value:
                np.testing.assert_array_equal(other[key], value[key])
        elif isinstance(value, Minimum):
            assert_same(other, value)
        else:
            np.testing.assert_array_equal(other, value)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "seeds-3-4.h5"


def test_round_trip_keeps_every_value_and_type(path):
    written = [trajectory(3), trajectory(4)]
    write_run(path, written, {"seeds": [3, 4]})
    read = read_run(path)
    assert [t.seed for t in read] == [3, 4]
    for found, expected in zip(read, written, strict=True):
        assert_same(found, expected)
    assert read[0].eigenvalues.dtype == np.float32


def test_parameters_of_a_minimum_round_trip(path):
    kernel = np.random.default_rng(0).random((3, 2)).astype(np.float32)
    write_run(path, [trajectory(3, {"hidden_1": {"kernel": kernel, "bias": np.zeros(2)}})], {})
    layer = read_run(path)[0].minimum.parameters["hidden_1"]
    np.testing.assert_array_equal(layer["kernel"], kernel)
    np.testing.assert_array_equal(layer["bias"], [0, 0])


def test_everything_carries_description_and_datasets_units(path):
    write_run(path, [trajectory(3, {"output": {"bias": np.ones(2)}})], {"settings": {"width": 8}})
    seen = []

    def check(name, item):
        seen.append(name)
        assert item.attrs["description"], name
        if isinstance(item, h5py.Dataset):
            assert item.attrs["units"], name

    with h5py.File(path) as file:
        file.visititems(check)
        assert file.attrs["description"]
        assert file.attrs["settings"] == '{"width": 8}'
    assert "seed-0003/minimum/parameters/output/bias" in seen
    assert "seed-0003/spectrum/eigenvalues" in seen


def test_arrays_are_compressed(path):
    write_run(path, [trajectory(3)], {})
    with h5py.File(path) as file:
        assert file["seed-0003/spectrum/eigenvalues"].compression == "gzip"
        assert file["seed-0003/test_loss"].compression == "gzip"


def test_same_content_makes_the_same_bytes(path, tmp_path):
    other = tmp_path / "again.h5"
    write_run(path, [trajectory(3)], {"seeds": [3]})
    write_run(other, [trajectory(3)], {"seeds": [3]})
    assert path.read_bytes() == other.read_bytes()


def test_interrupted_writing_leaves_nothing(path):
    with pytest.raises(AttributeError):
        write_run(path, [trajectory(3), None], {})
    assert list(path.parent.iterdir()) == []
