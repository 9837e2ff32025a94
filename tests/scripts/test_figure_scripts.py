"""The command line that draws every figure, on small files made by hand."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml
from ntklens.figures.catalogue import figures_of, settings_of_figure
from ntklens.planning.config import load
from ntklens.planning.curves import scales
from ntklens.storage.import_closure import import_closure
from ntklens.storage.settings import as_json, as_plain
from PIL import Image

from tests.support.measured import CODE, average, write_file
from workflow.scripts import figure

ROOT = Path(__file__).parents[2]
ENTRY = {"dataset": "digits", "networks": ["three-layer", "four-layer"], "calibrate_at": [8, 32]}
OWN = {
    "sgd-width": {**ENTRY, "axis": "width", "scales": [8, 16]},
    "deep": {
        **ENTRY,
        "axis": "depth",
        "scales": [2],
        "width": 8,
        "networks": ["three-layer"],
        "calibrate_at": [2],
    },
    "copies": {**ENTRY, "axis": "removed_share", "scales": [0, 50], "learning_rate": 0.01, "width": 8},
    "fixed": {**ENTRY, "axis": "width", "scales": [8], "recipe": "fixed", "spectrum_epochs": [0, 9]},
}


def own_config():
    """The smoke config, with a study for each kind of own figure."""
    config = yaml.safe_load((ROOT / "config/smoke.yaml").read_text(encoding="utf-8"))
    config["recipes"] = {"adam": {}, "fixed": {"epochs": 9, "learning_rate": 0.01}}
    config["studies"] |= {name: [entry] for name, entry in OWN.items()}
    return load(config)


CONFIG = own_config()
FIGURES = figures_of(CONFIG)
KEYS = [*"12345678", "9", "10", "sgd-width-laws", "sgd-width-dynamics", "sgd-width-transition"]
KEYS += ["deep-laws", "deep-dynamics", "copies-laws", "copies-dynamics", "fixed-epochs"]


def test_every_figure_is_drawn_below():
    assert list(FIGURES) == KEYS


def draw(key, folder, settings=None):
    """Make the files that the figure needs, and call the script as the rule does: its JSON and its files."""
    shown = FIGURES[key]
    files = [folder / name for name in shown.files("smoke")]
    wanted = settings_of_figure(CONFIG, shown)
    needed = [
        (curve, need, described.made_with[need])
        for curve, described in zip(shown.curves, wanted.curves, strict=True)
        for need in shown.needs
    ]
    for path, (curve, need, made_with) in zip(files, needed, strict=True):
        write_file(path, need, scales(CONFIG, curve), made_with)
    settings = settings or wanted
    out = folder / "figures" / f"figure-{key}.pdf"
    command = ["--settings", as_json(settings), "--files", *map(str, files), "--out", str(out)]
    figure.main(command)
    return json.loads(out.with_suffix(".json").read_text(encoding="utf-8")), files, out


@pytest.mark.parametrize("key", KEYS)
def test_the_figure_is_drawn_with_its_numbers_and_their_origin(key, tmp_path):
    content, files, out = draw(key, tmp_path)
    assert content["figure"] == key
    assert content["panels"]
    assert all(panel["series"] for panel in content["panels"])
    assert content["provenance"]["settings"] == as_plain(settings_of_figure(CONFIG, FIGURES[key]))
    assert content["provenance"]["inputs"] == {
        str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files
    }
    assert content["provenance"]["run_code"] == [CODE._asdict()]
    assert out.stat().st_size > 5_000
    with Image.open(out.with_suffix(".png")) as image:  # as wide as a page's text or half of it, at 300 dpi
        assert image.info["dpi"] == pytest.approx((300, 300), rel=1e-3)
        assert image.width / 300 in (pytest.approx(6.7, abs=0.01), pytest.approx(3.35, abs=0.01))


def test_figure_4_shows_effective_ranks_by_level(tmp_path):
    content, _, _ = draw("4", tmp_path)
    assert [panel["network"] for panel in content["panels"]] == ["dense", "convolutional"]
    for series in content["panels"][0]["series"]:
        rank = average(series["scale"]).along["effective_rank"]
        assert series["x"] == rank.epoch.tolist()
        np.testing.assert_allclose(series["y"], rank.mean)


def test_own_studies_of_too_few_scales_have_no_power_law(tmp_path):
    for key in ("deep-laws", "copies-laws"):
        content, _, _ = draw(key, tmp_path)
        assert content["fits"] == []


@pytest.mark.parametrize("key", ["1", "3", "4"])
def test_the_same_numbers_make_the_same_bytes(key, tmp_path):
    _, _, out = draw(key, tmp_path)
    suffixes = (".pdf", ".png", ".json")
    first = [out.with_suffix(suffix).read_bytes() for suffix in suffixes]
    draw(key, tmp_path)
    assert [out.with_suffix(suffix).read_bytes() for suffix in suffixes] == first


def test_as_many_files_as_curves_are_asked_for(tmp_path):
    settings = settings_of_figure(CONFIG, FIGURES["5"])
    settings = replace(settings, curves=settings.curves[:-1])
    with pytest.raises(ValueError, match="4 files are given for 1 curves of 2 files each"):
        draw("5", tmp_path, settings)
    assert not (tmp_path / "figures").exists()


def test_the_script_depends_on_no_kind():
    """A rule declares its own figure's kind beside the script: editing another one leaves it alone."""
    loaded = {path.stem for path in import_closure(ROOT / "workflow/scripts/figure.py")}
    assert loaded.isdisjoint({shown.kind for shown in FIGURES.values()} | {"along_training", "catalogue"})
