"""The number of seeds behind a point, from what a figure's content says of its curves."""

from typing import Any

import numpy as np
from ntklens.gallery.seeds import Seeds, curves_of, seeds_in_words, seeds_of
from ntklens.storage.averages import Average
from ntklens.storage.curve import Curve

WIDE, DEEP, SIZES = (
    Curve("model-scaling", "digits", "three-layer"),
    Curve("model-scaling", "digits", "four-layer"),
    Curve("data-scaling", "digits", "four-layer"),
)


def content(*curves: Curve) -> dict[str, Any]:
    return {"provenance": {"settings": {"curves": [curve._asdict() for curve in curves]}}}


def panel(*series: dict[str, Any], **named: str) -> dict[str, Any]:
    return {"series": series or [{}], **named}


def test_panel_shows_the_curves_that_fit_what_it_names() -> None:
    figure = content(WIDE, DEEP, SIZES)
    assert curves_of(figure, panel(**WIDE._asdict())) == [WIDE]
    assert curves_of(figure, panel(study="model-scaling")) == [WIDE, DEEP]
    both = panel({"network": "three-layer"}, {"network": "four-layer"}, study="model-scaling")
    assert curves_of(figure, both) == [WIDE, DEEP]
    assert curves_of(figure, panel()) == [WIDE, DEEP, SIZES]


def test_equal_numbers_of_seeds_are_one_text() -> None:
    seeds = Seeds({WIDE: {8: 5, 16: 5}, DEEP: {8: 5}})
    assert seeds.of(content(WIDE, DEEP), panel()) == "5 seeds"
    assert Seeds({WIDE: {8: 1}}).of(content(WIDE), panel()) == "1 seed"
    assert Seeds({}).of(content(WIDE), panel()) == ""


def test_different_numbers_are_told_by_scale_and_as_a_range_over_curves() -> None:
    seeds = Seeds({WIDE: {8: 5, 16: 3}, DEEP: {8: 4, 16: 3}})
    by_scale = seeds.of(content(WIDE, DEEP), panel())
    assert by_scale == {8: "4 to 5 seeds", 16: "3 seeds"}
    assert seeds_in_words({"x": [8, 16, 0.5]}, by_scale) == ["4 to 5 seeds", "3 seeds", ""]
    assert seeds_in_words({"scale": 16, "x": [0.1, 0.2]}, by_scale) == "3 seeds"


def test_seeds_are_counted_in_averages() -> None:
    averages = [Average(8, np.array([0, 2]), ("seed 1: diverged",), 1, {}, {})]
    assert seeds_of({WIDE: averages}).counts == {WIDE: {8: 2}}
