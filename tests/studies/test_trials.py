from dataclasses import replace

import numpy as np
from ntklens.studies.experiments import Experiment
from ntklens.studies.recipes import schedule_of
from ntklens.studies.trials import minimum_trial
from ntklens.training.schedules import Stop

from tests.studies.test_recorder import ADAM, DATA, MINI_BATCH, NETWORK, RECIPE, SUBSET, WINDOW

RATE = 0.006
CASE = Experiment(NETWORK, replace(DATA, draw_seed=None), replace(RECIPE, vary="data"), SUBSET)


def trial(experiment=CASE, rate=RATE, **options):
    return minimum_trial(experiment, [0, 1], rate, scale=10, **options)


def records(experiment, rate):
    trainer = experiment.trainer(schedule_of(experiment.recipe, experiment.network))
    *_, (_, members) = experiment.train(trainer, experiment.training_sets([0, 1]), [0, 1], rate)
    return trainer.records(members)


def test_trial_finds_each_seeds_minimum():
    found = trial()
    assert found.epochs == tuple(record.minimum.epoch for record in records(CASE, RATE))
    assert found.censored == (False, False)


def test_trial_of_seeds_that_are_not_finished_is_censored():
    """A rate at which the test loss still falls at the end."""
    stop = Stop(5, 5, patience=1.5, max_epochs=10)
    found = trial(replace(CASE, recipe=replace(CASE.recipe, stop=stop)), rate=1e-5)
    assert found.censored == (True, True)
    assert found.epochs == (10, 10)


def test_seed_whose_test_loss_never_improves_has_epoch_zero():
    """All training samples are of one class, all test samples of another: what is learnt is wrong."""
    wrong = replace(
        SUBSET,
        pool_labels=np.zeros_like(SUBSET.pool_labels),
        test_labels=np.ones_like(SUBSET.test_labels),
    )
    found = trial(replace(CASE, subset=wrong))
    assert found.epochs == (0, 0)


def test_diverged_seed_has_no_epoch():
    assert trial(rate=1e30).epochs == (None, None)


def test_trial_on_mini_batches():
    recipe = replace(MINI_BATCH, optimiser=ADAM, stop=WINDOW, evaluate_every=3)
    found = trial(replace(CASE, recipe=recipe), rate=0.004)
    every_epoch = trial(replace(CASE, recipe=replace(recipe, evaluate_every=1)), rate=0.004)
    assert found.epochs == every_epoch.epochs
    assert not any(found.censored)


def test_killed_trial_resumes_to_the_same_minimum():
    states = {}

    def visit(epoch, state):
        states[epoch] = state()

    whole = trial(visit=visit)
    assert len(states) > 2
    for epoch, state in states.items():
        assert trial(start=(epoch, state)) == whole
