"""The figures' numbers, recomputed from small files made by hand, and what is drawn of them."""

import json
from dataclasses import asdict, fields
from itertools import combinations

import h5py
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.text import Text
from ntklens.analysis.ensemble import Ensemble, write_ensembles
from ntklens.analysis.laws import fit_power_law
from ntklens.figures import dataset_grid, dynamics, scaling_laws, transition
from ntklens.figures.along_training import read_curve
from ntklens.figures.style import RC, name_panel, spread_ticks

END = 4  # the epoch of the least mean test loss
EPOCHS = {"trace_epoch": np.arange(0, 8, 2), "spectrum_epoch": np.array([0, 1, 4, 7])}
SCALES = {"model-scaling": (8, 16, 64), "data-scaling": (40, 90, 200)}
LONG = "fashion-mnist-modified"
SHOWN = [  # figure, quantity, form, its array in the file, its epochs
    ("5", "trace", None, "ntk_trace", "trace_epoch"),
    ("6", "effective rank", None, "effective_rank", "spectrum_epoch"),
    ("8", "label alignment", "all outputs", "label_alignment", "spectrum_epoch"),
    ("8", "label alignment", "summed over outputs", "summed_label_alignment", "spectrum_epoch"),
    ("8", "misalignment", "as printed", "misalignment_as_printed", "spectrum_epoch"),
    ("8", "misalignment", "sign-matched", "misalignment_sign_matched", "spectrum_epoch"),
    ("8", "misalignment", "basis-free", "misalignment_basis_free", "spectrum_epoch"),
]


def ensemble(scale):
    """A point of eight epochs whose other arrays hold four numbers of their own."""
    rng = np.random.default_rng(scale)
    arrays = {field.name: rng.uniform(0.1, 1, 4) for field in fields(Ensemble)}
    return Ensemble(
        **arrays
        | EPOCHS
        | {"epoch": np.arange(8), "log_train_loss": np.log(2) - 0.3 * np.arange(8) - 0.001 * scale}
        | {"scale": scale, "left_out": (), "mean_minimum_epoch": END}
    )


def adaptation_rates(scales):
    points = [
        {
            "scale": scale,
            "epoch": [0.5, 2.5, 4.5],
            "train_loss": [2.0, 1.0, 0.5],
            "adaptation_rate": [-scale, 0.5 * scale, -7.0],
        }
        for scale in scales
    ]
    return {"settings": {}, "points": points}


def curve_files(folder, study, scales=None):
    """Paths of the ensembles and the adaptation rates of one curve made by hand."""
    scales = scales or SCALES[study]
    ensembles, rates = folder / f"{study}-{len(scales)}.h5", folder / f"{study}-{len(scales)}.json"
    write_ensembles(ensembles, [ensemble(scale) for scale in scales])
    rates.write_text(json.dumps(adaptation_rates(scales)))
    return str(ensembles), str(rates)


def power_laws(scales):
    """A power-laws file with every quantity, each a power law but for the unfitted effective rank."""
    mean = [float(scale) ** 0.5 for scale in scales]
    series = {"scale": list(scales), "mean": mean, "error": [0.1] * len(scales), "limited_power_law": None}
    law = {"power_law": asdict(fit_power_law(scales, mean))}
    return {
        "test_loss": series | law,
        "initial_trace": series | law,
        "effective_rank": series | {"power_law": None},
        "adaptation_rate": series | law | {"error": None},
    }


def transitions(scales):
    unbent = {"broken_power_law": None, "no_bend_because": "too few scales", "power_law": None}
    series = {"scale": list(scales), "mean": list(map(float, scales)), "error": [0.1] * len(scales)} | unbent
    return {"trace_ratio": series, "effective_rank": series}


def as_json(path, content):
    path.write_text(json.dumps(content))
    return str(path)


def curves_of(folder, *pairs):
    return [read_curve(study, dataset, *curve_files(folder, study)) for study, dataset in pairs]


def drawn(draw, content):
    """The figure, laid out; closed, so that figures don't pile up."""
    with plt.rc_context(RC):
        figure = draw(content)
        figure.canvas.draw()
    plt.close(figure)
    return figure


def panels(figure):
    """The visible axes with lines, colour bars left out."""
    return [axes for axes in figure.axes if axes.get_visible() and axes.lines]


@pytest.mark.parametrize(("number", "quantity", "form", "name", "epochs"), SHOWN)
def test_a_series_is_the_file_s_array_up_to_the_minimum(tmp_path, number, quantity, form, name, epochs):
    content = dataset_grid.collect(number, curves_of(tmp_path, ("data-scaling", "digits")))
    (panel,) = [panel for panel in content["panels"] if panel["quantity"] == quantity]
    series = [s for s in panel["series"] if s.get("form") == form]
    assert [s["scale"] for s in series] == [40, 90, 200]
    with h5py.File(tmp_path / "data-scaling-3.h5") as file:
        for s in series:
            point = file[f"scale-{s['scale']:06d}"]
            index = [i for i, epoch in enumerate(EPOCHS[epochs]) if epoch <= END]
            mean, error = point[name][index], point[f"{name}_error"][index]
            at = [int(EPOCHS[epochs][i]) for i in index]
            np.testing.assert_allclose(s["x"], np.exp([point["log_train_loss"][epoch] for epoch in at]))
            np.testing.assert_array_equal(s["y"], mean)
            np.testing.assert_array_equal(s["low"], mean - error)
            np.testing.assert_array_equal(s["high"], mean + error)


def test_the_adaptation_rate_is_negated_cut_at_the_minimum_and_has_no_band(tmp_path):
    content = dataset_grid.collect("5", curves_of(tmp_path, ("model-scaling", "digits")))
    shown = content["panels"][1]["series"]
    assert [s["label"] for s in shown] == ["m = 8", "m = 16", "m = 64"]
    for s in shown:
        assert s["x"] == [2.0, 1.0]
        assert s["y"] == [s["scale"], -0.5 * s["scale"]]
        assert s["low"] is s["high"] is None


def test_two_forms_of_eq_17_are_drawn_and_all_three_kept(tmp_path):
    content = dataset_grid.collect("8", curves_of(tmp_path, ("model-scaling", "digits")))
    kept = {(p["quantity"], s["form"]): s["drawn"] for p in content["panels"] for s in p["series"]}
    assert kept == {
        ("label alignment", "all outputs"): True,
        ("label alignment", "summed over outputs"): False,
        ("misalignment", "as printed"): False,
        ("misalignment", "sign-matched"): True,
        ("misalignment", "basis-free"): True,
    }
    alignment, misalignment = panels(drawn(dataset_grid.draw, content))
    assert [line.get_linestyle() for line in alignment.lines] == 3 * ["-"]
    assert [line.get_linestyle() for line in misalignment.lines] == 3 * ["-"] + 3 * ["--"]


def test_figures_1_and_5_agree(tmp_path):
    files = curve_files(tmp_path, "model-scaling")
    first = dynamics.collect({"model-scaling": ("digits", *files)})["panels"]
    fifth = dataset_grid.collect("5", [read_curve("model-scaling", "digits", *files)])["panels"]
    for one, other in zip(first[:2], fifth, strict=True):
        assert one["series"] == other["series"]
        assert one["title"] == other["title"]


def test_panels_read_row_by_row_however_the_config_orders_them(tmp_path):
    pairs = [
        ("data-scaling", "mnist"),
        ("data-scaling", "digits"),
        ("model-scaling", "digits"),
        ("model-scaling", LONG),
    ]
    content = dataset_grid.collect("6", curves_of(tmp_path, *pairs))
    assert [(p["study"], p["dataset"]) for p in content["panels"]] == [
        ("model-scaling", "digits"),
        ("model-scaling", LONG),
        ("data-scaling", "digits"),
        ("data-scaling", "mnist"),
    ]
    figure = drawn(dataset_grid.draw, content)
    letters = {axes.get_title(loc="left"): axes.get_subplotspec() for axes in panels(figure)}
    places = [(spec.rowspan.start, spec.colspan.start) for spec in letters.values()]
    assert list(letters) == ["(a)", "(b)", "(c)", "(d)"]
    assert places == [(0, 0), (0, 1), (1, 0), (1, 2)]


@pytest.mark.parametrize(("number", "stacked"), [("5", 2), ("6", 1), ("8", 2)])
def test_a_dataset_without_a_study_leaves_its_place_empty(tmp_path, number, stacked):
    pairs = [("model-scaling", "digits"), ("model-scaling", "mnist"), ("data-scaling", "mnist")]
    figure = drawn(dataset_grid.draw, dataset_grid.collect(number, curves_of(tmp_path, *pairs)))
    assert len(panels(figure)) == 3 * stacked
    assert len([axes for axes in figure.axes if not axes.get_visible()]) == stacked
    for axes in panels(figure):
        assert axes.get_xscale() == "log"
        assert axes.get_xlim()[0] > axes.get_xlim()[1]  # training reads from left to right
    bars = [axes for axes in figure.axes if axes.get_visible() and not axes.lines]
    assert [bar.get_ylabel() for bar in bars] == ["Model width", "Dataset size"]
    assert len(figure.legends) == (number == "8")


def test_a_row_s_datasets_share_colours(tmp_path):
    """Width 64 has one colour beside a dataset of widths to 64 and beside one of widths to 512."""
    read = [
        read_curve("model-scaling", name, *curve_files(tmp_path, "model-scaling", scales))
        for name, scales in (("digits", (8, 64)), ("mnist", (8, 64, 512)))
    ]
    left, right = panels(drawn(dataset_grid.draw, dataset_grid.collect("6", read)))
    assert left.lines[1].get_color() == right.lines[1].get_color() != right.lines[2].get_color()


def test_rates_of_other_points_raise(tmp_path):
    ensembles, _ = curve_files(tmp_path, "data-scaling")
    _, rates = curve_files(tmp_path, "model-scaling", (8, 64))
    with pytest.raises(ValueError, match="shorter"):
        dataset_grid.collect("5", [read_curve("data-scaling", "digits", ensembles, rates)])


def figure_with(number, folder, datasets):
    """Any figure of all ``datasets``, or figure 1 of the first."""
    scales = SCALES["model-scaling"]
    if number == "1":
        curves = {study: (datasets[0], *curve_files(folder, study)) for study in SCALES}
        return drawn(dynamics.draw, dynamics.collect(curves))
    if number == "2":
        laws = as_json(folder / "laws.json", power_laws(scales))
        content = scaling_laws.collect({study: dict.fromkeys(datasets, laws) for study in SCALES})
        return drawn(scaling_laws.draw, content)
    if number == "3":
        bends = as_json(folder / "bends.json", transitions(scales))
        networks = ("three-layer", "four-layer")
        return drawn(
            transition.draw,
            transition.collect({(name, network): bends for name in datasets for network in networks}),
        )
    pairs = [(study, name) for study in SCALES for name in datasets]
    return drawn(dataset_grid.draw, dataset_grid.collect(number, curves_of(folder, *pairs)))


@pytest.mark.parametrize(
    ("number", "datasets"),
    [(number, [LONG, "cifar-10-modified", "digits"]) for number in "123568"] + [("8", [LONG])],
)
def test_modified_data_are_marked_and_long_names_fit(tmp_path, number, datasets):
    figure = figure_with(number, tmp_path, datasets)
    shown = [text.get_text().replace("\n", " ") for text in figure.findobj(Text)]
    assert any("Fashion-MNIST (modified data)" in text for text in shown)
    for axes in panels(figure):
        titles = [axes.title, axes._left_title, axes.yaxis.offsetText]
        boxes = [text.get_window_extent() for text in titles if text.get_text()]
        assert not any(a.overlaps(b) for a, b in combinations(boxes, 2))
    names = [text for axes in panels(figure) for text in (axes.title, axes.xaxis.label, axes.yaxis.label)]
    for artist in (*figure.legends, *names):
        box = artist.get_window_extent()
        assert box.x0 >= 0
        assert box.x1 <= figure.bbox.x1


def test_figure_2_names_datasets_once_and_quotes_a_law_for_each(tmp_path):
    figure = figure_with("2", tmp_path, ["digits", LONG])
    (names,) = figure.legends
    assert [text.get_text() for text in names.get_texts()] == [
        "Digits (8×8)",
        "Fashion-MNIST (modified data)",
    ]
    loss, rank, both = (
        [text.get_text() for text in axes.get_legend().get_texts()] for axes in panels(figure)[:3]
    )
    assert loss == 2 * [r"$\alpha=0.50$"]
    assert rank == 2 * ["no power law"]
    assert len(both) == 2 * (1 + 2)  # a column for each quantity, under its symbol


@pytest.mark.parametrize("number", ["2", "3"])
def test_legends_stay_clear_of_the_points(tmp_path, number):
    figure = figure_with(number, tmp_path, ["digits", LONG, "mnist", "cifar-4"])
    for axes in panels(figure):
        if axes.get_legend():
            box = axes.get_legend().get_window_extent()
            for line in axes.lines:
                points = line.get_transform().transform(np.column_stack([line.get_xdata(), line.get_ydata()]))
                assert not any(box.contains(*point) for point in points if line.get_marker() != "None")


def test_a_long_name_breaks_outside_its_brackets():
    figure, axes = plt.subplots()
    name_panel(axes, "Model scaling, Fashion-MNIST (modified data)", 2.5)
    plt.close(figure)
    assert axes.get_title().split("\n") == ["Model scaling,", "Fashion-MNIST", "(modified data)"]


def test_ten_doublings_are_all_ticked():
    widths = [8 * 2**i for i in range(10)]
    assert spread_ticks(widths) == widths
    assert spread_ticks([8]) == [8]


def test_crowded_ticks_are_thinned_down_to_the_largest():
    assert spread_ticks([1, 95, 98, 100]) == [1, 100]
