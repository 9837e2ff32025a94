"""Split one dataset into the pool for training sets and the test samples."""

import argparse
import sys
from collections.abc import Sequence

from ntklens.data.settings import SplitSettings
from ntklens.data.subsets import SplitError, write_subset
from ntklens.machine.rule_script import run_script
from ntklens.storage.settings_reader import reader_of


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dataset", required=True, help="file written by fetch")
    parser.add_argument("--settings", required=True, type=reader_of(SplitSettings))
    parser.add_argument("--out", required=True)
    args = parser.parse_args(argv)
    try:
        write_subset(args.out, args.dataset, args.settings)
    except SplitError as error:
        sys.exit(f"subsample {args.dataset}: {error}")


if __name__ == "__main__":
    run_script(main)
