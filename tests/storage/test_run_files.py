from dataclasses import replace

import h5py
import numpy as np
import pytest
from ntklens.storage.hdf5 import ContentError
from ntklens.storage.quantities import ALIGNMENTS, CURVES, QUANTITIES, TEST_CURVES, TRAIN_CURVES
from ntklens.storage.records import new_record
from ntklens.storage.run_files import DIVERGED, OK, End, Ends, Minimum, Spectrum, Trajectory, read_run
from ntklens.storage.run_writer import write_run

from tests.support.origins import origin, resealed


def scaling(seed, parameters=None):
    """With a trace, alignments and a minimum, on one draw of NTK samples."""
    rng = np.random.default_rng(seed)
    return Trajectory(
        seed=seed,
        status=OK,
        epoch=np.arange(9, dtype=np.int32),
        test_epoch=np.arange(0, 9, 4, dtype=np.int32),
        curves={
            **{name: rng.random(9).astype(np.float32) for name in TRAIN_CURVES},
            **{name: rng.random(3).astype(np.float32) for name in TEST_CURVES},
        },
        trace_epoch=np.arange(0, 9, 2, dtype=np.int32),
        ntk_trace=rng.random(5).astype(np.float32),
        layers=("hidden_1", "output"),
        layer_traces=rng.random((5, 2)).astype(np.float32),
        spectrum=Spectrum(
            epoch=np.array([0, 4], dtype=np.int32),
            eigenvalues=rng.random((2, 1, 6)).astype(np.float32),
            ntk_trace=rng.random((2, 1)),
            loss_susceptibility=rng.random((2, 1)),
            spectral_position=rng.random((2, 1)),
            alignments={name: rng.random((2, 1)) for name in ALIGNMENTS},
        ),
        train_indices=np.array([4, 1, 3]),
        minimum=Minimum(3, 0.5, 0.75, 1.5, rng.random(6), rng.random(6), 0.25, 0.125, parameters),
        ends=Ends(_end(rng), _end(rng), *rng.random(4).tolist()),
    )


def _end(rng):
    return End(*(rng.random(2) for _ in range(4)), *rng.random(2).tolist())


def noise(seed, status=OK, spectra=3):
    """With noisy copies, on two draws of NTK samples."""
    rng = np.random.default_rng(seed)
    return Trajectory(
        seed=seed,
        status=status,
        epoch=np.array([0, 1, 5], dtype=np.int32),
        test_epoch=np.array([0, 1, 5], dtype=np.int32),
        curves={name: rng.random(3).astype(np.float32) for name in CURVES},
        trace_epoch=np.empty(0, np.int32),
        ntk_trace=np.empty(0, np.float32),
        layers=(),
        layer_traces=np.empty((0, 0), np.float32),
        spectrum=Spectrum(
            epoch=np.arange(spectra, dtype=np.int32),
            eigenvalues=rng.random((spectra, 2, 6)).astype(np.float32),
            ntk_trace=rng.random((spectra, 2)),
            loss_susceptibility=rng.random((spectra, 2)),
            spectral_position=rng.random((spectra, 2)),
        ),
        train_indices=np.array([4, 1, 3]),
        copied_from=np.array([0, 0, 2]),
    )


def assert_same(found, expected):
    """Equal values of equal type, in dictionaries and dataclasses too."""
    if hasattr(expected, "__dataclass_fields__"):
        found, expected = vars(found), vars(expected)
    if isinstance(expected, dict):
        assert found.keys() == expected.keys()
        for name, value in expected.items():
            assert_same(found[name], value)
    elif isinstance(expected, tuple):
        assert found == expected
    else:
        assert type(found) is type(expected)
        np.testing.assert_array_equal(found, expected)
        assert np.asarray(found).dtype == np.asarray(expected).dtype
        assert np.shape(found) == np.shape(expected)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "seeds-3-4.h5"


@pytest.mark.parametrize(
    "written",
    [
        [scaling(3), scaling(4)],
        [scaling(3, {"hidden_1": {"kernel": np.ones((3, 2), np.float32), "bias": np.zeros(2)}})],
        [noise(3), noise(4, DIVERGED, spectra=0)],
        [scaling(3), replace(scaling(4), status=DIVERGED, minimum=None, ends=None), noise(5)],
        [],
    ],
    ids=["minimum", "parameters", "noisy copies", "minimum of one seed alone", "no seeds"],
)
def test_round_trip_keeps_every_value_and_type(path, written):
    write_run(path, written, origin("run"))
    read = read_run(path)
    assert len(read) == len(written)
    for found, expected in zip(read, written, strict=True):
        assert_same(found, expected)


def test_seeds_come_in_order_of_their_numbers(path):
    write_run(path, [noise(seed) for seed in (12345, 9999, 10)], origin("run"))
    assert [trajectory.seed for trajectory in read_run(path)] == [10, 9999, 12345]


def test_optional_parts_are_absent_where_not_measured(path):
    write_run(path, [scaling(3), noise(4)], origin("run"))
    with h5py.File(path) as file:
        assert set(file["seed-0003"]) - set(file["seed-0004"]) == {"trace", "minimum", "ends"}
        assert set(file["seed-0004"]) - set(file["seed-0003"]) == {"copied_from"}
        assert set(file["seed-0003/spectrum"]) - set(file["seed-0004/spectrum"]) == set(ALIGNMENTS)


def test_every_dataset_says_what_the_table_of_quantities_says(path):
    write_run(path, [scaling(3, {"output": {"bias": np.ones(2)}}), noise(4)], origin("run", {"width": 8}))
    seen = {}

    def note(name, item):
        assert item.attrs["description"], name
        if isinstance(item, h5py.Dataset):
            seen[name] = (item.attrs["description"], item.attrs["units"])

    with h5py.File(path) as file:
        file.visititems(note)
        assert file.attrs["description"]
        assert file.attrs["settings"] == '{"width": 8}'
    assert seen.pop("seed-0003/minimum/parameters/output/bias") == ("bias of this layer", "1")
    assert {"seed-0003/spectrum/eigenvalues", "seed-0004/copied_from"} <= set(seen)
    for name, said in seen.items():
        quantity = QUANTITIES[name.split("/")[-1]]
        assert said == (quantity.description, quantity.unit), name


@pytest.mark.parametrize(
    "name",
    [
        "trace/layer_traces",
        "spectrum/loss_susceptibility",
        "spectrum/spectral_position",
        "minimum/spectral_position",
        "ends/initial/layer_traces",
        "ends/minimum/weighted_trace",
        "ends/kernel_change",
        "ends/initial",
    ],
)
def test_file_that_lacks_a_part_is_refused(path, name):
    write_run(path, [scaling(3)], origin("run"))
    with resealed(path) as file:
        del file[f"seed-0003/{name}"]
    with pytest.raises(ContentError, match=f"has no (dataset|group) '.*{name.rpartition('/')[2]}'"):
        read_run(path)


def test_layers_without_names_are_refused(path):
    write_run(path, [scaling(3)], origin("run"))
    with resealed(path) as file:
        file["seed-0003/trace"].attrs["layers"] = [1, 2]
    with pytest.raises(ContentError, match=r"attribute 'layers' is \[1, 2\], not strings"):
        read_run(path)


def test_file_of_another_kind_is_named(path):
    with new_record(path, "of other groups", origin("run")) as file:
        file.create_group("scale-000008")
    with pytest.raises(ContentError, match=r"seeds-3-4\.h5 is not a run file: .* /scale-000008"):
        read_run(path)


def test_same_content_makes_the_same_bytes(path, tmp_path):
    other = tmp_path / "again.h5"
    for name in (path, other):
        write_run(name, [scaling(3), noise(4)], origin("run", seeds=[3, 4]))
    assert path.read_bytes() == other.read_bytes()


def test_interrupted_writing_leaves_nothing(path):
    with pytest.raises(KeyError):
        write_run(path, [scaling(3), replace(scaling(4), curves={})], origin("run"))
    assert list(path.parent.iterdir()) == []
