from pathlib import Path

import pytest
import yaml
from ntklens.planning.config import load
from ntklens.planning.robustness import robustness_settings
from ntklens.planning.settings import analysis_settings

from tests.support.small_config import BY_WIDTH, WIDTHS, changed, small, without

ROOT = Path(__file__).resolve().parents[2]
OWN = {
    "axis": "width",
    "dataset": "digits",
    "networks": ["three-layer"],
    "scales": [8, 16],
    "calibrate_at": [8],
}
FOUR = BY_WIDTH._replace(network="four-layer")


def compared(config):
    """(study, network, network of the baseline, title) of every curve."""
    found = robustness_settings(load(config)).curves
    places = [(own.analysis.curve, own.baseline, own.title) for own in found]
    return [(curve.study, curve.network, baseline.network, title) for curve, baseline, title in places]


def baselines_of(settings):
    return [own.curve for own in settings.baselines]


def test_baselines_are_the_curves_of_model_scaling():
    assert compared(small()) == [
        ("model-scaling", "three-layer", "three-layer", ""),
        ("model-scaling", "four-layer", "four-layer", ""),
        ("model-scaling", "four-layer", "three-layer", "3 hidden layers"),
    ]
    settings = robustness_settings(load(small()))
    assert baselines_of(settings) == [BY_WIDTH, FOUR]
    assert settings.curves[0].analysis == analysis_settings(load(small()), BY_WIDTH)


def test_studies_of_widths_are_variations_of_the_same_network():
    config = changed(("studies", "half-the-rate"), [{**OWN, "networks": ["three-layer", "four-layer"]}])
    assert compared(config)[3:] == [
        ("half-the-rate", "three-layer", "three-layer", "Half the rate, three-layer"),
        ("half-the-rate", "four-layer", "four-layer", "Half the rate, four-layer"),
    ]


def test_another_network_varies_that_of_figure_2():
    config = changed(("studies", "no-biases"), [{**OWN, "networks": ["plain"]}])
    config["networks"] = {
        "three-layer": {"hidden_layers": 2},
        "four-layer": {"hidden_layers": 3},
        "plain": {"hidden_layers": 2, "biases": False},
    }
    assert compared(config)[3:] == [("no-biases", "plain", "three-layer", "No biases")]


@pytest.mark.parametrize(
    "entry",
    [
        {**OWN, "dataset": "mnist-5k"},
        {**OWN, "axis": "train_samples", "scales": [40], "calibrate_at": [40], "width": 8},
        {**OWN, "recipe": "fixed", "spectrum_epochs": [0, 5]},
    ],
    ids=["dataset without a baseline", "other axis", "no minimum"],
)
def test_what_cannot_be_compared_is_left_out(entry):
    config = changed(("studies", "own"), [entry])
    config["recipes"] = {"adam": {}, "fixed": {"epochs": 5, "learning_rate": 0.1}}
    assert compared(config) == compared(small())


def test_without_model_scaling_there_is_nothing_to_compare():
    assert compared(without(WIDTHS[:2])) == []


def test_the_shipped_config_varies_one_thing_at_a_time():
    config = load(yaml.safe_load((ROOT / "config/robustness.yaml").read_text(encoding="utf-8")))
    settings = robustness_settings(config)
    assert len(baselines_of(settings)) == 4
    by_baseline = [
        [own.title for own in settings.curves if own.baseline == b] for b in baselines_of(settings)
    ]
    titles = [study.replace("-", " ").capitalize() for study in config.entries if study != "model-scaling"]
    expected = ["", "3 hidden layers", *titles]
    assert by_baseline == [expected, [""], expected, [""]]
