"""The arrays of an npz file, by name: their headers, and their values, read without unpickling."""

import math
import os
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Shaped

from ntklens.data.errors import DatasetError
from ntklens.data.regular_files import check_regular, reason
from ntklens.storage.files import FilePath

NPZ_NEEDS = "numpy.savez(path, images=..., labels=...) makes such a file"
HEADERS = {
    1: np.lib.format.read_array_header_1_0,
    2: np.lib.format.read_array_header_2_0,
    3: np.lib.format.read_array_header_2_0,  # differs from 2 only in names of fields, which images lack
}


class Header(NamedTuple):
    """Shape and type of an array, as its file states them."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]


class NpzFile:
    """An open npz file. Its methods raise DatasetError, which names the file and the array."""

    def __init__(self, archive: zipfile.ZipFile, path: FilePath) -> None:
        self.path = path
        self._archive = archive
        self._names = archive.namelist()

    def __contains__(self, key: str) -> bool:
        return f"{key}.npy" in self._names

    def header(self, key: str) -> Header:
        """The `Header` of the array ``key``, whose data has the size that it states."""
        self._check_name(key)
        with self._damage_reported(key), self._archive.open(f"{key}.npy") as file:
            version, _ = np.lib.format.read_magic(file)
            shape, _, dtype = HEADERS[version](file)
            stated = math.prod(shape) * dtype.itemsize
            found = self._archive.getinfo(f"{key}.npy").file_size - file.tell()
            if dtype.hasobject:
                raise ValueError("it holds Python objects")
            if min(shape, default=0) < 0 or stated != found:
                raise ValueError(f"an array {shape} of {dtype} needs {stated} bytes, but it has {found}")
        return Header(shape, dtype)

    def array(self, key: str) -> Shaped[np.ndarray, "..."]:
        """The array ``key``."""
        shape, dtype = self.header(key)
        size, memory = math.prod(shape) * dtype.itemsize, _physical_memory()
        if size > memory:
            raise DatasetError(
                f"{self.path}: {key!r} takes {size / 1e9:.1f} GB, more than this machine's memory of "
                f"{memory / 1e9:.1f} GB; keep fewer or smaller images"
            )
        with self._damage_reported(key), self._archive.open(f"{key}.npy") as file:
            array = np.lib.format.read_array(file, allow_pickle=False)
            file.read()  # at its end zipfile compares the checksum
            return array

    def _check_name(self, key: str) -> None:
        if key not in self:
            raise DatasetError(f"{self.path} has no array {key!r}: {NPZ_NEEDS}")
        if self._names.count(f"{key}.npy") > 1:
            raise DatasetError(f"{self.path} has several arrays {key!r}: {NPZ_NEEDS}")

    @contextmanager
    def _damage_reported(self, key: str) -> Iterator[None]:
        try:
            yield
        except Exception as error:  # zipfile, zlib and NumPy raise different errors for each kind of damage
            raise DatasetError(
                f"{self.path}: {key!r} is damaged or not an array of numbers ({reason(error)}); write the "
                "file again"
            ) from None


@contextmanager
def npz_file(path: FilePath) -> Iterator[NpzFile]:
    """Open the npz file ``path``. Raises FileNotFoundError, and DatasetError if it is none."""
    check_regular(path)
    try:
        archive = zipfile.ZipFile(path)
        names = NpzFile(archive, path)
    except Exception as error:  # of nearly any class, since every field of the file may be damaged
        raise DatasetError(f"{path} is not an npz file ({reason(error)}): {NPZ_NEEDS}") from None
    with archive:
        yield names


def _physical_memory() -> int:
    """This machine's memory in bytes."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
