"""How a rule's script ends where its machine fails it: in time, and with one sentence instead of a traceback.

A script calls `run_script` as its last line:

    if __name__ == "__main__":
        run_script(main)
"""

import errno
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ntklens.machine import watchdog
from ntklens.storage.errors import FileError

MINUTES = 30.0  # of a local rule, whose work takes seconds
VARIABLE = "NTKLENS_MINUTES"  # sets another limit
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def run_script(main: Callable[[], None], minutes: float | None = MINUTES) -> None:
    """Call ``main``; end this process if it takes more than ``minutes``, or with no limit if that is None.

    Exits with one sentence, which names the script, its output and the reason, where a file is not what it
    should be or cannot be read or written, and where the disk or the memory is full.
    """
    job = _job()
    try:
        if minutes is None:
            main()
        else:
            with _limit(job, minutes):
                main()
    except FileError as error:
        sys.exit(f"{job}: {error}")
    except OSError as error:
        sys.exit(f"{job}: {_reason(error)}")
    except MemoryError as error:
        sys.exit(f"{job}: there is not enough memory ({_one_line(error) or 'none is left'})")


@contextmanager
def _limit(job: str, minutes: float) -> Iterator[None]:
    """Let a `watchdog` end this process if the block takes more than ``minutes``, or than `VARIABLE` says."""
    try:
        minutes = float(os.environ.get(VARIABLE) or minutes)
    except ValueError:
        sys.exit(f"{job}: {VARIABLE} must be a number of minutes, not {os.environ[VARIABLE]!r}")
    sentence = (
        f"{job}: ended because it took more than {minutes:g} minutes. An input can be damaged, or its disk "
        f"may not answer; where neither is so, allow more by {VARIABLE}"
    )
    # -I and -S: it starts in milliseconds and depends on no environment.
    program = [sys.executable, "-I", "-S", watchdog.__file__]
    command = [*program, str(os.getpid()), str(60 * minutes), sentence]
    # A session of its own: Ctrl-C ends the script, and then the watchdog ends by itself.
    with subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True):
        yield


def _job() -> str:
    """The script's name and, if it was given one, its output."""
    words = sys.argv[1:]
    output = words[words.index("--out") + 1 :][:1] if "--out" in words else []
    return " ".join([Path(sys.argv[0]).stem, *output])


def _reason(error: OSError) -> str:
    """What is wrong, with the name of the file as far as ``error`` knows it."""
    what = error.strerror or _one_line(error)
    named = what if error.filename is None else f"{error.filename}: {what}"
    if error.errno in NO_ROOM:
        return f"{named}. Make room, then start again: what is finished stays"
    return named


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())
