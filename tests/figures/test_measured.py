from dataclasses import replace

import pytest
from ntklens.figures.measured import measured_curves, name_of, several_networks
from ntklens.figures.settings import DescribedCurve, FigureSettings

from tests.support.measured import curve

CURVE = DescribedCurve("deep", "digits", "a", heading="Deep", symbol="L", label="Layers", made_with={})
FIGURE = FigureSettings(
    figure="deep-laws",
    kind="scaling_laws",
    shows=(),
    needs=("averages", "adaptation-rate"),
    curves=(CURVE,),
)


def test_files_go_to_curves_in_order():
    settings = replace(FIGURE, curves=(CURVE, replace(CURVE, network="b")))
    first, second = measured_curves(settings, ["1.h5", "1.json", "2.h5", "2.json"])
    assert first.files == {"averages": "1.h5", "adaptation-rate": "1.json"}
    assert (second.network, second.files["averages"]) == ("b", "2.h5")


@pytest.mark.parametrize("files", [["1.h5"], ["1.h5", "1.json", "2.h5"]])
def test_as_many_files_as_the_curves_need_are_asked_for(files):
    with pytest.raises(ValueError, match=f"{len(files)} files are given for 1 curves of 2 files each"):
        measured_curves(FIGURE, files)


def test_a_share_that_was_removed_is_named_in_words(tmp_path):
    copies, widths = curve(tmp_path, "copies"), curve(tmp_path, "sgd-width")
    assert (copies.point_label(50), copies.axis_label) == ("50 % removed", "Percentage removed")
    assert (widths.point_label(8), widths.axis_label) == ("m = 8", "Model width m")


@pytest.mark.parametrize(
    ("pairs", "several"),
    [
        ([("digits", "a"), ("digits", "b")], True),
        ([("digits", "a"), ("mnist", "b")], False),
        ([("digits", "a")], False),
    ],
)
def test_networks_are_named_where_a_dataset_has_several(tmp_path, pairs, several):
    curves = [curve(tmp_path, "sgd-width", *pair) for pair in pairs]
    assert several_networks(curves) == several
    assert name_of(curves[0], several) == ("Digits (8×8), a" if several else "Digits (8×8)")


def test_studies_of_different_networks_are_not_several(tmp_path):
    curves = [curve(tmp_path, "model-scaling", network="a"), curve(tmp_path, "data-scaling", network="b")]
    assert not several_networks(curves)
