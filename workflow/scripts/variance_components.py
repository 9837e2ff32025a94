"""Split the spread of key quantities into initialisation, training draw and NTK draw."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from ntklens.analysis.data_draws import DataDrawsError, DrawnRuns, drawn_runs
from ntklens.analysis.settings import VarianceSettings
from ntklens.analysis.variance_table import as_csv, as_markdown, terms_of
from ntklens.machine.rule_script import run_script
from ntklens.storage.files import write_text
from ntklens.storage.run_identity import files_of, read_runs
from ntklens.storage.settings_reader import reader_of


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", required=True, nargs="*", help="run files of all curves")
    parser.add_argument("--settings", required=True, type=reader_of(VarianceSettings))
    parser.add_argument("--out", required=True, help="the CSV file; .md goes beside it")
    args = parser.parse_args(argv)
    split(args.runs, args.settings, args.out)


def split(paths: Sequence[str], settings: VarianceSettings, out: str) -> None:
    """Write the variance components in the run files ``paths`` to ``out``."""
    if not settings.groups:
        sys.exit(f"variance_components {out}: the config has no studies that differ in their draw_seed alone")
    terms = []
    try:
        for group in settings.groups:
            draws = [read_runs(files_of(own.curve, paths), own.runs, own.seeds) for own in group.curves]
            for point, scale in group.curves[0].points.items():
                runs = drawn_runs([own[point] for own in draws])
                print(f"{group.title}, {point}: {report(runs)}", file=sys.stderr)
                terms += terms_of(group.title, scale, runs, settings.simulations)
    except DataDrawsError as error:
        sys.exit(f"variance_components {out}: {error}")
    write_text(Path(out).with_suffix(".md"), as_markdown(terms))
    write_text(out, as_csv(terms))


def report(runs: DrawnRuns) -> str:
    """How many networks were used, and how good the snapshots nearest to their minima are."""
    draws, seeds, ntk_draws = runs.trace.shape
    return (
        f"{draws} training draws of {seeds} seeds, {ntk_draws} NTK draws; the nearest snapshot is at most "
        f"{runs.epochs_apart:.0%} of the minimum's epoch away from it"
    )


if __name__ == "__main__":
    run_script(main)
