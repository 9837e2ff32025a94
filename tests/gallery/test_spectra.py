"""The spectrum viewer has the eigenvalues of the averages, at few ranks and with few digits."""

import numpy as np
import pytest
from ntklens.gallery.embedding import packed_json
from ntklens.gallery.spectra import LONGEST_CURVE, shown_ranks, spectrum_point
from ntklens.storage.averages import Average, Mean

EPOCHS = np.array([0, 10, 400])


def averaged(spectra: np.ndarray, epochs: np.ndarray = EPOCHS, **along: Mean) -> Average:
    mean = Mean(epochs, spectra, np.zeros_like(spectra))
    return Average(64, np.arange(5), (), 10, {"eigenvalues": mean, **along}, {})


def test_few_eigenvalues_are_all_shown_from_the_largest() -> None:
    found = spectrum_point(averaged(np.array([[-1e-9, 1, 5], [1, 2, 3], [0, 0, 6.123456]])))
    assert found["ranks"] == [1, 2, 3]
    assert found["eigenvalues"] == [[5, 1, 1e-14], [3, 2, 1], [6.123, 1e-14, 1e-14]]
    assert (found["size"], found["seeds"], found["scale"], found["minimum_epoch"]) == (3, 5, 64, 10)
    assert found["epochs"] == [0, 10, 400]


@pytest.mark.parametrize("size", [129, 1280, 1600])
def test_ranks_reach_from_the_first_to_the_last_without_gaps_at_the_start(size: int) -> None:
    ranks = shown_ranks(size)
    assert ranks[:5].tolist() == [1, 2, 3, 4, 5]
    assert ranks[-1] == size
    assert 115 < len(ranks) <= 128
    assert np.all(ranks[1:] / ranks[:-1] <= 2)


def test_markers_lie_at_the_nearest_recorded_epoch() -> None:
    epochs = np.array([0, 4, 8, 12, 396])
    trace = Mean(epochs, np.array([1.0, 2.0, 3.0, np.inf, 5.0]), np.array([0.1, np.nan, 0.3, 0.4, 0.5]))
    (found,) = spectrum_point(averaged(np.ones((3, 4)), ntk_trace=trace))["along"]
    assert found["quantity"] == "ntk_trace"
    assert [found["epoch"][row] for row in found["rows"]] == [0, 8, 396]
    assert found["mean"] == [1, 2, 3, None, 5]
    assert found["error"] == [0.1, None, 0.3, 0.4, 0.5]


def test_long_curves_are_thinned_but_not_at_the_epochs_of_spectra() -> None:
    epochs = np.arange(1001)
    loss = Mean(epochs, 1.0 * epochs, 0.0 * epochs)
    (found,) = spectrum_point(averaged(np.ones((3, 4)), test_loss=loss))["along"]
    assert len(found["epoch"]) <= LONGEST_CURVE + len(EPOCHS)
    assert [found["mean"][row] for row in found["rows"]] == [0, 10, 400]
    assert (found["epoch"][0], found["epoch"][-1]) == (0, 1000)


def test_a_curve_of_the_papers_size_takes_little_space() -> None:
    """Six of them and the figures have room in 8 MB beside Plotly, which takes 1.9."""
    rng = np.random.default_rng(0)
    epochs = np.arange(24)
    spectra = np.sort(rng.lognormal(0, 3, (24, 1280)), axis=1)
    along = {
        name: Mean(np.arange(1000), rng.random(1000), rng.random(1000))
        for name in ("ntk_trace", "train_loss", "test_loss")
    }
    points = 10 * [spectrum_point(averaged(spectra, epochs, **along))]
    for number, point in enumerate(points):
        points[number] = {**point, "eigenvalues": rng.permuted(point["eigenvalues"], axis=0).tolist()}
    assert len(packed_json(points)) < 250_000
