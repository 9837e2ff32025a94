"""What Snakemake asks the gallery to show: every figure and every curve, by the digests of their settings."""

import subprocess
import sys
from typing import Any

import pytest
import yaml
from ntklens.figures.catalogue import figures_of
from ntklens.gallery.request import gallery_settings
from ntklens.gallery.settings import GallerySettings
from ntklens.planning.config import Config, load
from ntklens.planning.settings import averaging_settings, training_settings
from ntklens.storage.curve import Curve
from ntklens.storage.settings import as_json, settings_sha256
from ntklens.storage.settings_reader import reader_of

from tests.support.repositories import ROOT

WIDTHS = Curve("model-scaling", "digits", "three-layer")


@pytest.fixture(scope="module")
def config() -> Config:
    return load(yaml.safe_load((ROOT / "config/smoke.yaml").read_text(encoding="utf-8")))


@pytest.fixture(scope="module")
def asked(config: Config) -> GallerySettings:
    return gallery_settings(config, figures_of(config).values())


def test_every_figure_and_curve_is_asked_for(asked: GallerySettings) -> None:
    assert asked.name == "smoke"
    assert [figure.key for figure in asked.figures] == [str(number) for number in range(1, 11)]
    assert [own.title for own in asked.curves] == [
        "Model scaling, Digits (8×8), three-layer",
        "Data scaling, Digits (8×8), four-layer",
        "Noise scaling, Digits (8×8), dense",
        "Noise scaling, Digits (8×8), convolutional",
    ]
    assert [own.symbol for own in asked.curves] == ["m", "D", "%", "%"]


def test_settings_survive_the_command_line(asked: GallerySettings) -> None:
    assert reader_of(GallerySettings)(as_json(asked)) == asked


def test_slice_of_the_config_is_that_of_the_runs_behind_the_averages(
    config: Config, asked: GallerySettings
) -> None:
    own = asked.curves[0]
    assert own.curve == WIDTHS
    assert own.config["network.width"] == "8, 16, 32"
    assert own.config["network.hidden_layers"] == "2"
    assert own.config["recipe.optimiser.name"] == "adam"
    assert not any(key.startswith("curve.") for key in own.config)
    assert not any(len(value) == 64 for value in own.config.values())  # digests
    averages = averaging_settings(config, WIDTHS)
    assert own.averages == settings_sha256(averages)
    runs = {f"width-{scale}": training_settings(config, WIDTHS, scale) for scale in (8, 16, 32)}
    assert averages.runs == {point: settings_sha256(settings) for point, settings in runs.items()}


def test_asking_imports_neither_matplotlib_nor_h5py() -> None:
    program = "import sys, ntklens.gallery.request; print(*sys.modules)"
    command: list[Any] = [sys.executable, "-c", program]
    loaded = subprocess.run(command, capture_output=True, encoding="utf-8", check=True).stdout.split()
    assert {"matplotlib", "plotly", "jinja2", "jax"}.isdisjoint(loaded)
