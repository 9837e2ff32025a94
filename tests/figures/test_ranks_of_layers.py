"""Figure 10: what its panels hold, and that they are drawn."""

from pathlib import Path
from typing import Any

from ntklens.figures import ranks_of_layers
from ntklens.storage.sealing import read_sealed_json, write_sealed_json

from tests.support.measured import curve, drawn, ends, panels

WIDTHS = (8, 16, 64)


def test_layers_are_shown_at_both_ends(tmp_path: Path) -> None:
    content: Any = ranks_of_layers.collect("10", [], [curve(tmp_path)])
    ranks = content["panels"][0]
    own = ends(WIDTHS)
    expected = [layer["value"] for part in ("initial", "minimum") for layer in own[part]["conjugate_ranks"]]
    assert [series["y"] for series in ranks["series"]] == expected
    assert [series["drawn"] for series in ranks["series"]] == ["empty", "empty", "filled", "filled"]
    # A label for each layer, not for each line.
    assert [series["label"] for series in ranks["series"]] == ["", "", "layer 1", "layer 2"]


def test_factors_come_along_training_and_at_both_ends(tmp_path: Path) -> None:
    content: Any = ranks_of_layers.collect("10", [], [curve(tmp_path)])
    rows = {row: [own for own in content["panels"] if own["row"] == row] for row in ("training", "ends")}
    assert [own["quantity"] for own in rows["training"]] == [
        "loss_susceptibility",
        "ntk_trace",
        "spectral_position",
    ]
    assert [len(own["series"]) for own in rows["training"]] == [len(WIDTHS)] * 3
    assert [own["series"][1]["y"] for own in rows["ends"]] == [
        ends(WIDTHS)["minimum"][name]["value"]
        for name in ("loss_susceptibility", "ntk_trace", "spectral_position")
    ]


def test_every_panel_is_drawn_and_training_reads_from_left_to_right(tmp_path: Path) -> None:
    content: Any = ranks_of_layers.collect("10", [], [curve(tmp_path)])
    axes = panels(drawn(ranks_of_layers, content))
    assert len(axes) == 9
    assert [own.xaxis_inverted() for own in axes] == [False] * 3 + [True] * 3 + [False] * 3


def test_convolutional_networks_have_the_factors_alone(tmp_path: Path) -> None:
    own = curve(tmp_path)
    path = Path(own.files["ends"])
    content = read_sealed_json(path)
    for part in ("initial", "minimum"):
        content[part] = {name: one for name, one in content[part].items() if isinstance(one, dict)}
    write_sealed_json(path, content)
    collected: Any = ranks_of_layers.collect("10", [], [own])
    assert [panel["row"] for panel in collected["panels"]] == ["training"] * 3 + ["ends"] * 3
    assert [panel["letter"] for panel in collected["panels"]] == list("defghi")  # as the caption has them
    assert len(panels(drawn(ranks_of_layers, collected))) == 6
