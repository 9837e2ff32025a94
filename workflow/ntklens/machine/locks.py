"""Locks between one user's processes on one machine. A lock ends with its process, even if that is killed.

A lock is an open file on which `flock` was called, which Linux and macOS both have. Descriptors from
`os.open` stay open until they are closed or the process ends, and child processes don't inherit them.
"""

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ntklens.storage.files import FilePath


def user_folder() -> Path:
    """The folder in the temporary directory for files that a user's jobs on this machine share.

    Raises PermissionError if it belongs to another user: its content could not be trusted.
    """
    folder = Path(tempfile.gettempdir(), f"ntk-lens-{os.getuid()}")
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.is_symlink() or folder.stat().st_uid != os.getuid():
        raise PermissionError(f"{folder} is another user's: remove it, or set TMPDIR to another folder")
    return folder


def lock(path: FilePath, shared: bool = False) -> int | None:
    """A descriptor that locks the file ``path``, which is made if missing; None if it is locked already.

    Several processes can hold a ``shared`` lock; while they do, none can hold an exclusive one.
    """
    descriptor = _open(path)
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


@contextmanager
def locked(path: FilePath) -> Iterator[None]:
    """Wait for the lock of the file ``path``, and hold it during the block."""
    descriptor = _open(path)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _open(path: FilePath) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
