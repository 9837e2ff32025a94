"""Records as Snakemake logs them, and a small plan that they belong to."""

import logging

from snakemake_interface_logger_plugins.common import LogEvent
from snakemake_logger_plugin_ntklens.plan import CLUSTER, CORES, Place, Plan, PlannedJob, Run

WILDCARDS = {
    "study": "model-scaling", "dataset": "digits", "network": "three-layer", "point": "width-8",
    "first": "0", "last": "1",
}  # fmt: skip
TITLE = "train model-scaling digits three-layer width-8, seeds 0 to 1"


def plan(lane=CORES):
    """Training, then a figure; and the id 0 of the rule `all` is no job."""
    jobs = [
        PlannedJob(1, "train", 20.0, frozenset(), lane),
        PlannedJob(2, "figure_2", 4.0, frozenset([1]), CORES),
    ]
    targets = ("results/x/figures/figure-2.pdf",)
    return Plan({job.id: job for job in jobs}, {CORES: 1, CLUSTER: 1}, {"figure_2": "2"}, targets)


def run(*places):
    return Run("x", ("config/x.yaml",), (Place("Figures", "results/x/figures"), *places), "")


def record(event=None, text="", level=logging.INFO, **facts):
    made = logging.LogRecord("snakemake.logging", level, "", 0, text, (), None)
    made.__dict__.update({"event": event, **facts} if event else facts)
    return made


def started(number, log="", rule="train", wildcards=WILDCARDS, output=("results/x/a.h5",)):
    facts = {
        "rule_name": rule,
        "wildcards": wildcards,
        "log": [str(log)] if log else [],
        "output": list(output),
    }
    return record(LogEvent.JOB_INFO, jobid=number, **facts)


def finished(number):
    return record(LogEvent.JOB_FINISHED, f"Finished jobid: {number} (Rule: x)", job_id=number)


def failed(number, log="", rule="train"):
    logs = [str(log)] if log else []
    return record(LogEvent.JOB_ERROR, "Error in rule", logging.ERROR, jobid=number, rule_name=rule, log=logs)


def began():
    return record(LogEvent.WORKFLOW_STARTED, "Workflow has started!")


def interrupted():
    return record(text="Terminating processes on user request, this might take some time.")
