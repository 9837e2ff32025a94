"""The file formats of image datasets: IDX, CIFAR-10's records and CIFAR-10's pickles.

Every reader takes a file's unpacked bytes and its ``name`` for error messages, and raises DatasetError
if the bytes are not in its format. Images become rows, in the order (height, width, channels).
"""

import io
import math
import pickle
import pickletools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from jaxtyping import Integer, Num, UInt8

from ntklens.data.errors import DatasetError
from ntklens.data.regular_files import reason


@dataclass(frozen=True)
class Images:
    """Images, one row per image, and their labels, from 0 on.

    ``white`` is the value of the brightest pixel. A row reshaped to ``shape`` (height, width, channels) is
    the image. Train samples come before test samples, which begin at row ``test_first``; None without a test
    part.
    """

    # `loaders.check` makes sure that there are as many images as labels.
    images: Num[np.ndarray, "d n0"]
    labels: Integer[np.ndarray, " labels"]
    white: int
    shape: tuple[int, int, int]
    test_first: int | None = None


MOST_DIMENSIONS = 32  # of an array in NumPy before version 2


def read_idx(content: bytes, name: str, shape: tuple[int, ...] | None = None) -> UInt8[np.ndarray, "..."]:
    """The array of unsigned bytes in an IDX file, not empty, and of ``shape`` if that is given."""
    if len(content) < 4 or content[:3] != b"\x00\x00\x08":
        raise DatasetError(f"{name} is not an IDX file of unsigned bytes: get the original file again")
    header = 4 + 4 * content[3]
    if len(content) < header:
        raise DatasetError(f"{name} is truncated, it ends inside its header: get it again")
    found = tuple(np.frombuffer(content[4:header], dtype=">u4").tolist())
    if len(found) > MOST_DIMENSIONS or 0 in found:
        raise DatasetError(f"{name} has a header of an array {found}: get the original file again")
    values = np.frombuffer(content[header:], dtype=np.uint8)
    if values.size != math.prod(found):
        raise DatasetError(
            f"{name} is truncated or too long, {values.size} values instead of the {found} in its header: "
            "get it again"
        )
    if shape is not None and found != shape:
        raise DatasetError(f"{name} holds an array {found}, should be {shape}: get the original file again")
    return values.reshape(found)


def ten_classes(labels: Integer[np.ndarray, " d"], name: str) -> Integer[np.ndarray, " d"]:
    """Return ``labels``. Raises DatasetError unless they are from 0 to 9."""
    if labels.min() < 0 or labels.max() > 9:
        raise DatasetError(
            f"{name} has labels from {labels.min()} to {labels.max()}, should be 0 to 9: get the original "
            "file again"
        )
    return labels


CIFAR_SHAPE = (32, 32, 3)  # height, width, channels
CIFAR_PIXELS = math.prod(CIFAR_SHAPE)


def read_cifar_records(
    content: bytes, name: str, records: int
) -> tuple[UInt8[np.ndarray, "d n0"], Integer[np.ndarray, " d"]]:
    """Images and labels of a file of CIFAR-10's binary version: each record is a label and three planes."""
    size = records * (1 + CIFAR_PIXELS)
    if len(content) != size:
        kind = "truncated" if len(content) < size else "too long"
        raise DatasetError(
            f"{name} is {kind}: {len(content)} bytes, but {records} records of {1 + CIFAR_PIXELS} bytes "
            f"make {size}; get the original file again"
        )
    values = np.frombuffer(content, dtype=np.uint8).reshape(records, 1 + CIFAR_PIXELS)
    return _channels_last(values[:, 1:]), ten_classes(values[:, 0].copy(), name)


def read_cifar_pickle(
    content: bytes, name: str, records: int
) -> tuple[UInt8[np.ndarray, "d n0"], UInt8[np.ndarray, " d"]]:
    """Images and labels of a file of CIFAR-10's Python version, a pickled dictionary."""
    try:
        _check_memory(content)
        batch = _BatchUnpickler(io.BytesIO(content), encoding="latin1").load()
    except _ForbiddenError as error:
        raise DatasetError(
            f"{name} is not a CIFAR-10 batch, it asks for {error}, which could run any code: get the "
            "original file"
        ) from None
    except Exception as error:  # a damaged pickle can raise nearly any error
        raise DatasetError(
            f"{name} is not a pickled CIFAR-10 batch or damaged ({reason(error)}): get it again"
        ) from None
    batch = {_text(key): _values(value) for key, value in batch.items()} if isinstance(batch, dict) else {}
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
    except ValueError:  # nested lists of unequal lengths
        labels = np.empty(0)
    if labels.shape != (records,) or labels.dtype.kind not in "iu":
        raise DatasetError(
            f"{name} is not a CIFAR-10 batch: 'labels' should be {records} integers; get the original file "
            "again"
        )
    return _channels_last(planes), ten_classes(labels, name).astype(np.uint8)


def _channels_last(planes: UInt8[np.ndarray, "d n0"]) -> UInt8[np.ndarray, "d n0"]:
    """Turn rows of a red, a green and a blue plane into rows of pixels."""
    return planes.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1).reshape(-1, CIFAR_PIXELS)


def _text(key: Any) -> Any:
    """``key`` as text if it is bytes."""
    return key.decode("latin1") if isinstance(key, bytes) else key


def _check_memory(content: bytes) -> None:
    """Raise ValueError if a pickle asks for more memory than its own size explains."""
    # Python makes a list of all numbers up to the one under which an object is noted, however few there are.
    for operation, argument, _ in pickletools.genops(content):
        if operation.name.endswith("PUT") and int(argument or 0) > len(content):
            raise ValueError(f"its object number {argument} is beyond its end")


class _ForbiddenError(Exception):
    """A pickle asks for something that an array of numbers does not need."""


class _Kind:
    """Stands for the type in a pickle of an array: NumPy would take its state from the file unchecked."""

    def __init__(self, name: str, *_: object) -> None:
        self.dtype = np.dtype(name)
        if self.dtype.kind not in "iuf":
            raise ValueError(f"an array of the type {self.dtype} is none of numbers")

    def __setstate__(self, state: Any) -> None:
        if state[1] in ("<", ">"):
            self.dtype = self.dtype.newbyteorder(state[1])


class _Array:
    """Stands for an array in a pickle."""

    def __init__(self, *_: object) -> None:
        self.values: Num[np.ndarray, ...] = np.empty(0, np.uint8)

    def __setstate__(self, state: Any) -> None:
        _, shape, kind, fortran, content = state
        self.values = _filled(content, kind, shape, "F" if fortran else "C")


def _filled(
    content: str | bytes | bytearray,
    kind: _Kind,
    shape: tuple[int, ...],
    order: Literal["C", "F"],
    *_: object,
) -> Num[np.ndarray, "..."]:
    """The array whose bytes in this ``order`` are ``content``, latin-1 if they are text."""
    raw = content.encode("latin1") if isinstance(content, str) else content
    return np.frombuffer(raw, kind.dtype).reshape(shape, order=order)


def _values(value: Any) -> Any:
    """The array that ``value`` stands for, or ``value`` itself."""
    return value.values if isinstance(value, _Array) else value


class _BatchUnpickler(pickle.Unpickler):
    """Loads arrays of numbers and nothing else: an ordinary unpickler runs whatever a file names."""

    # The names in a pickle of an array depend on NumPy's version and the pickle's protocol. The last entry is
    # for pickles by Python 3 of bytes in Python 2's format.
    ALLOWED: ClassVar[dict[tuple[str, str], Callable[..., Any]]] = {
        **{
            (module, name): function
            for name, function in (("_reconstruct", _Array), ("_frombuffer", _filled))
            for part in ("multiarray", "numeric")
            for module in (f"numpy.core.{part}", f"numpy._core.{part}")
        },
        ("numpy", "ndarray"): _Array,
        ("numpy", "dtype"): _Kind,
        ("_codecs", "encode"): lambda text, encoding: text.encode({"latin1": "latin1"}[encoding]),
    }

    def find_class(self, module_name: str, global_name: str, /) -> Any:
        """The function ``global_name`` of ``module_name``. Raises _ForbiddenError unless it is allowed."""
        if (module_name, global_name) not in self.ALLOWED:
            raise _ForbiddenError(f"{module_name}.{global_name}")
        return self.ALLOWED[module_name, global_name]
