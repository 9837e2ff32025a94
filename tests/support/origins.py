"""Origins for files that tests write, and changes of files that keep their seal."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
from ntklens.storage.identity import SCHEMA, Kind
from ntklens.storage.sealing import BLOCK, block_of
from ntklens.storage.settings import as_plain, settings_sha256


def origin(kind: Kind, settings: Any = None, **more: Any) -> dict[str, Any]:
    """The origin of a file of this ``kind``, made with ``settings``."""
    settings = {} if settings is None else settings
    return {
        "kind": kind,
        "schema": SCHEMA,
        "settings": as_plain(settings),
        "settings_sha256": settings_sha256(settings),
        "commit": "0123abcd",
        "versions": {},
        "inputs": {},
        **more,
    }


@contextmanager
def resealed(path: Path) -> Iterator[h5py.File]:
    """The HDF5 file ``path``, open to be changed; its new content gets a seal of its own."""
    with h5py.File(path, "r+") as file:
        yield file
    content = path.read_bytes()[BLOCK:]
    path.write_bytes(block_of(hashlib.sha256(content).hexdigest()) + content)
