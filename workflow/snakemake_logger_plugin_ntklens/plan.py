"""The jobs of a run that has started, what each should take, and how long all that is left should take.

Seconds are those of the cost model (`ntklens.costs`), on the machine that its units were measured on. They
are corrected as jobs end, by the ratio of measured to estimated seconds, which covers other processors,
shared cores and epochs beyond the expected ones.
"""

import heapq
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple

# Of jobs without a cost model: aggregation, fits, tables and figures mostly start Python and its libraries.
OTHER_SECONDS = 3.0
OVERDUE = 0.25  # a job that outlasts its estimate should take this share of its time so far yet
CORES, GPU_JOBS, CLUSTER = "cores", "GPU jobs", "cluster"  # lanes


class PlannedJob(NamedTuple):
    """One job of a run. ``needs`` are the ids of the jobs that it waits for, among those that have to run."""

    id: int
    rule: str
    seconds: float  # estimated
    needs: frozenset[int]
    lane: str  # what it takes one of: a core, the place of a GPU job, or a place on the cluster


def in_order(jobs: Iterable[PlannedJob]) -> dict[int, PlannedJob]:
    """Id -> job, each job after all that it needs: by the length of the longest chain before it."""
    by_id = {job.id: job for job in jobs}
    depths: dict[int, int] = {}
    waiting = list(by_id.values())
    while waiting:
        ready = [job for job in waiting if all(needed in depths for needed in job.needs & by_id.keys())]
        depths |= {
            job.id: 1 + max((depths[one] for one in job.needs & by_id.keys()), default=0) for job in ready
        }
        waiting = [job for job in waiting if job.id not in depths]
    return {job_id: by_id[job_id] for job_id in sorted(depths, key=lambda one: (depths[one], one))}


class Place(NamedTuple):
    """Where people find results: what they are, and their file or folder."""

    label: str
    path: str


class Run(NamedTuple):
    """What is known of a run before its jobs are: its config's name and files, and where results may lie."""

    name: str
    config_files: tuple[str, ...]  # as the command line names them; none for the default config
    places: tuple[Place, ...]
    snakefile: str  # that commands have to name; empty if the workflow runs in its own folder
    given: tuple[str, ...] = ()  # the command line's KEY=VALUE, from which alone a config may come
    from_archive: bool = False  # whether an archive of results brought the config


class Plan(NamedTuple):
    """What a run has to do."""

    jobs: Mapping[int, PlannedJob]
    lanes: Mapping[str, int]  # how many jobs of each lane run at once
    figures: Mapping[str, str]  # rule -> key of the figure that it draws, for the figures of this run
    targets: tuple[str, ...]  # the files that were asked for

    def count_by_rule(self) -> Counter[str]:
        """The number of jobs of each rule."""
        return Counter(job.rule for job in self.jobs.values())


class Ended(NamedTuple):
    """A job that has ended well: its rule, and its seconds by the cost model and by the clock."""

    rule: str
    estimated: float
    measured: float


class Corrections:
    """The ratio of measured to estimated seconds, by rule, from the jobs that have ``ended``.

    A rule's ratio is that of its own jobs and one more, a job of average length at the ratio of all rules. So
    it is the ratio of all rules before a job of the rule has ended, and 1 before any job has.
    """

    def __init__(self, ended: Iterable[Ended]) -> None:
        self._by_rule: dict[str, list[Ended]] = {}
        for job in ended:
            self._by_rule.setdefault(job.rule, []).append(job)
        every = [job for jobs in self._by_rule.values() for job in jobs]
        estimated = sum(job.estimated for job in every)
        self._of_all = sum(job.measured for job in every) / estimated if estimated > 0 else 1.0

    def of(self, rule: str) -> float:
        """The ratio for jobs of ``rule``."""
        own = self._by_rule.get(rule, [])
        estimated, measured = sum(job.estimated for job in own), sum(job.measured for job in own)
        if estimated <= 0:
            return self._of_all
        average = estimated / len(own)
        return (measured + self._of_all * average) / (estimated + average)


def time_left(
    plan: Plan, finished: Iterable[int], running: Mapping[int, float], corrections: Corrections
) -> float:
    """Seconds until all jobs of ``plan`` have ended, if each takes its corrected estimate.

    ``running`` gives the seconds that a job has run for. Jobs start in the plan's order, as soon as the jobs
    that they need have ended and their lane has room. Time in a cluster's queue is not included.
    """
    waits = _Waits(plan, set(finished))
    room = dict(plan.lanes)
    ends: list[tuple[float, int]] = []
    for job_id, elapsed in running.items():
        if job_id in waits.open:
            job = plan.jobs[job_id]
            expected = job.seconds * corrections.of(job.rule)
            heapq.heappush(ends, (max(expected - elapsed, OVERDUE * elapsed), job_id))
            room[job.lane] -= 1
    ready = [job_id for job_id in waits.open if job_id not in running and not waits.open[job_id]]
    now = 0.0
    while True:
        ready = _start(plan, ready, room, ends, now, corrections)
        if not ends:
            return now
        now, ended = heapq.heappop(ends)
        room[plan.jobs[ended].lane] += 1
        ready += waits.end(ended)


class _Waits:
    """The jobs that have not ended, each with the number of jobs that it still waits for."""

    def __init__(self, plan: Plan, finished: set[int]) -> None:
        self.open = {
            job.id: len(job.needs & plan.jobs.keys() - finished)
            for job in plan.jobs.values()
            if job.id not in finished
        }
        self._dependants: dict[int, list[int]] = {}
        for job_id in self.open:
            for needed in plan.jobs[job_id].needs:
                self._dependants.setdefault(needed, []).append(job_id)

    def end(self, job_id: int) -> list[int]:
        """Take note that a job has ended; return the jobs that waited for it alone."""
        freed = []
        for dependant in self._dependants.get(job_id, []):
            self.open[dependant] -= 1
            if not self.open[dependant]:
                freed.append(dependant)
        return freed


def _start(
    plan: Plan,
    ready: list[int],
    room: dict[str, int],
    ends: list[tuple[float, int]],
    now: float,
    corrections: Corrections,
) -> list[int]:
    """Start the ``ready`` jobs for which there is room, and return the others.

    A lane that has no room at all takes one job at a time, so that none waits forever.
    """
    waiting, busy = [], {plan.jobs[job_id].lane for _, job_id in ends}
    for job_id in ready:
        job = plan.jobs[job_id]
        if room[job.lane] > 0 or job.lane not in busy:
            room[job.lane] -= 1
            busy.add(job.lane)
            heapq.heappush(ends, (now + job.seconds * corrections.of(job.rule), job_id))
        else:
            waiting.append(job_id)
    return waiting
