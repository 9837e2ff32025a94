"""Show what the files of the workflow contain."""

import argparse
import sys
from collections.abc import Sequence

from ntklens.storage.inspection import describe


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m ntklens", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    inspect = commands.add_parser("inspect", help="show what an HDF5 file holds, and where it comes from")
    inspect.add_argument("file", help="such as a run file, or a file of averages")
    args = parser.parse_args(argv)
    try:
        lines = describe(args.file)
    except OSError as error:
        sys.exit(f"inspect {args.file}: {' '.join(str(error).split())}")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
