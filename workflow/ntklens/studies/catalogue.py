"""The axes that a study can name, and the paper's three studies as choices of axis, recipe and measurement.

A study in the config is a list of entries, one for each dataset. The paper's have keys of their own (App. D);
all others are in the general form, into which `general_form` brings the paper's too: whatever reads an entry
after that knows one form alone.
"""

from ntklens.studies.axes.depth import DEPTH
from ntklens.studies.axes.input_size import INPUT_SIZE
from ntklens.studies.axes.removed_share import REMOVED_SHARE
from ntklens.studies.axes.train_samples import TRAIN_SAMPLES
from ntklens.studies.axes.width import WIDTH

AXES = {axis.name: axis for axis in (WIDTH, TRAIN_SAMPLES, REMOVED_SHARE, DEPTH, INPUT_SIZE)}

MODEL_SCALING, DATA_SCALING, NOISE_SCALING = "model-scaling", "data-scaling", "noise-scaling"
# What figures call the paper's studies, in their order there.
HEADINGS = {MODEL_SCALING: "Model scaling", DATA_SCALING: "Data scaling", NOISE_SCALING: "Noise scaling"}
# The recipe of the paper's scaling studies: full batches, Adam, stopping around the least test loss.
PAPERS_RECIPE = "adam"
# The key of the paper's studies that lists the scales.
SCALE_KEYS = {MODEL_SCALING: "widths", DATA_SCALING: "sizes", NOISE_SCALING: "removed_percent"}


def general_form(study, entry):
    """A completed ``entry`` of ``study``, in the form that the schema has for a user's own studies.

    Its ``recipe`` is a recipe's name, or the recipe itself.
    """
    if study in GENERAL_FORMS:
        return {**OWN_DEFAULTS, **GENERAL_FORMS[study](entry)}
    return entry


def _model_scaling(entry):
    return {
        **_kept(
            entry, "dataset", "networks", "train_samples", "calibrate_at", "learning_rate", "seeds_per_job"
        ),
        "axis": "width",
        "scales": entry["widths"],
    }


def _data_scaling(entry):
    return {
        **_kept(entry, "dataset", "networks", "width", "calibrate_at", "learning_rate", "seeds_per_job"),
        "axis": "train_samples",
        "scales": entry["sizes"],
        "vary": "both" if entry["vary_initialisation"] else "data",
    }


def _noise_scaling(entry):
    data = ("dataset", "networks", "train_samples", "sigma", "draw_seed")
    recipe = ("learning_rate", "momentum", "batch_size", "epochs", "evaluate_every")
    return {
        **_kept(entry, *data, "seeds", "seeds_per_job", "ntk_samples", "ntk_draws", "spectrum_epochs"),
        "axis": "removed_share",
        "scales": entry["removed_percent"],
        "balanced": True,
        "min_members": 1,
        "recipe": {"optimizer": "sgd", **_kept(entry, *recipe)},
    }


def _kept(entry, *keys):
    return {key: entry[key] for key in keys}


GENERAL_FORMS = {MODEL_SCALING: _model_scaling, DATA_SCALING: _data_scaling, NOISE_SCALING: _noise_scaling}
# What the paper's studies leave out of the general form.
OWN_DEFAULTS = {
    "recipe": PAPERS_RECIPE,
    "width": None,
    "train_samples": 100,
    "balanced": False,
    "draw_seed": 0,
    "sigma": 0.01,
    "image_fit": "resized",
    "vary": "initialisation",
    "calibrate_at": [],
    "learning_rate": None,
    "seeds": None,
    "min_members": None,
    "seeds_per_job": None,
    "ntk_samples": None,
    "ntk_draws": 1,
    "spectrum_epochs": None,
}
