from dataclasses import replace

import numpy as np
import pytest
from ntklens.analysis.averages import AverageError, average, standard_error, two_way_error
from ntklens.storage.quantities import ALIGNMENTS, CURVES
from ntklens.storage.run_files import DIVERGED, OK, UNFINISHED, End, Ends, Minimum, Spectrum, Trajectory


def of_rank(ranks, size=6):
    """Spectra (..., size) of so many equal eigenvalues, whose effective rank is their number."""
    ranks = np.array(ranks)[..., None]
    return np.where(np.arange(size) >= size - ranks, size / ranks, 0.0)


def followed(seed, train_loss, test_loss, traces, minimum_trace, rank=2):
    """A seed whose minimum was followed: one draw of NTK samples, a trace at every second epoch."""
    spectrum, lowest = of_rank(rank), int(np.argmin(test_loss))
    return Trajectory(
        seed=seed,
        status=OK,
        epoch=np.arange(len(test_loss)),
        test_epoch=np.arange(len(test_loss)),
        curves={
            "train_loss": np.array(train_loss, float),
            "test_loss": np.array(test_loss, float),
            "train_accuracy": np.zeros(len(test_loss)),
            "test_accuracy": np.zeros(len(test_loss)),
        },
        trace_epoch=2 * np.arange(len(traces)),
        ntk_trace=np.array(traces, np.float32),
        layers=("hidden_1", "output"),
        layer_traces=np.outer(traces, [0.25, 0.75]).astype(np.float32),
        spectrum=Spectrum(
            epoch=np.array([0]),
            eigenvalues=spectrum[None, None],
            ntk_trace=np.array([[traces[0]]], float),
            loss_susceptibility=np.array([[4.0 * seed]]),
            spectral_position=np.array([[0.5 * seed]]),
            alignments={name: np.array([[number + seed]], float) for number, name in enumerate(ALIGNMENTS)},
        ),
        train_indices=np.arange(3),
        minimum=Minimum(
            epoch=lowest,
            train_loss=0.5,
            test_loss=float(min(test_loss)),
            ntk_trace=float(minimum_trace),
            eigenvalues=spectrum,
            ntk_eigenvalues=spectrum,
            loss_susceptibility=2.0 + seed,
            spectral_position=0.25,
        ),
        ends=Ends(end(seed), end(seed + 10), 3.0 + seed, 0.5, 0.25, 1.5),
    )


def end(value):
    """An end of training whose values tell its ``value`` and their field."""
    by_layer = [np.array([value, field], float) for field in range(4)]
    return End(*by_layer, weighted_trace=value + 0.5, weighted_effective_rank=value + 0.75)


def fixed(seed, values, ranks, traces=None, status=OK):
    """A seed that trains 8 epochs: every curve is ``values``; ``ranks`` and ``traces`` by epoch and draw."""
    traces = np.full(np.shape(ranks), 10.0) if traces is None else np.array(traces, float)
    return Trajectory(
        seed=seed,
        status=status,
        epoch=np.array([0, 8]),
        test_epoch=np.array([0, 8]),
        curves={name: np.array(values, np.float32) for name in CURVES},
        trace_epoch=np.empty(0, np.int32),
        ntk_trace=np.empty(0, np.float32),
        layers=(),
        layer_traces=np.empty((0, 0), np.float32),
        spectrum=Spectrum(np.array([0, 8]), of_rank(ranks), traces, 2 * traces, traces / 100),
        train_indices=np.arange(4),
        copied_from=np.arange(4),
    )


FIRST = followed(0, [4, 2, 1, 1], [3, 1, 2, 2], [10, 20], 15, rank=1)
SECOND = followed(1, [1, 2, 4, 1, 1], [3, 2, 1, 4, 4], [20, 40, 60], 60, rank=3)


@pytest.fixture
def scaling():
    return average(8, [FIRST, SECOND], 2)


def test_curves_are_averaged_over_seeds_with_standard_errors():
    along = average(50, [fixed(0, [1, 4], [[1], [1]]), fixed(1, [3, 8], [[1], [1]])], 1).along
    for name in CURVES:
        np.testing.assert_array_equal(along[name].mean, [2, 6])
        np.testing.assert_allclose(along[name].error, [1, 2])  # half the difference
        assert along[name].epoch.tolist() == [0, 8]


def test_log_train_loss_is_averaged_at_equal_epoch(scaling):
    np.testing.assert_allclose(np.exp(scaling.along["log_train_loss"].mean), [2, 2, 2, 1])


@pytest.mark.parametrize("order", [[FIRST, SECOND], [SECOND, FIRST]], ids=["shortest first", "shortest last"])
def test_curves_end_with_the_shortest_seed(order):
    along = average(8, order, 2).along
    assert along["test_loss"].epoch.tolist() == along["log_train_loss"].epoch.tolist() == [0, 1, 2, 3]
    assert along["ntk_trace"].epoch.tolist() == [0, 2]
    np.testing.assert_allclose(along["ntk_trace"].mean, [15, 30])
    np.testing.assert_allclose(along["ntk_trace"].error, [5, 10])


def test_spectra_end_with_the_seed_that_has_the_fewest():
    long, short = fixed(0, [1, 1], [[1, 2], [6, 6]]), fixed(1, [1, 1], [[3, 6], [6, 6]])
    one = Spectrum(
        **{name: values[:1] for name, values in vars(short.spectrum).items() if name != "alignments"}
    )
    for members in ([long, replace(short, spectrum=one)], [replace(short, spectrum=one), long]):
        along = average(50, members, 1).along
        for name, mean in (("effective_rank", 3), ("ntk_trace", 10)):
            assert along[name].epoch.tolist() == [0]
            np.testing.assert_allclose(along[name].mean, [mean], rtol=1e-9)


def test_minimum_epoch_is_where_the_mean_test_loss_is_least(scaling):
    assert scaling.minimum_epoch == 1  # 1.5 at both 1 and 2: the first


def test_minimum_epoch_is_an_epoch_and_no_row():
    assert average(50, [fixed(0, [2, 1], [[1], [1]])], 1).minimum_epoch == 8


def test_quantities_at_the_minimum_are_each_seed_s_own(scaling):
    minimum = scaling.minimum
    assert minimum["epoch"].tolist() == [1, 2]
    assert minimum["test_loss"].tolist() == [1, 1]
    assert minimum["initial_trace"].tolist() == [10, 20]
    np.testing.assert_allclose(minimum["trace_ratio"], [(15 - 10) / 10, (60 - 20) / 20])
    np.testing.assert_allclose(minimum["effective_rank"], [1, 3])


def test_members_curves_are_kept_as_far_as_the_shortest_seed_has_them(scaling):
    np.testing.assert_array_equal(scaling.members["ntk_trace"], [[10, 20], [20, 40]])
    np.testing.assert_array_equal(scaling.members["test_loss"], [[3, 1, 2, 2], [3, 2, 1, 4]])
    np.testing.assert_allclose(scaling.members["log_train_loss"][1], np.log([1, 2, 4, 1]), rtol=1e-6)
    assert {own.dtype for own in scaling.members.values()} == {np.dtype("float32")}
    assert average(50, [fixed(0, [2, 1], [[1], [1]])], 1).members == {}


def test_ends_of_each_seed_are_passed_on_with_layers_as_a_second_axis(scaling):
    initial, minimum = scaling.initial, scaling.minimum
    assert scaling.layers == ("hidden_1", "output")
    for field, name in enumerate(("layer_traces", "bias_traces", "conjugate_ranks", "sensitivity_ranks")):
        assert initial[name].tolist() == [[0, field], [1, field]]
        assert minimum[name].tolist() == [[10, field], [11, field]]
    assert initial["weighted_trace"].tolist() == [0.5, 1.5]
    assert minimum["weighted_effective_rank"].tolist() == [10.75, 11.75]
    assert minimum["kernel_change"].tolist() == [3, 4]
    assert minimum["linearised_test_loss"].tolist() == [1.5, 1.5]
    assert not {"kernel_change", "epoch"} & set(initial)


def test_loss_positions_are_at_both_ends_and_along_training(scaling):
    assert scaling.initial["loss_susceptibility"].tolist() == [0, 4]
    assert scaling.initial["spectral_position"].tolist() == [0, 0.5]
    assert scaling.minimum["loss_susceptibility"].tolist() == [2, 3]
    assert scaling.along["loss_susceptibility"].mean.tolist() == [2]
    assert scaling.along["spectral_position"].mean.tolist() == [0.25]
    np.testing.assert_allclose(scaling.initial["effective_rank"], [1, 3])


def test_layer_traces_are_averaged_layer_by_layer(scaling):
    own = scaling.along["layer_traces"]
    assert own.epoch.tolist() == [0, 2]
    np.testing.assert_allclose(own.mean, np.outer([15, 30], [0.25, 0.75]))
    np.testing.assert_allclose(own.error, np.outer([5, 10], [0.25, 0.75]))


def test_ends_are_left_out_where_none_were_measured():
    averaged = average(8, [replace(FIRST, ends=None), replace(SECOND, ends=None)], 2)
    assert set(averaged.initial) == {"effective_rank", "loss_susceptibility", "spectral_position"}
    assert not {"kernel_change", "layer_traces"} & set(averaged.minimum)


def test_nothing_is_at_the_minimum_where_none_was_followed():
    averaged = average(50, [fixed(0, [2, 1], [[1], [1]])], 1)
    assert averaged.minimum == averaged.initial == {}
    assert averaged.layers == ()


def test_alignments_are_averaged_with_their_errors(scaling):
    for number, name in enumerate(ALIGNMENTS):
        np.testing.assert_allclose(scaling.along[name].mean, [number + 0.5])
        np.testing.assert_allclose(scaling.along[name].error, [0.5])


def test_effective_rank_and_trace_are_averaged_over_seeds_and_draws():
    """1, 2 and 3, 6 have mean 3 and mean squares 9 of seeds, 4 of draws and 1 of the rest."""
    first = fixed(0, [1, 1], [[1, 2], [2, 2]], traces=[[10, 20], [5, 5]])
    second = fixed(1, [1, 1], [[3, 6], [2, 2]], traces=[[30, 60], [5, 5]])
    along = average(50, [first, second], 1).along
    np.testing.assert_allclose(along["effective_rank"].mean, [3, 2], rtol=1e-9)
    np.testing.assert_allclose(along["effective_rank"].error, [np.sqrt((9 + 4 - 1) / 4), 0], atol=1e-9)
    np.testing.assert_allclose(along["ntk_trace"].mean, [30, 5])
    np.testing.assert_allclose(along["ntk_trace"].error, [10 * np.sqrt((9 + 4 - 1) / 4), 0], atol=1e-9)


def test_one_seed_has_no_error_in_its_curves_but_that_of_its_draws():
    along = average(0, [fixed(0, [1, 2], [[1, 3], [2, 2]])], 1).along
    np.testing.assert_array_equal(along["test_loss"].error, [0, 0])
    np.testing.assert_allclose(along["effective_rank"].error, [1, 0], atol=1e-9)


def test_train_loss_of_zero_has_minus_infinity_for_its_logarithm():
    """Cross-entropy in float32 may come to zero; training did not fail by that."""
    log_loss = average(0, [fixed(0, [1, 0], [[1], [1]]), fixed(1, [1, 1], [[1], [1]])], 1).along[
        "log_train_loss"
    ]
    np.testing.assert_array_equal(log_loss.mean, [0, -np.inf])
    np.testing.assert_array_equal(log_loss.error, [0, np.nan])


@pytest.mark.parametrize("status", [DIVERGED, UNFINISHED])
def test_bad_seeds_are_left_out_and_named(status):
    bad = fixed(1, [np.nan, np.nan], [[1], [1]], status=status)
    found = average(50, [bad, fixed(3, [1, 2], [[1], [1]])], 1)
    assert found.seeds.tolist() == [3]
    assert found.left_out == (f"seed 1: {status}",)
    np.testing.assert_array_equal(found.along["train_loss"].mean, [1, 2])


@pytest.mark.parametrize(
    ("seeds", "needed", "message"),
    [
        (
            [FIRST, replace(SECOND, status=UNFINISHED)],
            2,
            rf"scale 8: 1 of 2 seeds .*seed 1: {UNFINISHED}\)\. Least test losses: seed 0 at epoch 1, "
            r"seed 1 at epoch 2\. .* last epoch, raise it or training\.max_epochs$",
        ),
        ([replace(FIRST, status=DIVERGED)], 1, r"scale 8: 0 of 1 seeds .*seed 0: diverged\)"),
        ([], 1, r"scale 8: 0 of 0 seeds are usable, 1 are needed \(ensemble\.min_members\)"),
    ],
    ids=["one of two", "all diverged", "no runs"],
)
def test_too_few_good_seeds_raise(seeds, needed, message):
    with pytest.raises(AverageError, match=message):
        average(8, seeds, needed)


def test_standard_error_of_known_values():
    np.testing.assert_allclose(standard_error([[1.0, 5.0], [3.0, 5.0]]), [1, 0])
    np.testing.assert_array_equal(standard_error([[1.0, 2.0]]), [0, 0])
    assert standard_error([3.0]) == 0


def crossed(members, draws, tables, sigma, seed=0):
    """``tables`` tables of a value for each member and draw, and the standard deviations of their effects."""
    rng = np.random.default_rng(seed)
    shapes = [(members, 1), (1, draws), (members, draws)]
    return sum(s * rng.standard_normal((tables, *shape)) for s, shape in zip(sigma, shapes, strict=True))


@pytest.mark.parametrize("sigma", [(1.0, 2.0, 0.5), (0.5, 3.0, 3.0), (2.0, 0.5, 1.0)])
def test_two_way_error_is_the_spread_of_the_mean(sigma):
    """Its square is unbiased, but for variances that are cut at zero."""
    tables = crossed(5, 4, 20_000, sigma)
    squares = np.mean([two_way_error(table) ** 2 for table in tables])
    assert squares == pytest.approx(tables.mean(axis=(1, 2)).var(), rel=0.06)


def test_draws_in_common_are_no_independent_pairs():
    """Two draws differ by one, for all 100 members alike: the error is that of 2 draws, not of 200 pairs."""
    table = np.tile([0.0, 1.0], (100, 1))
    assert two_way_error(table) == pytest.approx(np.sqrt(0.5 / 2))
    assert standard_error(table.ravel()) < 0.04


@pytest.mark.parametrize("shape", [(1, 4), (4, 1), (1, 1)])
def test_two_way_error_of_one_member_or_one_draw_is_that_of_the_other(shape):
    values = np.arange(float(np.prod(shape))) ** 2
    assert two_way_error(values.reshape(shape)) == standard_error(values)


def test_two_way_error_is_that_of_every_epoch():
    tables = crossed(3, 4, 6, (1, 2, 1))
    together = two_way_error(np.moveaxis(tables, 0, -1))
    np.testing.assert_allclose(together, [two_way_error(table) for table in tables])


def test_eigenvalues_of_one_rank_are_averaged_over_seeds_and_draws():
    both = [fixed(0, [2, 1], [[1, 2], [3, 6]]), fixed(1, [2, 1], [[2, 3], [6, 6]])]
    found = average(50, both, 2).along["eigenvalues"]
    np.testing.assert_array_equal(found.epoch, [0, 8])
    assert found.mean.shape == found.error.shape == (2, 6)
    # At epoch 0 the largest are 6, 3, 3 and 2, the second largest 0, 3, 3 and 2.
    np.testing.assert_allclose(found.mean[0, -2:], [2, 3.5])
    np.testing.assert_allclose(found.mean[1], [0.75, 0.75, 0.75, 1.25, 1.25, 1.25])
    np.testing.assert_allclose(found.mean.sum(axis=1), 6)
    assert found.error[0, -1] > 0
    assert found.error[0, 0] == 0


def test_eigenvalues_end_with_the_shortest_seed():
    long = fixed(0, [2, 1], [[1], [3]])
    short = fixed(1, [2, 1], [[2], [6]])
    cut = {name: getattr(short.spectrum, name)[:1] for name in ("epoch", "eigenvalues", "ntk_trace")}
    cut |= {name: getattr(short.spectrum, name)[:1] for name in ("loss_susceptibility", "spectral_position")}
    short = replace(short, spectrum=replace(short.spectrum, **cut))
    found = average(50, [long, short], 2).along["eigenvalues"]
    np.testing.assert_array_equal(found.epoch, [0])
    np.testing.assert_allclose(found.mean, [[0, 0, 0, 0, 1.5, 4.5]])


def test_a_seed_whose_ntk_is_zero_is_left_out_and_named():
    dead = replace(FIRST, seed=2, ntk_trace=0 * FIRST.ntk_trace)
    found = average(8, [FIRST, SECOND, dead], 2)
    assert found.left_out == ("seed 2: its NTK is zero",)
    assert found.seeds.tolist() == [0, 1]
    zeros = fixed(3, [1, 4], [[1], [1]], traces=[[10], [0]])
    with pytest.raises(AverageError, match="seed 3: its NTK is zero"):
        average(50, [zeros], 1)
