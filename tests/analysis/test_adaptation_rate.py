import numpy as np
import pytest
from ntklens.analysis.adaptation_rate import adaptation_rate, running_mean


def curves(chi=-3.0, epochs=101, step=2):
    """Trace linear in the log loss, while the loss falls at a rate that changes with the epoch."""
    epoch = np.arange(0, epochs, step)
    log_loss = 0.8 - 0.02 * epoch - 1e-4 * epoch**2
    return epoch, 50 + chi * log_loss, log_loss


def test_trace_linear_in_log_loss_gives_its_slope():
    result = adaptation_rate(*curves(chi=-3.0), smoothing_epochs=8)
    np.testing.assert_allclose(result.rate, -3.0, rtol=1e-9)


def test_slope_that_varies_is_followed():
    epoch = np.arange(400)
    log_loss = -0.01 * epoch
    trace = log_loss**2  # d(trace)/d(log loss) = 2 log loss
    result = adaptation_rate(epoch, trace, log_loss, smoothing_epochs=20)
    inner = slice(1, -1)  # one-sided differences at the ends are of first order
    np.testing.assert_allclose(result.rate[inner], 2 * result.log_train_loss[inner], rtol=1e-9)


def test_epochs_are_the_middles_of_the_running_means():
    result = adaptation_rate(*curves(step=2), smoothing_epochs=8)
    assert result.epoch[0] == 3  # of 0, 2, 4, 6
    assert len(result.epoch) == len(result.rate) == 51 - 3


def test_at_interpolates_between_epochs():
    epoch = np.arange(100)
    result = adaptation_rate(epoch, 0.01 * epoch**2, -0.01 * epoch, smoothing_epochs=1)
    assert result.at(40.5) == pytest.approx((result.rate[40] + result.rate[41]) / 2)


def test_smoothing_averages_noise_away():
    rng = np.random.default_rng(0)
    epoch = np.arange(500)
    log_loss = -0.01 * epoch
    trace = -2 * log_loss + 0.05 * rng.standard_normal(500)
    raw = adaptation_rate(epoch, trace, log_loss, smoothing_epochs=1).rate
    smooth = adaptation_rate(epoch, trace, log_loss, smoothing_epochs=20).rate
    assert np.std(smooth) < np.std(raw) / 8


def test_loss_that_stands_still_gives_nan():
    epoch = np.arange(20)
    assert np.isnan(adaptation_rate(epoch, 1.0 * epoch, np.zeros(20), smoothing_epochs=2).rate).all()


def test_running_mean_of_known_values():
    np.testing.assert_allclose(running_mean(np.array([1.0, 2.0, 6.0, 4.0]), 2), [1.5, 4, 5])


def test_smoothing_that_does_not_fit_the_grid_raises():
    with pytest.raises(ValueError, match="7 epochs does not fit a grid of step 2"):
        adaptation_rate(*curves(step=2), smoothing_epochs=7)


def test_too_few_epochs_raise():
    with pytest.raises(ValueError, match="too few"):
        adaptation_rate(*curves(epochs=9, step=2), smoothing_epochs=8)


def test_uneven_epochs_raise():
    epoch = np.array([0, 1, 2, 4, 7, 12, 20, 35, 60, 100, 170, 300])
    with pytest.raises(ValueError, match="needs evenly spaced epochs, not"):
        adaptation_rate(epoch, 1.0 * epoch, -1.0 * epoch, 4)
