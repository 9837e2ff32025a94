"""Both trainers as the `Trainer` that `ntklens.training.members` describes."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from ntklens.data.draws import draw
from ntklens.kernel.ntk import ntk_matrix, outputs_and_trace
from ntklens.networks.modules import DenseNetwork, ensemble_parameters
from ntklens.storage.run_files import DIVERGED, OK, UNFINISHED
from ntklens.training.full_batch import FullBatch
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
TRACE = Trace(outputs_and_trace, samples=4)
SCHEDULE = Schedule(Stop(20, patience=1.5, max_epochs=90), trace_every=5, snapshots=(0, 7, 20))


def vectorised(schedule):
    return FullBatch(SMALL, Adam(0.9, 0.999, 1e-8), schedule, TRACE)


def mapped(schedule):
    """Networks that are large enough to advance one after the other."""
    return replace(vectorised(schedule), model=WIDE)


def mini_batch(schedule):
    return MiniBatch(SMALL, Sgd(0.9), replace(schedule, evaluate_every=3), batch_size=4, trace=TRACE)


RATES = {vectorised: 0.002, mapped: 0.0003, mini_batch: 0.002}


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
            if epoch not in record.epoch:
                continue
            row = record.epoch.tolist().index(epoch)
            for name, data in (("train", train_set(seed)), ("test", TEST_SET)):
                outputs = trainer.model.apply(params, data.images)
                correct = np.mean(np.argmax(outputs, axis=1) == data.labels)
                loss = float(cross_entropy(trainer.model, params, *data))
                assert record.curves[f"{name}_loss"][row] == pytest.approx(loss, rel=1e-3)
                assert record.curves[f"{name}_accuracy"][row] == pytest.approx(correct)
            if epoch in record.trace_epoch:
                theta = ntk_matrix(trainer.model, params, TEST_SET.images[:4])
                found = record.ntk_trace[record.trace_epoch.tolist().index(epoch)]
                assert found == pytest.approx(float(jnp.trace(theta)), rel=1e-4)


def test_members_are_measured_when_due_until_they_end(run):
    trainer, _ = run
    for record in records_of(run):
        assert record.status == OK
        due = trainer.schedule.evaluated
        assert record.epoch.tolist() == due[: len(record.epoch)]
        assert {len(curve) for curve in record.curves.values()} == {len(record.epoch)}
        assert record.trace_epoch.tolist() == list(range(0, record.epoch[-1] + 1, 5))
        assert len(record.ntk_trace) == len(record.trace_epoch)


def test_minimum_is_the_least_evaluated_test_loss_with_its_parameters(run):
    trainer, _ = run
    for record in records_of(run):
        row = int(np.argmin(record.curves["test_loss"]))
        assert record.best.epoch == record.epoch[row]
        assert float(record.best.test_loss) == pytest.approx(record.curves["test_loss"][row])
        loss = float(cross_entropy(trainer.model, record.best.params, *TEST_SET))
        assert float(record.best.test_loss) == pytest.approx(loss, rel=1e-3)


def test_member_ends_where_evaluation_finds_it_past_window_and_patience(run):
    trainer, _ = run
    ends = []
    for record in records_of(run):
        last = max(SCHEDULE.stop.window_last, np.ceil(SCHEDULE.stop.patience * record.best.epoch))
        assert record.epoch[-1] == min(epoch for epoch in trainer.schedule.evaluated if epoch >= last)
        ends.append(record.epoch[-1])
    assert len(set(ends)) > 1  # so some went on while others had ended


def test_nothing_that_comes_after_a_members_end_changes_its_minimum(build):
    """Without patience it ends while its test loss still falls, and a batch may train on for others."""
    schedule = Schedule(Stop(window_last=5, patience=1.0, max_epochs=90))
    (record,) = records_of(trained(build, schedule, seeds=(0,)))
    assert record.status == OK
    assert record.best.epoch == record.epoch[-1] < 10


def test_training_resumes_from_every_yield_to_the_same_numbers(build, run):
    _, steps = run
    for number, (epoch, state, *_) in enumerate(steps):
        resumed = trained(build, start=(epoch, state))
        assert [step[0] for step in resumed[1]] == [step[0] for step in steps[number:]]
        for (_, found, *_), (_, expected, *_) in zip(resumed[1], steps[number:], strict=True):
            assert_identical(found, expected)
        assert_identical(records_of(resumed), records_of(run))


def test_member_follows_from_its_own_seed(build, run):
    """Up to rounding: batches of different size sum in a different order."""
    for found, expected in zip(records_of(trained(build, seeds=(2, 3))), records_of(run)[2:], strict=True):
        assert found.best.epoch == expected.best.epoch
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
    schedule = Schedule(Stop(window_last=5, patience=1.5, max_epochs=10))
    (record,) = records_of(trained(build, schedule, seeds=(0,)))
    assert (record.status, record.epoch[-1], record.best.epoch) == (UNFINISHED, 10, 10)


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
        assert len(record.epoch) == 2
        assert not np.isfinite(record.curves["train_loss"][-1])
        assert record.best.epoch == 0


def test_all_members_can_be_measured_while_they_train(build, run):
    trainer, steps = run
    assert trainer.measurable(steps[0][3], 0) == [True] * 4
    assert len(steps[0][2]) == 4


def test_nothing_is_traced_where_no_trace_is_asked_for(build):
    for record in records_of(trained(build, Schedule(Stop.fixed(3)))):
        assert record.trace_epoch.tolist() == record.ntk_trace.tolist() == []
