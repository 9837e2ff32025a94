"""Both trainers as the `Trainer` that `ntklens.training.members` describes."""

import copy
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from ntklens.data.draws import draw
from ntklens.kernel.ntk import layer_kernels, ntk_matrix, outputs_and_layer_traces
from ntklens.networks.modules import DenseNetwork, ensemble_parameters
from ntklens.storage.quantities import TEST_CURVES, TRAIN_CURVES
from ntklens.storage.run_files import DIVERGED, OK, UNFINISHED
from ntklens.training.full_batch import FullBatch
from ntklens.training.full_batch_on_grid import FullBatchOnGrid
from ntklens.training.grid_trainer import Task
from ntklens.training.members import Trace
from ntklens.training.mini_batch import MiniBatch
from ntklens.training.optimisers import Adam, Sgd
from ntklens.training.schedules import Schedule, Stop

from tests.support.clusters import clusters, cross_entropy, samples
from tests.support.identical import assert_identical

SUBSET = clusters()
TEST_SET = samples(SUBSET.test_images, SUBSET.test_labels)
SEEDS = (0, 1, 2, 3)
SMALL, WIDE = (DenseNetwork(hidden_layers=2, width=width, outputs=3) for width in (5, 150))
TRACE = Trace(outputs_and_layer_traces, samples=4, layers=3)
SCHEDULE = Schedule(Stop(20, 20, patience=1.5, max_epochs=90), trace_every=5, snapshots=(0, 7, 20))


def vectorised(schedule):
    return FullBatch(SMALL, Adam(0.9, 0.999, 1e-8), schedule, TRACE)


def mapped(schedule):
    """Networks that are large enough to advance one after the other."""
    return replace(vectorised(schedule), model=WIDE)


def mini_batch(schedule):
    return MiniBatch(SMALL, Sgd(0.9), replace(schedule, evaluate_every=3), batch_size=4, trace=TRACE)


def on_grid(schedule):
    """Networks that are evaluated at every fourth epoch."""
    return FullBatchOnGrid(WIDE, Adam(0.9, 0.999, 1e-8), replace(schedule, evaluate_every=4), trace=TRACE)


GRID = list(range(0, 90, 4)) + [90]


RATES = {vectorised: 0.002, mapped: 0.0003, mini_batch: 0.002, on_grid: 0.0003}


@pytest.fixture(scope="module", params=RATES, ids=lambda build: build.__name__)
def build(request):
    return request.param


def train_set(seed):
    rows = draw(len(SUBSET.pool_labels), 10, seed)
    return samples(SUBSET.pool_images[rows], SUBSET.pool_labels[rows])


def trained(build, schedule=SCHEDULE, seeds=SEEDS, train_sets=None, rate=None, start=None):
    """The trainer, and what it yields: [(epoch, state, parameters, members)]."""
    trainer = build(schedule)
    params = ensemble_parameters(trainer.model, 6, seeds)
    train_sets = train_sets or [train_set(seed) for seed in seeds]
    steps = trainer.train(params, train_sets, TEST_SET, rate or RATES[build], seeds, start)
    return trainer, [
        (epoch, trainer.state_of(members), trainer.parameters_of(members), members)
        for epoch, members in steps
    ]


@pytest.fixture(scope="module")
def run(build):
    return trained(build)


def records_of(run):
    trainer, steps = run
    return trainer.records(steps[-1][3])


def test_every_snapshot_is_yielded_in_order_from_the_initial_parameters_on(build, run):
    trainer, steps = run
    epochs = [epoch for epoch, *_ in steps]
    assert epochs == sorted(epochs)
    assert set(SCHEDULE.snapshots) <= set(epochs)
    assert epochs[0] == 0
    initial = ensemble_parameters(trainer.model, 6, SEEDS)
    for index, params in enumerate(steps[0][2]):
        jax.tree.map(
            lambda found, all_of_them, index=index: np.testing.assert_array_equal(found, all_of_them[index]),
            params,
            initial,
        )


def test_curves_and_traces_belong_to_the_parameters_of_their_epoch(run):
    trainer, steps = run
    for epoch, _, parameters, _ in steps:
        for record, params, seed in zip(records_of(run), parameters, SEEDS, strict=True):
            sets = (("train", train_set(seed), record.epoch), ("test", TEST_SET, record.test_epoch))
            for name, data, epochs in sets:
                if epoch not in epochs:
                    continue
                row = epochs.tolist().index(epoch)
                outputs = trainer.model.apply(params, data.images)
                correct = np.mean(np.argmax(outputs, axis=1) == data.labels)
                loss = float(cross_entropy(trainer.model, params, *data))
                assert record.curves[f"{name}_loss"][row] == pytest.approx(loss, rel=1e-3)
                assert record.curves[f"{name}_accuracy"][row] == pytest.approx(correct)
            if epoch in record.trace_epoch:
                theta = ntk_matrix(trainer.model, params, TEST_SET.images[:4])
                row = record.trace_epoch.tolist().index(epoch)
                assert record.ntk_trace[row] == pytest.approx(float(jnp.trace(theta)), rel=1e-4)
                layers = layer_kernels(trainer.model, params, TEST_SET.images[:4])
                shares = [float(layer.trace) for layer in layers]
                assert record.layer_traces[row].tolist() == pytest.approx(shares, rel=1e-4)


def test_members_are_measured_when_due_until_they_end(run):
    trainer, _ = run
    for record in records_of(run):
        assert record.status == OK
        every_epoch = list(range(SCHEDULE.stop.max_epochs + 1))
        tested = {FullBatch: every_epoch, MiniBatch: trainer.schedule.evaluated}.get(type(trainer), GRID)
        learned = trainer.schedule.evaluated if isinstance(trainer, MiniBatch) else every_epoch
        assert record.epoch.tolist() == learned[: len(record.epoch)]
        assert record.test_epoch.tolist() == tested[: len(record.test_epoch)]
        assert record.epoch[-1] == record.test_epoch[-1]
        for name in TRAIN_CURVES:
            assert len(record.curves[name]) == len(record.epoch)
        for name in TEST_CURVES:
            assert len(record.curves[name]) == len(record.test_epoch)
        assert record.trace_epoch.tolist() == list(range(0, record.epoch[-1] + 1, 5))
        assert record.layer_traces.shape == (len(record.trace_epoch), TRACE.layers)


def test_minimum_has_its_parameters_and_is_at_most_the_least_evaluated_test_loss(run):
    trainer, _ = run
    for record, seed in zip(records_of(run), SEEDS, strict=True):
        assert record.minimum.test_loss <= np.min(record.curves["test_loss"])
        for found, data in (
            (record.minimum.train_loss, train_set(seed)),
            (record.minimum.test_loss, TEST_SET),
        ):
            loss = float(cross_entropy(trainer.model, record.minimum.params, *data))
            assert found == pytest.approx(loss, rel=1e-3)


@pytest.mark.parametrize("build", [mini_batch, on_grid], ids=lambda build: build.__name__)
@pytest.mark.parametrize("every", [3, 11])
def test_minimum_of_a_grid_is_that_of_every_epoch(build, every):
    """To the bit, since training from a state that was kept passes through the same states again."""

    def with_grid(every):
        return lambda schedule: replace(trainer, schedule=replace(schedule, evaluate_every=every))

    trainer, schedule = build(SCHEDULE), replace(SCHEDULE, trace_every=0, snapshots=())
    found, expected = (records_of(trained(with_grid(own), schedule, rate=RATES[build])) for own in (every, 1))
    for one, other in zip(found, expected, strict=True):
        assert len(one.test_epoch) < len(other.test_epoch)
        assert one.minimum.epoch == other.minimum.epoch
        assert one.minimum.test_loss == np.min(other.curves["test_loss"])
        assert_identical(one.minimum.params, other.minimum.params)


@pytest.mark.parametrize("build", [mini_batch, on_grid], ids=lambda build: build.__name__)
def test_grid_that_is_coarser_than_training_finds_the_minimum_too(build):
    """Its least loss is the last one: the status follows from the exact minimum."""
    schedule = Schedule(Stop(5, 5, patience=1.5, max_epochs=60))
    trainer = build(schedule)

    def coarse(schedule):
        return replace(trainer, schedule=replace(schedule, evaluate_every=10**9))

    def fine(schedule):
        return replace(trainer, schedule=replace(schedule, stop=Stop.fixed(60), evaluate_every=1))

    for found, expected in zip(
        records_of(trained(coarse, schedule, rate=RATES[build])),
        records_of(trained(fine, schedule, rate=RATES[build])),
        strict=True,
    ):
        assert found.test_epoch.tolist() == [0, 60]
        assert found.minimum.epoch == expected.minimum.epoch <= 40
        assert found.status == OK


@pytest.mark.parametrize("build", [mini_batch, on_grid], ids=lambda build: build.__name__)
def test_member_with_its_minimum_before_the_window_and_that_of_the_grid_inside_is_ok(build):
    """It ends by the minimum of the grid, as no other is known while it trains."""

    def every_seventh(schedule):
        return replace(build(schedule), schedule=replace(schedule, evaluate_every=7))

    def of_grid(record):
        return int(record.test_epoch[np.argmin(record.curves["test_loss"])])

    def records(first, last):
        schedule = Schedule(Stop(first, last, patience=1.2, max_epochs=120))
        return records_of(trained(every_seventh, schedule, rate=RATES[build]))

    before = next(own for own in records(120, 120) if own.minimum.epoch < of_grid(own))
    found = [own for own in records(of_grid(before), 119) if own.minimum.epoch < of_grid(before)]
    ended_early = [own for own in found if own.epoch[-1] < 119]
    assert ended_early
    assert [own.status for own in found] == [OK] * len(found)


def test_minimum_is_not_searched_where_it_is_not_followed(build):
    for record in records_of(trained(build, Schedule(Stop.fixed(4), minimum=False))):
        assert record.minimum is None


def test_update_after_a_snapshot_at_a_members_end_is_yielded():
    schedule = Schedule(Stop.fixed(8), snapshots=(0, 8), updates_after=True)
    trainer, steps = run = trained(on_grid, schedule)
    assert [epoch for epoch, *_ in steps] == [0, 1, 4, 8, 9]
    assert trainer.measurable(steps[-1][3], 9) == [True] * 4
    longer = trained(on_grid, replace(schedule, stop=Stop.fixed(12)))[1]
    after = {epoch: parameters for epoch, _, parameters, _ in longer}
    assert_identical(steps[-1][2], after[9])
    assert {record.epoch[-1] for record in records_of(run)} == {8}


def test_member_ends_where_evaluation_finds_it_past_window_and_patience(run):
    ends = []
    for record in records_of(run):
        evaluated = int(record.test_epoch[np.argmin(record.curves["test_loss"])])
        last = SCHEDULE.stop.last(evaluated)
        assert record.test_epoch[-2] < last <= record.test_epoch[-1]
        ends.append(record.epoch[-1])
    assert len(set(ends)) > 1  # so some went on while others had ended


def test_nothing_that_comes_after_a_members_end_changes_its_minimum(build):
    """Without patience it ends while its test loss still falls, and a batch may train on for others."""
    schedule = Schedule(Stop(5, 5, patience=1.0, max_epochs=90))
    (record,) = records_of(trained(build, schedule, seeds=(0,)))
    assert record.status == OK
    assert record.minimum.epoch == record.epoch[-1] < 10


def test_training_resumes_from_every_yield_to_the_same_numbers(build, run):
    _, steps = run
    for number, (epoch, state, *_) in enumerate(steps):
        given = copy.deepcopy(state)
        resumed = trained(build, start=(epoch, given))
        assert not given  # its memory is free while training goes on
        assert [step[0] for step in resumed[1]] == [step[0] for step in steps[number:]]
        for (_, found, *_), (_, expected, *_) in zip(resumed[1], steps[number:], strict=True):
            assert_identical(found, expected)
        assert_identical(records_of(resumed), records_of(run))


def test_member_follows_from_its_own_seed(build, run):
    """Up to rounding: batches of different size sum in a different order."""
    for found, expected in zip(records_of(trained(build, seeds=(2, 3))), records_of(run)[2:], strict=True):
        assert found.minimum.epoch == expected.minimum.epoch
        for name in ("train_loss", "test_loss"):
            np.testing.assert_allclose(found.curves[name], expected.curves[name], rtol=1e-3)


@pytest.mark.parametrize("epochs", [0, 7])
def test_members_of_a_fixed_schedule_end_together_at_a_measured_epoch(build, epochs):
    run = trained(build, Schedule(Stop.fixed(epochs), trace_every=7, snapshots=(epochs,)))
    assert epochs in [step[0] for step in run[1]]
    for record in records_of(run):
        assert (record.status, record.epoch[-1]) == (OK, epochs)
        assert record.trace_epoch[-1] == epochs


def test_latest_values_are_the_means_over_members_and_how_many_ended(build):
    trainer, steps = run = trained(build, Schedule(Stop.fixed(7)))
    values, finished, members = trainer.latest(steps[-1][3], steps[-1][0])
    assert (finished, members) == (4, 4)
    for name, value in values.items():
        mean = np.mean([record.curves[name][-1] for record in records_of(run)])
        assert value == pytest.approx(mean, rel=1e-5)


def test_member_not_past_its_minimum_at_the_last_epoch_is_unfinished(build):
    schedule = Schedule(Stop(5, 5, patience=1.5, max_epochs=10))
    (record,) = records_of(trained(build, schedule, seeds=(0,)))
    assert (record.status, record.epoch[-1], record.minimum.epoch) == (UNFINISHED, 10, 10)


def test_member_that_diverges_ends_alone(build, run):
    sets = [train_set(seed) for seed in SEEDS]
    sets[1] = sets[1]._replace(images=sets[1].images.at[3].set(jnp.inf))
    records = records_of(trained(build, train_sets=sets))
    assert [record.status for record in records] == [OK, DIVERGED, OK, OK]
    assert records[1].epoch.tolist() == [0]
    for index in (0, 2, 3):
        expected = records_of(run)[index].curves["test_loss"]
        np.testing.assert_allclose(records[index].curves["test_loss"], expected, rtol=1e-3)


def test_member_that_diverges_after_a_while_keeps_its_minimum(build):
    """One step at such a rate, and every loss is beyond float32."""
    for record in records_of(trained(build, rate=1e30)):
        assert record.status == DIVERGED
        assert len(record.test_epoch) == 2
        assert not np.isfinite(record.curves["train_loss"][-1])
        assert record.minimum.epoch == 0


def test_all_members_can_be_measured_while_they_train(build, run):
    trainer, steps = run
    assert trainer.measurable(steps[0][3], 0) == [True] * 4
    assert len(steps[0][2]) == 4


def test_nothing_is_traced_where_no_trace_is_asked_for(build):
    for record in records_of(trained(build, Schedule(Stop.fixed(3)))):
        assert record.trace_epoch.tolist() == record.ntk_trace.tolist() == []


def test_search_for_the_minimum_takes_the_same_way_without_traces():
    trainer, steps = trained(on_grid)
    start, task = steps[0][3][0].here, Task(train_set(0), TEST_SET, RATES[on_grid], seed=0)
    with_traces, measured = trainer.advanced(start, task, 7)
    without, unmeasured = trainer.advanced(start, task, 7, traced=False)
    assert all(jax.tree.leaves(jax.tree.map(np.array_equal, with_traces, without)))
    assert list(measured["layer_traces"]) == [0, 5]
    assert unmeasured == measured | {"layer_traces": {}}
