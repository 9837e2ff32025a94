"""Set the numbers of every curve of widths beside those of its baseline: the robustness table."""

import argparse
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from ntklens.analysis.measures.results import CannotMeasureError, CurveResults
from ntklens.analysis.robustness import Varied, as_csv, as_markdown, rows_of
from ntklens.analysis.settings import AveragingSettings, RobustnessSettings
from ntklens.analysis.variations import Spectra, spectra_of
from ntklens.machine.rule_script import run_script
from ntklens.storage.averages import read_averages
from ntklens.storage.curve import Curve
from ntklens.storage.files import write_text
from ntklens.storage.run_identity import files_of, read_runs
from ntklens.storage.settings_reader import reader_of


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--averages", required=True, nargs="*", help="one file for each curve")
    parser.add_argument("--runs", required=True, nargs="*", help="the run files of the baselines")
    parser.add_argument("--settings", required=True, type=reader_of(RobustnessSettings))
    parser.add_argument("--out", required=True, help="the CSV file; .md goes beside it")
    args = parser.parse_args(argv)
    compare(args.averages, args.runs, args.settings, Path(args.out))


def compare(averages: Sequence[str], runs: Sequence[str], settings: RobustnessSettings, out: Path) -> None:
    """Write the robustness table to ``out``."""
    if not settings.curves:
        sys.exit(f"robustness {out}: the config has no study model-scaling to compare others with")
    try:
        spectra = read_spectra(runs, settings.baselines)
    except CannotMeasureError as error:
        sys.exit(f"robustness {out}: {error}")
    curves = [
        Varied(
            own,
            CurveResults(read_averages(path, own.analysis.averages), own.analysis),
            spectra.get(own.analysis.curve, {}),
        )
        for own, path in zip(settings.curves, averages, strict=True)
    ]
    rows = rows_of(curves)
    write_text(out.with_suffix(".md"), as_markdown(rows, f"Robustness of the config '{settings.name}'"))
    write_text(out, as_csv(rows))


def read_spectra(
    paths: Sequence[str], baselines: Iterable[AveragingSettings]
) -> Mapping[Curve, Mapping[int, Spectra]]:
    """The `Spectra` at the minima in the run files of ``baselines``, by curve and scale."""
    spectra: dict[Curve, dict[int, Spectra]] = {}
    for own in baselines:
        found = read_runs(files_of(own.curve, paths), own.runs, own.seeds)
        spectra[own.curve] = {scale: spectra_of(found[point]) for point, scale in own.points.items()}
    return spectra


if __name__ == "__main__":
    run_script(main)
