"""The page is one file that escapes what it shows, and names the origin of every panel."""

import base64
import gzip
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from ntklens.gallery.contents import FigurePart, MeasuredCurves, read_curves
from ntklens.gallery.embedding import WIDEST, packed, packed_json, picture
from ntklens.gallery.origins import FigureOrigin, NamedFile, PanelOrigin, figure_origin
from ntklens.gallery.page import page
from ntklens.gallery.settings import ShownCurve
from ntklens.gallery.verdicts import Result, ShownClaim
from ntklens.storage.averages import Average, Mean, write_averages
from ntklens.storage.curve import Curve
from ntklens.storage.files import sha256
from PIL import Image

from tests.support.origins import origin

CURVE = Curve("model-scaling", "digits", "three-layer")
CODE = {"commit": "0123abcd", "code_sha256": "ff00"}
EVIL = '<img src=x onerror=alert(1)>"'


def unpacked(text: str) -> bytes:
    return gzip.decompress(base64.b64decode(text))


def figure(**changed: object) -> FigurePart:
    own = NamedFile("results/x/figures/figure-3.json", "ab" * 32)
    parts = {
        "key": "3",
        "title": f"Title {EVIL}",
        "caption": f"Caption {EVIL}",
        "alternative": f"Alternative {EVIL}",
        "picture": "data:image/png;base64,AAAA",
        "width": 10,
        "height": 10,
        "file": "figure-3",
        "data": packed(b"data"),
        "drawing": packed(b"drawing"),
        "claims": [],
        "origin": FigureOrigin(
            own, "c0ffee", ["0123abcd"], {"numpy": "2"}, [PanelOrigin(EVIL, [CURVE], [own])]
        ),
    }
    return FigurePart(**{**parts, **changed})  # pyright: ignore[reportArgumentType]


def claim(says: str) -> ShownClaim:
    return ShownClaim("5", "3", says, "< 0", [Result(EVIL, "–", "not measured", EVIL, None)], None)


@pytest.fixture
def curves(tmp_path: Path) -> MeasuredCurves:
    path = tmp_path / "averages/model-scaling/digits/three-layer.h5"
    spectra = Mean(np.array([0, 5]), np.array([[1.0, 2.0], [0.5, 2.5]]), np.zeros((2, 2)))
    made = origin("averages", run_code=[CODE], inputs={"results/x/runs/one.h5": "cd" * 32})
    write_averages(
        path, [Average(8, np.array([0]), ("seed 1: diverged",), 5, {"eigenvalues": spectra}, {})], made
    )
    config = {"network.width": "8, 16", "data.path": EVIL}
    shown = ShownCurve(CURVE, f"Curve {EVIL}", "m", "Model width", made["settings_sha256"], config)
    return read_curves([shown], [path])


class Elements(HTMLParser):
    """The elements of a page, with their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def test_everything_inserted_is_escaped(curves: MeasuredCurves) -> None:
    claims = [claim(f"Says {EVIL}")]
    text = page(EVIL, [figure(claims=claims)], claims, curves)
    pictures = [attributes for tag, attributes in Elements(text).found if tag == "img"]
    assert [own["src"] for own in pictures] == ["data:image/png;base64,AAAA"]
    assert pictures[0]["alt"] == f"Figure 3. Title {EVIL}. Alternative {EVIL}"
    assert not any("onerror" in attributes for _, attributes in Elements(text).found)
    assert "&lt;img" in unpacked(curves.packed_spectra()).decode()


def test_page_loads_nothing(curves: MeasuredCurves) -> None:
    text = page("x", [figure()], [], curves)
    elements = Elements(text).found
    loaded = [own[key] for _, own in elements for key in ("src", "srcset", "data") if key in own]
    assert loaded == ["data:image/png;base64,AAAA"]
    assert all((own.get("href") or "").startswith("#") for tag, own in elements if tag in ("a", "link"))
    policy = next(own["content"] for _, own in elements if own.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None
    assert policy.startswith("default-src 'none';")
    assert "http" not in policy
    assert "connect-src" not in policy


def test_claims_without_a_figure_have_a_part_of_their_own(curves: MeasuredCurves) -> None:
    own, other = claim("of figure 3"), claim("of no figure")
    text = page("x", [figure(claims=[own])], [own, other], curves)
    before, after = text.split('<section id="claims"')
    assert ("of figure 3" in before, "of no figure" in before) == (True, False)
    assert ("of figure 3" in after, "of no figure" in after) == (False, True)
    assert "<b>2</b> not measured" in text
    assert '<section id="claims"' not in page("x", [figure(claims=[own])], [own], curves)


def test_origins_of_curves_name_settings_commits_and_files(curves: MeasuredCurves) -> None:
    text = page("x", [figure()], [], curves)
    part = text[text.index('<section id="origins"') :]
    for expected in (
        "network.width",
        "8, 16",
        "0123abcd",
        "results/x/runs/one.h5",
        "cd" * 32,
        "seed 1: diverged",
    ):
        assert expected in part
    assert sha256(curves.origins[0].averages.path) in part
    assert 'id="model-scaling-digits-three-layer"' in part
    assert 'href="#model-scaling-digits-three-layer"' in text


def test_origin_of_a_panel_has_the_files_of_its_own_curves(tmp_path: Path) -> None:
    other = Curve("model-scaling", "digits", "three-layer-wide")
    inputs = {
        f"results/x/averages/{'/'.join(own)}.h5": digest for own, digest in ((CURVE, "a"), (other, "b"))
    }
    settings = {"curves": [CURVE._asdict(), other._asdict()]}
    content = {
        "panels": [
            {"title": "one", **CURVE._asdict(), "series": [{}]},
            {"title": "both", "series": [{}]},
        ],
        "provenance": origin("figure", settings, inputs=inputs, run_code=[CODE, CODE]),
    }
    path = tmp_path / "figure-3.json"
    path.write_text("{}", encoding="utf-8")
    found = figure_origin(path, content)
    assert found.run_code == ["0123abcd"]
    assert found.file == NamedFile(str(path), sha256(path))
    one, both = found.panels
    assert (one.curves, [own.sha256 for own in one.files]) == ([CURVE], ["a"])
    assert (both.curves, [own.sha256 for own in both.files]) == ([CURVE, other], ["a", "b"])


def test_packing_keeps_bytes_and_is_the_same_each_time() -> None:
    data = bytes(range(256)) * 50
    assert unpacked(packed(data)) == data
    assert packed(data) == packed(data)
    assert len(packed(data)) < len(data)
    assert json.loads(unpacked(packed_json({"Γ": [1.5, None]}))) == {"Γ": [1.5, None]}
    with pytest.raises(ValueError, match="not JSON compliant"):
        packed_json([np.inf])


@pytest.mark.parametrize(("size", "expected"), [((3200, 1000), (WIDEST, 500)), ((640, 480), (640, 480))])
def test_pictures_are_no_wider_than_the_page_needs(
    tmp_path: Path, size: tuple[int, int], expected: tuple[int, int]
) -> None:
    path = tmp_path / "figure.png"
    Image.new("RGB", size, "white").save(path)
    uri, *found = picture(path)
    assert tuple(found) == expected
    assert re.fullmatch(r"data:image/png;base64,[\w+/=]+", uri)
