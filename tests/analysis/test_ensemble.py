import numpy as np
import pytest
from ntklens.analysis.ensemble import (
    EnsembleError,
    aggregate,
    read_ensembles,
    standard_error,
    write_ensembles,
)
from ntklens.spectrum.alignments import Alignments
from ntklens.storage.run_files import Minimum, Trajectory


def trajectory(seed, train_loss, test_loss, traces, minimum_trace, status="ok", rank=2):
    spectrum = np.repeat([0.0, 1.0], [4 - rank, rank])
    epochs = len(test_loss)
    return Trajectory(
        seed=seed,
        status=status,
        curves={
            "train_loss": np.array(train_loss),
            "test_loss": np.array(test_loss),
            "train_accuracy": np.zeros(epochs),
            "test_accuracy": np.zeros(epochs),
        },
        trace_epoch=2 * np.arange(len(traces)),
        ntk_trace=np.array(traces),
        spectrum_epoch=np.array([0]),
        eigenvalues=spectrum[None, :],
        alignments=Alignments(*(np.array([number + seed]) for number in range(5))),
        minimum=Minimum(int(np.argmin(test_loss)), 0, min(test_loss), minimum_trace, spectrum, spectrum),
        train_indices=np.arange(3),
    )


FIRST = trajectory(0, [4, 2, 1, 1], [3, 1, 2, 2], [10, 20], 15, rank=1)
SECOND = trajectory(1, [1, 2, 4, 1, 1], [3, 2, 1, 4, 4], [20, 40, 60], 60, rank=3)


def test_log_train_loss_is_averaged_at_equal_epoch():
    ensemble = aggregate(8, [FIRST, SECOND], 2)
    np.testing.assert_allclose(np.exp(ensemble.log_train_loss), [2, 2, 2, 1])


def test_curves_end_with_the_shortest_seed():
    ensemble = aggregate(8, [FIRST, SECOND], 2)
    assert ensemble.epoch.tolist() == [0, 1, 2, 3]
    assert ensemble.trace_epoch.tolist() == [0, 2]
    np.testing.assert_allclose(ensemble.ntk_trace, [15, 30])
    np.testing.assert_allclose(ensemble.ntk_trace_error, [5, 10])


def test_mean_minimum_is_that_of_the_mean_test_loss():
    assert aggregate(8, [FIRST, SECOND], 2).mean_minimum_epoch == 1  # 1.5 at both 1 and 2: the first


def test_quantities_at_the_minimum_are_each_seed_s_own():
    ensemble = aggregate(8, [FIRST, SECOND], 2)
    assert ensemble.minimum_epoch.tolist() == [1, 2]
    assert ensemble.minimum_test_loss.tolist() == [1, 1]
    np.testing.assert_allclose(ensemble.trace_ratio, [(15 - 10) / 10, (60 - 20) / 20])
    np.testing.assert_allclose(ensemble.minimum_effective_rank, [1, 3])


def test_alignments_are_averaged_with_their_errors():
    ensemble = aggregate(8, [FIRST, SECOND], 2)
    for number, name in enumerate(Alignments._fields):
        np.testing.assert_allclose(getattr(ensemble, name), [number + 0.5])
        np.testing.assert_allclose(getattr(ensemble, f"{name}_error"), [0.5])


def test_bad_seeds_are_left_out_and_named():
    bad = trajectory(2, [1], [np.nan], [1], 1, status="diverged")
    ensemble = aggregate(8, [FIRST, SECOND, bad], 2)
    assert ensemble.seeds.tolist() == [0, 1]
    assert ensemble.left_out == ("seed 2: diverged",)


def test_too_few_good_seeds_raise():
    bad = trajectory(1, [1], [1], [1], 1, status="minimum at the last epoch")
    with pytest.raises(EnsembleError, match=r"scale 8: 1 of 2 seeds.*seed 1: minimum at the last epoch"):
        aggregate(8, [FIRST, bad], 2)


def test_standard_error_of_known_values():
    np.testing.assert_allclose(standard_error(np.array([[1.0, 5.0], [3.0, 5.0]])), [1, 0])
    np.testing.assert_array_equal(standard_error(np.array([[1.0, 2.0]])), [0, 0])


def test_file_round_trip_keeps_points_in_order_of_scale(tmp_path):
    path = tmp_path / "curve.h5"
    ensembles = [aggregate(scale, [FIRST, SECOND], 2) for scale in (8, 1024)]
    write_ensembles(path, ensembles)
    read = read_ensembles(path)
    assert [e.scale for e in read] == [8, 1024]
    for name, value in vars(ensembles[0]).items():
        np.testing.assert_array_equal(getattr(read[0], name), value)
