"""A figure's three files: PDF, PNG and the numbers in JSON, each of which says where it comes from."""

import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from ntklens.figures.content import FigureContent
from ntklens.figures.settings import FigureSettings
from ntklens.figures.style import RC
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
    # Files hold no dates and no version of Matplotlib, so that the same numbers make the same file.
    pdf, png = {"CreationDate": None, "Subject": source}, {"Software": None, "Source": source}
    for suffix, metadata in ((".pdf", pdf), (".png", png)):
        drawn = io.BytesIO()  # on a full disk, Matplotlib's PDF writer raises another error than the disk's
        with plt.rc_context(RC):  # of which some, such as the resolution, are read only here
            figure.savefig(drawn, format=suffix[1:], metadata=metadata)
        with whole_file(path.with_suffix(suffix)) as temporary:
            temporary.write_bytes(drawn.getbuffer())
    plt.close(figure)


def embedded(digest: str, origin: Mapping[str, Any]) -> str:
    """What PDF and PNG say of where they come from, as JSON in ASCII; ``digest`` is that of the JSON file."""
    shown = {name: origin[name] for name in ("commit", "settings_sha256", "inputs")}
    return json.dumps({"ntk-lens": origin["settings"]["figure"], "content_sha256": digest, **shown})
