"""Whole-file writes: every output appears under its name only once it is complete."""

import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

FilePath = str | os.PathLike[str]
# Arrays in nested dictionaries, such as the parameters of a network by layer and name.
ArrayTree = dict[str, Any]

PARTIAL = ".partial-"  # prefix of a temporary file; a killed process leaves it behind


@contextmanager
def whole_file(path: FilePath) -> Iterator[Path]:
    """A temporary path beside ``path``, renamed to ``path`` when the block ends, removed if it raises.

    A killed process leaves nothing under ``path``. The temporary name keeps the suffix, from which
    some writers choose the format. An OSError without a file name, such as that of a full disk, gets ``path``
    as its file name.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f"{PARTIAL}{path.stem}-", suffix=path.suffix)
    except OSError as error:
        error.filename = str(path)
        raise
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o666 & ~_umask())  # mkstemp makes files that only their owner can read
        temporary.replace(path)
    except BaseException as error:
        temporary.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.filename is None:
            error.filename = str(path)
        raise


def write_json(path: FilePath, content: object) -> None:
    """Write ``content`` as indented JSON to ``path``, by `whole_file`.

    Raises ValueError if a number is NaN or infinite: JSON has neither.
    """
    write_text(path, json.dumps(content, indent=1, allow_nan=False) + "\n")


def write_text(path: FilePath, text: str) -> None:
    """Write ``text`` as UTF-8 to ``path``, by `whole_file`."""
    with whole_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_changed_json(path: FilePath, content: object) -> None:
    """`write_json`, unless ``path`` holds this ``content`` already: then its time of change stays."""
    try:
        unchanged = Path(path).is_file() and read_json(path) == content
    except ValueError:  # it is damaged
        unchanged = False
    if not unchanged:
        write_json(path, content)


def read_json(path: FilePath) -> Any:
    """The content of the JSON file ``path``."""
    return json.loads(Path(path).read_text(encoding="utf-8"))


def sha256(path: FilePath) -> str:
    """The hexadecimal SHA-256 digest of a file's bytes."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def json_sha256(content: object) -> str:
    """The hexadecimal SHA-256 digest of ``content`` as JSON, independent of the order of keys."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
