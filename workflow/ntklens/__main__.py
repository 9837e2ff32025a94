"""``python -m ntklens``: the command line for people."""

import argparse
import sys

from ntklens.storage.inspection import describe


def main(argv=None):
    parser = argparse.ArgumentParser(prog="python -m ntklens", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    inspect = commands.add_parser("inspect", help="what an HDF5 file of the workflow holds")
    inspect.add_argument("file")
    args = parser.parse_args(argv)
    try:
        lines = describe(args.file)
    except OSError as error:
        sys.exit(f"inspect {args.file}: {' '.join(str(error).split())}")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
