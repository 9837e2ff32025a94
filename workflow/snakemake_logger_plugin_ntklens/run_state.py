"""Where a run stands: which jobs wait, run, have ended or failed, and how long the rest should take."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from snakemake_logger_plugin_ntklens import events, job_logs
from snakemake_logger_plugin_ntklens.plan import CLUSTER, Corrections, Ended, Plan, PlannedJob, Run, time_left
from snakemake_logger_plugin_ntklens.words import title_of

SLOW_TO_START = ("calibrate", "train")  # they load JAX, and compile


class Failure(NamedTuple):
    """A job that failed: what it was, its log, and the log's last lines."""

    title: str
    log: str | None
    lines: tuple[str, ...]


@dataclass
class Job:
    """A job that was started, at ``since`` on the clock of the run.

    On a cluster it waits in the queue until its log changes; then it runs, and ``since`` is that moment.
    """

    title: str
    rule: str
    log: str | None
    outputs: tuple[str, ...]
    since: float
    queued: bool
    log_before: tuple[int, int] | None

    def look(self, now: float) -> None:
        """See whether a job in a queue has started, by its log."""
        if self.queued and self.log and _stamp(self.log) not in (None, self.log_before):
            self.queued, self.since = False, now

    @property
    def at(self) -> str:
        """How far the job is, in words."""
        if self.queued:
            return "waits in the queue"
        told = job_logs.in_words(job_logs.end_of(self.log)) if self.log else ""
        return told or ("starting" if self.rule in SLOW_TO_START else "")


class RunState:
    """Jobs by Snakemake's ids. Times are seconds on one clock, which callers read."""

    LINES = 12  # of the log of a job that failed

    def __init__(self, now: float) -> None:
        self.began = now
        self.run: Run | None = None
        self.plan: Plan | None = None
        self.running: dict[int, Job] = {}
        self.finished: set[int] = set()
        self.failed: dict[int, Failure] = {}
        self.ended: list[Ended] = []
        self.figures_drawn: list[str] = []
        self.stopped = False
        self.is_run = False  # until Snakemake says so: it can do other things than run jobs
        self.refused = False  # an error came before the jobs were known

    def start(self, event: events.Started, now: float) -> Job | None:
        """A job was started or submitted; None if it is none of the plan, such as `all`."""
        planned = self.plan.jobs.get(event.id) if self.plan else None
        if planned is None:
            return None
        title, queued = title_of(event.rule, event.wildcards), planned.lane == CLUSTER
        log_before = _stamp(event.log) if event.log else None
        job = Job(title, event.rule, event.log, event.outputs, now, queued, log_before)
        self.running[event.id] = job
        return job

    def finish(self, event: events.Finished, now: float) -> tuple[Job, float] | None:
        """A job ended well: it, and the seconds that it took; None if it is none of the plan."""
        job = self.running.pop(event.id, None)
        if job is None:
            return None
        self.finished.add(event.id)
        self.failed.pop(event.id, None)
        seconds = now - job.since
        planned = self.plan.jobs.get(event.id) if self.plan else None
        if planned and not job.queued:
            self.ended.append(Ended(planned.rule, planned.seconds, seconds))
        if self.plan and job.rule in self.plan.figures:
            self.figures_drawn.append(self.plan.figures[job.rule])
        return job, seconds

    def fail(self, event: events.Failed) -> Failure:
        """A job failed. Its log's end is read now, because another attempt overwrites it."""
        job = self.running.pop(event.id, None)
        log = next((path for path in event.logs if Path(path).exists()), next(iter(event.logs), None))
        lines = job_logs.last_lines(log, self.LINES) if log else []
        failure = Failure(job.title if job else title_of(event.rule, {}), log, tuple(lines))
        self.failed[event.id] = failure
        return failure

    def retry(self, event: events.Retried) -> Failure | None:
        """A job that failed will start again."""
        return self.failed.pop(event.id, None)

    @property
    def total(self) -> int:
        """The number of jobs of the run."""
        return len(self.plan.jobs) if self.plan else 0

    @property
    def complete(self) -> bool:
        """Whether every job of the run is done."""
        return self.plan is not None and len(self.finished) == self.total

    @property
    def left(self) -> int:
        """The number of jobs that have not started yet, or wait for another attempt."""
        return self.total - len(self.finished) - len(self.running) - len(self.failed)

    def seconds_left(self, now: float) -> float | None:
        """Estimated seconds until the run ends; None if the jobs are not known."""
        if self.plan is None:
            return None
        elapsed = {job_id: 0.0 if job.queued else now - job.since for job_id, job in self.running.items()}
        corrections = Corrections([*self.ended, *self._overdue(self.plan, elapsed)])
        return time_left(self.plan, self.finished | self._lost(), elapsed, corrections)

    def stages_left(self) -> dict[str, int]:
        """Rule -> its jobs that have not started, in the workflow's order; the figures together."""
        jobs = self.plan.jobs.values() if self.plan else ()
        begun = self.finished | self.running.keys() | self.failed.keys()
        return dict(Counter(self._stage(job) for job in jobs if job.id not in begun))

    def _overdue(self, plan: Plan, elapsed: dict[int, float]) -> list[Ended]:
        """The running jobs that outlast their estimates, as if they ended now: others will take long too."""
        corrections = Corrections(self.ended)
        running = [(plan.jobs[job_id], seconds) for job_id, seconds in elapsed.items()]
        return [
            Ended(job.rule, job.seconds, seconds)
            for job, seconds in running
            if seconds > corrections.of(job.rule) * job.seconds
        ]

    def _stage(self, job: PlannedJob) -> str:
        return "figures" if self.plan and job.rule in self.plan.figures else job.rule.replace("_", " ")

    def _lost(self) -> set[int]:
        """The jobs that failed, and those that wait for them: they will not run."""
        lost = set(self.failed)
        jobs = self.plan.jobs.values() if self.plan and lost else ()
        while more := {job.id for job in jobs if job.id not in lost and job.needs & lost}:
            lost |= more
        return lost


def _stamp(path: str) -> tuple[int, int] | None:
    """What changes about a file that is written: its time and size; None if there is none."""
    try:
        status = Path(path).stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size
