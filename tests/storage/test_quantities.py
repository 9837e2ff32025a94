from pathlib import Path

import pytest
from ntklens.spectrum.alignments import Alignments
from ntklens.storage.quantities import ALIGNMENTS, CURVES, QUANTITIES

PAGE = Path(__file__).parents[2] / "docs/files.md"
UNITS = {"1", "nat", "epoch"}


def table():
    """The table of docs/files.md, as the quantities make it."""
    rows = [
        f"| `{name}` | {f'${own.symbol}$' if own.symbol else ''} | {own.unit} | {own.description} |"
        for name, own in QUANTITIES.items()
    ]
    return "\n".join(["| name | symbol | unit | meaning |", "|---|---|---|---|", *rows])


@pytest.mark.parametrize("name", QUANTITIES)
def test_every_quantity_has_a_meaning_and_a_unit(name):
    assert QUANTITIES[name].description
    assert QUANTITIES[name].unit in UNITS


def test_names_are_not_those_of_groups_in_averages():
    """There, `seeds` and `minimum` stand beside the quantities along training."""
    assert "minimum" not in QUANTITIES
    assert "seeds" not in {**CURVES, **ALIGNMENTS}


def test_alignments_are_those_that_are_computed():
    assert tuple(ALIGNMENTS) == Alignments._fields


def test_label_and_symbol_make_an_axis_label():
    assert QUANTITIES["effective_rank"].axis_label == r"Effective rank $\Gamma(\Theta)$"
    assert QUANTITIES["test_accuracy"].axis_label == "Test accuracy"


def test_page_on_files_shows_the_table():
    assert table() in PAGE.read_text(), f"docs/files.md should hold this table:\n{table()}"
