"""Text that a script makes of the project, and its place in a page; shared by the scripts in this folder."""

import argparse
import re
from collections.abc import Iterable
from pathlib import Path


def print_or_write(description: str | None, text: str, pages: Iterable[Path], block: re.Pattern[str]) -> None:
    """Print ``text`` or, with --write on the command line, replace ``block`` by it in ``pages``."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--write", action="store_true", help="replace the text in its page instead of printing it"
    )
    if not parser.parse_args().write:
        print(text, end="")
        return
    for page in pages:
        page.write_text(block.sub(lambda _: text, page.read_text(encoding="utf-8")), encoding="utf-8")
