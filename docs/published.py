"""Prints the table of archives in published/README.md, from what each archive says of itself.

python docs/published.py --write
"""

import re
from pathlib import Path

from ntklens.analysis.tables import markdown_lines
from ntklens.storage.archives import Manifest, read_manifest
from ntklens.storage.files import sha256
from page_blocks import print_or_write

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "published" / "README.md"
BLOCK = re.compile(r"(?<=<!-- archives -->\n).*?(?=<!-- end of archives -->\n)", re.DOTALL)
HEADINGS = ("archive", "size", "run files", "made by commit", "on", "with", "core-hours", "SHA-256")


def table() -> str:
    """One row for each archive."""
    rows = [row(read_manifest(path)) for path in sorted(README.parent.glob("*.zip"))]
    return "\n".join(markdown_lines(HEADINGS, rows)) + "\n"


def row(manifest: Manifest) -> list[str]:
    """What the archive of ``manifest`` says of itself."""
    runs = manifest.about["runs"]
    jax = next(own for own in runs["versions"] if own.startswith("jax "))
    return [
        f"`{manifest.path.name}`",
        f"{manifest.path.stat().st_size / 1e6:.1f} MB",
        str(runs["files"]),
        ", ".join(f"`{commit[:10]}`" for commit in runs["commits"]),
        ", ".join(runs["devices"]),
        jax,
        f"{manifest.about['core_hours']:.2g}",
        f"`{sha256(manifest.path)}`",
    ]


def main() -> None:
    print_or_write(__doc__, table(), [README], BLOCK)


if __name__ == "__main__":
    main()
