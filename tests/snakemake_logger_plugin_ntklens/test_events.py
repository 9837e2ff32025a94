import logging

import pytest
from snakemake_interface_logger_plugins.common import LogEvent
from snakemake_logger_plugin_ntklens import events
from snakemake_logger_plugin_ntklens.events import event_of

from tests.support.progress_records import WILDCARDS, began, failed, finished, interrupted, record, started


def test_jobs():
    outputs = ("results/x/a.h5",)
    assert event_of(started(3, "a.log")) == events.Started(3, "train", WILDCARDS, "a.log", outputs)
    assert event_of(started(3)) == events.Started(3, "train", WILDCARDS, None, outputs)
    assert event_of(finished(3)) == events.Finished(3)
    assert event_of(failed(3, "a.log")) == events.Failed(3, "train", ("a.log",))
    assert event_of(record(text="Trying to restart job 12.")) == events.Retried(12)


def test_start_and_end_of_a_run():
    assert event_of(began()) == events.Began()
    assert event_of(interrupted()) == events.Stopping(graceful=False)
    graceful = "Will exit after finishing currently running jobs (scheduler)."
    assert event_of(record(text=graceful)) == events.Stopping(graceful=True)


@pytest.mark.parametrize(
    "text", ["Nothing to be done (all requested files are present and up to date).", "Report created."]
)
def test_what_snakemake_says_is_passed_on(text):
    assert event_of(record(text=text)) == events.Message(text, logging.INFO)


def test_errors_are_passed_on():
    shown = record(LogEvent.ERROR, "WorkflowError:\nconfig key 'x'", logging.ERROR, exception="WorkflowError")
    assert event_of(shown) == events.Message("WorkflowError:\nconfig key 'x'", logging.ERROR)


def test_submission_is_a_detail():
    text = "Job 7 has been submitted with SLURM jobid 12 (log: a.log)."
    assert event_of(record(text=text)) == events.Message(text, logging.DEBUG)


@pytest.mark.parametrize(
    "unsaid",
    [
        record(text="Select jobs to execute..."),
        record(text="Complete log(s): /x/.snakemake/log/a.log"),
        record(text=None),
        record(text="Resources before job selection", level=logging.DEBUG),
        record(LogEvent.PROGRESS, done=1, total=2),
        record(LogEvent.SHELLCMD, "Shell command: python x"),
        record(LogEvent.RUN_INFO, "Job stats:"),
        # The failed job is shown by another record, without its command of a page's length.
        record(
            LogEvent.ERROR, "RuleException:\nCalledProcessError in file x, line 4:\nCommand", logging.ERROR
        ),
        record(
            LogEvent.ERROR, "WorkflowError:\nAt least one job did not complete successfully.", logging.ERROR
        ),
    ],
)
def test_what_the_view_says_otherwise_is_left_out(unsaid):
    assert event_of(unsaid) is None
