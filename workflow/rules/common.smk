"""Shared by the rules: the modules that a script depends on, and input functions."""

from contextlib import suppress
from functools import cache

from ntklens.figures.catalogue import figures_of, settings_of_figure
from ntklens.gallery.request import gallery_settings
from ntklens.machine.live_runs import joined
from ntklens.planning import curves, paths, settings
from ntklens.planning.archives import archive_settings, restoring_settings
from ntklens.planning.config.base import NAME as PLAIN_NAME
from ntklens.planning.placeholders import placeholder_message
from ntklens.planning.requests import Requests
from ntklens.planning.robustness import robustness_settings
from ntklens.planning.targets import targets_of
from ntklens.storage.curve import Curve
from ntklens.storage.files import sha256, write_changed_json
from ntklens.data.dataset_files import files_in
from ntklens.data.published import FORMATS
from ntklens.data.registry import MODIFIED
from ntklens.data.settings import optional_modules_of
from ntklens.storage.import_closure import code_digests, import_closure
from ntklens.storage.settings import as_json, settings_sha256
from ntklens.studies.recipes import modules_of
from snakemake.settings.types import DeploymentMethod

NAME = CONFIG.name
GPUS = 1 if CONFIG.device == "gpu" else 0  # that one training job uses
if "gpu" in workflow.global_resources and not GPUS and not MODULE:
    raise WorkflowError(
        "the resource gpu is set, but config key 'device' is cpu: --config on the command line replaces the "
        "profile's --config, so repeat device=gpu there; or set no gpu resource"
    )
ASKED = workflow.resource_settings
if unedited := placeholder_message([ASKED.default_resources or {}, *ASKED.overwrite_resources.values()]):
    raise WorkflowError(unedited)
TRAINING_ENVIRONMENT = "../../envs/train-cuda.yaml" if GPUS else "../../envs/train.yaml"
REQUESTS = Requests(CONFIG, GPUS)
FIGURES = figures_of(CONFIG)
ROBUSTNESS = robustness_settings(CONFIG)
TARGETS = targets_of(CONFIG)
RESTORED = restoring_settings(CONFIG)


WITH_CONDA = DeploymentMethod.CONDA in workflow.deployment_settings.deployment_method


def neural_tangents_python():
    """The Python that has neural-tangents: that of the rule's conda environment, or else of `make oracle`."""
    if WITH_CONDA:
        return "python"
    return os.path.join(REPOSITORY, ".venv-oracle", "bin", "python")


# PYTHONPATH lets scripts find ntklens in any environment, a rule's own conda environment included. The other
# variables are not parameters of rules, because they do not change results. In particular, the bytes of a
# dataset are checked, so it makes no difference which folder they come from, and configs with different folders
# share the fetched datasets. Modified data are not checked: their folder is a parameter (`source_of`).
ENVIRONMENT = {
    "PYTHONPATH": WORKFLOW,
    # JAX fails under LC_ALL=C in a folder whose name is not ASCII, unless Python takes names as UTF-8.
    "PYTHONUTF8": "1",
    "NTKLENS_DATA_DIR": CONFIG.data_dir or "",
    "NEURAL_TANGENTS_PYTHON": neural_tangents_python(),
    "NTKLENS_COMPILATION_CACHE": os.path.abspath(os.path.join(".cache", "xla")),
    "NTKLENS_JOBS_PER_GPU": str(CONFIG.jobs_per_gpu),
    "NTKLENS_CHECKPOINT_SECONDS": f"{CONFIG.checkpoint_seconds:g}",
}
EXPORTS = {key: shlex.quote(value) for key, value in ENVIRONMENT.items()}
if WITH_CONDA:
    # Otherwise the programs of an active virtual environment can come before those of the rule's environment.
    EXPORTS["PATH"] = '"${CONDA_PREFIX:+$CONDA_PREFIX/bin:}$PATH"'
PREFIX = ""
if MODULE:
    # The prefix serves all rules of the workflow that uses this one. They keep the one that they had, by default
    # bash's strict mode, and the modules of their own.
    PREFIX = shell._get_process_prefix()
    EXPORTS["PYTHONPATH"] += '"${PYTHONPATH:+:$PYTHONPATH}"'
PREFIX += "".join(f"export {key}={value}; " for key, value in EXPORTS.items())
# Snakemake formats the prefix, and data_dir may hold braces.
shell.prefix(PREFIX.replace("{", "{{").replace("}", "}}"))


# Wildcards become part of shell commands, and a target on the command line could hold a command. Rules with a
# study constrain that further: its pattern sees all that follows.
wildcard_constraints:
    study=PLAIN_NAME,
    dataset=TARGETS.dataset,
    network=PLAIN_NAME,
    point=PLAIN_NAME,
    first=r"\d+",
    last=r"\d+",


@cache
def code(script, *modules):
    """The script, then every ntklens module that it imports: editing one of them reruns the rule.

    ``modules`` are modules that it loads by name.
    """
    path = os.path.join(WORKFLOW, "scripts", script)
    files = [str(file) for file in import_closure(path, *modules)]
    return [in_rules(file) for file in dict.fromkeys([path, *files])]


@cache
def inputs_in_use():
    """The inputs of the other calls of Snakemake in this folder, which their locks list."""
    found = set()
    for path in glob.glob(os.path.join(".snakemake", "locks", "*.input.lock")):
        # A call that ends meanwhile takes its lock away.
        with suppress(FileNotFoundError), open(path, encoding="utf-8", errors="surrogateescape") as file:
            found.update(file.read().splitlines())
    return found


@cache
def recorded_code(record, script, *modules):
    """The script, and the file ``record`` with the digests of all code that it depends on.

    An edit changes the record, and so reruns the rule, unless the config keeps runs. Snakemake reruns a job
    whose list of inputs has changed. This list stays the same whatever the script imports, and with and
    without keep_runs, so neither a new module nor a change of the key reruns anything.
    """
    path = os.path.join(WORKFLOW, "scripts", script)
    # Jobs on other machines find the record of the workflow that submitted them. A record on which jobs of another
    # call depend stays: a newer one would be older than their outputs, which the former code makes.
    if workflow.is_main_process and not (record in inputs_in_use() and os.path.exists(record)):
        write_changed_json(record, code_digests(path, *modules))
    inputs = [in_rules(path), record]
    return [ancient(file) for file in inputs] if CONFIG.keep_runs else inputs


def curve_of(wildcards):
    return Curve(wildcards.study, wildcards.dataset, wildcards.network)


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
    """Training on mini-batches takes longest. Started last, these jobs would delay the end of the workflow."""
    return 0 if curves.entry_of(CONFIG, curve_of(wildcards)).recipe.batch_size is None else 2


def settings_of_dataset(wildcards):
    return as_json(settings.subset_settings(CONFIG, wildcards.dataset))


def settings_of_calibration(wildcards):
    return as_json(settings.calibration_settings(CONFIG, curve_of(wildcards)))


def settings_of_training(wildcards):
    return as_json(settings.training_settings(CONFIG, curve_of(wildcards), scale_of(wildcards)))


def settings_of_averaging(wildcards):
    return as_json(settings.averaging_settings(CONFIG, curve_of(wildcards)))


def settings_of_analysis(wildcards):
    return as_json(settings.analysis_settings(CONFIG, curve_of(wildcards)))


def settings_of_infinite_width(wildcards):
    return as_json(settings.infinite_width_settings(CONFIG, curve_of(wildcards)))


def settings_of_gallery(wildcards):
    return as_json(gallery_settings(CONFIG, FIGURES.values()))


def code_of_fetching(wildcards):
    return recorded_code(paths.code("datasets", "fetch", "all"), "fetch.py")


def code_of_subsampling(wildcards):
    return recorded_code(paths.code(NAME, "subsample", "all"), "subsample.py")


def code_of_calibration(wildcards):
    own = settings.calibration_settings(CONFIG, curve_of(wildcards))
    record = paths.code(NAME, "calibrate", paths.CURVE_KEY).format(**wildcards)
    modules = modules_of(own.recipe, *((point.network, point.data) for point in own.points))
    return recorded_code(record, "calibrate.py", *modules)


def code_of_training(wildcards):
    own = settings.training_settings(CONFIG, curve_of(wildcards), scale_of(wildcards))
    record = paths.code(NAME, "train", paths.POINT_KEY).format(**wildcards)
    return recorded_code(record, "train.py", *modules_of(own.recipe, (own.network, own.data)))


def code_of_infinite_width(wildcards):
    own = settings.infinite_width_settings(CONFIG, curve_of(wildcards))
    return code("infinite_width.py", *optional_modules_of(own))


def own_file_of(wildcards):
    """The user's file that holds a dataset; none for a dataset of the registry."""
    return curves.own_files(CONFIG).get(wildcards.dataset, [])


def modified_files_of(wildcards):
    """The files of modified data, whose change reruns everything; none for other data."""
    folder = settings.folder_of_modified(CONFIG, wildcards.dataset)
    if folder is None:
        return []
    return [str(path) for path in files_in(folder, FORMATS[wildcards.dataset.removesuffix(MODIFIED)])]


def source_of(wildcards, input):
    """The option of fetch.py for where a dataset comes from; none where that changes no byte."""
    folder = settings.folder_of_modified(CONFIG, wildcards.dataset)
    if input.own_file:
        return f"--npz={shlex.quote(str(input.own_file))}"  # a path may begin with a hyphen
    return f"--data-dir={shlex.quote(folder)}" if folder else ""


def learning_rates_of(wildcards):
    """The file that calibration writes; none if the config gives a learning rate."""
    if curves.learning_rate_of(CONFIG, curve_of(wildcards)) is not None:
        return []
    return paths.learning_rates(NAME).format(**wildcards)


def infinite_width_of(wildcards):
    """The file of closed forms; none for a curve that they do not describe."""
    if settings.infinite_width_settings(CONFIG, curve_of(wildcards)) is None:
        return []
    return paths.fit(NAME, "infinite-width").format(**wildcards)


def batches_of(pattern, curve, scale):
    """``pattern``, filled in for each batch of seeds at one point of ``curve``."""
    point = curves.point_name(CONFIG, curve, scale)
    return [
        pattern.format(**curve._asdict(), point=point, first=first, last=last)
        for first, last in curves.batches(CONFIG, curve, scale)
    ]


def runs_of(wildcards):
    """Every run file of a curve."""
    return runs_of_curve(curve_of(wildcards))


def runs_of_curve(curve):
    scales = curves.scales(CONFIG, curve)
    return [run for scale in scales for run in batches_of(paths.run(NAME), curve, scale)]


def for_verified_batches(pattern):
    """``pattern``, filled in for the first batch of seeds at each point where the NTK is verified."""
    return [batches_of(pattern, curve, scale)[0] for curve, scale in verified_points()]


def verified_points():
    """The curve and the scale of each point at which the NTK is verified."""
    own = curves.verified_curves(CONFIG)
    return [(curve, scale) for curve in own for scale in curves.verified_scales(CONFIG, curve)]


def digest_of_runs(curve, scale):
    """The digest of the settings that the run files of one point must have been made with."""
    return settings_sha256(settings.training_settings(CONFIG, curve, scale))


def digest_of_training(wildcards):
    return digest_of_runs(curve_of(wildcards), scale_of(wildcards))


def digests_of_verified():
    """The digests of the settings of the run files whose NTK is verified."""
    return [digest_of_runs(curve, scale) for curve, scale in verified_points()]


def verified_datasets():
    """Every dataset on which the NTK is verified."""
    return sorted({curve.dataset for curve in curves.verified_curves(CONFIG)})


def averages_of_paper():
    """The averages of every curve of the paper's studies, on which its claims are judged."""
    own = settings.comparison_settings(CONFIG).curves
    return [paths.averages(NAME).format(**compared.analysis.curve._asdict()) for compared in own]


def averages_of_variations():
    """The averages of the curves that the robustness table compares, in the order of its settings."""
    return [paths.averages(NAME).format(**own.analysis.curve._asdict()) for own in ROBUSTNESS.curves]


def runs_of_baselines():
    """The run files of the curves that others are compared with."""
    return [run for baseline in ROBUSTNESS.baselines for run in runs_of_curve(baseline.curve)]


def comparison_files():
    """The table that sets the paper's claims beside the results, if the config has a study of the paper."""
    table = paths.table(NAME, "paper-comparison")
    return [f"{table}.{suffix}" for suffix in ("csv", "md", "html")] if averages_of_paper() else []


def runs_of_draws():
    """Every run file of the curves that differ in their training draw alone."""
    groups = settings.variance_settings(CONFIG).groups
    return [run for group in groups for draw in group.curves for run in runs_of_curve(draw.curve)]


def variance_files():
    """The table of variance components, if the config has several training draws of one curve, and runs."""
    table = paths.table(NAME, "variance-components")
    wanted = runs_of_draws() and not CONFIG.precomputed
    return [f"{table}.{suffix}" for suffix in ("csv", "md")] if wanted else []


def figure_files():
    """The files of all figures for which the config has studies."""
    return [f"{paths.figure(NAME, key)}.{suffix}" for key in FIGURES for suffix in ("pdf", "png", "json")]


def every_run():
    """Every run file of the config."""
    return [run for curve in curves.curves(CONFIG) for run in runs_of_curve(curve)]


def archived_files():
    """What an archive holds: averages, closed forms, and all that is made of them."""
    figures = [name for figure in FIGURES.values() for name in figure.files(NAME)]
    taken = [file.path for file in RESTORED.files]
    return list(dict.fromkeys([*taken, *figures, *figure_files(), *comparison_files(), *variance_files()]))


def claims_file():
    """The paper's claims."""
    return in_rules(os.path.join(REPOSITORY, "config", "claims.yaml"))


def caption_file(figure):
    """What a page says below a figure."""
    return in_rules(os.path.join(WORKFLOW, "report", figure.caption))


def gallery_file():
    """The page with all figures, if the config has any."""
    return [paths.gallery(NAME)] if FIGURES else []


def page_files():
    """What the gallery's page is made of, besides Python modules."""
    folder = os.path.join(WORKFLOW, "ntklens", "gallery", "page")
    return [in_rules(entry.path) for entry in sorted(os.scandir(folder), key=str)]
