import numpy as np
import pytest
from ntklens.data.errors import DatasetError
from ntklens.data.npz_images import load_npz

IMAGES = np.arange(4 * 2 * 3, dtype=np.uint8).reshape(4, 2, 3)
LABELS = np.array([0, 1, 0, 1])


@pytest.fixture
def save(tmp_path):
    """A function that saves arrays in an npz file and returns its path."""

    def write(**arrays):
        np.savez(tmp_path / "own.npz", **arrays)
        return tmp_path / "own.npz"

    return write


def test_grey_images_become_rows(save):
    data = load_npz(save(images=IMAGES, labels=LABELS))
    np.testing.assert_array_equal(data.images, IMAGES.reshape(4, 6))
    np.testing.assert_array_equal(data.labels, LABELS)
    assert (data.shape, data.white, data.test_first) == ((2, 3, 1), 255, None)
    assert data.images.dtype == np.uint8


def test_coloured_images_keep_channels_last(save):
    images = np.arange(2 * 2 * 2 * 3, dtype=np.uint8).reshape(2, 2, 2, 3)
    data = load_npz(save(images=images, labels=[0, 1]))
    assert data.shape == (2, 2, 3)
    np.testing.assert_array_equal(data.images[1].reshape(data.shape), images[1])


def test_plain_inputs_have_height_and_channels_one(save):
    assert load_npz(save(images=IMAGES.reshape(4, 6), labels=LABELS)).shape == (1, 6, 1)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_floating_point_images_become_float32_with_white_one(save, dtype):
    data = load_npz(save(images=IMAGES.astype(dtype) / 255, labels=LABELS))
    assert (data.images.dtype, data.white) == (np.float32, 1)
    np.testing.assert_allclose(data.images, IMAGES.reshape(4, 6) / 255, atol=1e-3)


def test_own_test_part_stands_behind_the_train_part(save):
    data = load_npz(save(images=IMAGES, labels=LABELS, test_images=IMAGES[:1] + 100, test_labels=[1]))
    assert data.test_first == 4
    np.testing.assert_array_equal(data.images[4], IMAGES[0].ravel() + 100)
    np.testing.assert_array_equal(data.labels, [0, 1, 0, 1, 1])


def test_other_arrays_are_left_alone(save):
    assert len(load_npz(save(images=IMAGES, labels=LABELS, names=np.array([{}], object))).images) == 4


FLOATS = IMAGES / 255
TEST = {"test_images": IMAGES[:2], "test_labels": LABELS[:2]}


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"images": None}, r"has no array 'images': numpy\.savez"),
        ({"labels": None}, r"has no array 'labels': numpy\.savez"),
        ({"images": IMAGES[0, 0]}, r"'images' has shape \(3,\), should be \(samples, height, width\)"),
        ({"images": IMAGES[:0], "labels": LABELS[:0]}, r"'images' has shape \(0, 2, 3\), should be"),
        ({"images": IMAGES.astype(int)}, "'images' is of type int64, should be uint8 or"),
        ({"images": IMAGES > 5}, "'images' is of type bool, should be uint8 or"),
        ({"images": np.where(FLOATS > 0, FLOATS, np.nan)}, "'images' holds NaN .*; remove or replace them"),
        ({"images": FLOATS * 20}, r"'images' goes from 0 to 1\.804; scale it to 0 to 1"),
        ({"images": FLOATS - 1}, r"'images' goes from -1 to .*; scale it to 0 to 1"),
        (
            {"images": np.array([[{}]], object)},
            "'images' is damaged or not an array of numbers .*write the file",
        ),
        (
            {"labels": np.array([{}] * 4, object)},
            "'labels' is damaged or not an array of numbers .*write the file",
        ),
        ({"labels": LABELS[:3]}, "4 images, but 3 'labels'; there must be one for each"),
        ({"labels": LABELS / 2}, "'labels' is of type float64 .*should be one integer per sample"),
        ({"labels": LABELS[:, None]}, r"'labels' is of type int64 and shape \(4, 1\), should be one integer"),
        ({"labels": LABELS - 1}, "'labels' go from -1 to 0; number the classes from 0 on"),
        ({"labels": LABELS * 10**12}, "'labels' go from 0 to 1000000000000; number the classes from 0 on"),
        ({"labels": LABELS * 0}, "all 'labels' are 0, but a network needs two or more classes"),
        ({"labels": LABELS * 2}, "'labels' go up to 2, but class 1 has no sample; number the classes"),
        (TEST | {"test_labels": None}, r"has no array 'test_labels': numpy\.savez"),
        (TEST | {"test_images": None}, r"has no array 'test_images': numpy\.savez"),
        (TEST | {"test_labels": [0, 2]}, "'test_labels' go from 0 to 2; number the classes .*among 'labels'"),
        (TEST | {"test_labels": [0]}, "2 images, but 1 'test_labels'"),
        (
            TEST | {"test_images": IMAGES[:2, :1]},
            "'test_images' .* and 'images' .* differ .*; make them alike",
        ),
        (TEST | {"test_images": FLOATS[:2]}, "'test_images' .*float64 and 'images' .*uint8 differ"),
    ],
)
def test_defect_raises_and_names_file_and_key(save, change, complaint):
    arrays = {"images": IMAGES, "labels": LABELS} | change
    path = save(**{key: value for key, value in arrays.items() if value is not None})
    with pytest.raises(DatasetError, match=rf"own\.npz.*{complaint}"):
        load_npz(path)


def test_missing_file_raises(tmp_path):
    with pytest.raises(DatasetError, match=r"own\.npz does not exist: correct the dataset's path"):
        load_npz(tmp_path / "own.npz")


@pytest.mark.parametrize("content", [b"", b"<html>not found</html>", b"PK\x03\x04 and no more"])
def test_foreign_file_raises(tmp_path, content):
    (tmp_path / "own.npz").write_bytes(content)
    with pytest.raises(DatasetError, match=r"own\.npz is not an npz file.*numpy\.savez"):
        load_npz(tmp_path / "own.npz")


def test_folder_raises(tmp_path):
    with pytest.raises(DatasetError, match="is a folder, not a regular file"):
        load_npz(tmp_path)


def test_truncated_file_raises(save):
    path = save(images=IMAGES, labels=LABELS)
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(DatasetError, match=r"own\.npz is not an npz file.*numpy\.savez"):
        load_npz(path)


def test_corrupt_array_raises_and_names_it(save):
    path = save(images=IMAGES, labels=LABELS)
    content = path.read_bytes()
    path.write_bytes(content.replace(IMAGES.tobytes(), bytes(IMAGES.nbytes)))  # its checksum tells
    with pytest.raises(DatasetError, match=r"own\.npz: 'images' is damaged"):
        load_npz(path)


def test_single_array_raises(tmp_path):
    np.save(tmp_path / "own.npy", IMAGES)
    with pytest.raises(DatasetError, match=r"own\.npy is not an npz file .*numpy\.savez"):
        load_npz(tmp_path / "own.npy")
