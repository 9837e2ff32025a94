import numpy as np
import pytest
from matplotlib import pyplot as plt
from ntklens.figures.noise import draw, level_colours


def content(number, networks, last=300):
    """The content of figure 4 or 7 with made-up numbers."""
    quantities = {"4": ["effective_rank"], "7": ["train_accuracy", "test_accuracy"]}[number]
    series = [
        {
            "label": f"{level} % removed",
            "removed_percent": level,
            "x": [0, 1, 10, last],
            "y": [1, 2, 3, 4 - level / 100],
            "low": None,
            "high": None,
        }
        for level in (0, 50, 90)
    ]
    panels = [
        {"heading": network, "quantity": quantity, "ylabel": quantity, "series": series}
        for quantity in quantities
        for network in networks
    ]
    return {"figure": number, "panels": panels, "fits": []}


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


@pytest.mark.parametrize(("number", "networks", "shape"), [("4", "ab", (1, 2)), ("7", "abc", (2, 3))])
def test_panels_stand_in_a_row_a_quantity_and_a_column_a_network(number, networks, shape):
    figure = draw(content(number, networks))
    assert len(figure.axes) == np.prod(shape)
    grid = np.array(figure.axes).reshape(shape)
    for row in grid:
        assert len({axes.get_ylabel() for axes in row}) == 1
    assert [axes.get_title() for axes in grid[0]] == list(networks)


@pytest.mark.parametrize("last", [1, 9, 300, 1000])
def test_every_epoch_from_0_on_is_shown_with_whole_numbers_as_ticks(last):
    figure = draw(content("4", "a", last))
    axes = figure.axes[0]
    assert axes.get_xlim() == (0, last)
    figure.canvas.draw()
    inside = [tick for tick in axes.get_xticks() if tick <= last]
    assert inside == [0, 1, 10, 100, 1000][: len(str(last)) + 1]
    positions = axes.transData.transform([(epoch, 1) for epoch in range(last + 1)])[:, 0]
    assert np.all(np.diff(positions) > 0)


def test_a_level_has_the_same_colour_in_every_panel_and_one_line_in_the_legend():
    figure = draw(content("7", "ab"))
    colours = [[line.get_color() for line in axes.get_lines()] for axes in figure.axes]
    assert all(panel == colours[0] for panel in colours)
    assert len(set(colours[0])) == 3
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["0 % removed", "50 % removed", "90 % removed"]


def test_colours_get_lighter_with_the_level_in_any_order():
    colours = level_colours([90, 0, 50, 0])
    assert list(colours) == [0, 50, 90]
    brightness = [np.dot(colour[:3], (0.3, 0.6, 0.1)) for colour in colours.values()]
    assert brightness == sorted(brightness)
