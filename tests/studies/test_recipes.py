from dataclasses import replace

import pytest
from ntklens.data.settings import ImageSize
from ntklens.studies.recipes import modules_of, schedule_of, trainer_module

from tests.studies.test_recorder import DATA, FIXED, MEASURED, MINI_BATCH, NETWORK, NOISY, RECIPE, WINDOW

WIDE = replace(NETWORK, width=32)
ON_GRID = replace(RECIPE, evaluate_every=4)


def test_recipe_is_loaded_with_its_trainer_and_what_its_data_ask_for():
    assert modules_of(RECIPE, (NETWORK, DATA)) == ["ntklens.training.full_batch"]
    sized = replace(DATA, image_size=ImageSize(pixels=9, fit="resized"))
    assert modules_of(MINI_BATCH, (NETWORK, DATA), (WIDE, NOISY), (NETWORK, sized)) == [
        "ntklens.data.image_sizes",
        "ntklens.data.noisy_copies",
        "ntklens.training.mini_batch",
    ]
    assert modules_of(ON_GRID, (NETWORK, DATA), (WIDE, DATA)) == [
        "ntklens.training.full_batch",
        "ntklens.training.full_batch_on_grid",
    ]


@pytest.mark.parametrize(
    ("network", "recipe", "module", "every"),
    [
        (replace(NETWORK, width=31), ON_GRID, "full_batch", 1),
        (WIDE, ON_GRID, "full_batch_on_grid", 4),
        (WIDE, RECIPE, "full_batch", 1),
        (replace(NETWORK, hidden_layers=0), ON_GRID, "full_batch_on_grid", 4),
        (replace(NETWORK, convolutions=1), ON_GRID, "full_batch_on_grid", 4),
        (NETWORK, replace(ON_GRID, batch_size=4), "mini_batch", 4),
    ],
)
def test_narrow_networks_on_full_batches_are_evaluated_at_every_epoch(network, recipe, module, every):
    assert schedule_of(recipe, network).evaluate_every == every
    assert trainer_module(recipe, every) == f"ntklens.training.{module}"


def test_schedule_has_stop_and_measurements():
    schedule = schedule_of(RECIPE, NETWORK, MEASURED)
    assert schedule.stop == WINDOW
    assert (schedule.trace_every, schedule.snapshots, schedule.updates_after) == (5, (0, 7, 8, 20), True)
    assert schedule.minimum


def test_fixed_schedule_ends_there():
    schedule = schedule_of(replace(MINI_BATCH, stop=FIXED), NETWORK)
    assert schedule.stop.window_last == schedule.stop.max_epochs == 12
    assert schedule.evaluate_every == 5


def test_trial_measures_nothing():
    schedule = schedule_of(RECIPE, NETWORK)
    assert (schedule.trace_every, schedule.snapshots, schedule.yields) == (0, (), set())
    assert schedule.minimum
