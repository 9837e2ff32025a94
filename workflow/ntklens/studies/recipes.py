"""What a recipe is: how the members of an ensemble are trained, as a training job is told.

The settings of a recipe are a dictionary of
    optimiser       its name and constants (`ntklens.training.optimisers`)
    batch_size      samples of a mini-batch; None for the full batch
    learning_rate   a number; None for the one that calibration finds
    stop            {"window_last", "patience", "max_epochs"}: around the least test loss; or {"epochs"}
    evaluate_every  epochs between two evaluations of the losses, in mini-batch training
    vary            what members differ in: "initialisation", "data" or "both"
and those of a measurement of
    ntk_samples, ntk_draws   the NTK is measured on so many draws of so many test samples
    trace_every              epochs between two traces; 0 measures none
    spectrum_epochs          when the spectrum is measured
    alignments, minimum      whether alignments, and the NTK at the least test loss, are measured
    save_parameters          seeds, from the first, that keep their parameters at the minimum
"""

from ntklens.data.training_sets import OPTIONAL_MODULES
from ntklens.training.schedules import Schedule


def trainer_module(recipe):
    """The name of the module that trains by ``recipe``: other recipes do not depend on its code."""
    kind = "full_batch" if recipe["batch_size"] is None else "mini_batch"
    return f"ntklens.training.{kind}"


def modules_of(recipe, *datas):
    """The modules that a job loads by name, for its ``recipe`` and the settings of its points' data."""
    asked = {key for data in datas for key in OPTIONAL_MODULES if data[key] is not None}
    return [trainer_module(recipe), *(OPTIONAL_MODULES[key] for key in sorted(asked))]


def schedule_of(recipe, measurement=None):
    """The `Schedule` of a training job; without a ``measurement`` that of a trial of the learning rate."""
    measured = {"evaluate_every": recipe["evaluate_every"]}
    if measurement is not None:
        measured |= {
            "trace_every": measurement["trace_every"],
            "snapshots": tuple(measurement["spectrum_epochs"]),
            "updates_after": measurement["alignments"],
        }
    if "epochs" in recipe["stop"]:
        return Schedule.fixed(recipe["stop"]["epochs"], **measured)
    return Schedule(**recipe["stop"], **measured)
