"""Snakemake's log records, as the events that the view shows."""

import logging
import re
from collections.abc import Mapping
from typing import NamedTuple

from snakemake_interface_logger_plugins.common import LogEvent

# Beginnings of messages that the view says otherwise, or that say nothing about this run.
SAID_OTHERWISE = (
    "Using workflow specific profile",
    "Using profile",
    "Assuming unrestricted shared filesystem usage",
    "host: ",
    "Building DAG of jobs",
    "Using shell: ",
    "Conda environments: ignored",
    "Singularity containers: ignored",
    "Group jobs: inactive",
    "Select jobs to execute",
    "Job rate limit reached",
    "Removing output files of failed job",
    "Shutting down, this might take some time",
    "Exiting because a job execution failed",
    "At least one job did not complete successfully",
    "WorkflowError:\nAt least one job did not complete successfully",
    "Complete log(s): ",
    "Elapsed time: ",
    "Storing output in storage",
)
STOPPING = ("Terminating processes on user request", "Cancelling snakemake on user request")
GRACEFUL = "Will exit after finishing currently running jobs"
SUBMITTED = re.compile(r"Job \d+ has been submitted with ")  # a detail: of level DEBUG
RETRY = "Trying to restart job "


class Began(NamedTuple):
    """Snakemake is about to run jobs. Without this, it does something else, such as a report."""


class Started(NamedTuple):
    """A job was started here or, on a cluster, submitted. ``log`` and ``outputs`` are paths."""

    id: int
    rule: str
    wildcards: Mapping[str, str]
    log: str | None
    outputs: tuple[str, ...]


class Finished(NamedTuple):
    """A job ended well."""

    id: int


class Failed(NamedTuple):
    """A job failed; Snakemake may start it again. ``logs``: its own, then a cluster's."""

    id: int
    rule: str
    logs: tuple[str, ...]


class Retried(NamedTuple):
    """A job that failed will start again."""

    id: int


class Stopping(NamedTuple):
    """The user stops the run: at once, or after the running jobs."""

    graceful: bool


class Message(NamedTuple):
    """Anything else that people should read."""

    text: str
    level: int = logging.INFO


Event = Began | Started | Finished | Failed | Retried | Stopping | Message


def event_of(record: logging.LogRecord) -> Event | None:
    """The event that ``record`` tells of; None if it tells nothing that the view shows."""
    known = record.__dict__
    match getattr(record, "event", None):
        case LogEvent.WORKFLOW_STARTED:
            return Began()
        case LogEvent.JOB_INFO:
            log = next(iter(known["log"]), None)
            outputs = tuple(known["output"])
            return Started(known["jobid"], known["rule_name"], dict(known["wildcards"]), log, outputs)
        case LogEvent.JOB_FINISHED:
            return Finished(known["job_id"])
        case LogEvent.JOB_ERROR:
            return Failed(known["jobid"], known["rule_name"], tuple(known["log"]))
        case None | LogEvent.ERROR | LogEvent.GROUP_ERROR:
            return _of_text(record)
        case _:
            return None


def _of_text(record: logging.LogRecord) -> Event | None:
    text = str(record.msg or "").strip()
    if text.startswith(STOPPING):
        return Stopping(graceful=False)
    if text.startswith(GRACEFUL):
        return Stopping(graceful=True)
    if text.startswith(RETRY):
        return Retried(int(text.removeprefix(RETRY).rstrip(".")))
    # What a failing command's error adds to the failed job is the command itself, a page long.
    repeated = record.levelno >= logging.ERROR and "CalledProcessError" in text
    if not text or repeated or text.startswith(SAID_OTHERWISE) or record.levelno < logging.INFO:
        return None
    return Message(text, logging.DEBUG if SUBMITTED.match(text) else record.levelno)
