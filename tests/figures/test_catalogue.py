"""Which figures a config has, and what the workflow is told of them."""

import copy
import importlib
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from ntklens.figures.along_training import SHOWN
from ntklens.figures.catalogue import figures_of, settings_of_figure
from ntklens.figures.measured import measured_curves
from ntklens.figures.settings import FigureSettings
from ntklens.planning.config import load
from ntklens.planning.curves import curves
from ntklens.storage.curve import Curve
from ntklens.storage.quantities import QUANTITIES
from ntklens.storage.settings import as_json
from ntklens.storage.settings_reader import reader_of

from tests.support.small_config import BY_SIZE, BY_WIDTH, changed, small, without

ROOT = Path(__file__).parents[2]
CONFIGS = sorted(path for path in (ROOT / "config").glob("*.yaml") if path.stem != "claims")
ENTRY = {"dataset": "digits", "networks": ["three-layer"], "calibrate_at": [8, 32]}
FIXED = {"epochs": 100, "learning_rate": 0.01, "batch_size": 32, "optimizer": "sgd"}


def with_own(**studies):
    """`small` with ``studies`` of one entry each, by underscored names, and a recipe ``fixed``."""
    config = small()
    config["recipes"] = {"adam": {}, "fixed": FIXED}
    for name, own in studies.items():
        config["studies"][name.replace("_", "-")] = [{**ENTRY, **own}]
    return load(config)


def all_kinds():
    """The paper's studies but noise scaling, and one study of the user's for each kind of own figure."""
    return with_own(
        sgd_width={"axis": "width", "scales": [8, 16]},
        deep={"axis": "depth", "scales": [2, 3], "width": 8, "calibrate_at": [2]},
        fixed={"axis": "width", "scales": [8, 16], "recipe": "fixed", "spectrum_epochs": [0, 100]},
    )


def test_figure_1_and_2_follow_dataset_and_network():
    config = small()
    for entries in config["studies"].values():
        entries.append({**copy.deepcopy(entries[0]), "dataset": "mnist-5k"})
    config["figures"] = {"dataset": "mnist-5k", "model_scaling_network": "four-layer"}
    figures = figures_of(load(config))
    assert figures["1"].curves == [
        Curve("model-scaling", "mnist-5k", "four-layer"),
        Curve("data-scaling", "mnist-5k", "four-layer"),
    ]
    for key in "2568":
        assert figures[key].curves == [
            Curve("model-scaling", "digits", "four-layer"),
            Curve("model-scaling", "mnist-5k", "four-layer"),
            Curve("data-scaling", "digits", "four-layer"),
            Curve("data-scaling", "mnist-5k", "four-layer"),
        ]


def test_figure_1_takes_the_first_dataset_unless_told():
    config = small()
    first = config["studies"]["model-scaling"][0]
    config["studies"]["model-scaling"] = [{**first, "dataset": "mnist-5k"}, first]
    expected = [Curve("model-scaling", "mnist-5k", "three-layer"), BY_SIZE]
    assert figures_of(load(config))["1"].curves == expected


def test_model_scaling_comes_first_however_the_config_orders_the_studies():
    config = small()
    config["studies"] = dict(reversed(config["studies"].items()))
    assert figures_of(load(config))["1"].curves == [BY_WIDTH, BY_SIZE]


def test_figure_3_shows_every_network_of_model_scaling():
    assert figures_of(load(small()))["3"].curves == [
        BY_WIDTH,
        Curve("model-scaling", "digits", "four-layer"),
    ]


def test_figures_whose_study_is_absent_are_left_out():
    assert list(figures_of(load(small()))) == ["1", "2", "3", "5", "6", "8", "9", "10"]
    without_widths = figures_of(load(without(("studies", "model-scaling"))))
    assert list(without_widths) == ["1", "2", "5", "6", "8"]


@pytest.mark.parametrize("name", ["config", "paper", "reduced", "smoke"])
def test_configs_of_the_papers_studies_fill_its_figures(name):
    config = load(yaml.safe_load((ROOT / "config" / f"{name}.yaml").read_text(encoding="utf-8")))
    figures = figures_of(config)
    assert set("12345678") <= set(figures)
    assert figures["4"].curves == figures["7"].curves == curves(config, "noise-scaling")


def test_own_studies_have_figures_by_axis_and_recipe():
    own = [key for key in figures_of(all_kinds()) if not key.isdigit()]
    assert own == [
        "sgd-width-laws",
        "sgd-width-dynamics",
        "sgd-width-transition",
        "deep-laws",
        "deep-dynamics",
        "fixed-epochs",
    ]


def test_entries_of_one_study_go_to_the_figures_of_their_recipes():
    config = small()
    config["recipes"] = {"adam": {}, "fixed": FIXED}
    followed = {**ENTRY, "axis": "width", "scales": [8, 16], "networks": ["three-layer", "four-layer"]}
    fixed = {**followed, "dataset": "mnist-5k", "recipe": "fixed", "spectrum_epochs": [0, 100]}
    config["studies"]["mixed"] = [followed, fixed]
    figures = figures_of(load(config))
    assert figures["mixed-laws"].curves == [
        Curve("mixed", "digits", "three-layer"),
        Curve("mixed", "digits", "four-layer"),
    ]
    assert {curve.dataset for curve in figures["mixed-epochs"].curves} == {"mnist-5k"}


def test_own_studies_leave_the_papers_figures_as_they_are():
    paper, every = figures_of(load(small())), figures_of(all_kinds())
    assert {key: every[key] for key in paper if key != "9"} == {
        key: paper[key] for key in paper if key != "9"
    }


def test_figure_9_adds_own_studies_of_width_to_model_scaling():
    assert figures_of(load(small()))["9"].curves == [BY_WIDTH, Curve("model-scaling", "digits", "four-layer")]
    studies = {curve.study for curve in figures_of(all_kinds())["9"].curves}
    assert studies == {"model-scaling", "sgd-width"}


def test_figure_10_shows_the_curve_of_figure_1():
    assert figures_of(load(small()))["10"].curves == [BY_WIDTH]


def test_rules_are_named_by_key():
    figures = figures_of(all_kinds())
    assert figures["3"].rule == "figure_3"
    assert figures["sgd-width-laws"].rule == "figure_sgd_width_laws"
    assert all(figure.rule.isidentifier() for figure in figures.values())


def test_files_are_those_of_each_curve_in_order_of_the_needs():
    assert figures_of(load(small()))["5"].files("small") == [
        "results/small/averages/model-scaling/digits/three-layer.h5",
        "results/small/fits/model-scaling/digits/three-layer/adaptation-rate.json",
        "results/small/averages/data-scaling/digits/four-layer.h5",
        "results/small/fits/data-scaling/digits/four-layer/adaptation-rate.json",
    ]


def test_settings_survive_json_and_describe_every_curve():
    config = all_kinds()
    for figure in figures_of(config).values():
        settings = settings_of_figure(config, figure)
        assert reader_of(FigureSettings)(as_json(settings)) == settings
        measured = measured_curves(settings, figure.files("small"))
        assert [Curve(c.study, c.dataset, c.network) for c in measured] == figure.curves
        assert all(tuple(c.files) == figure.needs for c in measured)
    (deep,) = measured_curves(settings_of_figure(config, figures_of(config)["deep-laws"]), ["laws.json"])
    assert (deep.heading, deep.symbol, deep.label) == ("Deep", "L", "Hidden layers")


@pytest.mark.parametrize("path", [*CONFIGS, None], ids=lambda path: path.stem if path else "own studies")
def test_every_figure_has_its_kind_its_caption_and_quantities_that_exist(path):
    config = load(yaml.safe_load(path.read_text(encoding="utf-8"))) if path else all_kinds()
    for figure in figures_of(config).values():
        kind = importlib.import_module(f"ntklens.figures.{figure.kind}")
        assert callable(kind.collect)
        assert callable(kind.draw)
        assert (ROOT / "workflow/report" / figure.caption).read_text(encoding="utf-8").strip()
        assert set(figure.needs) <= {"averages", "adaptation-rate", "power-laws", "transition", "ends"}
        assert set(figure.shows) <= set(QUANTITIES if figure.kind == "epochs" else SHOWN)
        assert "adaptation_rate" not in figure.shows or "adaptation-rate" in figure.needs


def test_every_caption_belongs_to_a_figure():
    config = load(yaml.safe_load((ROOT / "config/smoke.yaml").read_text(encoding="utf-8")))
    used = {figure.caption for own in (config, all_kinds()) for figure in figures_of(own).values()}
    # Of the table of claims, of the page with all figures, and of the report as a whole.
    used |= {"paper-comparison.rst", "gallery.rst", "workflow.rst"}
    assert used == {path.name for path in (ROOT / "workflow/report").iterdir()}


def test_a_width_that_trains_for_a_fixed_number_of_epochs_has_no_laws():
    config = changed(("recipes",), {"adam": {}, "fixed": FIXED})
    entry = {**ENTRY, "axis": "width", "recipe": "fixed", "scales": [8], "spectrum_epochs": [0, 1]}
    config["studies"] = {"own": [entry]}
    assert list(figures_of(load(config))) == ["own-epochs"]


def test_the_catalogue_imports_neither_matplotlib_nor_jax():
    program = (
        "import sys, ntklens.figures.catalogue; print(*(name for name in sys.modules if '.' not in name))"
    )
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, encoding="utf-8", check=True
    )
    assert {"matplotlib", "jax", "scipy"}.isdisjoint(result.stdout.split())


def test_kinds_import_neither_the_catalogue_nor_studies_nor_planning():
    kinds = {figure.kind for figure in figures_of(all_kinds()).values()} | {"epochs"}
    program = (
        "import sys, importlib\n"
        f"for kind in {sorted(kinds)}: importlib.import_module('ntklens.figures.' + kind)\n"
        "print(*(name for name in sys.modules if name.startswith('ntklens.')))"
    )
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, encoding="utf-8", check=True
    )
    loaded = result.stdout.split()
    assert "ntklens.figures.catalogue" not in loaded
    assert {"studies", "planning"}.isdisjoint(name.split(".")[1] for name in loaded)
