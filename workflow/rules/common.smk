"""What the rules share: the checked config, the code that a script depends on, input functions."""

import json
import os
import shlex
import sys

WORKFLOW = os.path.join(workflow.basedir, "workflow")
sys.path.insert(0, WORKFLOW)
from ntklens.planning import curves as studies
from ntklens.planning import paths
from ntklens.planning.config import ConfigError, complete
from ntklens.planning.requests import Requests
from ntklens.storage.import_closure import import_closure
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


def code(script):
    """The script, then every ntklens module behind it: editing one of them reruns the rule."""
    path = os.path.join(WORKFLOW, "scripts", script)
    files = [os.path.relpath(file, workflow.basedir) for file in import_closure(path)]
    own = os.path.relpath(path, workflow.basedir)
    return [own] + [file for file in files if file != own]


def curve_of(wildcards):
    return studies.Curve(wildcards.study, wildcards.dataset, wildcards.network)


def scale_of(wildcards):
    return int(wildcards.point.rpartition("-")[2])


def seeds_of(wildcards):
    return int(wildcards.last) - int(wildcards.first) + 1


def memory_of_calibration(wildcards, attempt):
    return REQUESTS.memory_mb(curve_of(wildcards), attempt=attempt)


def runtime_of_calibration(wildcards, attempt):
    return REQUESTS.runtime_minutes(curve_of(wildcards), attempt=attempt)


def memory_of_training(wildcards, attempt):
    return REQUESTS.memory_mb(curve_of(wildcards), scale_of(wildcards), seeds_of(wildcards), attempt)


def runtime_of_training(wildcards, attempt):
    return REQUESTS.runtime_minutes(curve_of(wildcards), scale_of(wildcards), seeds_of(wildcards), attempt)


def settings_of_dataset(wildcards):
    return json.dumps(studies.subset_settings(config))


def settings_of_calibration(wildcards):
    return json.dumps(studies.calibration_settings(config, curve_of(wildcards)))


def settings_of_training(wildcards):
    return json.dumps(studies.training_settings(config, curve_of(wildcards), scale_of(wildcards)))


def settings_of_aggregation(wildcards):
    return json.dumps(studies.aggregation_settings(config, curve_of(wildcards)))


def settings_of_noise_training(wildcards):
    return json.dumps(studies.noise_settings(config, curve_of(wildcards), scale_of(wildcards)))


def settings_of_noise_aggregation(wildcards):
    return json.dumps(studies.noise_aggregation_settings(config, curve_of(wildcards)))


def own_file_of(wildcards):
    """The user's file that a dataset comes from, if it does."""
    return studies.own_files(config).get(wildcards.dataset, [])


def learning_rates_of(wildcards):
    """The calibration's file, unless the config gives a rate."""
    if studies.entry_of(config, curve_of(wildcards))["learning_rate"] is not None:
        return []
    return paths.learning_rates(NAME).format(**wildcards)


def runs_of(wildcards):
    """Every run file of a curve."""
    curve = curve_of(wildcards)
    return [
        paths.run(NAME).format(
            **wildcards,
            point=paths.point_name(curve.study, scale),
            first=first,
            last=last,
        )
        for scale in studies.scales(config, curve)
        for first, last in studies.batches(config, curve, scale)
    ]


def for_curves(pattern, curves):
    """``pattern`` filled in for each of ``curves``."""
    return [pattern.format(**curve._asdict()) for curve in curves]


def for_verified_batches(pattern):
    """``pattern`` filled in for the first batch of seeds at each point where the NTK is verified."""
    return [
        pattern.format(**curve._asdict(), point=paths.point_name(curve.study, scale), first=first, last=last)
        for curve in studies.scaling_curves(config)
        for scale in studies.verified_scales(config, curve)
        for first, last in studies.batches(config, curve, scale)[:1]
    ]


def verified_datasets():
    """Every dataset of the scaling studies, once."""
    return sorted({curve.dataset for curve in studies.scaling_curves(config)})


def figure_files():
    """Of the figures that the config's studies can fill."""
    return [
        f"{paths.figure(NAME, number)}.{suffix}"
        for number in studies.figure_curves(config)
        for suffix in ("pdf", "png", "json")
    ]
