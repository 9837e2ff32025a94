"""Set every claim of the paper beside the results of a config."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import yaml
from ntklens.analysis.claims import ClaimsError, claims_from
from ntklens.analysis.comparison import as_csv, as_html, as_markdown
from ntklens.analysis.judging import Judged, judge
from ntklens.analysis.measures.results import CurveResults
from ntklens.analysis.settings import ComparisonSettings
from ntklens.machine.rule_script import run_script
from ntklens.storage.averages import read_averages
from ntklens.storage.files import write_text
from ntklens.storage.settings_reader import reader_of


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--claims", required=True, help="config/claims.yaml")
    parser.add_argument("--averages", required=True, nargs="*", help="one file for each curve")
    parser.add_argument("--settings", required=True, type=reader_of(ComparisonSettings))
    parser.add_argument("--out", required=True, help="the CSV file; .md and .html go beside it")
    args = parser.parse_args(argv)
    compare(args.claims, args.averages, args.settings, Path(args.out))


def compare(claims: str, averages: Sequence[str], settings: ComparisonSettings, out: Path) -> None:
    """Write the table of ``claims`` beside the results of ``averages`` to ``out``."""
    if not settings.curves:
        sys.exit(f"comparison {out}: the config has none of the paper's studies, which the claims are about")
    judged = [
        Judged(curve, CurveResults(read_averages(path, curve.analysis.averages), curve.analysis))
        for curve, path in zip(settings.curves, averages, strict=True)
    ]
    try:
        rows = judge(claims_from(yaml.safe_load(Path(claims).read_text("utf-8"))), judged)
    except (ClaimsError, UnicodeDecodeError, yaml.YAMLError) as error:
        sys.exit(f"comparison {claims}: {' '.join(str(error).split())}")
    title = f"The paper's claims beside the results of the config '{settings.name}'"
    write_text(out.with_suffix(".md"), as_markdown(rows, title))
    write_text(out.with_suffix(".html"), as_html(rows, title))
    write_text(out, as_csv(rows))


if __name__ == "__main__":
    run_script(main)
