"""Write what is generated from the config's models: the JSON schema and the tables of config/README.md."""

import argparse
import sys
from collections.abc import Sequence
from difflib import unified_diff

from ntklens.planning.config.documentation import ROOT, documents


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m ntklens.planning.config", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a file differs")
    check = parser.parse_args(argv).check
    drifted = drift()
    if check and drifted:
        sys.exit(f"{drifted}run `python -m ntklens.planning.config` to write these files")
    if not check:
        for path, text in documents().items():
            path.write_text(text, encoding="utf-8")


def drift() -> str:
    """How the generated files differ from what the models say; empty if they do not."""
    lines: list[str] = []
    for path, text in documents().items():
        name = str(path.relative_to(ROOT))
        old = path.read_text(encoding="utf-8").splitlines(keepends=True) if path.exists() else []
        lines += unified_diff(old, text.splitlines(keepends=True), name, f"{name} from the models")
    return "".join(lines)


if __name__ == "__main__":
    main()
