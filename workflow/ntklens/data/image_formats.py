"""The formats that image datasets come in: IDX, CIFAR-10's records and pickles.

Every reader takes a file's unpacked bytes and the ``name`` that errors call it by, and raises DatasetError
where the bytes are not what they should be. Images become rows, in the order (height, width, channels).
"""

import io
import math
import pickle
from dataclasses import dataclass

import numpy as np

from ntklens.data.errors import DatasetError


@dataclass(frozen=True)
class Images:
    """``images`` (d, n₀), one row per image, and ``labels`` (d,) from 0 on.

    ``white`` is the brightest value; a row reshaped to ``shape`` (height, width, channels) is the picture.
    Train samples stand before test samples, which begin at row ``test_first``; None without a test part.
    """

    images: np.ndarray
    labels: np.ndarray
    white: int
    shape: tuple[int, int, int]
    test_first: int | None = None


def read_idx(content, name, shape=None):
    """The array of unsigned bytes in an IDX file, of ``shape`` if one is given."""
    if len(content) < 4 or content[:3] != b"\x00\x00\x08":
        raise DatasetError(f"{name} is not an IDX file of unsigned bytes: get the original file again")
    header = 4 + 4 * content[3]
    if len(content) < header:
        raise DatasetError(f"{name} is truncated, it ends inside its header: get it again")
    found = tuple(np.frombuffer(content[4:header], dtype=">u4").tolist())
    values = np.frombuffer(content[header:], dtype=np.uint8)
    if values.size != math.prod(found):
        raise DatasetError(
            f"{name} is truncated or too long, {values.size} values where its header says {found}: get it "
            "again"
        )
    if shape is not None and found != shape:
        raise DatasetError(f"{name} holds an array {found}, should be {shape}: get the original file again")
    return values.reshape(found)


def ten_classes(labels, name):
    """``labels``, if they go from 0 to 9."""
    if labels.min() < 0 or labels.max() > 9:
        raise DatasetError(
            f"{name} has labels from {labels.min()} to {labels.max()}, should be 0 to 9: get the original "
            "file again"
        )
    return labels


CIFAR_SHAPE = (32, 32, 3)
CIFAR_PIXELS = math.prod(CIFAR_SHAPE)


def read_cifar_records(content, name, records):
    """Images and labels of a file of CIFAR-10's binary version: records of label and three planes."""
    size = records * (1 + CIFAR_PIXELS)
    if len(content) != size:
        kind = "truncated" if len(content) < size else "too long"
        raise DatasetError(
            f"{name} is {kind}: {len(content)} bytes where {records} records of {1 + CIFAR_PIXELS} bytes "
            f"make {size}; get the original file again"
        )
    values = np.frombuffer(content, dtype=np.uint8).reshape(records, 1 + CIFAR_PIXELS)
    return _channels_last(values[:, 1:]), ten_classes(values[:, 0].copy(), name)


def read_cifar_pickle(content, name, records):
    """Images and labels of a file of CIFAR-10's Python version, a pickled dict."""
    try:
        batch = _BatchUnpickler(io.BytesIO(content), encoding="latin1").load()
    except _ForbiddenError as error:
        raise DatasetError(
            f"{name} is not a CIFAR-10 batch, it asks for {error}, which could run any code: get the "
            "original file"
        ) from None
    except Exception as error:  # a damaged pickle raises nearly anything
        raise DatasetError(
            f"{name} is not a pickled CIFAR-10 batch or damaged ({error}): get it again"
        ) from None
    batch = {_text(key): value for key, value in batch.items()} if isinstance(batch, dict) else {}
    planes, labels = batch.get("data"), batch.get("labels")
    if not (
        isinstance(planes, np.ndarray)
        and planes.dtype == np.uint8
        and planes.shape == (records, CIFAR_PIXELS)
    ):
        raise DatasetError(
            f"{name} is not a CIFAR-10 batch: 'data' should be {records} rows of {CIFAR_PIXELS} unsigned "
            "bytes; get the original file again"
        )
    try:
        labels = np.asarray(labels)
    except ValueError:  # of uneven lists
        labels = np.empty(0)
    if labels.shape != (records,) or labels.dtype.kind not in "iu":
        raise DatasetError(
            f"{name} is not a CIFAR-10 batch: 'labels' should be {records} integers; get the original file "
            "again"
        )
    return _channels_last(planes), ten_classes(labels, name).astype(np.uint8)


def _channels_last(planes):
    """(d, 3072) rows of a red, a green and a blue plane → rows of pixels."""
    return planes.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1).reshape(-1, CIFAR_PIXELS)


def _text(key):
    return key.decode("latin1") if isinstance(key, bytes) else key


class _ForbiddenError(Exception):
    pass


class _BatchUnpickler(pickle.Unpickler):
    """Knows what an array of numbers needs, and nothing else: unpickling runs whatever a file names."""

    # What numpy names in a pickle depends on its version and on the pickle's; the last is of Python 3's
    # pickles of bytes in Python 2's format.
    ALLOWED = {  # noqa: RUF012
        **{
            (module, name): function
            for version, name in ((2, "_reconstruct"), (5, "_frombuffer"))
            for function in [np.empty(1).__reduce_ex__(version)[0]]
            for part in ("multiarray", "numeric")
            for module in (f"numpy.core.{part}", f"numpy._core.{part}")
        },
        ("numpy", "ndarray"): np.ndarray,
        ("numpy", "dtype"): np.dtype,
        ("_codecs", "encode"): lambda text, encoding: text.encode({"latin1": "latin1"}[encoding]),
    }

    def find_class(self, module, name):
        if (module, name) not in self.ALLOWED:
            raise _ForbiddenError(f"{module}.{name}")
        return self.ALLOWED[module, name]
