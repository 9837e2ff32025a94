"""Text for people, on whatever terminal they have."""

import sys


def show(text: str) -> None:
    """Print ``text``, with escapes in place of the signs, such as Θ, that stdout's encoding lacks."""
    encoding = sys.stdout.encoding or "utf-8"
    print(text.encode(encoding, "backslashreplace").decode(encoding))
