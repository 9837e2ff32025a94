"""Figures against the scale: laws (figure 2), transition (figure 3), and those of own studies."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from ntklens.figures import scaling_laws, transition
from ntklens.figures.measured import MeasuredCurve

from tests.support.measured import curve, drawn, panels


def laws(curves: Sequence[MeasuredCurve], key: str = "2") -> Any:
    """The content of a figure of laws."""
    return scaling_laws.collect(key, [], curves)


def changed(measured: MeasuredCurve, need: str, change: Callable[[dict[str, Any]], None]) -> MeasuredCurve:
    """``measured``, after ``change`` was applied to the content of its file ``need``."""
    path = Path(measured.files[need])
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))
    return measured


def texts(axes: Axes) -> list[str]:
    """The texts of the legend."""
    legend = axes.get_legend()
    assert legend
    return [text.get_text() for text in legend.get_texts()]


def test_figure_2_names_datasets_once_and_quotes_a_law_for_each(tmp_path: Path) -> None:
    curves = [curve(tmp_path, dataset=name) for name in ("digits", "fashion-mnist-modified")]
    figure = drawn(scaling_laws, laws(curves))
    (names,) = figure.legends
    assert [text.get_text() for text in names.get_texts()] == [
        "Digits (8×8)",
        "Fashion-MNIST (modified data)",
    ]
    loss, rank, both = map(texts, panels(figure))
    assert loss == 2 * [r"$\alpha=0.50$"]
    assert rank == 2 * ["no power law"]
    assert len(both) == 2 * (1 + 2)  # a column for each quantity, under its symbol


def test_the_effective_rank_is_relative_to_that_at_the_smallest_scale(tmp_path: Path) -> None:
    loss, rank, _ = laws([curve(tmp_path)])["panels"]
    np.testing.assert_allclose(loss["series"][0]["y"], np.sqrt([8, 16, 64]))
    np.testing.assert_allclose(rank["series"][0]["y"], np.sqrt([1, 2, 8]))
    np.testing.assert_allclose(
        np.subtract(rank["series"][0]["high"], rank["series"][0]["y"]), 0.1 / np.sqrt(8)
    )


def test_every_law_that_fits_is_recorded_with_its_curve(tmp_path: Path) -> None:
    studies = ("model-scaling", "data-scaling")
    content = laws([curve(tmp_path, study) for study in studies])
    assert [(fit["study"], fit["quantity"]) for fit in content["fits"]] == [
        (study, quantity)
        for study in studies
        for quantity in ("test_loss", "initial_trace", "adaptation_rate")
    ]
    assert {fit["network"] for fit in content["fits"]} == {"three-layer"}
    assert [panel["xlabel"] for panel in content["panels"]] == 3 * ["Model width m"] + 3 * ["Dataset size D"]


def test_several_networks_on_a_dataset_are_series_of_their_own(tmp_path: Path) -> None:
    curves = [curve(tmp_path, "sgd-width", network=network) for network in ("wide", "narrow")]
    content = laws(curves, "sgd-width-laws")
    assert [series["name"] for series in content["panels"][0]["series"]] == [
        "Digits (8×8), wide",
        "Digits (8×8), narrow",
    ]
    figure = drawn(scaling_laws, content)
    first, second = (line for line in panels(figure)[1].lines if line.get_marker() != "None")
    assert first.get_color() != second.get_color()
    assert len(figure.legends[0].get_texts()) == 2


@pytest.mark.parametrize(
    ("study", "scales", "scale"),
    [("deep", (2,), "log"), ("copies", (0, 50), "linear"), ("copies", (0,), "linear")],
)
def test_too_few_points_or_scale_0_have_no_power_law(
    tmp_path: Path, study: str, scales: tuple[int, ...], scale: str
) -> None:
    content = laws([curve(tmp_path, study, scales=scales)], f"{study}-laws")
    assert content["fits"] == []
    for axes in panels(drawn(scaling_laws, content)):
        assert axes.get_xscale() == scale
        assert axes.get_yscale() == "log"
        assert set(texts(axes)) - {r"$\mathrm{Tr}(\Theta_0)$", r"$-\chi(\Theta_\min)$"} == {"no power law"}
        low, high = sorted(axes.get_xlim())
        assert low <= scales[0] <= high


def test_two_depths_have_a_power_law_without_error(tmp_path: Path) -> None:
    content = laws([curve(tmp_path, "deep")], "deep-laws")
    assert content["panels"][0]["xlabel"] == "Hidden layers L"
    assert content["fits"][0]["exponent_error"] is None
    drawn(scaling_laws, content)


@pytest.mark.parametrize(("signs", "scale"), [([1, -1, 1], "log"), ([-1, -1, -1], "linear")])
def test_negative_adaptation_rates_are_drawn_where_the_axis_allows(
    tmp_path: Path, signs: list[int], scale: str
) -> None:
    def change(content: dict[str, Any]) -> None:
        content["adaptation_rate"] |= {"mean": [3.0 * sign for sign in signs], "power_law": None}
        content["initial_trace"]["mean"] = 3 * [None]
        content["initial_trace"]["power_law"] = None

    measured = changed(curve(tmp_path), "power-laws", change)
    content = laws([measured])
    assert content["panels"][2]["series"][0]["y"] == 3 * [None]
    axes = panels(drawn(scaling_laws, content))[2]
    assert axes.get_yscale() == scale
    assert axes.get_xscale() == "log"


def test_many_series_have_looks_of_their_own_and_a_higher_figure(tmp_path: Path) -> None:
    networks = [f"network-{i}" for i in range(9)]
    figure = drawn(scaling_laws, laws([curve(tmp_path, network=network) for network in networks]))
    lines = [line for line in panels(figure)[0].lines if line.get_marker() != "None"]
    assert len({(line.get_color(), line.get_marker()) for line in lines}) == 9
    assert figure.get_figheight() > drawn(scaling_laws, laws([curve(tmp_path)])).get_figheight()


def test_transition_has_a_row_for_each_network_and_a_column_for_each_dataset(tmp_path: Path) -> None:
    pairs = [(name, network) for name in ("digits", "mnist") for network in ("three-layer", "four-layer")]
    content = transition.collect("3", [], [curve(tmp_path, "model-scaling", *pair) for pair in pairs])
    assert [panel["title"] for panel in content["panels"]] == [
        "Digits (8×8), three-layer",
        "MNIST, three-layer",
        "Digits (8×8), four-layer",
        "MNIST, four-layer",
    ]
    assert {panel["xlabel"] for panel in content["panels"]} == {"Model width m"}
    assert len(content["fits"]) == 4 * 2
    figure = drawn(transition, content)
    shown = [axes for axes in panels(figure) if axes.get_title(loc="left")]
    assert [axes.get_title(loc="left") for axes in shown] == ["(a)", "(b)", "(c)", "(d)"]


def test_transition_of_one_width_says_that_there_is_neither_law_nor_bend(tmp_path: Path) -> None:
    content = transition.collect("sgd-width-transition", [], [curve(tmp_path, "sgd-width", scales=(8,))])
    beta, gamma = content["panels"][0]["series"]
    assert beta["label"] == r"$\beta$: no power law"
    assert gamma["trend"] is gamma["transition_width"] is None
    assert gamma["no_transition_because"] == "too few scales"
    drawn(transition, content)


def test_a_trace_ratio_below_zero_is_drawn_on_a_linear_axis(tmp_path: Path) -> None:
    def change(content: dict[str, Any]) -> None:
        content["trace_ratio"]["mean"] = [-0.3, -0.2, -0.1]

    measured = changed(curve(tmp_path), "transition", change)
    left, right = panels(drawn(transition, transition.collect("3", [], [measured])))
    assert (left.get_yscale(), right.get_yscale()) == ("linear", "log")


def test_a_bend_is_marked_and_its_trend_drawn(tmp_path: Path) -> None:
    bent = {"amplitude": 2.0, "bend": 20.0, "below": 1.0, "above": 0.2}
    errors = {"log_bend_error": 0.1, "below_error": 0.1, "above_error": 0.1}

    def change(content: dict[str, Any]) -> None:
        content["effective_rank"] |= {"broken_power_law": bent | errors, "no_bend_because": ""}

    measured = changed(curve(tmp_path), "transition", change)
    content: Any = transition.collect("3", [], [measured])
    _, gamma = content["panels"][0]["series"]
    assert gamma["transition_width"] == 20.0
    assert gamma["label"] == r"$\Gamma$: $\alpha=1.00$ below"
    assert gamma["trend"]["x"][:: len(gamma["trend"]["x"]) - 1] == pytest.approx([8, 64])
    figure = drawn(transition, content)
    shown = [text for axes in figure.axes if axes.get_legend() for text in texts(axes)]
    assert r"$\Gamma$ bends at 20" in shown
