from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from ntklens.analysis.averages import average
from ntklens.spectrum.alignments import Alignments
from ntklens.spectrum.loss_position import LossPosition
from ntklens.storage.averages import PER_SEED, write_averages
from ntklens.storage.quantities import (
    ALIGNMENTS,
    CURVES,
    DISTANCES,
    LOSS_POSITION,
    OF_ENDS,
    QUANTITIES,
    Quantity,
)
from ntklens.storage.run_files import OK, End, Ends, Minimum, Spectrum, Trajectory

from tests.support.origins import origin

PAGE = Path(__file__).parents[2] / "docs" / "files.md"


def table():
    """The table that docs/files.md has to hold, one line for each quantity."""
    lines = ["| Name | Symbol | Unit | What it is |", "| --- | --- | --- | --- |"]
    for name, quantity in QUANTITIES.items():
        symbol = f"${quantity.symbol}$" if quantity.symbol else ""
        cells = (f"`{name}`", symbol, quantity.unit, quantity.description)
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def test_page_on_files_has_the_table_of_quantities():
    """Prints the table where it fails, to be pasted."""
    print(*table(), sep="\n")
    section = PAGE.read_text(encoding="utf-8").partition("\n## Quantities\n")[2]
    found = [line for line in section.splitlines() if line.startswith("|")]
    assert found == table()


@pytest.mark.parametrize(
    ("quantity", "expected"),
    [
        (Quantity("loss", "nat", "Test loss", r"\mathcal{L}"), r"Test loss $\mathcal{L}$"),
        (Quantity("loss", "nat", "Test loss"), "Test loss"),
        (Quantity("loss"), ""),
    ],
    ids=["label and symbol", "label alone", "neither"],
)
def test_axis_label_has_the_symbol_where_there_is_one(quantity, expected):
    assert quantity.axis_label == expected


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("epoch", "epoch"),
        ("train_loss", "nat"),
        ("test_loss", "nat"),
        ("test_accuracy", "1"),
        ("effective_rank", "1"),
        ("trace_ratio", "1"),
    ],
)
def test_units_are_those_of_the_formulas(name, unit):
    assert QUANTITIES[name].unit == unit


def test_descriptions_tell_quantities_apart():
    descriptions = [quantity.description for quantity in QUANTITIES.values()]
    assert all(descriptions)
    assert len(set(descriptions)) == len(descriptions)


def test_alignments_are_those_that_are_computed():
    assert tuple(ALIGNMENTS) == Alignments._fields


def test_minimum_of_a_run_file_holds_quantities_but_for_the_parameters():
    assert {field.name for field in fields(Minimum)} - set(QUANTITIES) == {"parameters"}


def test_loss_positions_are_those_that_are_computed():
    assert tuple(LOSS_POSITION) == LossPosition._fields


def test_ends_of_a_run_file_hold_quantities():
    assert tuple(field.name for field in fields(End)) == tuple(OF_ENDS)
    assert {field.name for field in fields(Ends)} == {"initial", "minimum", *DISTANCES}


def test_every_quantity_of_an_average_can_be_stored(tmp_path):
    """Among the names of quantities none is one of the groups beside them."""
    spectrum = Spectrum(
        epoch=np.array([0]),
        eigenvalues=np.ones((1, 1, 4)),
        ntk_trace=np.ones((1, 1)),
        loss_susceptibility=np.ones((1, 1)),
        spectral_position=np.ones((1, 1)),
        alignments={name: np.ones((1, 1)) for name in ALIGNMENTS},
    )
    end = End(np.ones(1), np.ones(1), np.ones(1), np.ones(1), 1.0, 1.0)
    trajectory = Trajectory(
        seed=0,
        status=OK,
        epoch=np.array([0, 1]),
        test_epoch=np.array([0, 1]),
        curves={name: np.ones(2) for name in CURVES},
        trace_epoch=np.array([0]),
        ntk_trace=np.ones(1),
        layers=("output",),
        layer_traces=np.ones((1, 1)),
        spectrum=spectrum,
        train_indices=np.arange(2),
        minimum=Minimum(1, 1.0, 1.0, 1.0, np.ones(4), np.ones(4), 1.0, 0.5),
        ends=Ends(end, end, 1.0, 1.0, 1.0, 1.0),
    )
    averaged = average(8, [trajectory], 1)
    write_averages(tmp_path / "curve.h5", [averaged], origin("averages"))
    assert {*averaged.along, *averaged.minimum, *averaged.initial} <= set(QUANTITIES)
    assert not {"seeds", *PER_SEED} & set(averaged.along)
