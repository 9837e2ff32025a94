"""Load one dataset, check it and store it as HDF5."""

import argparse
import os
import sys
from collections.abc import Sequence

from ntklens.data.errors import DatasetError
from ntklens.data.loaders import write_dataset
from ntklens.data.registry import names
from ntklens.machine.rule_script import run_script

DOWNLOADING = 720.0  # minutes in which 170 MB come at 4 kB/s; a server that falls silent is left much earlier


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dataset", required=True, help=f"{', '.join(names())}; with --npz any other name")
    parser.add_argument(
        "--data-dir",
        default=os.environ.get("NTKLENS_DATA_DIR"),
        help="folder with the dataset's original files, by default $NTKLENS_DATA_DIR; none: download them",
    )
    parser.add_argument("--npz", help="a file of your own with the arrays images and labels")
    parser.add_argument("--out", required=True, help="HDF5 file to write")
    args = parser.parse_args(argv)
    try:
        write_dataset(args.out, args.dataset, args.data_dir or None, args.npz)
    except DatasetError as error:
        sys.exit(f"fetch {args.dataset}: {error}")


if __name__ == "__main__":
    run_script(main, minutes=DOWNLOADING)
