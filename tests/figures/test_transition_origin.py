"""Figure 9: what its panels hold, and that they are drawn."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ntklens.figures import transition_origin
from ntklens.figures.measured import MeasuredCurve
from ntklens.storage.sealing import read_sealed_json, write_sealed_json

from tests.support.measured import curve, drawn, ends, panels

WIDTHS = (8, 16, 64)


def collected(curves: list[MeasuredCurve]) -> dict[str, Any]:
    content: Any = transition_origin.collect("9", [], curves)
    return {panel["heading"].split(",")[0]: panel for panel in content["panels"]}


def changed(own: MeasuredCurve, need: str, **keys: Any) -> None:
    """Replace ``keys`` in the file ``need`` of a curve."""
    path = Path(own.files[need])
    write_sealed_json(path, {**read_sealed_json(path), **keys})


def test_the_collapse_has_no_fitted_parameter(tmp_path: Path) -> None:
    own = curve(tmp_path)
    measured, law = collected([own])["β without a fit"]["series"]
    beta = np.array(own.fit("power-laws")["trace_ratio"]["mean"])
    np.testing.assert_allclose(measured["x"], np.array(WIDTHS) / 20)
    np.testing.assert_allclose(measured["y"], beta / 6)  # β₀ of the prediction is 6
    np.testing.assert_allclose(law["y"], 1 / (1 + np.array(law["x"])))


def test_a_curve_without_a_closed_form_has_no_place_in_the_collapse(tmp_path: Path) -> None:
    own = curve(tmp_path)
    changed(own, "transition", expectation=None, prediction=None, infinite_effective_rank=None)
    found = collected([own])
    assert "β without a fit" not in found
    assert found["β of each layer"]["letter"] == "d"  # as the caption has it
    assert len(found["Initial trace"]["series"]) == 1
    assert [series["label"] for series in found["Γ before and after"]["series"]] == [
        "at the minimum",
        "at initialisation",
    ]


def test_every_curve_is_shown_with_its_weighted_counterpart(tmp_path: Path) -> None:
    curves = [curve(tmp_path), curve(tmp_path, network="four-layer"), curve(tmp_path, "sgd-width")]
    series = collected(curves)["β as if in NTK parametrisation"]["series"]
    assert [own["drawn"] for own in series] == ["empty", "filled"] * 3
    assert len({own["colour"] for own in series}) == 3
    assert series[-1]["label"] == "Sgd width, Digits (8×8), three-layer"


def test_layers_and_distances_are_those_of_the_first_curve(tmp_path: Path) -> None:
    found = collected([curve(tmp_path), curve(tmp_path, network="four-layer")])
    own = ends(WIDTHS)["between"]
    assert [series["y"] for series in found["β of each layer"]["series"]] == [
        layer["value"] for layer in own["layer_trace_ratio"]
    ]
    assert [series["y"] for series in found["Distance from the start"]["series"]] == [
        own[name]["value"] for name in ("kernel_change", "kernel_cosine_distance", "parameter_change")
    ]
    assert found["Distance from the start"]["series"][0]["low"] == own["kernel_change"]["low"]


def test_convolutional_networks_leave_out_the_panels_by_layer(tmp_path: Path) -> None:
    own = curve(tmp_path)
    changed(own, "ends", between={})
    found = collected([own])
    assert not {"β of each layer", "Distance from the start", "β as if in NTK parametrisation"} & set(found)


@pytest.mark.parametrize("number", [1, 4])
def test_every_panel_is_drawn_with_its_lines(tmp_path: Path, number: int) -> None:
    networks = [f"network-{i}" for i in range(number)]
    content: Any = transition_origin.collect("9", [], [curve(tmp_path, network=own) for own in networks])
    axes = panels(drawn(transition_origin, content))
    assert [len(own.lines) for own in axes] == [len(panel["series"]) for panel in content["panels"]]
    assert all(own.get_yscale() == "log" for own in axes)
