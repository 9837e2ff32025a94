"""A figure's three files: PDF, PNG and the numbers in JSON, each of which says where it comes from."""

import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
from matplotlib.figure import Figure
from PIL import Image, PngImagePlugin

from ntklens.figures.content import FigureContent
from ntklens.figures.settings import FigureSettings
from ntklens.figures.style import DPI, RC
from ntklens.storage.files import FilePath, whole_file
from ntklens.storage.provenance import provenance
from ntklens.storage.records import write_record
from ntklens.storage.run_code import run_code_of


def save_figure(
    figure: Figure,
    content: FigureContent[Any],
    path: FilePath,
    inputs: Sequence[FilePath],
    settings: FigureSettings,
) -> None:
    """Write ``figure`` to ``path``, a PDF, and as a PNG beside it, and ``content`` with its origin as JSON.

    ``inputs`` are the files that it was drawn from, ``settings`` the settings of the figure. PDF and PNG hold
    the digest of the JSON file, the commit and the digests of the inputs: the PDF as its subject, the PNG as
    its source.
    """
    path = Path(path)
    origin = provenance("figure", settings, inputs, ["matplotlib", "numpy"])
    digest = write_record(path.with_suffix(".json"), content, {**origin, "run_code": run_code_of(inputs)})
    source = embedded(digest, origin)
    for suffix, written in ((".pdf", as_pdf(figure, source)), (".png", as_png(figure, source))):
        with whole_file(path.with_suffix(suffix)) as temporary:
            temporary.write_bytes(written)
    plt.close(figure)


# Files hold no dates and no version of Matplotlib, so that the same numbers make the same file. They are
# written to memory first: on a full disk, Matplotlib's PDF writer raises another error than the disk's. The
# style is set again, since some of it, such as how fonts are embedded, is read only now.


def as_pdf(figure: Figure, source: str) -> bytes:
    """``figure`` as a PDF, with ``source`` as its subject."""
    drawn = io.BytesIO()
    with plt.rc_context(RC):
        figure.savefig(drawn, format="pdf", metadata={"CreationDate": None, "Subject": source})
    return drawn.getvalue()


def as_png(figure: Figure, source: str) -> bytes:
    """``figure`` as a PNG of `DPI`, with a text ``Source``.

    It has 256 colours, which makes it a third as large and cannot be told from all colours.
    """
    drawn, written = io.BytesIO(), io.BytesIO()
    with plt.rc_context(RC):
        figure.savefig(drawn, format="png")
    text = PngImagePlugin.PngInfo()
    text.add_text("Source", source)
    with Image.open(drawn) as image:
        reduced = image.convert("RGB").quantize(256, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    reduced.save(written, format="png", optimize=True, dpi=(DPI, DPI), pnginfo=text)
    return written.getvalue()


def embedded(digest: str, origin: Mapping[str, Any]) -> str:
    """What PDF and PNG say of where they come from, as JSON in ASCII; ``digest`` is that of the JSON file."""
    shown = {name: origin[name] for name in ("commit", "settings_sha256", "inputs")}
    return json.dumps({"ntk-lens": origin["settings"]["figure"], "content_sha256": digest, **shown})
