"""Figures against the scale: laws (figure 2), transition (figure 3), and those of own studies."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from ntklens.analysis.intervals import Interval
from ntklens.figures import scaling_laws, transition
from ntklens.figures.measured import MeasuredCurve
from ntklens.figures.style import PAGE
from ntklens.storage.sealing import read_sealed_json, write_sealed_json

from tests.support.measured import curve, drawn, known, panels


def laws(curves: Sequence[MeasuredCurve], key: str = "2") -> Any:
    """The content of a figure of laws."""
    return scaling_laws.collect(key, [], curves)


def changed(measured: MeasuredCurve, need: str, change: Callable[[dict[str, Any]], None]) -> MeasuredCurve:
    """``measured``, after ``change`` was applied to the content of its file ``need``."""
    path = Path(measured.files[need])
    content = read_sealed_json(path)
    change(content)
    write_sealed_json(path, content)
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
    assert loss == 2 * ["0.50 [0.45, 0.55], 8–64"]
    assert rank == 2 * ["no power law"]
    assert len(both) == 2 * (1 + 2)  # both quantities, each under its symbol


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


def test_a_law_without_an_interval_is_quoted_without_brackets(tmp_path: Path) -> None:
    def change(content: dict[str, Any]) -> None:
        for name in ("test_loss", "initial_trace"):
            content[name]["power_law"]["exponent"] |= {"low": None, "high": None}
        content["initial_trace"]["power_law"]["exponent"] |= {"low": 0.3, "high_open": True}

    content = laws([changed(curve(tmp_path, "deep"), "power-laws", change)], "deep-laws")
    assert content["panels"][0]["xlabel"] == "Hidden layers L"
    loss, _, both = map(texts, panels(drawn(scaling_laws, content)))
    assert loss == ["0.50, 2–3"]
    assert both[1] == "0.50 [0.30, …], 2–3"


def rejected(quantity: str, form: str, power: float | None) -> Callable[[dict[str, Any]], None]:
    """A change by which ``quantity`` has a bent law, and a power law is rejected."""

    def change(content: dict[str, Any]) -> None:
        law = {"amplitude": 1.0, "exponent": known(0.5), "window": [8, 64]}
        content[quantity] |= {
            "power_law": law,
            "last_octaves": law | {"exponent": known(0.2), "window": [16, 64]},
            "bent_law": {
                "form": form,
                "level": known(2.0),
                "bend": known(20.0),
                "power": None if power is None else known(power),
            }
            | {"squares": 1.0, "freedom": 1, "window": [8, 64]},
            "choice": {"likelihood_ratio": 9.0, "p_value": 0.01, "power_law_rejected": True},
        }

    return change


def test_where_a_power_law_is_rejected_no_straight_line_is_drawn(tmp_path: Path) -> None:
    measured = changed(curve(tmp_path), "power-laws", rejected("initial_trace", "offset", None))
    content = laws([measured])
    trace = content["panels"][2]["series"][0]
    assert trace["fit"]["text"] == "0.20 [0.18, 0.22], 16–64"
    np.testing.assert_allclose(trace["fit"]["y"], 2 * (1 + np.array(trace["fit"]["x"]) / 20))
    (fit,) = [fit for fit in content["fits"] if fit["quantity"] == "initial_trace"]
    assert (fit["law"], fit["window"], fit["p_value"]) == ("offset", [16, 64], 0.01)
    drawn(scaling_laws, content)


def test_a_censored_bend_draws_no_line(tmp_path: Path) -> None:
    def change(content: dict[str, Any]) -> None:
        rejected("effective_rank", "saturating", 1.0)(content)
        content["effective_rank"]["bent_law"]["bend"]["value"] = None

    content = laws([changed(curve(tmp_path), "power-laws", change)])
    assert content["panels"][1]["series"][0]["fit"]["x"] == []
    drawn(scaling_laws, content)


def test_the_test_loss_is_quoted_by_its_excess_over_its_limit(tmp_path: Path) -> None:
    measured = changed(curve(tmp_path), "power-laws", rejected("test_loss", "limited", 1.25))
    fit = laws([measured])["panels"][0]["series"][0]["fit"]
    assert fit["exponent"]["value"] == -1.25
    assert fit["exponent"]["low"] < -1.25 < fit["exponent"]["high"]
    assert fit["text"] == r"−1.25 [−1.38, −1.12], 8–64, $\mathcal{L}_\infty=$2.00"
    np.testing.assert_allclose(fit["y"], 2 * (1 + (20 / np.array(fit["x"])) ** 1.25))


def test_the_closed_form_of_the_initial_trace_is_drawn(tmp_path: Path) -> None:
    content = laws([curve(tmp_path)])
    trace, rate = content["panels"][2]["series"]
    np.testing.assert_allclose(trace["closed_form"]["y"], 1.1 * np.sqrt([8, 16, 64]))
    assert rate["closed_form"] is None
    axes = panels(drawn(scaling_laws, content))[2]
    assert ":" in [line.get_linestyle() for line in axes.lines]


@pytest.mark.parametrize(("signs", "scale"), [([1, -1, 1], "log"), ([-1, -1, -1], "linear")])
def test_negative_adaptation_rates_are_drawn_where_the_axis_allows(
    tmp_path: Path, signs: list[int], scale: str
) -> None:
    def change(content: dict[str, Any]) -> None:
        content["adaptation_rate"] |= {"mean": [3.0 * sign for sign in signs], "power_law": None}
        content["expectation"] = None
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


def test_transition_of_many_datasets_has_a_column_for_each_network(tmp_path: Path) -> None:
    names, networks = ("digits", "mnist", "cifar-4"), ("three-layer", "four-layer")
    pairs = [(name, network) for name in names for network in networks]
    content = transition.collect(
        "3", [], [curve(tmp_path, "model-scaling", *pair) for pair in reversed(pairs)]
    )
    assert [(panel["dataset"], panel["network"]) for panel in content["panels"]] == list(reversed(pairs))
    figure = drawn(transition, content)
    assert figure.get_figwidth() <= PAGE
    shown = {axes.get_title(loc="left"): axes.get_position() for axes in panels(figure)}
    assert shown["(a)"].y0 == shown["(b)"].y0 > shown["(c)"].y0
    assert shown["(a)"].x0 == shown["(c)"].x0 < shown["(b)"].x0


def test_transition_of_one_width_says_that_there_is_no_bend(tmp_path: Path) -> None:
    content = transition.collect("sgd-width-transition", [], [curve(tmp_path, "sgd-width", scales=(8,))])
    for series in content["panels"][0]["series"]:
        assert series["trend"] is series["bend"] is None
        assert series["no_bend_because"] == "too few scales"
    figure = drawn(transition, content)
    shown = [text for axes in figure.axes if axes.get_legend() for text in texts(axes)]
    assert shown[:2] == [r"$\beta$: no bend identified", r"$\Gamma$: no bend identified"]


def test_a_trace_ratio_below_zero_is_drawn_on_a_linear_axis(tmp_path: Path) -> None:
    def change(content: dict[str, Any]) -> None:
        content["trace_ratio"]["mean"] = [-0.3, -0.2, -0.1]

    measured = changed(curve(tmp_path), "transition", change)
    left, right = panels(drawn(transition, transition.collect("3", [], [measured])))
    assert (left.get_yscale(), right.get_yscale()) == ("linear", "log")


def bent(bend: Interval) -> Callable[[dict[str, Any]], None]:
    """A change by which β has a law that bends at ``bend``."""
    law = {"form": "trace ratio", "level": known(15.0), "bend": bend, "power": None}
    fit = {"squares": 1.0, "freedom": 1, "window": [8, 64]}

    def change(content: dict[str, Any]) -> None:
        content["trace_ratio"] |= {"bent_law": law | fit, "no_law_because": ""}

    return change


def bands(axes: Axes) -> list[tuple[float, float]]:
    """The ends of the shaded intervals."""
    spans = [patch.get_extents().transformed(axes.transData.inverted()) for patch in axes.patches]
    return [(span.x0, span.x1) for span in spans]


def test_a_bend_has_its_law_and_its_interval_as_a_band(tmp_path: Path) -> None:
    measured = changed(curve(tmp_path), "transition", bent(known(20.0, 12.0, 33.0)))
    content: Any = transition.collect("3", [], [measured])
    beta, _ = content["panels"][0]["series"]
    np.testing.assert_allclose(beta["trend"]["y"], 15 / (1 + np.array(beta["trend"]["x"]) / 20))
    assert beta["trend"]["x"][:: len(beta["trend"]["x"]) - 1] == pytest.approx([8, 64])
    figure = drawn(transition, content)
    shown = [text for axes in figure.axes if axes.get_legend() for text in texts(axes)]
    assert r"$\beta$ bends at 20 [12, 33]" in shown
    assert bands(figure.axes[0]) == [pytest.approx((12, 33))]


def test_an_open_interval_reaches_the_end_of_the_axis(tmp_path: Path) -> None:
    ajar: Any = {**known(20.0, 12.0), "high": None, "high_open": True}
    content: Any = transition.collect("3", [], [changed(curve(tmp_path), "transition", bent(ajar))])
    figure = drawn(transition, content)
    assert bands(figure.axes[0]) == [pytest.approx((12, figure.axes[0].get_xlim()[1]))]
    assert r"$\beta$ bends at 20 [12, …]" in [
        t for axes in figure.axes if axes.get_legend() for t in texts(axes)
    ]


def test_the_two_axes_have_colours_of_their_own_and_infinite_width_a_line(tmp_path: Path) -> None:
    figure = drawn(transition, transition.collect("3", [], [curve(tmp_path)]))
    left, right = panels(figure)
    assert left.yaxis.label.get_color() == left.lines[0].get_color() != right.yaxis.label.get_color()
    assert right.yaxis.label.get_color() == right.lines[0].get_color()
    assert [line.get_ydata()[0] for line in right.lines if line.get_linestyle() == ":"] == [30.0]
