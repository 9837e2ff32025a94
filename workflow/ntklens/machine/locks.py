"""Locks between one user's processes on one machine. They end with their process, however it ends.

A lock is an open file on which `flock` was called. Descriptors from `os.open` stay open until they are closed
or the process ends, and the programs that it starts don't inherit them.
"""

import fcntl
import os
import tempfile
from contextlib import contextmanager
from pathlib import Path


def user_folder():
    """This user's folder for what his jobs on this machine share, in the temporary directory.

    Raises PermissionError where it is somebody else's: what is read from it has to be trusted.
    """
    folder = Path(tempfile.gettempdir(), f"ntk-lens-{os.getuid()}")
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.is_symlink() or folder.stat().st_uid != os.getuid():
        raise PermissionError(f"{folder} is another user's: remove it, or set TMPDIR to another folder")
    return folder


def lock(path, shared=False):
    """A descriptor that locks the file ``path``, made where it is missing; None where it is locked already.

    Several processes may hold it ``shared``, then none alone.
    """
    descriptor = _open(path)
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


@contextmanager
def locked(path):
    """Holds the lock of the file ``path`` during the block; waits for it."""
    descriptor = _open(path)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _open(path):
    return os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
