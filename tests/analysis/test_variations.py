from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from ntklens.analysis.measures.results import CannotMeasureError, CurveResults
from ntklens.analysis.series import key_series
from ntklens.analysis.variations import CLIPS, Read, Spectra, Variation, spectra_of, variations
from ntklens.storage.averages import Average, Mean
from ntklens.storage.run_files import DIVERGED, OK, Minimum, Spectrum, Status, Trajectory

from tests.support.ensembles import EPOCHS, averages_of, settings_of

# Γ of (1, 1, 2) · any factor: p = ¼, ¼, ½.
SPECTRUM = np.array([0.0, 1.0, 1.0, 2.0])
RANK = np.exp(0.5 * np.log(4) + 0.5 * np.log(2))


def read(noise: float = 0.3) -> Read:
    """A curve of two widths with spectra: that of Θ̂ is flat, that of Θ is not."""
    averages = averages_of(scales=(8, 16), noise=noise)
    members = len(averages[0].seeds)
    spectra = Spectra(np.ones((members, 4)), np.tile(7 * SPECTRUM, (members, 1)))
    return Read(CurveResults(averages, settings_of()), {own.scale: spectra for own in averages})


def titled(words: str) -> Variation:
    (found,) = (own for own in variations() if words in own.title)
    return found


def minima(results: CurveResults, name: str) -> list[np.ndarray]:
    return [own.minimum[name] for own in results.averages]


@pytest.mark.parametrize("variation", [own for own in variations() if "mean test loss" not in own.title])
def test_a_variation_changes_no_other_quantity_than_it_says(variation: Variation) -> None:
    own = read()
    before, after = own.results.series, variation.of(own).series
    for name in {"test_loss", "effective_rank", "trace_ratio", "adaptation_rate"} - variation.changes:
        np.testing.assert_array_equal(after[name].value, before[name].value)
        np.testing.assert_array_equal(after[name].resampled, before[name].resampled)


def test_raw_rank_is_that_of_the_ntk_itself() -> None:
    for ranks in minima(titled("not normalised").of(read()), "effective_rank"):
        np.testing.assert_allclose(ranks, RANK)


@pytest.mark.parametrize("clip", CLIPS)
def test_clipped_eigenvalues_count_as_the_clip(clip: float) -> None:
    own = read()
    small = Spectra(np.array([[clip / 100, clip / 10, 1.0]] * 5), np.ones((5, 3)))
    own = own._replace(spectra={8: small, 16: small})
    shares = np.array([clip, clip, 1.0]) / (1 + 2 * clip)
    for ranks in minima(titled(f"clipped at {clip:g}").of(own), "effective_rank"):
        np.testing.assert_allclose(ranks, np.exp(-np.sum(shares * np.log(shares))), rtol=1e-12)


def test_mean_of_ratios_is_the_mean_of_the_seeds_ratios() -> None:
    own = read()
    found = titled("mean of the seeds").of(own).series["trace_ratio"].value
    np.testing.assert_allclose(found, [one.mean() for one in minima(own.results, "trace_ratio")])
    assert not np.allclose(found, own.results.series["trace_ratio"].value, rtol=1e-3)


@pytest.mark.parametrize(("name", "epochs"), [("half", 1), ("twice", 4)])
def test_smoothing_is_a_setting(name: str, epochs: int) -> None:
    own = read()
    results = titled(f"over {name}").of(own)
    expected = replace(own.results.settings, smoothing_epochs=epochs)
    assert results.settings == expected
    rates = key_series(own.results.averages, expected)["adaptation_rate"]
    np.testing.assert_array_equal(results.series["adaptation_rate"].value, rates.value)


def test_half_of_an_odd_number_of_epochs_is_refused() -> None:
    own = read()
    own = own._replace(results=replace(own.results, settings=replace(settings_of(), smoothing_epochs=1)))
    with pytest.raises(CannotMeasureError, match=r"0\.5 epochs are no length of a running mean"):
        titled("over half").of(own)


def with_ranks(averages: Sequence[Average], epochs: Sequence[int]) -> list[Average]:
    """``averages`` with Γ = epoch + seed along training, and the losses and traces of all seeds scaled."""
    epoch = np.array(epochs)
    ranks = epoch + np.arange(5.0)[:, None]
    mean = Mean(epoch, ranks.mean(axis=0), 0.0 * epoch)
    return [
        replace(
            own,
            along={**own.along, "effective_rank": mean},
            members={**own.members, "effective_rank": ranks, "ntk_trace": 1.0 + own.members["ntk_trace"]},
        )
        for own in averages
    ]


def test_all_seeds_are_read_at_the_minimum_of_the_mean() -> None:
    own = read(noise=0.0)
    results = replace(own.results, averages=with_ranks(own.results.averages, [0, 4, 10]))
    found = titled("mean test loss").of(own._replace(results=results))
    for average in found.averages:
        assert average.minimum_epoch == EPOCHS[6]
        np.testing.assert_array_equal(average.minimum["effective_rank"], 6 + np.arange(5))
        np.testing.assert_array_equal(average.minimum["test_loss"], np.zeros(5))
        np.testing.assert_array_equal(average.minimum["initial_trace"], np.ones(5))
        np.testing.assert_allclose(average.minimum["trace_ratio"], 0.6 * average.scale, rtol=1e-6)


def test_a_rank_that_was_not_measured_until_the_minimum_is_undefined() -> None:
    own = read(noise=0.0)
    results = replace(own.results, averages=with_ranks(own.results.averages, [0, 4]))
    found = titled("mean test loss").of(own._replace(results=results))
    assert np.isnan(found.averages[0].minimum["effective_rank"]).all()
    assert np.isfinite(found.averages[0].minimum["trace_ratio"]).all()


def test_run_files_of_other_seeds_are_refused() -> None:
    own = read()
    with pytest.raises(CannotMeasureError, match="run files of scale 8 are not those of the averages"):
        titled("not normalised").of(own._replace(spectra={}))


def trajectory(seed: int, status: Status = OK, minimum: bool = True, trace: float = 9.0) -> Trajectory:
    """A seed whose eigenvalues tell it, and whose curves are empty."""
    nothing, layers = np.empty(0), np.empty((0, 0))
    eigenvalues = np.full(3, float(seed))
    at_minimum = Minimum(4, 0.5, 0.5, trace, eigenvalues, 10 * eigenvalues, 1.0, 0.5)
    return Trajectory(
        seed=seed,
        status=status,
        epoch=np.arange(0),
        test_epoch=np.arange(0),
        curves={},
        trace_epoch=np.arange(0),
        ntk_trace=nothing,
        layers=(),
        layer_traces=layers,
        spectrum=Spectrum(np.arange(0), np.empty((0, 0, 3)), layers, layers, layers),
        train_indices=np.arange(2),
        minimum=at_minimum if minimum else None,
    )


def test_spectra_are_those_of_the_seeds_that_averages_use() -> None:
    found = spectra_of([trajectory(2), trajectory(0), trajectory(1, DIVERGED), trajectory(3, trace=0.0)])
    np.testing.assert_array_equal(found.normalised, [[0, 0, 0], [2, 2, 2]])
    np.testing.assert_array_equal(found.raw, [[0, 0, 0], [20, 20, 20]])


def test_runs_without_minima_have_no_spectra() -> None:
    with pytest.raises(CannotMeasureError, match="the run files hold no spectra at the minimum"):
        spectra_of([trajectory(0, minimum=False)])
