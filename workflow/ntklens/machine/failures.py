"""How a job fails: what its user can mend ends in one sentence, and only a fault of ours in a traceback."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from ntklens.storage.errors import FileError
from ntklens.storage.files import FilePath


@contextmanager
def explained(rule: str, out: FilePath) -> Iterator[None]:
    """Exit with one sentence if a file cannot be read or written, or is not what it should be.

    The sentence begins with the name of the ``rule`` and the file ``out`` that it was to make.
    """
    try:
        yield
    except FileError as error:
        sys.exit(f"{rule} {out}: {error}")
    except MemoryError:
        sys.exit(f"{rule} {out}: the memory that this job may use is full")
    except OSError as error:
        sys.exit(f"{rule} {out}: {_in_words(error)}")


def _in_words(error: OSError) -> str:
    if error.filename is None or error.strerror is None:
        return " ".join(str(error).split())
    return f"{error.filename}: {error.strerror}"
