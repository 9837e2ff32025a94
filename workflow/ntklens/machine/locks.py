"""Locks between one user's processes on one machine. A lock ends with its process, even if that is killed.

A lock is an open file on which `flock` was called, which Linux and macOS both have. Descriptors from
`os.open` stay open until they are closed or the process ends, and child processes don't inherit them.
"""

import fcntl
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ntklens.storage.files import FilePath


def user_folder() -> Path:
    """The folder in the temporary directory for files that a user's jobs on this machine share.

    Raises PermissionError unless it is a folder of this user that no other user can change: what others put
    there would be trusted, and what a link leads to would be deleted. Raises OSError if there is no temporary
    directory, or the folder cannot be made.
    """
    return private_folder(Path(tempfile.gettempdir(), f"ntk-lens-{os.getuid()}"))


def private_folder(path: Path) -> Path:
    """``path``, which is made if missing. Raises as `user_folder`."""
    with suppress(FileExistsError):
        path.mkdir(mode=0o700)
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode):
        defect = "is a link or a file, not a folder"
    elif found.st_uid != os.getuid():
        defect = "is another user's"
    elif found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        defect = f"may be changed by other users (mode {stat.S_IMODE(found.st_mode):o})"
    else:
        return path
    raise PermissionError(f"{path} {defect}: remove it, or set TMPDIR to another folder")


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
    # A link could make the file of another process the lock; opening a FIFO would wait for its other end.
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK, 0o600)
