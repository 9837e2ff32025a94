"""Files that say where they come from: HDF5 in the attributes of the root, JSON under ``provenance``."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from ntklens.storage.files import FilePath
from ntklens.storage.hdf5 import add_attributes, new_file, read_attribute, whole_hdf5
from ntklens.storage.identity import Kind, check_identity
from ntklens.storage.labels import PLOT_ATTRIBUTES
from ntklens.storage.sealing import read_sealed_json, write_sealed_json


@contextmanager
def new_record(path: FilePath, description: str, origin: Mapping[str, object]) -> Iterator[h5py.File]:
    """An HDF5 file with this ``origin`` open for writing, as `new_file`."""
    with new_file(path, description) as file:
        add_attributes(file, origin)
        yield file


@contextmanager
def opened(path: FilePath, kind: Kind, made_with: str | None = None) -> Iterator[h5py.File]:
    """The HDF5 file ``path`` open for reading, once it is known to be whole and the one asked for.

    Raises FileError where it is not (`check_identity`), and OSError if it cannot be read.
    """
    with whole_hdf5(path) as file:
        check_identity(path, origin_in(file), kind, made_with)
        yield file


def write_record(path: FilePath, content: Mapping[str, Any], origin: Mapping[str, Any]) -> str:
    """Write ``content`` and its ``origin`` as JSON, and return the digest of both.

    Raises ValueError if a number is NaN or infinite.
    """
    return write_sealed_json(path, {**content, "provenance": origin})


def read_record(path: FilePath, kind: Kind, made_with: str | None = None) -> dict[str, Any]:
    """The content of a file that `write_record` wrote. Raises as `opened` does."""
    content = read_sealed_json(path)
    check_identity(path, content.get("provenance", {}), kind, made_with)
    return content


def origin_of(path: FilePath) -> dict[str, Any]:
    """The origin of any file of the workflow.

    Raises FileError if it is damaged, and OSError if it cannot be read.
    """
    if Path(path).suffix == ".json":
        return read_sealed_json(path).get("provenance", {})
    with whole_hdf5(path) as file:
        return origin_in(file)


def origin_in(file: h5py.File) -> dict[str, Any]:
    """The attributes of the root but those on plotting, dictionaries and lists read from JSON."""
    names = [name for name in file.attrs if name not in PLOT_ATTRIBUTES]
    return {name: _plain(read_attribute(file, name)) for name in names}


def _plain(value: Any) -> Any:
    if isinstance(value, str) and value.startswith(("{", "[")):
        return json.loads(value)
    return value.item() if isinstance(value, np.generic) else value
