import h5py
import numpy as np
import pytest
from ntklens.analysis.ensemble import EnsembleError
from ntklens.analysis.noise_ensemble import aggregate_level, read_noise_ensembles, write_noise_ensembles
from ntklens.storage.noise_run_files import CURVES, NoiseTrajectory


def trajectory(seed, values, ranks, traces=None, status="ok"):
    """Two epochs; all curves are ``values`` there. ``ranks`` (epochs, draws): so many equal eigenvalues."""
    ranks = np.array(ranks)
    traces = np.full(ranks.shape, 10.0) if traces is None else np.array(traces, dtype=float)
    return NoiseTrajectory(
        seed=seed,
        status=status,
        epoch=np.array([0, 8]),
        curves={name: np.array(values, dtype=np.float32) for name in CURVES},
        spectrum_epoch=np.array([0, 8]),
        eigenvalues=(np.arange(6) < ranks[..., None]) * 6.0 / ranks[..., None],
        ntk_trace=traces,
        train_indices=np.arange(4),
        source=np.arange(4),
    )


def test_curves_are_averaged_over_seeds_with_standard_errors():
    ensemble = aggregate_level(50, [trajectory(0, [1, 4], [[1], [1]]), trajectory(1, [3, 8], [[1], [1]])])
    for name in CURVES:
        np.testing.assert_allclose(getattr(ensemble, name), [2, 6])
        np.testing.assert_allclose(getattr(ensemble, f"{name}_error"), [1, 2])  # half the difference
    assert ensemble.epoch.tolist() == [0, 8]


def test_effective_rank_and_trace_are_averaged_over_seeds_and_draws():
    """Γ of k equal eigenvalues is k, so 1, 2, 3 and 6 have mean 3 and variance 14 / 3."""
    ensemble = aggregate_level(
        50,
        [
            trajectory(0, [1, 1], [[1, 2], [2, 2]], traces=[[10, 20], [5, 5]]),
            trajectory(1, [1, 1], [[3, 6], [2, 2]], traces=[[30, 60], [5, 5]]),
        ],
    )
    np.testing.assert_allclose(ensemble.effective_rank, [3, 2], rtol=1e-9)
    np.testing.assert_allclose(ensemble.effective_rank_error, [np.sqrt(14 / 3 / 4), 0], atol=1e-9)
    np.testing.assert_allclose(ensemble.ntk_trace, [30, 5])
    np.testing.assert_allclose(ensemble.ntk_trace_error, [10 * np.sqrt(14 / 3 / 4), 0], atol=1e-9)


def test_one_seed_has_no_error_in_its_curves_but_that_of_its_draws():
    ensemble = aggregate_level(0, [trajectory(0, [1, 2], [[1, 3], [2, 2]])])
    np.testing.assert_array_equal(ensemble.test_loss_error, [0, 0])
    np.testing.assert_allclose(ensemble.effective_rank_error, [1, 0], atol=1e-9)


def test_diverged_seeds_are_left_out_and_said():
    bad = trajectory(1, [np.nan, np.nan], [[1], [1]], status="diverged")
    ensemble = aggregate_level(50, [trajectory(0, [1, 2], [[1], [1]]), bad])
    assert ensemble.seeds.tolist() == [0]
    assert ensemble.left_out == ("seed 1: diverged",)
    np.testing.assert_array_equal(ensemble.train_loss, [1, 2])


def test_level_without_a_usable_seed_raises():
    bad = trajectory(1, [np.nan, np.nan], [[1], [1]], status="diverged")
    with pytest.raises(EnsembleError, match=r"50 % removed: none of 1 seeds is usable \(seed 1: diverged\)"):
        aggregate_level(50, [bad])


def test_level_without_runs_raises():
    with pytest.raises(EnsembleError, match="90 % removed: none of 0 seeds"):
        aggregate_level(90, [])


def test_levels_come_back_in_order_with_every_value(tmp_path):
    path = tmp_path / "dense.h5"
    written = [aggregate_level(level, [trajectory(0, [1, level], [[1], [2]])]) for level in (50, 0, 5)]
    write_noise_ensembles(path, written)
    read = read_noise_ensembles(path)
    assert [ensemble.removed_percent for ensemble in read] == [0, 5, 50]
    for found, expected in zip(read, (written[1], written[2], written[0]), strict=True):
        for name, value in vars(expected).items():
            np.testing.assert_array_equal(getattr(found, name), value)


def test_everything_carries_description_and_datasets_units(tmp_path):
    path = tmp_path / "dense.h5"
    write_noise_ensembles(path, [aggregate_level(50, [trajectory(0, [1, 2], [[1], [1]])])])

    def check(name, item):
        assert item.attrs["description"], name
        if isinstance(item, h5py.Dataset):
            assert item.attrs["units"], name

    with h5py.File(path) as file:
        file.visititems(check)
        assert list(file) == ["removed-50"]
