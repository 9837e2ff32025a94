"""The instructions for the page repeat what Matplotlib drew, series by series."""

from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_hex
from ntklens.figures import (
    dataset_grid,
    dynamics,
    epochs,
    ranks_of_layers,
    scaling_laws,
    transition,
    transition_origin,
)
from ntklens.figures.style import DATASET_COLOURS, scale_colours
from ntklens.gallery.drawings import drawn_figure, group_of, rounded, titles_of
from ntklens.gallery.looks import Drawing, scale_of
from ntklens.gallery.seeds import Seeds
from ntklens.storage.curve import Curve

from tests.support.measured import curve, drawn

CURVE = Curve("model-scaling", "digits", "three-layer")


def instructions(kind: Any, *arguments: Any, seeds: Seeds | None = None) -> tuple[Any, Any]:
    """What the page is told of a figure, and the figure's content."""
    content = kind.collect(*arguments)
    content["provenance"] = {"settings": {"curves": [own.__dict__ for own in arguments[2]]}}
    name = kind.__name__.rpartition(".")[2]
    return drawn_figure(content, name, drawn(kind, content), seeds or Seeds({})), content


def test_series_along_training_have_the_colours_of_their_scales(tmp_path: Path) -> None:
    shows = ["ntk_trace", "adaptation_rate"]
    found, _ = instructions(dynamics, "1", shows, [curve(tmp_path), curve(tmp_path, "data-scaling")])
    assert found["groups"] == ["m = 8", "m = 16", "m = 64", "D = 40", "D = 90", "D = 200"]
    assert [panel["place"] for panel in found["panels"]] == [(0, 0), (0, 1), (1, 0), (1, 1)]
    first = found["panels"][0]
    colour = scale_colours([8, 16, 64])[0]
    assert [own["colour"] for own in first["series"]] == [to_hex(colour(scale)) for scale in (8, 16, 64)]
    assert first["x"] == {"label": "Train loss", "scale": "log", "reversed": True}
    assert first["y"] == [{"label": "NTK trace Tr(Θ)", "scale": "linear", "reversed": False}]
    assert {own["band"] for own in first["series"]} == {"± standard error"}
    assert {own["band"] for own in found["panels"][2]["series"]} == {"95 % interval"}
    assert "Train loss; lines: m = 8, m = 16, m = 64." in first["alternative"]


def test_forms_that_are_not_drawn_are_hidden_and_dashes_explained(tmp_path: Path) -> None:
    shows = ["label_alignment", "misalignment", "misalignment_of_space"]
    found, _ = instructions(dataset_grid, "8", shows, [curve(tmp_path)])
    alignment, misalignment, space = found["panels"]
    assert [own["shown"] for own in alignment["series"]] == 3 * [True] + 3 * [False]
    assert [own["group"] for own in alignment["series"]] == [0, 1, 2, 0, 1, 2]
    assert [own["dash"] for own in misalignment["series"]] == 3 * ["solid"] + 3 * ["dash"]
    assert misalignment["notes"] == ["solid: sign-matched", "dashed: as printed"]
    (level,) = misalignment["laws"]
    assert (level["x"], level["y"], level["group"]) == (None, [1.0, 1.0], -1)
    assert space["y"][0]["scale"] == "log"


def test_laws_belong_to_the_series_of_their_colour(tmp_path: Path) -> None:
    curves = [curve(tmp_path), curve(tmp_path, dataset="mnist-5k")]
    found, content = instructions(scaling_laws, "2", [], curves)
    loss, _, last = found["panels"]
    assert found["groups"] == ["Digits (8×8)", "MNIST (5k)"]
    assert [own["group"] for own in loss["series"]] == [0, 1]
    assert [own["marker"] for own in loss["series"]] == ["circle", "square"]
    assert [(law["group"], law["colour"], law["dash"]) for law in loss["laws"]] == [
        (0, DATASET_COLOURS[0].lower(), "dash"),
        (1, DATASET_COLOURS[1].lower(), "dash"),
    ]
    fit = content["panels"][0]["series"][0]["fit"]
    assert loss["laws"][0]["x"] == pytest.approx(fit["x"], rel=1e-5)
    assert loss["laws"][0]["y"] == pytest.approx(fit["y"], rel=1e-5)
    assert loss["notes"][0] == f"Digits (8×8): exponent {fit['text']}"
    assert [own["empty"] for own in last["series"]] == [False, False, True, True]
    assert last["notes"][0].startswith("Tr(Θ<sub>0</sub>), Digits (8×8): exponent ")


def test_a_quantity_without_a_power_law_is_named(tmp_path: Path) -> None:
    content: Any = scaling_laws.collect("2", [], [curve(tmp_path)])
    content["provenance"] = {"settings": {"curves": [curve(tmp_path).__dict__]}}
    for series in content["panels"][2]["series"]:
        series["fit"] = None
    found = drawn_figure(content, "scaling_laws", drawn(scaling_laws, content), Seeds({}))
    assert found["panels"][2]["notes"] == [
        "Tr(Θ<sub>0</sub>), Digits (8×8): no power law",
        "−χ(Θ), Digits (8×8): no power law",
    ]


def test_two_quantities_have_an_axis_each(tmp_path: Path) -> None:
    found, _ = instructions(transition, "3", [], [curve(tmp_path)])
    (panel,) = found["panels"]
    assert [axis["label"] for axis in panel["y"]] == [
        "Trace ratio β (empty)",
        "Effective rank Γ(Θ<sub>min</sub>) (filled)",
    ]
    assert [own["axis"] for own in panel["series"]] == [0, 1]
    assert [own["empty"] for own in panel["series"]] == [True, False]
    (infinite,) = panel["laws"]
    assert (infinite["x"], infinite["y"], infinite["axis"], infinite["group"]) == (None, [30.0, 30.0], 1, 1)
    assert panel["notes"] == [
        "β: no bend, too few scales",
        "Γ: no bend, too few scales",
        "Γ<sub>∞</sub> = 30 for infinite width",
    ]


def test_epochs_are_linear_up_to_1_and_logarithmic_from_there(tmp_path: Path) -> None:
    found, _ = instructions(epochs, "4", ["effective_rank"], [curve(tmp_path, "noise-scaling")])
    axis = found["panels"][0]["x"]
    assert (axis["scale"], axis["linear_to"]) == ("symlog", 1.0)
    # Matplotlib's own transform places 1 and 10 as the page does.
    figure, axes = plt.subplots()
    axes.set_xscale("symlog", linthresh=1, linscale=0.3)
    places = axes.xaxis.get_transform().transform(np.array([1.0, 10.0]))
    plt.close(figure)
    assert axis["linear_length"] == pytest.approx(places[0])
    assert places[1] - places[0] == pytest.approx(1)


def test_panels_have_the_letters_of_the_static_figure(tmp_path: Path) -> None:
    """A stack of panels has one."""
    shows = ["label_alignment", "misalignment", "misalignment_of_space"]
    curves = [curve(tmp_path), curve(tmp_path, "data-scaling")]
    found, _ = instructions(dataset_grid, "8", shows, curves)
    letters = [panel["title"][:3] for panel in found["panels"] if panel["title"].startswith("(")]
    assert letters == ["(a)", "(b)"]
    assert [panel["title"].startswith("(") for panel in found["panels"]] == [True, False, False] * 2
    found, _ = instructions(transition, "3", [], curves[:1])
    assert found["panels"][0]["title"].startswith("(a) ")


@pytest.mark.parametrize("kind", [transition_origin, ranks_of_layers])
def test_every_line_of_a_panel_has_a_name_of_its_own(tmp_path: Path, kind: Any) -> None:
    curves = [curve(tmp_path), curve(tmp_path, network="four-layer")]
    found, content = instructions(kind, "9", [], curves)
    for panel, own in zip(found["panels"], content["panels"], strict=True):
        names = [series["name"] for series in panel["series"]]
        assert len(set(names)) == len(names), own["title"]
        for_csv = [series.get("full_name", series["label"]) for series in own["series"]]
        assert len(set(for_csv)) == len(for_csv), own["title"]
        assert all(for_csv)


def test_every_line_of_figure_9_is_found(tmp_path: Path) -> None:
    curves = [curve(tmp_path), curve(tmp_path, network="four-layer")]
    found, content = instructions(transition_origin, "9", [], curves)
    assert len(found["panels"]) == len(content["panels"]) == 9
    for panel in found["panels"]:
        assert all(own["shown"] for own in panel["series"])
        assert panel["laws"] == []
        assert {own["band"] for own in panel["series"]} == {"95 % interval"}
    dashes = {own["name"]: own["dash"] for own in found["panels"][2]["series"]}
    assert dashes["1/(1+m/m<sup>*</sup>)"] == "dot"


def test_seeds_are_told_by_point(tmp_path: Path) -> None:
    seeds = Seeds({CURVE: {8: 3, 16: 2, 64: 3}})
    found, _ = instructions(dynamics, "1", ["ntk_trace"], [curve(tmp_path)], seeds=seeds)
    assert [own["seeds"] for own in found["panels"][0]["series"]] == ["3 seeds", "2 seeds", "3 seeds"]
    found, _ = instructions(transition, "3", [], [curve(tmp_path)], seeds=seeds)
    assert found["panels"][0]["series"][0]["seeds"] == ["3 seeds", "2 seeds", "3 seeds"]


def test_lines_with_the_same_numbers_have_a_series_each() -> None:
    figure, axes = plt.subplots()
    for colour in ("#ff0000", "#0000ff"):
        axes.plot([1, 2], [3, np.nan], color=colour)
    drawing, series = Drawing(figure), {"x": [1, 2], "y": [3, None]}
    found = [drawing.series(series), drawing.series(series), drawing.series(series)]
    plt.close(figure)
    assert [own and own.look.colour for own in found] == ["#ff0000", "#0000ff", None]
    assert scale_of(axes, "x") == "linear"


def test_titles_are_headings_unless_panels_share_them() -> None:
    panels = [{"title": "A: trace", "heading": "A"}, {"title": "A: rank", "heading": "A"}]
    assert titles_of(panels) == ["A: trace", "A: rank"]
    assert titles_of(panels[:1]) == ["A"]


def test_a_group_is_named_without_law_and_form() -> None:
    series = [
        {"label": "MNIST, −0.5", "name": "MNIST"},
        {"label": "m = 8, as printed", "form": "as printed"},
        {"label": "", "colour": "layer 1"},
        {"label": ""},
    ]
    names = [group_of({"series": series}, number) for number in range(4)]
    assert names == ["MNIST", "m = 8", "layer 1", "line 4"]


def test_rounding_keeps_significant_digits() -> None:
    assert rounded([123456.0, 0.000123456, -1.0], 3) == [123000.0, 0.000123, -1.0]
