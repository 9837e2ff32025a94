import numpy as np
import pytest
from ntklens.analysis.averages import AverageError, average, standard_error
from ntklens.storage.quantities import ALIGNMENTS, CURVES
from ntklens.storage.run_files import OK, Minimum, Spectrum, Trajectory


def equal_eigenvalues(ranks, rows=6):
    """Spectra (…, rows) of so many equal eigenvalues as ``ranks`` (…,) say: Γ is that number."""
    ranks = np.asarray(ranks)
    return (np.arange(rows) < ranks[..., None]) * rows / ranks[..., None]


def followed(seed, train_loss, test_loss, traces, minimum_trace, status=OK, rank=2):
    """A seed with traces at every second epoch, one spectrum, alignments and a minimum."""
    epochs = np.zeros(len(test_loss))
    spectrum = equal_eigenvalues(rank)
    return Trajectory(
        seed=seed,
        status=status,
        epoch=np.arange(len(test_loss)),
        curves={
            "train_loss": np.array(train_loss),
            "test_loss": np.array(test_loss),
            "train_accuracy": epochs,
            "test_accuracy": epochs,
        },
        trace_epoch=2 * np.arange(len(traces)),
        ntk_trace=np.array(traces),
        spectrum=Spectrum(
            epoch=np.array([0]),
            eigenvalues=spectrum[None, None],
            ntk_trace=np.array([[traces[0]]]),
            alignments={name: np.array([[number + seed]]) for number, name in enumerate(ALIGNMENTS)},
        ),
        train_indices=np.arange(3),
        minimum=Minimum(int(np.argmin(test_loss)), 0, min(test_loss), minimum_trace, spectrum, spectrum),
    )


def fixed(seed, values, ranks, traces=None, status=OK):
    """A seed at epochs 0 and 8, all curves ``values``; ``ranks`` (epochs, draws) of its spectra."""
    ranks = np.array(ranks)
    traces = np.full(ranks.shape, 10.0) if traces is None else np.array(traces, dtype=float)
    return Trajectory(
        seed=seed,
        status=status,
        epoch=np.array([0, 8]),
        curves={name: np.array(values, dtype=np.float32) for name in CURVES},
        trace_epoch=np.empty(0),
        ntk_trace=np.empty(0),
        spectrum=Spectrum(np.array([0, 8]), equal_eigenvalues(ranks), traces),
        train_indices=np.arange(4),
        copied_from=np.arange(4),
    )


FIRST = followed(0, [4, 2, 1, 1], [3, 1, 2, 2], [10, 20], 15, rank=1)
SECOND = followed(1, [1, 2, 4, 1, 1], [3, 2, 1, 4, 4], [20, 40, 60], 60, rank=3)


def test_log_train_loss_is_averaged_at_equal_epoch():
    along = average(8, [FIRST, SECOND], 2).along["log_train_loss"]
    np.testing.assert_allclose(np.exp(along.mean), [2, 2, 2, 1])


def test_curves_end_with_the_shortest_seed():
    along = average(8, [FIRST, SECOND], 2).along
    assert along["test_loss"].epoch.tolist() == [0, 1, 2, 3]
    assert along["ntk_trace"].epoch.tolist() == [0, 2]
    np.testing.assert_allclose(along["ntk_trace"].mean, [15, 30])
    np.testing.assert_allclose(along["ntk_trace"].error, [5, 10])


def test_minimum_epoch_is_that_of_the_mean_test_loss():
    assert average(8, [FIRST, SECOND], 2).minimum_epoch == 1  # 1.5 at both 1 and 2: the first


def test_minimum_epoch_is_an_epoch_and_not_a_row():
    assert average(8, [fixed(0, [2, 1], [[1], [1]])], 1).minimum_epoch == 8


def test_quantities_at_the_minimum_are_each_seeds_own():
    minimum = average(8, [FIRST, SECOND], 2).minimum
    assert minimum["epoch"].tolist() == [1, 2]
    assert minimum["test_loss"].tolist() == [1, 1]
    assert minimum["initial_trace"].tolist() == [10, 20]
    np.testing.assert_allclose(minimum["trace_ratio"], [(15 - 10) / 10, (60 - 20) / 20])
    np.testing.assert_allclose(minimum["effective_rank"], [1, 3])


def test_without_a_minimum_there_is_none():
    assert average(8, [fixed(0, [2, 1], [[1], [1]])], 1).minimum == {}


def test_alignments_are_averaged_with_their_errors():
    along = average(8, [FIRST, SECOND], 2).along
    for number, name in enumerate(ALIGNMENTS):
        np.testing.assert_allclose(along[name].mean, [number + 0.5])
        np.testing.assert_allclose(along[name].error, [0.5])


def test_curves_are_averaged_over_seeds_with_standard_errors():
    along = average(50, [fixed(0, [1, 4], [[1], [1]]), fixed(1, [3, 8], [[1], [1]])], 1).along
    for name in CURVES:
        np.testing.assert_allclose(along[name].mean, [2, 6])
        np.testing.assert_allclose(along[name].error, [1, 2])  # half the difference


def test_effective_rank_and_trace_are_averaged_over_seeds_and_draws():
    """Γ of k equal eigenvalues is k, so 1, 2, 3 and 6 have mean 3 and variance 14 / 3."""
    along = average(
        50,
        [
            fixed(0, [1, 1], [[1, 2], [2, 2]], traces=[[10, 20], [5, 5]]),
            fixed(1, [1, 1], [[3, 6], [2, 2]], traces=[[30, 60], [5, 5]]),
        ],
        1,
    ).along
    np.testing.assert_allclose(along["effective_rank"].mean, [3, 2], rtol=1e-9)
    np.testing.assert_allclose(along["effective_rank"].error, [np.sqrt(14 / 3 / 4), 0], atol=1e-9)
    np.testing.assert_allclose(along["ntk_trace"].mean, [30, 5])
    np.testing.assert_allclose(along["ntk_trace"].error, [10 * np.sqrt(14 / 3 / 4), 0], atol=1e-9)


def test_one_seed_has_no_error_in_its_curves_but_that_of_its_draws():
    along = average(0, [fixed(0, [1, 2], [[1, 3], [2, 2]])], 1).along
    np.testing.assert_array_equal(along["test_loss"].error, [0, 0])
    np.testing.assert_allclose(along["effective_rank"].error, [1, 0], atol=1e-9)


def test_bad_seeds_are_left_out_and_named():
    bad = followed(2, [1], [np.nan], [1], 1, status="diverged")
    found = average(8, [FIRST, SECOND, bad], 2)
    assert found.seeds.tolist() == [0, 1]
    assert found.left_out == ("seed 2: diverged",)


@pytest.mark.parametrize(("trajectories", "count"), [([FIRST], "1 of 1"), ([], "0 of 0")])
def test_too_few_seeds_raise(trajectories, count):
    with pytest.raises(AverageError, match=f"scale 8: {count} seeds are usable, 2 are needed"):
        average(8, trajectories, 2)


def test_too_few_good_seeds_say_how_the_others_ended():
    bad = followed(1, [1], [1], [1], 1, status="minimum at the last epoch")
    with pytest.raises(AverageError, match=r"1 of 2 seeds.*seed 1: minimum at the last epoch"):
        average(8, [FIRST, bad], 2)


def test_standard_error_of_known_values():
    np.testing.assert_allclose(standard_error(np.array([[1.0, 5.0], [3.0, 5.0]])), [1, 0])
    np.testing.assert_array_equal(standard_error(np.array([[1.0, 2.0]])), [0, 0])
