from dataclasses import replace

import jax
import numpy as np
import pytest
from ntklens.data.image_sizes import to_size
from ntklens.data.settings import ImageSize
from ntklens.networks.modules import DenseNetwork, initial_parameters
from ntklens.studies.experiments import Experiment
from ntklens.training.full_batch import FullBatch
from ntklens.training.mini_batch import MiniBatch
from ntklens.training.optimisers import Adam, Sgd
from ntklens.training.schedules import Schedule, Stop

from tests.studies.test_recorder import DATA, MINI_BATCH, NETWORK, NOISY, RECIPE, SGD, SUBSET
from tests.support.clusters import cross_entropy

DESCENT = replace(RECIPE, optimiser=SGD)


def varying(vary, recipe=RECIPE, data=DATA):
    draws = {} if vary == "initialisation" else {"draw_seed": None}
    return Experiment(NETWORK, replace(data, **draws), replace(recipe, vary=vary), SUBSET)


@pytest.mark.parametrize(
    ("vary", "one_initialisation", "one_draw"),
    [("initialisation", False, True), ("data", True, False), ("both", False, False)],
)
def test_members_differ_in_what_the_recipe_says(vary, one_initialisation, one_draw):
    experiment = varying(vary)
    leaves = jax.tree.leaves(experiment.initial_parameters([1, 2]))
    assert all(np.array_equal(leaf[0], leaf[1]) for leaf in leaves) == one_initialisation
    first, second = experiment.training_sets([1, 2])
    assert np.array_equal(first.rows, second.rows) == one_draw


def test_initial_parameters_follow_from_each_seed_alone():
    experiment = varying("initialisation")
    assert experiment.model == DenseNetwork(hidden_layers=2, width=5, outputs=3)
    found = jax.tree.leaves(experiment.initial_parameters([7, 3]))
    for index, seed in enumerate((7, 3)):
        own = jax.tree.leaves(initial_parameters(experiment.model, 6, seed))
        for ensemble, expected in zip(found, own, strict=True):
            np.testing.assert_allclose(ensemble[index], expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("recipe", "kind", "optimiser"),
    [
        (RECIPE, FullBatch, Adam(0.9, 0.999, 1e-8)),
        (DESCENT, FullBatch, Sgd(0.9)),
        (MINI_BATCH, MiniBatch, Sgd(0.9)),
    ],
    ids=["full batch", "descent", "mini-batches"],
)
def test_recipe_chooses_the_trainer(recipe, kind, optimiser):
    experiment, schedule = Experiment(NETWORK, DATA, recipe, SUBSET), Schedule(Stop.fixed(3))
    trainer = experiment.trainer(schedule)
    assert type(trainer) is kind
    assert (trainer.model, trainer.optimiser, trainer.schedule) == (experiment.model, optimiser, schedule)
    assert getattr(trainer, "batch_size", None) == recipe.batch_size


def test_images_of_another_size_give_a_network_of_that_input_size():
    data = replace(DATA, image_size=ImageSize(pixels=5, fit="zero-padded"))
    experiment = Experiment(NETWORK, data, RECIPE, SUBSET)
    assert experiment.initial_parameters([0])["params"]["hidden_1"]["kernel"].shape == (1, 25, 5)
    expected = to_size(SUBSET.test_images, (2, 3, 1), 5, "zero-padded")
    np.testing.assert_array_equal(experiment.test_set.images, expected)
    np.testing.assert_array_equal(experiment.test_set.labels, SUBSET.test_labels)
    assert experiment.training_sets([0])[0].images.shape == (10, 25)


def test_the_test_set_is_the_first_test_samples():
    experiment = Experiment(NETWORK, replace(DATA, test_samples=2), RECIPE, SUBSET)
    np.testing.assert_array_equal(experiment.test_set.images, SUBSET.test_images[:2])
    np.testing.assert_array_equal(experiment.test_set.labels, SUBSET.test_labels[:2])
    assert len(experiment.own_subset.test_images) == len(SUBSET.test_images) > 2


@pytest.mark.parametrize("recipe", [DESCENT, MINI_BATCH], ids=["descent", "mini-batches"])
@pytest.mark.parametrize("vary", ["initialisation", "data"])
def test_members_train_from_their_own_parameters_on_their_own_sets(recipe, vary):
    experiment = varying(vary, recipe, NOISY)
    sets = experiment.training_sets([0, 1])
    trainer = experiment.trainer(Schedule(Stop.fixed(30), evaluate_every=10))
    *_, (_, members) = experiment.train(trainer, sets, [0, 1], 0.02)
    for index, (record, own) in enumerate(zip(trainer.records(members), sets, strict=True)):
        params = jax.tree.map(lambda leaf, index=index: leaf[index], experiment.initial_parameters([0, 1]))
        initial = float(cross_entropy(experiment.model, params, own.images, own.labels))
        assert record.curves["train_loss"][0] == pytest.approx(initial, rel=1e-4)
        assert record.curves["train_loss"][-1] < 0.9 * initial
