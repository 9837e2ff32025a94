"""What is read from headers, compared with what `load_npz` finds in the arrays."""

import zipfile

import numpy as np
import pytest
from ntklens.data.errors import DatasetError
from ntklens.data.npz_headers import npz_contents
from ntklens.data.npz_images import load_npz

LABELS = np.array([0, 2, 1, 2, 0])


@pytest.mark.parametrize("shape", [(6,), (2, 3), (4, 2, 3)])
@pytest.mark.parametrize("own_test", [0, 2])
@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_headers_tell_what_the_arrays_hold(tmp_path, shape, own_test, save):
    arrays = {"images": np.zeros((5, *shape), np.uint8), "labels": LABELS}
    if own_test:
        arrays |= {"test_images": np.zeros((own_test, *shape), np.uint8), "test_labels": LABELS[:own_test]}
    save(tmp_path / "own.npz", **arrays)
    images = load_npz(tmp_path / "own.npz")
    found = 0 if images.test_first is None else len(images.images) - images.test_first
    assert npz_contents(tmp_path / "own.npz") == (tuple(images.shape), 3, len(images.images), found)


def test_images_are_not_read(tmp_path):
    """The header states a terabyte of images, and none follow."""
    np.save(tmp_path / "labels.npy", LABELS)
    with (tmp_path / "images.npy").open("wb") as file:
        header = {"descr": "|u1", "fortran_order": False, "shape": (10**6, 1000, 1000)}
        np.lib.format.write_array_header_1_0(file, header)
    with zipfile.ZipFile(tmp_path / "own.npz", "w") as archive:
        for name in ("images.npy", "labels.npy"):
            archive.write(tmp_path / name, name)
    assert npz_contents(tmp_path / "own.npz") == ((1000, 1000, 1), 3, 10**6, 0)


def test_missing_file_raises(tmp_path):
    with pytest.raises(FileNotFoundError):
        npz_contents(tmp_path / "own.npz")


@pytest.mark.parametrize("content", ["no zip", "no images", "one number", "no labels"])
def test_other_content_raises_and_names_the_file(tmp_path, content):
    path = tmp_path / "own.npz"
    arrays = {
        "no images": {"labels": LABELS},
        "one number": {"images": np.zeros(()), "labels": LABELS},
        "no labels": {"images": np.zeros((5, 6))},
    }
    if content in arrays:
        np.savez(path, **arrays[content])
    else:
        path.write_bytes(b"not a zip file at all")
    with pytest.raises(DatasetError, match=r"own\.npz holds no images with labels"):
        npz_contents(path)
