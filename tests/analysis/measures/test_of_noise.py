"""Measures of noise scaling, on means that are known."""

from dataclasses import replace

import numpy as np
import pytest
from ntklens.analysis.measures import of_noise
from ntklens.analysis.measures.results import CannotMeasureError, CurveResults
from ntklens.storage.averages import Mean
from scipy.special import stdtrit

from tests.support.ensembles import averages_of, settings_of

EPOCHS = np.arange(4)


def results(error: float = 0.1, members: int = 5, resamples: int = 2000) -> CurveResults:
    """Two levels: Γ falls from 10 to 5 and rises to 20, or 6; accuracies at the end are 0.9 and 0.7."""
    curves = {
        0: {
            "effective_rank": [10, 5, 15, 20],
            "train_accuracy": [0, 0.5, 1, 1],
            "test_accuracy": [0, 0, 0, 0.9],
        },
        90: {
            "effective_rank": [10, 5, 5.5, 6],
            "train_accuracy": [0, 0.5, 0.9, 0.98],
            "test_accuracy": [0, 0, 0, 0.7],
        },
    }
    averages = [
        replace(
            own,
            scale=scale,
            minimum={},
            along={name: Mean(EPOCHS, np.array(y, float), np.full(4, error)) for name, y in along.items()},
        )
        for own, (scale, along) in zip(
            averages_of(scales=(8, 16), members=members), curves.items(), strict=True
        )
    ]
    return CurveResults(averages, settings_of(resamples=resamples))


@pytest.mark.parametrize(
    ("name", "value", "spread"),
    [
        ("least_over_initial_rank", 0.5, 0.01),
        ("rise_lost_to_noise", 14.0, 0.2),
        ("least_train_accuracy", 0.98, 0.1),
        ("accuracy_lost_to_noise", -0.2, 0.1 * 2**0.5),
    ],
)
def test_measured_values_and_their_spread(name: str, value: float, spread: float) -> None:
    found = getattr(of_noise, name)(results(), "")
    assert found.value == pytest.approx(value)
    freedom = len(results().averages[0].seeds) - 1
    half = (np.quantile(found.resampled, 0.75) - np.quantile(found.resampled, 0.25)) / 2
    assert half == pytest.approx(spread * stdtrit(freedom, 0.75), rel=0.2)


def test_an_interval_is_student_s() -> None:
    """That of two seeds is 12.7 standard errors to each side, for one degree of freedom."""
    two = results(members=2, resamples=20_000)
    found = of_noise.least_train_accuracy(replace(two, averages=two.averages[1:]), "")
    low, high = np.quantile(found.resampled, [0.025, 0.975])
    assert (high - low) / 2 == pytest.approx(0.1 * 12.7, rel=0.1)


def test_a_single_seed_has_no_interval() -> None:
    found = of_noise.least_train_accuracy(results(members=1), "")
    assert found.value == pytest.approx(0.98)
    assert not len(found.resampled)


@pytest.mark.parametrize(("members", "error"), [(1, 0.1), (5, 0.0)], ids=["one seed", "no errors"])
@pytest.mark.parametrize("exact", [0, 1])
@pytest.mark.parametrize(
    "name",
    ["least_over_initial_rank", "rise_lost_to_noise", "least_train_accuracy", "accuracy_lost_to_noise"],
)
def test_a_scale_without_an_interval_is_exact_beside_one_that_has_one(name, exact, members, error) -> None:
    averages = list(results().averages)
    averages[exact] = results(error=error, members=members).averages[exact]
    found = getattr(of_noise, name)(CurveResults(averages, settings_of()), "")
    assert found.value == pytest.approx(getattr(of_noise, name)(results(), "").value)
    assert len(found.resampled) == settings_of().resamples
    if name == "accuracy_lost_to_noise":
        assert found.resampled.std() > 0


@pytest.mark.parametrize("name", ["rise_lost_to_noise", "accuracy_lost_to_noise"])
def test_one_share_of_replaced_data_has_no_difference(name: str) -> None:
    with pytest.raises(CannotMeasureError, match="one share"):
        getattr(of_noise, name)(CurveResults(results().averages[:1], settings_of()), "")
