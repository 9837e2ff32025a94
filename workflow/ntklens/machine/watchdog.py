"""Ends a process that does not finish in time. It runs as a process of its own, without any package.

A library in C that hangs while it holds the GIL, as HDF5's can on a damaged file, lets neither a thread nor a
signal handler of Python run.
"""

import os
import select
import signal
import sys
from collections.abc import Sequence

STDIN, STDERR = 0, 2


def main(argv: Sequence[str]) -> None:
    """Kill the parent process after some seconds, unless it has ended and so closed the pipe to our stdin.

    ``argv`` are the parent's process number, the seconds, and a sentence for stderr that says what happened.
    """
    parent, seconds, sentence = int(argv[0]), float(argv[1]), argv[2]
    ended, _, _ = select.select([STDIN], [], [], seconds)
    # The number of a process that has ended can become another's.
    if not ended and os.getppid() == parent:
        os.write(STDERR, os.fsencode(f"{sentence}\n"))
        os.kill(parent, signal.SIGKILL)


if __name__ == "__main__":
    main(sys.argv[1:])
