"""Whole files or none: every output appears under its name only once it is complete."""

import hashlib
import json
import os
import tempfile
from contextlib import contextmanager
from pathlib import Path

FilePath = str | os.PathLike[str]

PARTIAL = ".partial-"  # a file that a killed process left unfinished: its name goes on with the whole file's


@contextmanager
def whole_file(path):
    """A temporary path beside ``path``, moved there when the block ends well, removed otherwise.

    A killed process leaves nothing under ``path``. The temporary name keeps the suffix, by which
    some writers choose a format. An OSError that names no file gets ``path``: that of a full disk is one.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f"{PARTIAL}{path.stem}-", suffix=path.suffix)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o666 & ~_umask())  # mkstemp gives files that only their owner may read
        temporary.replace(path)
    except BaseException as error:
        temporary.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.filename is None:
            error.filename = str(path)
        raise


def write_json(path, content):
    """Write ``content`` as indented JSON to ``path``, whole or not at all.

    Raises ValueError where a number is NaN or infinite: JSON has neither.
    """
    text = json.dumps(content, indent=1, allow_nan=False)
    with whole_file(path) as temporary:
        temporary.write_text(text + "\n")


def read_json(path):
    return json.loads(Path(path).read_text())


def sha256(path):
    """The hexadecimal SHA-256 digest of a file's bytes."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def json_sha256(content):
    """The hexadecimal SHA-256 digest of ``content`` as JSON, whatever the order of its keys."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask
