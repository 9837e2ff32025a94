"""The page itself: one HTML file that holds its style, its programs, Plotly and all data.

It loads nothing: its Content-Security-Policy forbids every request. Jinja escapes all that is inserted.
"""

from collections.abc import Sequence
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from ntklens.gallery.contents import FigurePart, MeasuredCurves
from ntklens.gallery.embedding import packed
from ntklens.gallery.labels import as_html, with_indices
from ntklens.gallery.verdicts import ShownClaim, counts_of

PARTS = "ntklens.gallery"
PROGRAMS = ("unpack.js", "plots.js", "figures.js", "spectrum.js", "page.js")  # in the order in which they run


def page(
    name: str, figures: Sequence[FigurePart], claims: Sequence[ShownClaim], curves: MeasuredCurves
) -> str:
    """The HTML of the gallery of the config ``name``. ``claims`` are all, those of ``figures`` included."""
    environment = Environment(
        loader=PackageLoader(PARTS, "page"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["indices"] = lambda text: Markup(with_indices(text))
    environment.filters["formula"] = lambda label: Markup(as_html(label))
    shown = {claim for figure in figures for claim in map(id, figure.claims)}
    return environment.get_template("page.html.j2").render(
        name=name,
        figures=figures,
        counts=counts_of(claims),
        other_claims=[claim for claim in claims if id(claim) not in shown],
        origins=curves.origins,
        spectra=curves.packed_spectra(),
        plotly=packed(get_plotlyjs().encode("utf-8")),
        style=Markup(_own("style.css")),
        programs=Markup("\n".join(map(_own, PROGRAMS))),
    )


def _own(file: str) -> str:
    return files(PARTS).joinpath("page", file).read_text(encoding="utf-8")
