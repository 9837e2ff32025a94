"""Where a figure and its curves come from, as their own files say: what `python -m ntklens trace` follows.

A figure's file names the files that it was drawn from, a curve's averages name their run files, each with the
SHA-256 digest of its bytes at that time. The slice of the config comes with the settings of the gallery. It
is that of the run files: they were made with its digest, which the averages hold.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ntklens.gallery.seeds import curves_of
from ntklens.gallery.settings import ShownCurve
from ntklens.storage.curve import Curve
from ntklens.storage.files import FilePath, sha256


@dataclass(frozen=True)
class NamedFile:
    """A file and the SHA-256 digest of its bytes."""

    path: str
    sha256: str


@dataclass(frozen=True)
class PanelOrigin:
    """A panel, the curves that it shows, and the files behind it."""

    title: str
    curves: list[Curve]
    files: list[NamedFile]


@dataclass(frozen=True)
class FigureOrigin:
    """Where one figure comes from. ``run_code`` are the commits of the code that made its run files."""

    file: NamedFile
    commit: str
    run_code: list[str]
    versions: dict[str, str]
    panels: list[PanelOrigin]


@dataclass(frozen=True)
class CurveOrigin:
    """Where one curve comes from: its slice of the config, its averages and its run files."""

    curve: Curve
    title: str
    config: dict[str, str]
    averages: NamedFile
    commit: str
    run_code: list[str]
    runs: list[NamedFile]
    left_out: list[str]


def figure_origin(path: FilePath, content: Mapping[str, Any]) -> FigureOrigin:
    """Where the figure with this ``content``, whose file is ``path``, comes from."""
    origin = content["provenance"]
    inputs = [NamedFile(own, digest) for own, digest in origin["inputs"].items()]
    return FigureOrigin(
        file=NamedFile(str(path), sha256(path)),
        commit=origin["commit"],
        run_code=_commits(origin),
        versions=origin["versions"],
        panels=[_panel(content, panel, inputs) for panel in content["panels"]],
    )


def _panel(content: Mapping[str, Any], panel: Mapping[str, Any], inputs: list[NamedFile]) -> PanelOrigin:
    curves = curves_of(content, panel)
    # Files of a curve have its name, or lie in a folder of its name.
    names = [f"/{'/'.join(curve)}{end}" for curve in curves for end in "./"]
    files = [own for own in inputs if any(name in own.path for name in names)]
    return PanelOrigin(panel["title"], curves, files)


def curve_origin(
    shown: ShownCurve, path: FilePath, origin: Mapping[str, Any], left_out: list[str]
) -> CurveOrigin:
    """Where the curve ``shown`` comes from: ``origin`` is that of the file ``path`` of its averages."""
    return CurveOrigin(
        curve=shown.curve,
        title=shown.title,
        config=shown.config,
        averages=NamedFile(str(path), sha256(path)),
        commit=origin["commit"],
        run_code=_commits(origin),
        runs=[NamedFile(own, digest) for own, digest in origin["inputs"].items()],
        left_out=left_out,
    )


def _commits(origin: Mapping[str, Any]) -> list[str]:
    """The commits of the code that made the run files, each once."""
    return list(dict.fromkeys(code["commit"] for code in origin["run_code"]))
