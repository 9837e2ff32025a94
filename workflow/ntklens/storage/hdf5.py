"""HDF5 files in which every group and dataset carries a description, and every dataset its units.

Readers go through the typed functions below: h5py itself does not say whether a name stands for a group or a
dataset. They raise `ContentError`, which names the file, the group and what is missing there.
"""

import hashlib
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt

from ntklens.storage.errors import FileError
from ntklens.storage.files import FilePath, whole_file
from ntklens.storage.labels import attach, make_scale
from ntklens.storage.quantities import QUANTITIES
from ntklens.storage.sealing import BLOCK, block_of, check_hdf5

SMALL = 4096  # bytes. HDF5 compresses in chunks, whose index takes 2 kB: more than a small array can save


class ContentError(FileError, ValueError):
    """An HDF5 file lacks a group, dataset or attribute, or holds something else under its name."""


@contextmanager
def new_file(path: FilePath, description: str) -> Iterator[h5py.File]:
    """An HDF5 file open for writing, which appears at ``path`` only when the block ends without an error.

    Until then it is in memory, and Python writes it to disk: HDF5's library can abort the process on a full
    disk. The file is sealed (`ntklens.storage.sealing`).
    """
    content = io.BytesIO()
    with h5py.File(content, "w", userblock_size=BLOCK) as file:
        file.attrs["description"] = description
        yield file
    with content.getbuffer() as written, whole_file(path) as temporary, temporary.open("wb") as out:
        out.write(block_of(hashlib.sha256(written[BLOCK:]).hexdigest()))
        out.write(written[BLOCK:])


@contextmanager
def whole_hdf5(path: FilePath) -> Iterator[h5py.File]:
    """The HDF5 file ``path``, open for reading, once its seal is checked.

    Raises FileError if it is damaged or was not written by this workflow, and OSError if it cannot be read.
    """
    check_hdf5(path)
    with h5py.File(path) as file:
        yield file


def add_attributes(file: h5py.Group, attributes: Mapping[str, object]) -> None:
    """Store ``attributes``, dictionaries and lists as JSON."""
    for name, value in attributes.items():
        file.attrs[name] = json.dumps(value) if isinstance(value, dict | list) else value


def add_group(parent: h5py.Group, name: str, description: str) -> h5py.Group:
    """Make the group ``name`` in ``parent``."""
    group = parent.create_group(name)
    group.attrs["description"] = description
    return group


def add_dataset(
    parent: h5py.Group,
    name: str,
    values: npt.ArrayLike | float | int,
    description: str,
    units: str = "1",
    axes: Sequence[str] = (),
) -> h5py.Dataset:
    """Store ``values``, shuffled and compressed by gzip if they are many; ``units`` is "1" for a pure number.

    ``axes`` names a dimension scale of ``parent`` for each axis (`ntklens.storage.labels`).
    """
    values = np.asarray(values)
    many = values.nbytes > SMALL
    # Shuffled, the bytes of one place of all numbers lie together: files are a fifth smaller.
    dataset = parent.create_dataset(
        name, data=values, compression="gzip" if many else None, shuffle=many or None
    )
    dataset.attrs["description"] = description
    dataset.attrs["units"] = units
    attach(dataset, axes)
    return dataset


def add_quantity(
    parent: h5py.Group,
    name: str,
    values: npt.ArrayLike | float | int,
    as_name: str | None = None,
    description: str | None = None,
    axes: Sequence[str] = (),
) -> h5py.Dataset:
    """Store ``values`` of the quantity ``name`` with unit, description and label from `QUANTITIES`.

    ``as_name`` is the dataset's name if it differs from the quantity's; ``description`` replaces the table's.
    ``axes`` are as for `add_dataset`.
    """
    quantity = QUANTITIES[name]
    said = description or quantity.description
    dataset = add_dataset(parent, as_name or name, values, said, quantity.unit, axes)
    if quantity.label and description is None:
        dataset.attrs["long_name"] = quantity.label
    return dataset


def add_scale(parent: h5py.Group, name: str, values: npt.ArrayLike) -> None:
    """Store the quantity ``name``, of which ``values`` are the positions along an axis of other datasets."""
    make_scale(add_quantity(parent, name, values))


def texts(values: Sequence[str]) -> npt.NDArray[np.object_]:
    """An array of strings, of a type that HDF5 can store even where there is none."""
    return np.array(list(values), dtype=h5py.string_dtype())


def get_group(parent: h5py.Group, name: str) -> h5py.Group:
    """The group ``name`` of ``parent``. Raises ContentError if there is none."""
    item = parent.get(name)
    if not isinstance(item, h5py.Group):
        raise ContentError(f"{_place(parent)} has no group {name!r}")
    return item


def get_dataset(parent: h5py.Group, name: str) -> h5py.Dataset:
    """The dataset ``name`` of ``parent``. Raises ContentError if there is none."""
    item = parent.get(name)
    if not isinstance(item, h5py.Dataset):
        raise ContentError(f"{_place(parent)} has no dataset {name!r}")
    return item


def groups_in(parent: h5py.Group) -> dict[str, h5py.Group]:
    """The groups directly in ``parent``, by name."""
    return {name: item for name, item in parent.items() if isinstance(item, h5py.Group)}


def read_array(parent: h5py.Group, name: str) -> npt.NDArray[Any]:
    """All values of the dataset ``name`` of ``parent``. Raises ContentError if there is none."""
    return np.asarray(get_dataset(parent, name)[()])


def read_arrays(parent: h5py.Group) -> dict[str, npt.NDArray[Any]]:
    """All values of the datasets directly in ``parent``, by name; dimension scales are left out."""
    datasets = {name: item for name, item in parent.items() if isinstance(item, h5py.Dataset)}
    return {name: np.asarray(item[()]) for name, item in datasets.items() if not item.is_scale}


def read_attribute(item: h5py.Group | h5py.Dataset, name: str) -> Any:
    """The attribute ``name``, as h5py reads it. Raises ContentError if there is none or it is empty."""
    value = item.attrs.get(name)
    if value is None or isinstance(value, h5py.Empty):
        raise ContentError(f"{_place(item)} has no attribute {name!r}")
    return value


def read_text(item: h5py.Group | h5py.Dataset, name: str) -> str:
    """The attribute ``name``, a string. Raises ContentError if there is none."""
    value = read_attribute(item, name)
    if not isinstance(value, str):
        raise ContentError(f"{_place(item)}: attribute {name!r} is {value!r}, not a string")
    return value


def read_texts(item: h5py.Group | h5py.Dataset, name: str) -> tuple[str, ...]:
    """The attribute ``name``, a list of strings. Raises ContentError if there is none."""
    values = np.atleast_1d(read_attribute(item, name)).tolist()
    if not all(isinstance(value, str) for value in values):
        raise ContentError(f"{_place(item)}: attribute {name!r} is {values!r}, not strings")
    return tuple(values)


def read_json_attribute(item: h5py.Group | h5py.Dataset, name: str) -> Any:
    """The content of the attribute ``name``, which `add_attributes` stored as JSON.

    Raises ContentError if there is none or it is not JSON.
    """
    text = read_text(item, name)
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise ContentError(f"{_place(item)}: attribute {name!r} is not JSON ({error})") from None


def _place(item: h5py.Group | h5py.Dataset) -> str:
    """File and path of ``item``, for messages."""
    return f"{item.file.filename}: {item.name}"
