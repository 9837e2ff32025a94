"""Files that tell whether they are whole, by a SHA-256 digest of all that they hold, checked before reading.

An HDF5 file starts with 512 bytes that the format leaves to its user. Ours hold two lines of text: name and
version of the seal, then the digest of every byte after them. So a damaged file never reaches HDF5's library,
which can hang on one. A JSON file has the digest of everything else in it under the key ``content_sha256``.

The digests protect against accidents. Whoever changes a file on purpose can change its digest too.
"""

import hashlib
import json
import stat
from collections.abc import Mapping
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

from ntklens.storage.errors import DamagedFileError, FileError
from ntklens.storage.files import FilePath, json_sha256, write_json

BLOCK = 512  # bytes before HDF5's own, the least that the format allows
SEAL = b"ntk-lens "
VERSION = 1
DIGEST_KEY = "content_sha256"
REMEDY = "delete it, and start again to make it anew"


def block_of(digest: str) -> bytes:
    """The bytes before those with the hexadecimal SHA-256 ``digest`` in an HDF5 file."""
    return (SEAL + f"{VERSION}\nsha256 {digest}\n".encode()).ljust(BLOCK, b"\0")


def is_sealed(path: FilePath) -> bool:
    """Whether the file ``path`` starts as a sealed HDF5 file does."""
    with Path(path).open("rb") as file:
        return file.read(len(SEAL)) == SEAL


def check_hdf5(path: FilePath) -> None:
    """Raise DamagedFileError unless the HDF5 file ``path`` is what was written.

    Raises FileError if it is no regular file or has no seal of this version, OSError if it cannot be read.
    """
    path = Path(path)
    require_regular(path)
    state = path.stat()
    _check_hdf5(path.resolve(), state.st_ino, state.st_size, state.st_mtime_ns)


@lru_cache(maxsize=1024)
def _check_hdf5(path: Path, *state: int) -> None:
    """`check_hdf5`, once in a process for each ``state`` of the file."""
    with path.open("rb") as file:
        block = file.read(BLOCK)
        if block == block_of(hashlib.file_digest(file, "sha256").hexdigest()):
            return
    if not block.startswith(SEAL):
        raise FileError(f"{path} is damaged, or this version of ntk-lens did not write it: {REMEDY}")
    raise DamagedFileError(f"{path} is damaged, it does not hold what was written to it: {REMEDY}")


def write_sealed_json(path: FilePath, content: Mapping[str, Any]) -> str:
    """Write ``content`` and its digest as JSON, and return the digest.

    Raises ValueError if a number is NaN or infinite.
    """
    plain = json.loads(json.dumps(content, allow_nan=False))
    digest = json_sha256(plain)
    write_json(path, {**plain, DIGEST_KEY: digest})
    return digest


def read_sealed_json(path: FilePath) -> dict[str, Any]:
    """The content of a file that `write_sealed_json` wrote, without the digest.

    Raises DamagedFileError unless it is what was written, and OSError if it cannot be read.
    """
    require_regular(path)
    content: Any = None
    with suppress(ValueError, RecursionError):  # of bytes that are no JSON, or brackets without end
        content = json.loads(Path(path).read_bytes())
    digest = content.pop(DIGEST_KEY, None) if isinstance(content, dict) else None
    if digest != json_sha256(content):
        raise DamagedFileError(f"{path} is damaged, it does not hold what was written to it: {REMEDY}")
    return content


def require_regular(path: FilePath) -> None:
    """Raise FileError if ``path`` is a folder, a pipe or a device, on which a reader would fail or wait."""
    if not stat.S_ISREG(Path(path).stat().st_mode):
        raise FileError(f"{path} is no regular file: {REMEDY}")
