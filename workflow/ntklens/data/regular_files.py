"""Data files are regular files: opening a FIFO would wait for ever, and reading a device might not end."""

import os
import stat
from pathlib import Path

from ntklens.data.errors import DatasetError
from ntklens.storage.files import FilePath


def check_regular(path: FilePath) -> None:
    """Raise DatasetError unless ``path`` is, or links to, a regular file that may be read.

    Raises FileNotFoundError if nothing is there.
    """
    try:
        mode = Path(path).stat().st_mode
    except FileNotFoundError:
        raise
    except (OSError, ValueError) as error:  # ValueError: a character that no file name can have
        raise DatasetError(f"{path} cannot be opened ({reason(error)})", "correct its path") from None
    if not stat.S_ISREG(mode):
        raise DatasetError(f"{path} is {_kind(mode)}, not a regular file", "give a file's path")
    if not os.access(path, os.R_OK):
        raise DatasetError(f"{path} may not be read by this user", "change its permissions")


def is_regular(path: Path) -> bool:
    """Whether there is a regular file at ``path``; False too if there cannot be one."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def is_folder(path: Path) -> bool:
    """Whether there is a folder at ``path``; False too if there cannot be one."""
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def reason(error: Exception) -> str:
    """What ``error`` says, without a path again, or its class if it says nothing."""
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def _kind(mode: int) -> str:
    """What a file of this ``mode`` is, in words."""
    kinds = {stat.S_IFDIR: "a folder", stat.S_IFIFO: "a FIFO", stat.S_IFSOCK: "a socket"}
    return kinds.get(stat.S_IFMT(mode), "a device")
