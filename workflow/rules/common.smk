"""What the rules share: the checked config, the code that a script depends on, input functions."""

import json
import os
import shlex
import sys
from functools import cache

WORKFLOW = os.path.join(workflow.basedir, "workflow")
sys.path.insert(0, WORKFLOW)
from ntklens.figures.catalogue import figures_of, settings_of_figure
from ntklens.planning import curves, paths, settings
from ntklens.planning.config import ConfigError, complete
from ntklens.planning.requests import Requests
from ntklens.storage.import_closure import import_closure
from ntklens.studies.recipes import modules_of
from snakemake.exceptions import WorkflowError
from snakemake.settings.types import DeploymentMethod

try:
    config = complete(config)
except ConfigError as error:
    raise WorkflowError(str(error)) from None

NAME = config["name"]
GPUS = 1 if config["device"] == "gpu" else 0  # of a training job
if "gpu" in workflow.global_resources and not GPUS:
    raise WorkflowError(
        "resources name gpu, but config key 'device' is cpu: --config on the command line replaces the "
        "profile's, so repeat device=gpu there; or set no gpu resource"
    )
TRAINING_ENVIRONMENT = "../../envs/train-cuda.yaml" if GPUS else "../../envs/train.yaml"
REQUESTS = Requests(config, GPUS)
FIGURES = figures_of(config)


WITH_CONDA = DeploymentMethod.CONDA in workflow.deployment_settings.deployment_method


def neural_tangents_python():
    """The Python that has neural-tangents: of the rule's conda environment, else of `make oracle`."""
    if WITH_CONDA:
        return "python"
    return os.path.join(workflow.basedir, ".venv-oracle", "bin", "python")


# Scripts find ntklens this way in any environment, a rule's own conda environment included. data_dir
# is no parameter of a rule: the bytes of a dataset are checked, so where they come from makes no
# difference, and configs with different folders share what is fetched. Nor are the Python with
# neural-tangents, the folder where compiled programs are kept from job to job, and how jobs share GPUs and
# write checkpoints.
ENVIRONMENT = {
    "PYTHONPATH": WORKFLOW,
    "NTKLENS_DATA_DIR": config["data_dir"] or "",
    "NEURAL_TANGENTS_PYTHON": neural_tangents_python(),
    "NTKLENS_COMPILATION_CACHE": os.path.join(workflow.basedir, ".cache", "xla"),
    "NTKLENS_JOBS_PER_GPU": str(config["jobs_per_gpu"]),
    "NTKLENS_CHECKPOINT_SECONDS": str(config["checkpoint_seconds"]),
}
EXPORTS = [f"export {key}={shlex.quote(ENVIRONMENT[key])}; " for key in ENVIRONMENT]
if WITH_CONDA:
    # conda can put a rule's environment behind a virtual environment that was activated before.
    EXPORTS.append('export PATH="$CONDA_PREFIX/bin:$PATH"; ')
shell.prefix("".join(EXPORTS))


# Wildcards become part of shell commands, and a target on the command line could be anything.
PLAIN_NAME = "[A-Za-z0-9][A-Za-z0-9_-]*"


wildcard_constraints:
    study=PLAIN_NAME,
    dataset=PLAIN_NAME,
    network=PLAIN_NAME,
    point=PLAIN_NAME,
    first=r"\d+",
    last=r"\d+",


@cache
def code(script, *modules):
    """The script, then every ntklens module behind it: editing one of them reruns the rule.

    ``modules`` are those that it loads by name.
    """
    path = os.path.join(WORKFLOW, "scripts", script)
    files = [os.path.relpath(file, workflow.basedir) for file in import_closure(path, *modules)]
    own = os.path.relpath(path, workflow.basedir)
    return [own] + [file for file in files if file != own]


def curve_of(wildcards):
    return curves.Curve(wildcards.study, wildcards.dataset, wildcards.network)


def scale_of(wildcards):
    return int(wildcards.point.rpartition("-")[2])


def seeds_of(wildcards):
    return int(wildcards.last) - int(wildcards.first) + 1


def memory_of_calibration(wildcards, attempt):
    return REQUESTS.memory_mb(curve_of(wildcards), attempt=attempt)


def run_time_of_calibration(wildcards, attempt):
    return REQUESTS.run_time_minutes(curve_of(wildcards), attempt=attempt)


def memory_of_training(wildcards, attempt):
    return REQUESTS.memory_mb(curve_of(wildcards), scale_of(wildcards), seeds_of(wildcards), attempt)


def run_time_of_training(wildcards, attempt):
    return REQUESTS.run_time_minutes(curve_of(wildcards), scale_of(wildcards), seeds_of(wildcards), attempt)


def priority_of_training(wildcards):
    """Training on mini-batches makes the longest jobs: started last they would run on alone."""
    return 0 if curves.recipe_of(config, curve_of(wildcards))["batch_size"] is None else 2


def settings_of_dataset(wildcards):
    return json.dumps(settings.subset_settings(config))


def settings_of_calibration(wildcards):
    return json.dumps(settings.calibration_settings(config, curve_of(wildcards)))


def settings_of_training(wildcards):
    return json.dumps(settings.training_settings(config, curve_of(wildcards), scale_of(wildcards)))


def settings_of_averaging(wildcards):
    return json.dumps(settings.averaging_settings(config, curve_of(wildcards)))


def code_of_calibration(wildcards):
    own = settings.calibration_settings(config, curve_of(wildcards))
    return code("calibrate.py", *modules_of(own["recipe"], *(point["data"] for point in own["points"])))


def code_of_training(wildcards):
    own = settings.training_settings(config, curve_of(wildcards), scale_of(wildcards))
    return code("train.py", *modules_of(own["recipe"], own["data"]))


def own_file_of(wildcards):
    """The user's file that a dataset comes from, if it does."""
    return curves.own_files(config).get(wildcards.dataset, [])


def learning_rates_of(wildcards):
    """The calibration's file, unless the config gives a rate."""
    if curves.learning_rate_of(config, curve_of(wildcards)) is not None:
        return []
    return paths.learning_rates(NAME).format(**wildcards)


def batches_of(pattern, curve, scale):
    """``pattern`` filled in for each batch of seeds at one point of ``curve``."""
    point = curves.point_name(config, curve, scale)
    return [
        pattern.format(**curve._asdict(), point=point, first=first, last=last)
        for first, last in curves.batches(config, curve, scale)
    ]


def runs_of(wildcards):
    """Every run file of a curve."""
    curve = curve_of(wildcards)
    scales = curves.scales(config, curve)
    return [run for scale in scales for run in batches_of(paths.run(NAME), curve, scale)]


def for_verified_batches(pattern):
    """``pattern`` filled in for the first batch of seeds at each point where the NTK is verified."""
    return [
        batches_of(pattern, curve, scale)[0]
        for curve in curves.verified_curves(config)
        for scale in curves.verified_scales(config, curve)
    ]


def verified_datasets():
    """Every dataset that the NTK is verified on, once."""
    return sorted({curve.dataset for curve in curves.verified_curves(config)})


def figure_files():
    """The files of all figures that the config's studies can fill."""
    return [f"{paths.figure(NAME, key)}.{suffix}" for key in FIGURES for suffix in ("pdf", "png", "json")]
