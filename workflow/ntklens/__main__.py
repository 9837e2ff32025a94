"""Show what the files of the workflow contain, and where figures come from."""

import argparse
import sys
from collections.abc import Sequence

from ntklens.machine.terminal import show
from ntklens.storage.errors import FileError
from ntklens.storage.files import FilePath
from ntklens.storage.inspection import describe
from ntklens.storage.tracing import chain_of, report, summary


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m ntklens", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    inspect = commands.add_parser("inspect", help="show what an HDF5 file holds, and where it comes from")
    inspect.add_argument("file", help="such as a run file, or a file of averages")
    trace = commands.add_parser("trace", help="check every file behind a figure, back to the dataset")
    trace.add_argument("figures", nargs="+", help="a figure's JSON file, PDF or PNG; or any other result")
    trace.add_argument("--brief", action="store_true", help="print one line for each figure")
    args = parser.parse_args(argv)
    if args.command == "inspect":
        print_content(args.file)
    else:
        print_chains(args.figures, args.brief)


def print_content(file: FilePath) -> None:
    """Print what ``file`` holds; exit with one sentence if it cannot be read."""
    try:
        lines = describe(file)
    except (FileError, OSError) as error:
        sys.exit(f"inspect {file}: {' '.join(str(error).split())}")
    show("\n".join(lines))


def print_chains(figures: Sequence[FilePath], brief: bool) -> None:
    """Print the chain of files behind each of ``figures``; exit with status 1 if one of them fails."""
    chains = [chain_of(figure) for figure in figures]
    for chain in chains:
        show(summary(chain) if brief else "\n".join(report(chain)))
    if any(link.problem for chain in chains for link in chain):
        sys.exit(1)


if __name__ == "__main__":
    main()
