import h5py
import numpy as np
import pytest
import xarray
from ntklens.data.settings import DatasetSettings, SplitSettings
from ntklens.data.stored_images import add_image_axes, add_images, flat_images
from ntklens.data.subsets import read_subset, split, write_subset
from ntklens.storage.errors import FileError
from ntklens.storage.hdf5 import add_dataset, new_file
from ntklens.storage.labels import make_scale
from ntklens.storage.records import new_record
from silx.io.nxdata import get_default

from tests.support.before_labels import file_from_before
from tests.support.origins import origin


@pytest.fixture
def dataset(tmp_path):
    """20 samples of three pixels; the white is 16. Sample i has pixels (i mod 17, 16, 0), label i mod 7."""
    path = tmp_path / "dataset.h5"
    write_dataset(path, test_first=-1)
    return path


def write_dataset(path, test_first, data_dir=None):
    rows = np.arange(20)
    images = np.stack([rows % 17, np.full(20, 16), np.zeros(20)], axis=1).astype(np.uint8)
    with new_record(path, "made up", origin("dataset", DatasetSettings("three", data_dir))) as file:
        add_dataset(file, "images", images, "brightness", "1/16")
        add_dataset(file, "labels", (rows % 7).astype(np.uint8), "class")
        file.attrs.update({"classes": 7, "white": 16, "test_first": test_first, "shape": [3, 1, 1]})


def test_split_is_disjoint_and_complete():
    pool, test = split(100, None, 30, seed=0)
    assert (len(pool), len(test)) == (70, 30)
    np.testing.assert_array_equal(np.sort(np.concatenate([pool, test])), np.arange(100))


def test_split_takes_test_samples_from_the_datasets_own_test_part():
    pool, test = split(100, 60, 30, seed=0)
    np.testing.assert_array_equal(np.sort(pool), np.arange(60))
    assert len(set(test)) == 30
    assert min(test) >= 60
    assert max(test) < 100


def test_split_of_the_whole_own_test_part_holds_all_of_it():
    _, test = split(100, 60, 40, seed=0)
    np.testing.assert_array_equal(np.sort(test), np.arange(60, 100))


@pytest.mark.parametrize("test_first", [None, 60])
def test_split_follows_its_seed(test_first):
    first, again, other = (split(100, test_first, 30, seed) for seed in (3, 3, 4))
    for role in (0, 1):
        np.testing.assert_array_equal(first[role], again[role])
        assert not np.array_equal(first[role], other[role])


@pytest.mark.parametrize("test_first", [None, 60])
def test_split_shuffles(test_first):
    for part in split(100, test_first, 30, seed=0):
        assert not np.array_equal(part, np.sort(part))


def test_more_test_samples_than_the_own_test_part_take_all_of_it():
    pool, test = split(100, 60, 41, seed=0)
    assert len(pool) == 60
    np.testing.assert_array_equal(np.sort(test), np.arange(60, 100))


def test_no_sample_left_to_train_on_raises():
    with pytest.raises(ValueError, match="test_samples is 100, but the dataset has 100 samples in all"):
        split(100, None, 100, seed=0)


def test_written_subset_comes_back_scaled_with_its_labels(dataset, tmp_path):
    path = tmp_path / "subset.h5"
    write_subset(path, dataset, SplitSettings("three", test_samples=6, split_seed=1))
    subset = read_subset(path)
    pool, test = split(20, None, 6, seed=1)
    for rows, images, labels in (
        (pool, subset.pool_images, subset.pool_labels),
        (test, subset.test_images, subset.test_labels),
    ):
        expected = np.stack([rows % 17 / 16, np.ones(len(rows)), np.zeros(len(rows))], axis=1)
        np.testing.assert_array_equal(images, expected)
        np.testing.assert_array_equal(labels, rows % 7)
        assert images.dtype == np.float32
        assert labels.dtype == np.int32
    assert subset.classes == 7
    assert subset.image_shape == (3, 1, 1)


def test_pixels_lie_between_zero_and_one(dataset, tmp_path):
    write_subset(tmp_path / "subset.h5", dataset, SplitSettings("three", test_samples=6, split_seed=1))
    subset = read_subset(tmp_path / "subset.h5")
    for images in (subset.pool_images, subset.test_images):
        assert images.min() == 0
        assert images.max() == 1


def test_written_subset_respects_the_own_test_part(tmp_path):
    write_dataset(tmp_path / "dataset.h5", test_first=15)
    write_subset(tmp_path / "subset.h5", tmp_path / "dataset.h5", SplitSettings("three", 5, split_seed=0))
    with h5py.File(tmp_path / "subset.h5") as file:
        np.testing.assert_array_equal(np.sort(file["pool_indices"]), np.arange(15))
        np.testing.assert_array_equal(np.sort(file["test_indices"]), np.arange(15, 20))


def test_subset_that_does_not_fit_raises_and_writes_nothing(tmp_path):
    write_dataset(tmp_path / "dataset.h5", test_first=-1)
    with pytest.raises(ValueError, match="test_samples is 20"):
        write_subset(
            tmp_path / "subset.h5", tmp_path / "dataset.h5", SplitSettings("three", 20, split_seed=0)
        )
    assert [path.name for path in tmp_path.iterdir()] == ["dataset.h5"]


@pytest.mark.parametrize("other", ["other", None])
def test_modified_data_of_another_folder_are_refused(tmp_path, other):
    path = tmp_path / "dataset.h5"
    write_dataset(path, test_first=-1, data_dir="one")
    write_subset(tmp_path / "subset.h5", path, SplitSettings("three", 6, 0, data_dir="one"))
    with pytest.raises(FileError, match="other settings"):
        write_subset(tmp_path / "subset.h5", path, SplitSettings("three", 6, 0, data_dir=other))


def test_images_have_rows_and_columns_for_other_programs(dataset, tmp_path):
    path = tmp_path / "subset.h5"
    write_subset(path, dataset, SplitSettings("three", test_samples=6, split_seed=1))
    _, test = split(20, None, 6, seed=1)
    with xarray.open_dataset(path, engine="h5netcdf") as opened:
        subset = opened.load()
    assert subset["test_images"].dims == ("test_indices", "row", "column")
    assert subset["pool_labels"].dims == ("pool_indices",)
    np.testing.assert_array_equal(subset["test_images"].sel(row=0, column=0), test % 17)
    with h5py.File(path) as file:
        plot = get_default(file)
        assert (plot.signal.name, plot.interpretation) == ("/test_images", "image")
        assert plot.axes_names == ["test_indices (1)", "Row", "Column"]


@pytest.mark.parametrize(
    ("channels", "interpretation", "dims"),
    [
        (1, "image", ("sample", "row", "column")),
        (2, None, ("sample", "row", "column", "channel")),
        (3, "rgb-image", ("sample", "row", "column", "channel")),
    ],
)
def test_stored_images_come_back_and_say_how_to_show_them(tmp_path, channels, interpretation, dims):
    images = np.arange(5 * 2 * 3 * channels, dtype=np.uint8).reshape(5, -1)
    with new_file(tmp_path / "out.h5", "images") as file:
        make_scale(add_dataset(file, "sample", np.arange(5), "number"))
        add_image_axes(file, (2, 3, channels))
        add_images(file, "images", images, (2, 3, channels), "1", "sample")
    with h5py.File(tmp_path / "out.h5") as file:
        np.testing.assert_array_equal(flat_images(file["images"]), images)
        assert file["images"].attrs.get("interpretation") == interpretation
        plot = get_default(file)
        assert (plot.is_valid, tuple(plot.axes_dataset_names)) == (True, dims)


def test_dataset_and_subset_from_before_labels_are_read_alike(dataset, tmp_path):
    settings = SplitSettings("three", test_samples=6, split_seed=1)
    paths = {"now": tmp_path / "now.h5", "from an old dataset": tmp_path / "mixed.h5"}
    write_subset(paths["now"], dataset, settings)
    write_subset(paths["from an old dataset"], file_from_before("data/dataset.h5", tmp_path), settings)
    expected = read_subset(paths["now"])
    for path in (paths["from an old dataset"], file_from_before("data/subset.h5", tmp_path)):
        found = vars(read_subset(path))
        for name, values in vars(expected).items():
            np.testing.assert_array_equal(found[name], values)
