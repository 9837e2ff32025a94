"""What the progress view, snakemake_logger_plugin_ntklens, has to know of a run."""

import json

from snakemake_logger_plugin_ntklens.plan import (
    CLUSTER,
    CORES,
    GPU_JOBS,
    OTHER_SECONDS,
    Place,
    Plan,
    PlannedJob,
    Run,
    in_order,
)

TRAINING_RULES = ("calibrate", "train")  # those that the cost model prices, and that take a GPU


def progress_views():
    """The handlers of our logger plugin: none in the jobs of a cluster, or if no profile names it.

    There is none for a module either: of another workflow's jobs, nothing is known here.
    """
    manager = getattr(workflow, "logger_manager", None)
    handlers = manager.get_log_handlers() if manager and not MODULE else []
    return [handler for handler in handlers if hasattr(handler, "expect")]


def run_of_config():
    """The name of this run, and where its results will lie."""
    places = [
        Place("Figures", os.path.dirname(paths.figure(NAME, "1")) + "/"),
        Place("Gallery", f"results/{NAME}/gallery.html"),
        Place("Claims", paths.table(NAME, "paper-comparison") + ".html"),
    ]
    files = tuple(os.path.relpath(file) for file in CONFIG_FILES)
    given = tuple(
        f"{key}={value if isinstance(value, str) else json.dumps(value)}" for key, value in GIVEN.items()
    )
    return Run(NAME, files, tuple(places), snakefile_of_run(), given, isinstance(ARCHIVE, str))


def snakefile_of_run():
    """The Snakefile that commands have to name; empty in the workflow's own folder, where Snakemake finds it."""
    main = os.path.realpath(workflow.main_snakefile)
    return "" if os.getcwd() in (REPOSITORY, os.path.dirname(main)) else main


def plan_of_run():
    """The jobs of this run, once Snakemake knows them."""
    planned = in_order(
        PlannedJob(job.jobid, job.rule.name, seconds_of(job), needs_of(job), lane_of(job))
        for job in workflow.dag.needrun_jobs()
        if not job.is_norun
    )
    keys = {figure.rule: figure.key for figure in FIGURES.values()}
    wanted = {job.rule for job in planned.values()}
    figures = {rule: key for rule, key in keys.items() if rule in wanted}
    return Plan(planned, lanes_of_run(), figures, targets_of_run())


def seconds_of(job):
    """How long a job should take, by the cost model."""
    if job.rule.name not in TRAINING_RULES:
        return OTHER_SECONDS
    curve = curve_of(job.wildcards)
    if job.rule.name == "calibrate":
        return REQUESTS.seconds(curve)
    seeds = range(int(job.wildcards.first), int(job.wildcards.last) + 1)
    return REQUESTS.seconds(curve, scale_of(job.wildcards), seeds)


def needs_of(job):
    """The ids of the jobs whose files a job takes."""
    return frozenset(needed.jobid for needed in workflow.dag.dependencies[job])


def lane_of(job):
    """What a job takes one of: a core here, a GPU's place, or a place on the cluster."""
    if workflow.local_exec or job.is_local:
        trains = job.rule.name in TRAINING_RULES
        return GPU_JOBS if trains and "gpu" in workflow.global_resources else CORES
    return CLUSTER


def lanes_of_run():
    """How many jobs of each lane run at once."""
    limits, settings = workflow.global_resources, workflow.resource_settings
    cores = settings.cores if workflow.local_exec else settings.local_cores
    return {
        lane: max(int(limit or 1), 1)
        for lane, limit in {
            CORES: cores,
            GPU_JOBS: as_number(limits.get("gpu")),
            CLUSTER: settings.nodes,
        }.items()
    }


def as_number(resource):
    """The value of one of Snakemake's global resources, which some versions wrap."""
    return getattr(resource, "value", resource)


def targets_of_run():
    """The files that were asked for."""
    asked = [file for job in workflow.dag.targetjobs for file in (job.input if job.is_norun else job.output)]
    return tuple(str(file) for file in asked)


for view in progress_views():
    view.announce(run_of_config())
