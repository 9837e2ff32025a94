"""Full-batch training against a loop written out, epoch by epoch."""

import jax
import numpy as np
import pytest
from ntklens.networks.modules import DenseNetwork, ensemble_parameters
from ntklens.training.full_batch import FullBatch
from ntklens.training.optimisers import Adam, Sgd
from ntklens.training.schedules import Schedule, Stop

from tests.support.clusters import adam, clusters, cross_entropy, heavy_ball, samples, trained_plainly

SUBSET = clusters()
TRAIN_SET = samples(SUBSET.pool_images[:10], SUBSET.pool_labels[:10])
TEST_SET = samples(SUBSET.test_images, SUBSET.test_labels)
MODEL = DenseNetwork(hidden_layers=2, width=5, outputs=3)
INITIAL = ensemble_parameters(MODEL, 6, [1, 2])
SCHEDULE = Schedule(Stop(20, 20, patience=1.5, max_epochs=120), snapshots=(7, 8), updates_after=True)


@pytest.fixture(scope="module", params=["adam", "sgd"])
def trained(request):
    """What is yielded for seeds 1 and 2, its records, and seed 2's parameters from the loop written out."""
    optimiser, rate, step = {
        "adam": (Adam(0.9, 0.999, 1e-8), 0.006, adam),
        "sgd": (Sgd(0.9), 0.05, heavy_ball),
    }[request.param]
    trainer = FullBatch(MODEL, optimiser, SCHEDULE)
    steps = list(trainer.train(INITIAL, [TRAIN_SET] * 2, TEST_SET, rate))
    records = trainer.records(steps[-1][1])
    own = jax.tree.map(lambda leaf: leaf[1], INITIAL)
    return steps, records[1], trained_plainly(MODEL, own, step, [[TRAIN_SET]] * int(records[1].epoch[-1]))


def test_losses_are_those_of_a_loop_written_out_at_every_epoch(trained):
    _, record, history = trained
    for name, data in (("train_loss", TRAIN_SET), ("test_loss", TEST_SET)):
        expected = [float(cross_entropy(MODEL, params, *data)) for params in history]
        np.testing.assert_allclose(record.curves[name], expected, rtol=2e-3)


def test_minimum_is_exact_to_the_epoch_with_its_parameters(trained):
    _, record, history = trained
    test_loss = [float(cross_entropy(MODEL, params, *TEST_SET)) for params in history]
    assert record.minimum.epoch == np.argmin(test_loss) > 0
    for found, expected in zip(
        jax.tree.leaves(record.minimum.params), jax.tree.leaves(history[record.minimum.epoch]), strict=True
    ):
        np.testing.assert_allclose(found, expected, atol=1e-3)


def test_snapshots_and_the_update_after_each_are_yielded(trained):
    steps, _, history = trained
    yielded = {epoch: FullBatch.parameters_of(members)[1] for epoch, members in steps}
    assert list(yielded)[:5] == [0, 7, 8, 9, 20]
    for epoch in (7, 8, 9):
        for found, expected in zip(
            jax.tree.leaves(yielded[epoch]), jax.tree.leaves(history[epoch]), strict=True
        ):
            np.testing.assert_allclose(found, expected, atol=1e-3)


def test_update_after_the_last_epoch_is_yielded():
    schedule = Schedule(Stop.fixed(3), snapshots=(3,), updates_after=True)
    steps = FullBatch(MODEL, Sgd(0.0), schedule).train(INITIAL, [TRAIN_SET] * 2, TEST_SET, 0.1)
    assert [epoch for epoch, _ in steps] == [0, 3, 4]


def test_members_end_where_the_stop_says():
    """In float32 the rule would round up at every fifth epoch from 325 to 425, where minima are."""
    seeds, stop = range(20), Stop(100, 500, patience=1.2, max_epochs=900)
    trainer = FullBatch(MODEL, Adam(0.9, 0.999, 1e-8), Schedule(stop))
    start = ensemble_parameters(MODEL, 6, seeds)
    *_, (_, members) = trainer.train(start, [TRAIN_SET] * len(seeds), TEST_SET, 0.0004)
    records = trainer.records(members)
    assert any(325 <= own.minimum.epoch <= 425 for own in records)
    assert [own.epoch[-1] for own in records] == [
        min(stop.last(own.minimum.epoch), stop.max_epochs) for own in records
    ]


def test_patience_may_lead_beyond_all_numbers_of_32_bits():
    stop = Stop(1, 1, patience=1e9, max_epochs=20)
    trainer = FullBatch(MODEL, Adam(0.9, 0.999, 1e-8), Schedule(stop))
    *_, (_, members) = trainer.train(INITIAL, [TRAIN_SET] * 2, TEST_SET, 0.006)
    records = trainer.records(members)
    assert [own.epoch[-1] for own in records] == [min(stop.last(own.minimum.epoch), 20) for own in records]
    assert any(own.epoch[-1] == 20 for own in records)
