import csv
import math

import numpy as np
import pytest
from jaxtyping import Float
from ntklens.analysis.data_draws import QUANTITIES, DrawnRuns
from ntklens.analysis.variance_table import (
    ALONE,
    FACTOR,
    RESIDUAL,
    SHOWN,
    WITH_DRAWS,
    as_csv,
    as_markdown,
    terms_of,
)

INITIALISATIONS = np.array([0.9, 1.0, 1.1])
TRAINING_DRAWS = np.array([0.8, 1.0, 1.0, 1.2])


def runs(
    initial_trace: Float[np.ndarray, "training_draws initialisations ntk_draws"] | None = None,
) -> DrawnRuns:
    """Four training draws and three initialisations, which multiply a test loss; two NTK draws."""
    ones = np.ones((4, 3, 2))
    return DrawnRuns(
        seeds=np.arange(3),
        test_loss=np.add.outer(TRAINING_DRAWS, INITIALISATIONS - 1),
        effective_rank=ones + [0.2, -0.2],
        trace=3 * ones,
        initial_trace=ones if initial_trace is None else initial_trace,
        epochs_apart=0.1,
    )


def found(quantity: str, own: DrawnRuns) -> dict[str, float | None]:
    terms = terms_of("MNIST", 16, own, 100)
    return {term.name: term.found["value"] for term in terms if term.quantity == quantity}


def test_terms_are_relative_standard_deviations_and_errors_of_the_mean() -> None:
    own = found("test_loss", runs())
    draw, initialisation = np.std(TRAINING_DRAWS, ddof=1), np.std(INITIALISATIONS, ddof=1)
    assert own["training draw"] == pytest.approx(draw)
    assert own["initialisation"] == pytest.approx(initialisation)
    assert own[RESIDUAL] == pytest.approx(0, abs=1e-7)
    assert own[ALONE] == pytest.approx(initialisation / math.sqrt(3))
    assert own[WITH_DRAWS] == pytest.approx(math.hypot(draw, initialisation / math.sqrt(3)))
    assert own[FACTOR] == pytest.approx(own[WITH_DRAWS] / own[ALONE])
    assert "NTK draw" not in own


def test_the_ntk_draw_is_a_factor_of_what_is_measured_on_it() -> None:
    own = found("effective_rank", runs())
    assert own["NTK draw"] == pytest.approx(0.4 / math.sqrt(2))
    assert own["training draw"] == pytest.approx(0, abs=1e-7)


def test_nothing_that_varies_has_no_factor() -> None:
    own = found("initial_trace", runs())
    assert own.pop(FACTOR) is None
    assert set(own.values()) == {0.0}


def test_csv_has_a_line_for_each_term_with_numbers_in_full() -> None:
    terms = terms_of("MNIST, three-layer", 16, runs(), 100)
    rows = list(csv.DictReader(as_csv(terms).splitlines()))
    # Three sources of the test loss and seven of each other quantity, the residual, two errors, their ratio.
    assert len(rows) == len(terms) == 3 + 3 * 7 + 4 * len(QUANTITIES)
    first = rows[0]
    assert (first["curve"], first["scale"], first["quantity"]) == ("MNIST, three-layer", "16", "test_loss")
    assert (first["training draws"], first["initialisations"], first["NTK draws"]) == ("4", "3", "")
    assert float(first["low"]) <= float(first["value"]) <= float(first["high"])
    assert {row["NTK draws"] for row in rows} == {"", "2"}


def test_markdown_has_a_row_for_each_quantity_and_a_cell_for_each_term() -> None:
    terms = [own for scale in (16, 128) for own in terms_of("MNIST", scale, runs(), 100)]
    table = [line for line in as_markdown(terms).splitlines() if line.startswith("|")]
    assert len(table) == 2 + 2 * len(QUANTITIES)
    assert {line.count("|") for line in table} == {5 + len(SHOWN) + 1}
    assert "| 16 | Test loss $\\mathcal{L}$ | 1 | 4 × 3 | 16 % [" in table[2]
    assert " – |" in table[2]  # no NTK draw
