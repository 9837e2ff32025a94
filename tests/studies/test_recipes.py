from dataclasses import replace

from ntklens.data.settings import ImageSize
from ntklens.studies.recipes import Measurement, modules_of, schedule_of, trainer_module

from tests.studies.test_recorder import DATA, FIXED, MEASURED, MINI_BATCH, NOISY, RECIPE, WINDOW


def test_recipe_is_loaded_with_its_trainer_and_what_its_data_ask_for():
    assert trainer_module(RECIPE) == "ntklens.training.full_batch"
    assert modules_of(RECIPE, DATA) == ["ntklens.training.full_batch"]
    sized = replace(DATA, image_size=ImageSize(pixels=9, fit="resized"))
    assert modules_of(MINI_BATCH, DATA, NOISY, sized) == [
        "ntklens.training.mini_batch",
        "ntklens.data.image_sizes",
        "ntklens.data.noisy_copies",
    ]


def test_schedule_has_stop_and_measurements():
    schedule = schedule_of(RECIPE, MEASURED)
    assert schedule.stop == WINDOW
    assert (schedule.trace_every, schedule.snapshots, schedule.updates_after) == (5, (0, 7, 8, 20), True)


def test_fixed_schedule_ends_there():
    schedule = schedule_of(replace(MINI_BATCH, stop=FIXED))
    assert schedule.stop.window_last == schedule.stop.max_epochs == 12
    assert schedule.evaluate_every == 5


def test_trial_measures_nothing():
    schedule = schedule_of(RECIPE)
    assert (schedule.trace_every, schedule.snapshots, schedule.yields) == (0, (), set())
    assert schedule_of(RECIPE, Measurement.nothing()) == schedule
