import pickle

import numpy as np
import pytest
from ntklens.data.errors import DatasetError
from ntklens.data.image_formats import read_cifar_pickle, read_cifar_records, read_idx

from tests.support.tiny_files import BATCHES, CIFAR_BATCH, cifar_batch, cifar_pickle, cifar_records, idx

PLANES, LABELS = BATCHES[0]
IDX = idx(np.arange(12, dtype=np.uint8).reshape(3, 2, 2))


def test_idx_of_known_bytes():
    content = b"\x00\x00\x08\x02" + b"\x00\x00\x00\x02" + b"\x00\x00\x00\x03" + bytes([1, 2, 3, 4, 5, 6])
    np.testing.assert_array_equal(read_idx(content, "tiny"), [[1, 2, 3], [4, 5, 6]])


@pytest.mark.parametrize("kept", [4, 6, 8, 15, 16, 20, 27])
def test_truncated_idx_raises(kept):
    with pytest.raises(DatasetError, match=r"tiny is truncated.*get it again"):
        read_idx(IDX[:kept], "tiny")


def test_idx_with_trailing_bytes_raises():
    with pytest.raises(DatasetError, match=r"tiny is truncated or too long, 13 values.*get it again"):
        read_idx(IDX + b"\x00", "tiny")


def test_idx_of_another_size_raises_and_names_both():
    with pytest.raises(DatasetError, match=r"tiny holds an array \(3, 2, 2\), should be \(4, 2, 2\).*again"):
        read_idx(IDX, "tiny", (4, 2, 2))


@pytest.mark.parametrize("content", [b"", b"\x00\x00\x08", b"\x89PNG\r\n\x1a\n", b"\x00\x00\x0d\x00\x01"])
def test_content_that_is_no_idx_of_bytes_raises(content):
    with pytest.raises(DatasetError, match=r"tiny is not an IDX file of unsigned bytes.*original file again"):
        read_idx(content, "tiny")


@pytest.mark.parametrize(
    "header", [b"\x01" + bytes(4), b"\x04" + 12 * b"\xff" + bytes(4), b"\xff" + 255 * b"\0\0\0\x01"]
)
def test_idx_header_of_no_array_raises(header):
    """Empty, or of more dimensions than NumPy has."""
    with pytest.raises(DatasetError, match=r"tiny has a header of an array .*: get the original file again"):
        read_idx(b"\0\0\x08" + header + b"\x07", "tiny")


def test_cifar_record_of_known_bytes_is_a_picture_with_channels_last():
    planes = np.stack([np.full((32, 32), value, np.uint8) for value in (10, 20, 30)])
    planes[0, 1, 2] = 99  # the red of row 1, column 2
    images, labels = read_cifar_records(bytes([7]) + planes.tobytes(), "tiny", 1)
    picture = images[0].reshape(32, 32, 3)
    np.testing.assert_array_equal(picture[0, 0], [10, 20, 30])
    np.testing.assert_array_equal(picture[1, 2], [99, 20, 30])
    np.testing.assert_array_equal(labels, [7])


@pytest.mark.parametrize(("change", "defect"), [(-1, "truncated"), (-3073, "truncated"), (1, "too long")])
def test_cifar_records_of_a_wrong_size_raise(change, defect):
    content = cifar_records(PLANES, LABELS)
    content = content[:change] if change < 0 else content + bytes(change)
    with pytest.raises(DatasetError, match=f"tiny.bin is {defect}.*original file again"):
        read_cifar_records(content, "tiny.bin", CIFAR_BATCH)


def test_foreign_file_in_place_of_cifar_records_raises():
    with pytest.raises(DatasetError, match=r"tiny\.bin is truncated: 22 bytes"):
        read_cifar_records(b"<html>not found</html>", "tiny.bin", CIFAR_BATCH)


@pytest.mark.parametrize(
    ("read", "write"), [(read_cifar_records, cifar_records), (read_cifar_pickle, cifar_pickle)]
)
def test_cifar_label_beyond_nine_raises(read, write):
    labels = np.where(LABELS == 9, 10, LABELS).astype(np.uint8)
    with pytest.raises(DatasetError, match=r"tiny has labels from 0 to 10, should be 0 to 9.*again"):
        read(write(PLANES, labels), "tiny", CIFAR_BATCH)


def test_pickle_of_python_2_holds_the_same_as_the_records():
    for pickled, plain in zip(
        read_cifar_pickle(cifar_pickle(PLANES, LABELS), "tiny", CIFAR_BATCH),
        read_cifar_records(cifar_records(PLANES, LABELS), "tiny", CIFAR_BATCH),
        strict=True,
    ):
        np.testing.assert_array_equal(pickled, plain)
        assert pickled.dtype == plain.dtype == np.uint8


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickle_of_python_3_reads(protocol):
    batch = {b"data": PLANES.reshape(CIFAR_BATCH, -1), b"labels": LABELS.tolist()}
    images, labels = read_cifar_pickle(pickle.dumps(batch, protocol), "tiny", CIFAR_BATCH)
    np.testing.assert_array_equal(images, read_cifar_pickle(cifar_pickle(PLANES, LABELS), "", CIFAR_BATCH)[0])
    np.testing.assert_array_equal(labels, LABELS)


class Harmful:
    """An ordinary unpickler would make a folder."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        import os

        return os.mkdir, (str(self.path),)


def test_pickle_that_would_run_code_is_refused_and_does_not(tmp_path):
    content = pickle.dumps({"data": Harmful(tmp_path / "made"), "labels": []}, protocol=2)
    with pytest.raises(
        DatasetError, match=r"tiny is not a CIFAR-10 batch, it asks for .*mkdir.*original file"
    ):
        read_cifar_pickle(content, "tiny", CIFAR_BATCH)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kept", [0, 1, 60, 1000, -1])
def test_truncated_pickle_raises(kept):
    with pytest.raises(DatasetError, match=r"tiny is not a pickled CIFAR-10 batch or damaged.*get it again"):
        read_cifar_pickle(cifar_pickle(PLANES, LABELS)[:kept], "tiny", CIFAR_BATCH)


def test_pickle_that_asks_for_a_list_of_billions_raises():
    with pytest.raises(DatasetError, match="object number 2147483647 is beyond its end"):
        read_cifar_pickle(b"\x80\x02}r\xff\xff\xff\x7f.", "tiny", CIFAR_BATCH)


def test_foreign_file_in_place_of_a_pickle_raises():
    with pytest.raises(DatasetError, match="tiny is not a pickled CIFAR-10 batch"):
        read_cifar_pickle(b"<html>not found</html>", "tiny", CIFAR_BATCH)


FLAT = PLANES.reshape(CIFAR_BATCH, -1)


@pytest.mark.parametrize(
    ("batch", "key"),
    [
        ([1, 2, 3], "data"),
        ({"labels": LABELS.tolist()}, "data"),
        ({"data": FLAT[1:], "labels": LABELS.tolist()}, "data"),
        ({"data": FLAT.astype(float), "labels": LABELS.tolist()}, "data"),
        ({"data": FLAT}, "labels"),
        ({"data": FLAT, "labels": LABELS[1:].tolist()}, "labels"),
        ({"data": FLAT, "labels": [[1], [2, 3]] * (CIFAR_BATCH // 2)}, "labels"),
        ({"data": FLAT, "labels": ["cat"] * CIFAR_BATCH}, "labels"),
    ],
)
def test_pickle_of_something_else_raises_and_names_the_key(batch, key):
    with pytest.raises(DatasetError, match=rf"tiny is not a CIFAR-10 batch: '{key}' should be.*again"):
        read_cifar_pickle(pickle.dumps(batch, protocol=2), "tiny", CIFAR_BATCH)


def test_negative_label_in_a_pickle_raises():
    planes, labels = cifar_batch(seed=0)
    batch = {"data": planes.reshape(CIFAR_BATCH, -1), "labels": [-1, *labels[1:].tolist()]}
    with pytest.raises(DatasetError, match="tiny has labels from -1"):
        read_cifar_pickle(pickle.dumps(batch, protocol=2), "tiny", CIFAR_BATCH)
