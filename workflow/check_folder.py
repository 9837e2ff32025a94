"""Exit with one sentence if no environment can be set up in this folder, because of the folder's path.

A colon separates the folders of PATH, so venv refuses it. The first line of a program that pip installs has
the path of its Python. If that path has a space or is long, the line quotes it for a shell, which reads some
characters in another way.
"""

import sys
from pathlib import Path

SPECIAL = '"$`\\'  # to a shell, between double quotes
LONGEST = 127  # bytes of a first line that every system reads whole, with #! and the line's end


def defect(folder: Path) -> str | None:
    """What the path of ``folder`` has that an environment in it cannot have; None if nothing."""
    path = str(folder / ".venv" / "bin" / "python3")
    quoted = " " in path or len(path.encode(errors="surrogateescape")) + 3 > LONGEST
    if ":" in path:
        return "a colon, which separates the folders of PATH"
    if any(not character.isprintable() for character in path):
        return "a character that cannot be printed"
    if quoted and any(character in path for character in SPECIAL):
        listed = " ".join(SPECIAL)
        return f"one of {listed} beside a space or in a long path, which pip's programs cannot have"
    return None


if __name__ == "__main__":
    folder = Path.cwd()
    found = defect(folder)
    if found is not None:
        sys.exit(f"ntk-lens cannot be set up in the folder {str(folder)!r}: its path has {found}. Rename it.")
