"""Colours for a dark page can be seen there, keep their order, and stay apart."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_hex
from ntklens.figures.style import DATASET_COLOURS
from ntklens.gallery.colours import luminance, on_dark

CARD = "#1a1e26"  # the background of figures on a dark page


def contrast(one: str, other: str) -> float:
    """The contrast of WCAG 2, between 1 and 21."""
    bright, dim = sorted((luminance(one), luminance(other)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


def test_white_stays_white_and_black_becomes_grey() -> None:
    assert on_dark("#ffffff") == "#ffffff"
    red, green, blue = (int(on_dark("#000000")[i : i + 2], 16) for i in (1, 3, 5))
    assert red == green == blue > 100


def test_luminance_is_that_of_wcag() -> None:
    assert luminance("#000000") == 0
    assert luminance("#ffffff") == pytest.approx(1)
    assert luminance("#ff0000") == pytest.approx(0.2126)


@pytest.mark.parametrize("map_name", ["viridis", "plasma"])
def test_scales_keep_their_order_of_lightness_and_can_be_seen(map_name: str) -> None:
    colours = [to_hex(colour) for colour in plt.get_cmap(map_name)(np.linspace(0, 0.9, 10))]
    dark = [on_dark(colour) for colour in colours]
    assert min(contrast(colour, CARD) for colour in dark) > 3  # what WCAG asks of graphics
    assert np.all(np.diff([luminance(colour) for colour in dark]) > 0)


def test_colours_of_datasets_stay_distinct_and_can_be_seen() -> None:
    dark = [on_dark(colour) for colour in DATASET_COLOURS]
    assert min(contrast(colour, CARD) for colour in dark) > 3
    rgb = np.array([[int(colour[i : i + 2], 16) for i in (1, 3, 5)] for colour in dark])
    apart = np.abs(rgb[:, None] - rgb).max(axis=2)
    assert np.all(apart[~np.eye(len(dark), dtype=bool)] > 25)
