"""The numbers in panels along training equal those computed directly from small files."""

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from ntklens.figures import dataset_grid, dynamics
from ntklens.figures.along_training import panels_of

from tests.support.measured import END, SPECTRUM_EPOCHS, TRACE_EPOCHS, average, curve, drawn, panels

SHOWN: list[tuple[str, str | None, str, np.ndarray]] = [  # quantity, form, name in the file, epochs
    ("ntk_trace", None, "ntk_trace", TRACE_EPOCHS),
    ("effective_rank", None, "effective_rank", SPECTRUM_EPOCHS),
    ("label_alignment", "all outputs", "label_alignment", SPECTRUM_EPOCHS),
    ("label_alignment", "summed over outputs", "summed_label_alignment", SPECTRUM_EPOCHS),
    ("misalignment", "as printed", "misalignment_as_printed", SPECTRUM_EPOCHS),
    ("misalignment", "sign-matched", "misalignment_sign_matched", SPECTRUM_EPOCHS),
    ("misalignment_of_space", None, "misalignment_basis_free", SPECTRUM_EPOCHS),
]


@pytest.mark.parametrize(("quantity", "form", "name", "epochs"), SHOWN)
def test_a_series_is_the_files_array_up_to_the_minimum(
    tmp_path: Path, quantity: str, form: str | None, name: str, epochs: np.ndarray
) -> None:
    measured = curve(tmp_path, "data-scaling")
    (panel,) = panels_of(measured, [quantity])
    assert panel["quantity"] == quantity
    series: list[Any] = [s for s in panel["series"] if s.get("form") == form]
    assert [s["scale"] for s in series] == [40, 90, 200]
    with h5py.File(measured.files["averages"]) as file:
        for s in series:
            point: Any = file[f"scale-{s['scale']:06d}"]
            index = [i for i, epoch in enumerate(epochs) if epoch <= END]
            mean, error = point[f"{name}/mean"][index], point[f"{name}/error"][index]
            loss = [point["log_train_loss/mean"][int(epochs[i])] for i in index]
            assert s["epoch"] == [epochs[i] for i in index]
            np.testing.assert_allclose(s["x"], np.exp(loss))
            np.testing.assert_array_equal(s["y"], mean)
            np.testing.assert_array_equal(s["low"], mean - error)
            np.testing.assert_array_equal(s["high"], mean + error)


def test_the_adaptation_rate_and_its_interval_are_negated_and_cut_at_the_minimum(tmp_path: Path) -> None:
    (panel,) = panels_of(curve(tmp_path), ["adaptation_rate"])
    assert [s["label"] for s in panel["series"]] == ["m = 8", "m = 16", "m = 64"]
    for s in panel["series"]:
        assert s["epoch"] == [0.5, 2.5]
        assert s["x"] == [2.0, 1.0]
        assert s["y"] == [s["scale"], -0.5 * s["scale"]]
        assert s["low"] == [s["scale"] - 2, None]
        assert s["high"] == [s["scale"] + 1, None]


def test_titles_and_labels_say_what_is_shown(tmp_path: Path) -> None:
    trace, misalignment = panels_of(curve(tmp_path), ["ntk_trace", "misalignment"])
    assert trace["title"] == "Model scaling, Digits (8×8): trace"
    assert trace["ylabel"] == r"NTK trace $\mathrm{Tr}(\Theta)$"
    assert misalignment["ylabel"] == "NTK misalignment"
    assert misalignment["series"][0]["label"] == "m = 8, sign-matched"


def test_three_forms_of_eq_17_are_drawn_and_the_value_of_random_signs_is_marked(tmp_path: Path) -> None:
    shows = ["label_alignment", "misalignment", "misalignment_of_space"]
    content: Any = dataset_grid.collect("8", shows, [curve(tmp_path)])
    kept = {(p["quantity"], s.get("form")): s.get("drawn") for p in content["panels"] for s in p["series"]}
    assert kept == {
        ("label_alignment", "all outputs"): True,
        ("label_alignment", "summed over outputs"): False,
        ("misalignment", "sign-matched"): True,
        ("misalignment", "as printed"): True,
        ("misalignment_of_space", None): None,
    }
    alignment, misalignment, of_space = panels(drawn(dataset_grid, content))
    assert [line.get_linestyle() for line in alignment.lines] == 3 * ["-"]
    reference, *lines = misalignment.lines
    assert [line.get_linestyle() for line in lines] == 3 * ["-"] + 3 * ["--"]
    assert list(reference.get_ydata()) == [1.0, 1.0]
    assert of_space.get_yscale() == "log"


def test_figures_1_and_5_agree(tmp_path: Path) -> None:
    shows = ["ntk_trace", "adaptation_rate"]
    first = dynamics.collect("1", shows, [curve(tmp_path)])["panels"]
    fifth = dataset_grid.collect("5", shows, [curve(tmp_path)])["panels"]
    for one, other in zip(first, fifth, strict=True):
        assert one["series"] == other["series"]
        assert one["title"] == other["title"]


def test_figure_1_has_a_row_for_each_quantity_and_a_column_for_each_study(tmp_path: Path) -> None:
    shows = ["ntk_trace", "adaptation_rate", "effective_rank"]
    studies = ["model-scaling", "data-scaling"]
    content = dynamics.collect("1", shows, [curve(tmp_path, study) for study in studies])
    assert [(p["quantity"], p["study"]) for p in content["panels"]] == [
        (q, s) for q in shows for s in studies
    ]
    figure = drawn(dynamics, content)
    assert len(panels(figure)) == 6
    bars = [axes for axes in figure.axes if not axes.lines]
    assert [bar.get_xlabel() for bar in bars] == ["Model width", "Dataset size"]


def test_a_band_far_beyond_the_lines_is_cut(tmp_path: Path) -> None:
    content: Any = dataset_grid.collect("6", ["effective_rank"], [curve(tmp_path)])
    line = content["panels"][0]["series"][0]
    values = [y for series in content["panels"][0]["series"] for y in series["y"]]
    span = max(values) - min(values)
    line["low"] = [min(values) - 9 * span] * len(line["y"])
    line["high"] = [max(values) + 0.1 * span] * len(line["y"])
    (axes,) = panels(drawn(dataset_grid, content))
    low, high = axes.get_ylim()
    assert low == pytest.approx(min(values) - 0.3 * span)
    assert max(values) + 0.1 * span < high < max(values) + 0.3 * span + 1e-9


@pytest.mark.parametrize(("spike", "cut"), [(1000.0, True), (-1000.0, True), (3.0, False)])
def test_a_few_values_far_beyond_all_others_are_cut(tmp_path: Path, spike: float, cut: bool) -> None:
    content: Any = dataset_grid.collect("6", ["effective_rank"], [curve(tmp_path)])
    (line, *_) = content["panels"][0]["series"] = content["panels"][0]["series"][:1]
    values = np.linspace(1, 2, 200).tolist()
    values[150] = spike
    line.update(x=np.geomspace(2, 0.1, 200).tolist(), y=values, low=None, high=None)
    (axes,) = panels(drawn(dataset_grid, content))
    low, high = axes.get_ylim()
    assert low < 1.1 < 1.9 < high
    assert (low < spike < high) != cut


def test_rates_of_fewer_points_raise(tmp_path: Path) -> None:
    measured = curve(tmp_path)
    other = curve(tmp_path / "other", scales=(8, 64))
    measured.files["adaptation-rate"] = other.files["adaptation-rate"]
    with pytest.raises(ValueError, match="shorter"):
        panels_of(measured, ["adaptation_rate"])


def test_undefined_numbers_are_null_and_break_the_line(tmp_path: Path) -> None:
    averages = [average(8, effective_rank=[1, np.nan, 3, 4]), average(16, effective_rank=4 * [np.nan])]
    content: Any = dataset_grid.collect("6", ["effective_rank"], [curve(tmp_path, averages=averages)])
    broken, empty = content["panels"][0]["series"]
    assert broken["y"] == [1, None, 3]
    assert broken["low"][1] is broken["high"][1] is None
    assert empty["y"] == 3 * [None]
    (axes,) = panels(drawn(dataset_grid, content))
    np.testing.assert_array_equal(axes.lines[0].get_ydata(), [1, np.nan, 3])
