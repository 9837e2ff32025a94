"""The axes that a study can name, and the names of the paper's three studies (App. D).

A study in the config is a list of entries, one for each dataset. Those of the paper's studies have keys of
their own, those of all others are in the general form, `ntklens.studies.entries.StudyEntry`.
"""

from ntklens.studies.axes.depth import DEPTH
from ntklens.studies.axes.input_size import INPUT_SIZE
from ntklens.studies.axes.removed_share import REMOVED_SHARE
from ntklens.studies.axes.train_samples import TRAIN_SAMPLES
from ntklens.studies.axes.width import WIDTH
from ntklens.studies.axis import Axis

AXES: dict[str, Axis] = {axis.name: axis for axis in (WIDTH, TRAIN_SAMPLES, REMOVED_SHARE, DEPTH, INPUT_SIZE)}

MODEL_SCALING, DATA_SCALING, NOISE_SCALING = "model-scaling", "data-scaling", "noise-scaling"
# What figures call the paper's studies, in the order in which figures show them.
HEADINGS = {MODEL_SCALING: "Model scaling", DATA_SCALING: "Data scaling", NOISE_SCALING: "Noise scaling"}
# The recipe of the paper's scaling studies: Adam on full batches, until the test loss has passed its minimum.
PAPERS_RECIPE = "adam"
# The key of the paper's studies that lists the scales.
SCALE_KEYS = {MODEL_SCALING: "widths", DATA_SCALING: "sizes", NOISE_SCALING: "removed_percent"}
