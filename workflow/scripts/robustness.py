"""Set the numbers of every curve of widths beside those of its baseline: the robustness table."""

import argparse
import sys
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

from ntklens.analysis.measures.results import CannotMeasureError, CurveResults
from ntklens.analysis.robustness import Varied, as_csv, as_markdown, rows_of
from ntklens.analysis.settings import RobustnessSettings
from ntklens.analysis.variations import Spectra, spectra_of
from ntklens.storage.averages import read_averages
from ntklens.storage.curve import Curve
from ntklens.storage.files import FilePath, write_text
from ntklens.storage.run_files import read_run
from ntklens.storage.run_identity import RunIdentityError, place_of
from ntklens.storage.settings import reader_of


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--averages", required=True, nargs="*", help="one file for each curve")
    parser.add_argument("--runs", required=True, nargs="*", help="the run files of the baselines")
    parser.add_argument("--settings", required=True, type=reader_of(RobustnessSettings))
    parser.add_argument("--out", required=True, help="the CSV file; .md goes beside it")
    args = parser.parse_args(argv)
    settings: RobustnessSettings = args.settings
    if not settings.curves:
        sys.exit(f"robustness {args.out}: the config has no study model-scaling to compare others with")
    try:
        spectra = read_spectra(args.runs)
    except (RunIdentityError, CannotMeasureError) as error:
        sys.exit(f"robustness {args.out}: {error}")
    curves = [
        Varied(own, CurveResults(read_averages(path), own.analysis), spectra.get(own.analysis.curve, {}))
        for own, path in zip(settings.curves, args.averages, strict=True)
    ]
    rows = rows_of(curves)
    out = Path(args.out)
    write_text(out.with_suffix(".md"), as_markdown(rows, f"Robustness of the config '{settings.name}'"))
    write_text(out, as_csv(rows))


def read_spectra(paths: Iterable[FilePath]) -> dict[Curve, dict[int, Spectra]]:
    """The `Spectra` at the minima in run files, by curve and scale."""
    files: defaultdict[tuple[Curve, int], list[FilePath]] = defaultdict(list)
    for path in paths:
        files[place_of(path)].append(path)
    spectra: defaultdict[Curve, dict[int, Spectra]] = defaultdict(dict)
    for (curve, scale), own in files.items():
        spectra[curve][scale] = spectra_of([one for path in own for one in read_run(path)])
    return spectra


if __name__ == "__main__":
    main()
