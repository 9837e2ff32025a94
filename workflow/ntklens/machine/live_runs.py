"""Which runs of Snakemake live in a folder: each holds a shared lock of a file there until its process ends.

Runs on several machines see each other if the folder's file system carries `flock` between them, as NFS does
and Lustre where it is mounted with `flock`.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ntklens.machine.locks import lock

PAUSE = 0.1  # seconds between two looks at a lock


def lock_file() -> Path:
    """The file, in the folder that Snakemake runs in, that the runs of this user lock."""
    return Path(".snakemake", f"runs-of-user-{os.getuid()}.lock")


def may_live() -> bool:
    """Whether a run of this user lives in the folder; also if the file system has no locks to tell."""
    try:
        descriptor = lock(lock_file())
    except OSError:
        return True
    if descriptor is not None:
        os.close(descriptor)
    return descriptor is None


@contextmanager
def joined() -> Iterator[bool]:
    """Count as a live run from now on; during the block, whether this run is known to be the only one.

    Another run that starts meanwhile waits for the end of the block. Where a file system has no locks, no run
    is known to be the only one.
    """
    try:
        only = lock(lock_file())
        while only is None and lock(lock_file(), shared=True) is None:
            time.sleep(PAUSE)  # another run is in its block
    except OSError:
        yield False
        return
    yield only is not None
    if only is not None:
        fcntl.flock(only, fcntl.LOCK_SH)
