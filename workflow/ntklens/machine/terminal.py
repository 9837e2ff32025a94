"""Text for people, on whatever terminal they have."""

import os
import sys


def show(text: str) -> None:
    """Print ``text``, with escapes in place of the signs, such as Θ, that stdout's encoding lacks.

    Where nobody reads on, as in ``… | head``, the rest goes nowhere.
    """
    encoding = sys.stdout.encoding or "utf-8"
    try:
        print(text.encode(encoding, "backslashreplace").decode(encoding), flush=True)
    except BrokenPipeError:
        # Python writes what is left in stdout's buffer when it ends, and would complain then.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
