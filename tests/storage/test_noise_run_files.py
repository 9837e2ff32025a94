import h5py
import numpy as np
import pytest
from ntklens.storage.noise_run_files import CURVES, NoiseTrajectory, read_noise_run, write_noise_run


def trajectory(seed, status="ok", spectra=3):
    rng = np.random.default_rng(seed)
    return NoiseTrajectory(
        seed=seed,
        status=status,
        epoch=np.array([0, 1, 5], dtype=np.int32),
        curves={name: rng.random(3).astype(np.float32) for name in CURVES},
        spectrum_epoch=np.arange(spectra, dtype=np.int32),
        eigenvalues=rng.random((spectra, 2, 6)).astype(np.float32),
        ntk_trace=rng.random((spectra, 2)),
        train_indices=np.array([4, 1, 3]),
        source=np.array([0, 0, 2]),
    )


def assert_same(found, expected):
    for name, value in vars(expected).items():
        other = getattr(found, name)
        if isinstance(value, dict):
            assert value.keys() == other.keys()
            for key in value:
                np.testing.assert_array_equal(other[key], value[key])
        else:
            np.testing.assert_array_equal(other, value)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "seeds-3-4.h5"


def test_round_trip_keeps_every_value_and_type(path):
    written = [trajectory(3), trajectory(4, "diverged", spectra=0)]
    write_noise_run(path, written, {"seeds": [3, 4]})
    read = read_noise_run(path)
    assert [t.seed for t in read] == [3, 4]
    for found, expected in zip(read, written, strict=True):
        assert_same(found, expected)
    assert read[0].eigenvalues.dtype == np.float32


def test_everything_carries_description_and_datasets_units(path):
    write_noise_run(path, [trajectory(3)], {"settings": {"removed_percent": 50}})
    seen = []

    def check(name, item):
        seen.append(name)
        assert item.attrs["description"], name
        if isinstance(item, h5py.Dataset):
            assert item.attrs["units"], name

    with h5py.File(path) as file:
        file.visititems(check)
        assert file.attrs["description"]
        assert file.attrs["settings"] == '{"removed_percent": 50}'
    assert {"seed-0003/source", "seed-0003/spectrum/eigenvalues"} <= set(seen)


def test_same_content_makes_the_same_bytes(path, tmp_path):
    other = tmp_path / "again.h5"
    for name in (path, other):
        write_noise_run(name, [trajectory(3)], {"seeds": [3]})
    assert path.read_bytes() == other.read_bytes()


def test_interrupted_writing_leaves_nothing(path):
    with pytest.raises(AttributeError):
        write_noise_run(path, [trajectory(3), None], {})
    assert list(path.parent.iterdir()) == []
