"""Write the gallery: one HTML file with the paper's claims, all figures and the spectra of a config."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import yaml
from ntklens.analysis.claims import ClaimsError, claims_from
from ntklens.gallery.contents import read_curves, read_figure
from ntklens.gallery.page import page
from ntklens.gallery.settings import GallerySettings
from ntklens.gallery.verdicts import ShownClaim, shown_claims
from ntklens.machine.rule_script import run_script
from ntklens.storage.files import write_text
from ntklens.storage.settings_reader import reader_of


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--settings", required=True, type=reader_of(GallerySettings))
    parser.add_argument("--figures", required=True, nargs="*", help="the JSON file of each figure")
    parser.add_argument("--captions", required=True, nargs="*", help="a file for each figure")
    parser.add_argument("--averages", required=True, nargs="*", help="one file for each curve")
    parser.add_argument("--claims", required=True, help="config/claims.yaml")
    parser.add_argument(
        "--comparison", required=True, nargs="*", help="the CSV table of the paper's claims, if there is one"
    )
    parser.add_argument("--out", required=True, help="the HTML file")
    args = parser.parse_args(argv)
    settings: GallerySettings = args.settings
    claims = read_claims(args.comparison[0], args.claims) if args.comparison else []
    curves = read_curves(settings.curves, args.averages)
    figures = [
        read_figure(shown, file, read_caption(caption), claims_of(shown.key, claims), curves.seeds)
        for shown, file, caption in zip(settings.figures, args.figures, args.captions, strict=True)
    ]
    write_text(args.out, page(settings.name, figures, claims, curves))


def read_claims(table: str, claims: str) -> list[ShownClaim]:
    """The claims with their results in ``table``. Exits with one sentence where ``claims`` is of no use."""
    try:
        known = claims_from(yaml.safe_load(Path(claims).read_text("utf-8")))
    except (ClaimsError, UnicodeDecodeError, yaml.YAMLError) as error:
        sys.exit(f"gallery {claims}: {' '.join(str(error).split())}")
    return shown_claims(Path(table).read_text("utf-8"), known)


def read_caption(path: str) -> str:
    """The text of a caption, without the line breaks of its file."""
    return " ".join(Path(path).read_text("utf-8").split())


def claims_of(figure: str, claims: Sequence[ShownClaim]) -> list[ShownClaim]:
    """The claims that the paper makes of ``figure``."""
    return [claim for claim in claims if claim.figure == figure]


if __name__ == "__main__":
    run_script(main)
