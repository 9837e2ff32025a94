"""Arrays of npz files whose headers or data are not what `numpy.savez` writes."""

import io
import zipfile

import numpy as np
import pytest
from ntklens.data import npz_arrays
from ntklens.data.errors import DatasetError
from ntklens.data.npz_headers import npz_contents
from ntklens.data.npz_images import load_npz

IMAGES = np.arange(24, dtype=np.uint8).reshape(4, 2, 3)
LABELS = np.array([0, 1, 0, 1])


def npy(array, version=None, **options):
    """The bytes of a file of ``array``."""
    file = io.BytesIO()
    np.lib.format.write_array(file, array, version, **options)
    return file.getvalue()


def stated(shape, descr="|u1"):
    """The bytes of a file whose header states ``shape``, and in which nothing follows."""
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": descr, "fortran_order": False, "shape": shape})
    return file.getvalue()


def written(folder, images, labels=None, more=()):
    """The path of an npz file of these members."""
    path = folder / "own.npz"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in [("images.npy", images), ("labels.npy", labels or npy(LABELS)), *more]:
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize("read", [load_npz, npz_contents])
@pytest.mark.parametrize(
    ("images", "labels"),
    [
        (b"", npy(LABELS)),
        (b"no magic string", npy(LABELS)),
        (npy(IMAGES), b"neither here"),
        (npy(IMAGES)[:-3], npy(LABELS)),
        (npy(IMAGES) + b"more", npy(LABELS)),
        (npy(IMAGES), npy(LABELS)[:-1]),
        (npy(np.array([{}], object), allow_pickle=True), npy(LABELS)),
        (npy(IMAGES), npy(np.array([{}] * 4, object), allow_pickle=True)),
        (stated((10**6, 1000, 1000)), npy(LABELS)),
        (stated((10**9, 10**9, 10**9), "<f8"), npy(LABELS)),
        (stated((-4, 2, -3)) + bytes(24), npy(LABELS)),
        (npy(IMAGES), stated((10**13,), "<i8")),
        (b"\x93NUMPY\x01\x00\x20\x00__import__('os').getpid()".ljust(42), npy(LABELS)),
        (b"\x93NUMPY\x09\x00\x20\x00".ljust(42), npy(LABELS)),
    ],
)
def test_damaged_member_raises_and_is_named(tmp_path, read, images, labels):
    expected = r"own\.npz: '(images|labels)' is damaged or not an array"
    with pytest.raises(DatasetError, match=expected) as caught:
        read(written(tmp_path, images, labels))
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("read", [load_npz, npz_contents])
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_members_of_one_name_raise(tmp_path, read):
    path = written(tmp_path, npy(IMAGES), more=[("images.npy", npy(IMAGES + 1))])
    with pytest.raises(DatasetError, match="has several arrays 'images'"):
        read(path)


@pytest.mark.parametrize("read", [load_npz, npz_contents])
@pytest.mark.parametrize(("offset", "value"), [(6, 1), (8, 99)], ids=["encrypted", "unknown compression"])
def test_member_that_cannot_be_unpacked_raises(tmp_path, read, offset, value):
    path = written(tmp_path, npy(IMAGES))
    content = bytearray(path.read_bytes())
    content[offset] = content[content.index(b"PK\x01\x02") + offset + 2] = value
    path.write_bytes(content)
    with pytest.raises(DatasetError, match="'images' is damaged or not an array"):
        read(path)


def test_array_that_no_memory_holds_raises(tmp_path, monkeypatch):
    monkeypatch.setattr(npz_arrays, "_physical_memory", lambda: 23)
    with pytest.raises(DatasetError, match=r"'images' takes 0\.0 GB, more than this machine's memory"):
        load_npz(written(tmp_path, npy(IMAGES)))


@pytest.mark.parametrize(
    "array",
    [np.asfortranarray(IMAGES), IMAGES[::-1][::-1], (IMAGES / 255).astype(">f4"), IMAGES / 255],
    ids=["Fortran", "reversed", "big-endian", "double"],
)
@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
def test_any_layout_and_version_gives_the_same_images(tmp_path, array, version):
    path = written(tmp_path, npy(array, version), npy(LABELS.astype(">u2"), version))
    data = load_npz(path)
    np.testing.assert_allclose(
        data.images.astype(float) * (255 / data.white), IMAGES.reshape(4, 6), rtol=1e-6
    )
    np.testing.assert_array_equal(data.labels, LABELS)
    assert npz_contents(path) == ((2, 3, 1), 2, 4, 0)
