"""What is read from headers, compared with what `load_npz` finds in the arrays."""

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
    """Damaged, they would fail their checksum."""
    images = np.full((5, 4000), 7, np.uint8)
    np.savez(tmp_path / "own.npz", images=images, labels=LABELS)
    content = (tmp_path / "own.npz").read_bytes()
    assert content.count(images.tobytes()) == 1
    (tmp_path / "own.npz").write_bytes(content.replace(images.tobytes(), bytes(images.size)))
    assert npz_contents(tmp_path / "own.npz") == ((1, 4000, 1), 3, 5, 0)
    with pytest.raises(DatasetError, match="'images' is damaged"):
        load_npz(tmp_path / "own.npz")


def test_missing_file_raises(tmp_path):
    with pytest.raises(FileNotFoundError):
        npz_contents(tmp_path / "own.npz")


COMPLAINTS = {
    "no zip": r"is not an npz file \(File is not a zip file\)",
    "no images": "has no array 'images'",
    "one number": r"'images' has shape \(\)",
    "no labels": "has no array 'labels'",
    "one class": "all 'labels' are 0",
    "gap": "class 1 has no sample",
    "float": "'labels' is of type float64",
    "text": "'labels' is of type <U",
    "test part": "'test_images' .* and 'images' .* differ",
}


@pytest.mark.parametrize("content", COMPLAINTS)
def test_other_content_raises_and_names_the_file(tmp_path, content):
    path, images = tmp_path / "own.npz", np.zeros((5, 6))
    arrays = {
        "no images": {"labels": LABELS},
        "one number": {"images": np.zeros(()), "labels": LABELS},
        "no labels": {"images": images},
        "one class": {"images": images, "labels": 0 * LABELS},
        "gap": {"images": images, "labels": 2 * (LABELS > 0)},
        "float": {"images": images, "labels": LABELS / 1},
        "text": {"images": images, "labels": LABELS.astype(str)},
        "test part": {
            "images": images,
            "labels": LABELS,
            "test_images": images[:, :2],
            "test_labels": LABELS,
        },
    }
    if content in arrays:
        np.savez(path, **arrays[content])
    else:
        path.write_bytes(b"not a zip file at all")
    with pytest.raises(DatasetError, match=rf"own\.npz.* {COMPLAINTS[content]}"):
        npz_contents(path)
