import os

import pytest
from snakemake_logger_plugin_ntklens.events import event_of
from snakemake_logger_plugin_ntklens.plan import CLUSTER
from snakemake_logger_plugin_ntklens.run_state import RunState

from tests.support.progress_records import TITLE, failed, finished, plan, record, started

EPOCH = "epoch 4: train loss 2.1, test loss 2.2, accuracies 0.1 and 0.2, 0 of 1 seeds finished\n"


@pytest.fixture
def state():
    own = RunState(0.0)
    own.plan = plan()
    return own


def counts(state):
    return len(state.finished), len(state.running), len(state.failed), state.left


def test_job_from_its_start_to_its_end(state):
    assert counts(state) == (0, 0, 0, 2)
    assert state.stages_left() == {"train": 1, "figures": 1}
    job = state.start(event_of(started(1)), 3.0)
    assert (job.title, job.queued) == (TITLE, False)
    assert counts(state) == (0, 1, 0, 1)
    assert state.stages_left() == {"figures": 1}
    assert state.finish(event_of(finished(1)), 10.0) == (job, 7.0)
    assert counts(state) == (1, 0, 0, 1)
    assert not state.complete


def test_run_is_complete_when_all_its_jobs_are_done(state):
    for number, rule in ((1, "train"), (2, "figure_2")):
        state.start(event_of(started(number, rule=rule, wildcards={})), 0.0)
        state.finish(event_of(finished(number)), 1.0)
    assert state.complete
    assert state.figures_drawn == ["2"]


def test_job_outside_the_plan_does_not_count(state):
    assert state.start(event_of(started(0, rule="all")), 1.0) is None
    assert state.finish(event_of(finished(0)), 2.0) is None
    assert counts(state) == (0, 0, 0, 2)


def test_time_left_follows_what_jobs_take(state):
    assert state.seconds_left(0.0) == 24.0
    state.start(event_of(started(1)), 0.0)
    assert state.seconds_left(5.0) == 19.0
    # Half as fast as estimated: so is the figure, and the rest of a job that is overdue is a guess.
    state.finish(event_of(finished(1)), 40.0)
    assert state.seconds_left(40.0) == 8.0


def test_overdue_job_makes_the_others_longer(state):
    state.start(event_of(started(1)), 0.0)
    # A quarter of 40 s, and the figure's 4 s twice.
    assert state.seconds_left(40.0) == 18.0


def test_time_left_is_unknown_without_a_plan():
    assert RunState(0.0).seconds_left(1.0) is None


def test_failure_keeps_the_end_of_its_log(state, tmp_path):
    log = tmp_path / "a.log"
    log.write_text("".join(f"line {number}\n" for number in range(30)), encoding="utf-8")
    state.start(event_of(started(1, log)), 0.0)
    failure = state.fail(event_of(failed(1, log)))
    assert (failure.title, failure.log) == (TITLE, str(log))
    assert failure.lines == tuple(f"line {number}" for number in range(18, 30))
    assert counts(state) == (0, 0, 1, 1)


def test_what_waits_for_a_failure_is_not_waited_for(state):
    state.start(event_of(started(1)), 0.0)
    state.fail(event_of(failed(1)))
    assert state.seconds_left(1.0) == 0.0


def test_failure_that_starts_again_is_none(state):
    state.start(event_of(started(1)), 0.0)
    failure = state.fail(event_of(failed(1)))
    assert state.retry(event_of(record(text="Trying to restart job 1."))) == failure
    assert counts(state) == (0, 0, 0, 2)
    assert state.seconds_left(1.0) == 24.0


def test_job_on_a_cluster_runs_once_its_log_changes(state, tmp_path):
    state.plan, log = plan(CLUSTER), tmp_path / "a.log"
    log.write_text("of an earlier attempt\n", encoding="utf-8")
    job = state.start(event_of(started(1, log)), 0.0)
    job.look(30.0)
    assert (job.queued, job.at) == (True, "waits in the queue")
    log.write_text(EPOCH, encoding="utf-8")
    os.utime(log, ns=(1, 1))  # a clock of another machine
    job.look(90.0)
    assert (job.queued, job.since) == (False, 90.0)
    assert job.at == "epoch 4, train loss 2.1, test loss 2.2, 0 of 1 seed finished"
    assert state.finish(event_of(finished(1)), 100.0) == (job, 10.0)


def test_training_without_a_word_yet_is_starting(state, tmp_path):
    assert state.start(event_of(started(1, tmp_path / "a.log")), 0.0).at == "starting"
    assert state.start(event_of(started(2, rule="figure_2", wildcards={})), 0.0).at == ""
