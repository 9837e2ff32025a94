"""Files of the published datasets' formats, a few samples each, and the file sets that they belong to."""

import hashlib
import io
import tarfile
from dataclasses import replace

import numpy as np
from ntklens.data.published import CIFAR_10_BINARY, CIFAR_10_PYTHON, FASHION_MNIST, MNIST

IDX_SHAPES = {
    "train-images-idx3-ubyte": (20, 2, 2),
    "train-labels-idx1-ubyte": (20,),
    "t10k-images-idx3-ubyte": (10, 2, 2),
    "t10k-labels-idx1-ubyte": (10,),
}
CIFAR_BATCH = 20  # two of each class


def idx(array):
    sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
    return b"\x00\x00\x08" + bytes([array.ndim]) + sizes + array.tobytes()


def idx_files(seed):
    """Contents by name; labels are 0 to 9 in turn."""
    rng = np.random.default_rng(seed)
    return {
        name: idx(
            rng.integers(256, size=shape, dtype=np.uint8)
            if len(shape) == 3
            else np.arange(shape[0], dtype=np.uint8) % 10
        )
        for name, shape in IDX_SHAPES.items()
    }


def cifar_batch(seed):
    """Planes (d, 3, 32, 32) and labels of a batch."""
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(CIFAR_BATCH, dtype=np.uint8) % 10)
    return rng.integers(256, size=(CIFAR_BATCH, 3, 32, 32), dtype=np.uint8), labels


def cifar_records(planes, labels):
    return np.hstack([labels[:, None], planes.reshape(len(planes), -1)]).tobytes()


def cifar_pickle(planes, labels):
    """What Python 2's cPickle writes: every string is one of bytes, numpy goes by its names of that time."""
    array = (
        b"cnumpy.core.multiarray\n_reconstruct\n" + b"cnumpy\nndarray\nK\x00\x85" + _string(b"b") + b"\x87R"
        + b"(K\x01" + _integer(len(planes)) + _integer(3072) + b"\x86"
        + b"cnumpy\ndtype\n" + _string(b"u1") + b"K\x00K\x01\x87R"
        + b"(K\x03" + _string(b"|") + b"NNN" + _integer(-1) * 2 + b"K\x00tb"
        + b"\x89" + _string(planes.tobytes()) + b"tb"
    )  # fmt: skip
    return (
        b"\x80\x02}("
        + _string(b"batch_label") + _string(b"training batch 1 of 5")
        + _string(b"labels") + b"](" + b"".join(_integer(int(label)) for label in labels) + b"e"
        + _string(b"data") + array
        + _string(b"filenames") + b"](" + _string(b"leptodactylus_s_000004.png") + b"e"
        + b"u."
    )  # fmt: skip


def _string(content):
    return b"T" + len(content).to_bytes(4, "little") + content


def _integer(value):
    return b"J" + value.to_bytes(4, "little", signed=True)


def tar_gz(members):
    """An archive of ``members``, contents by path."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for path, content in members.items():
            member = tarfile.TarInfo(path)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return stream.getvalue()


def with_digests(file_set, contents):
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    return replace(file_set, digests=digests, hosts=(), archive_size=None)


BATCHES = [cifar_batch(seed) for seed in range(6)]  # the last is the test batch
MNIST_FILES = idx_files(seed=1)
FASHION_FILES = idx_files(seed=2)
RECORD_FILES = dict(zip(CIFAR_10_BINARY.digests, (cifar_records(*batch) for batch in BATCHES), strict=True))
PICKLE_FILES = dict(zip(CIFAR_10_PYTHON.digests, (cifar_pickle(*batch) for batch in BATCHES), strict=True))

TINY_MNIST = with_digests(MNIST, MNIST_FILES)
TINY_FASHION = with_digests(FASHION_MNIST, FASHION_FILES)
TINY_BINARY = with_digests(CIFAR_10_BINARY, RECORD_FILES)
TINY_PYTHON = with_digests(CIFAR_10_PYTHON, PICKLE_FILES)
TINY_PUBLISHED = (TINY_MNIST, TINY_FASHION, TINY_BINARY, TINY_PYTHON)
