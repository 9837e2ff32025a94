"""The smoke config on SLURM, disturbed in several ways, gives the results of an undisturbed local run."""

import signal
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from tests.slurm.batch_jobs import details, in_queue, slurm, start_soon
from tests.slurm.calls import Call, use_profile
from tests.slurm.journal import note
from tests.support.repositories import copy_repository, finished_repository

CONFIG = ("--configfile", "config/smoke.yaml")
FIGURES = range(1, 11)
SUBMITTED_RULES = {"calibrate", "train"}
LOCAL_RULES = {
    *("all", "fetch", "subsample", "aggregate"),
    *("infinite_width", "adaptation_rate", "power_laws", "transition", "ends", "comparison"),
    "gallery",
    *(f"figure_{number}" for number in FIGURES),
}


def figures_of(repository):
    """The text of each figure's JSON file, by file name."""
    return {
        path.name: path.read_text(encoding="utf-8")
        for path in (repository / "results/smoke/figures").glob("*.json")
    }


def runs_of(repository):
    """The wildcards of the jobs whose run files exist."""
    found = (repository / "results/smoke/runs").rglob("seeds-*.h5")
    return {"_".join([*path.parts[-5:-1], *path.stem.split("-")[1:]]) for path in found}


@pytest.fixture(scope="module")
def local(tmp_path_factory):
    """A future of a repository in which the same config runs without SLURM, at the same time as the calls."""
    with ThreadPoolExecutor() as executor:
        yield executor.submit(finished_repository, tmp_path_factory.mktemp("local") / "repository")


@pytest.fixture(scope="module")
def story(slurm, local, tmp_path_factory):
    """Four calls of Snakemake with the smoke config: what each found, what it submitted, how it ended."""
    repository = copy_repository(tmp_path_factory.mktemp("remote") / "repository")
    use_profile(repository)
    return SimpleNamespace(
        repository=repository,
        terminated=terminated(repository),
        interrupted=interrupted(repository),
        killed=killed(repository),
        last=last_call(repository),
    )


def terminated(repository):
    """Send SIGTERM while two jobs run."""
    with Call(repository, *CONFIG, "--jobs", "2", name="first call") as call:
        call.wait_for(lambda: len(in_queue(repository.folder, "RUNNING")) == 2)
        # Snakemake 9.27.1 hangs if SIGTERM arrives while it selects jobs: its handler waits for a
        # lock that the interrupted code holds. This pause lets it finish; the jobs take longer.
        time.sleep(2)
        status = call.send(signal.SIGTERM)
        return SimpleNamespace(call=call, status=status, left=in_queue(repository.folder))


def interrupted(repository):
    """Send SIGINT, as Ctrl-C does, after some jobs are done and while others run."""
    found = runs_of(repository)
    with Call(repository, *CONFIG, name="second call") as call:
        call.wait_for(lambda: runs_of(repository) > found and in_queue(repository.folder, "RUNNING"))
        status = call.send(signal.SIGINT)
        left = in_queue(repository.folder, "PENDING", "RUNNING")
        return SimpleNamespace(call=call, status=status, found=found, left=left)


def killed(repository):
    """Send SIGKILL while a long job runs. Two jobs that are not Snakemake's wait in the queue."""
    folder, found = repository.folder, runs_of(repository)
    others = [
        submit(f"--chdir={folder}", "--comment=mine", "--hold"),
        submit(f"--chdir={folder.parent}", "--comment=rule_train", "--hold"),
    ]
    with Call(repository, *CONFIG, name="third call") as call:
        call.wait_for(lambda: runs_of(repository) > found and in_queue(folder, "RUNNING"))
        call.send(signal.SIGKILL)
    left = set(in_queue(folder, "PENDING", "RUNNING")) - set(others)
    note(f"left in the queue: {', '.join(sorted(left, key=int))}")
    slow = in_queue(folder, "RUNNING")[0]
    slurm("scontrol", "suspend", slow)
    return SimpleNamespace(call=call, found=found, left=left, slow=slow, others=others)


def last_call(repository):
    """Remove the lock and finish, while one job is cancelled and then all running jobs are pre-empted."""
    unlocked = repository.snakemake("--unlock")
    assert unlocked.returncode == 0, unlocked.stderr
    found = runs_of(repository)
    with Call(repository, *CONFIG, name="fourth call") as call:
        cancelled = job_in_training(call)
        slurm("scancel", cancelled.id)
        note(f"scancel {cancelled}")
        call.wait_for(lambda: sum(job[1:] == cancelled[1:] for job in call.submitted) == 2)
        preempted = preempt_all(call)
        status = call.finish()
    return SimpleNamespace(
        call=call,
        status=status,
        end=call.end,
        found=found,
        cancelled=cancelled,
        preempted=preempted,
        states={job.id: details(job.id) for job in call.submitted},  # SLURM forgets them after five minutes
    )


def submit(*options):
    return slurm("sbatch", "--parsable", *options, "--output=/dev/null", "--wrap=true").strip()


def job_in_training(call):
    """A job that is training now."""

    def found():
        running = in_queue(call.repository.folder, "RUNNING")
        training = (job for job in call.submitted if job.rule.startswith("train"))
        return next((job for job in training if job.id in running), None)

    return call.wait_for(found)


def preempt_all(call):
    """Run a job of higher priority that needs the whole node. Returns the jobs that it pre-empted."""

    def preempted():
        waiting = in_queue(call.repository.folder, "PENDING")
        gave_way = (job for job in call.submitted if job.id in waiting)
        return [job for job in gave_way if details(job.id)["Restarts"] == "1"]

    job_in_training(call)
    submit("--partition=urgent", "--exclusive")
    jobs = call.wait_for(preempted)
    note(f"pre-empted by a job of higher priority: {', '.join(map(str, jobs))}")
    for job in jobs:
        start_soon(job.id)
    return jobs


def test_figures_are_those_of_a_local_run(story, local):
    assert story.last.status == 0, story.last.end
    figures = figures_of(local.result())
    assert len(figures) == len(FIGURES)
    assert figures_of(story.repository) == figures
    note("the figures' JSON is that of a local run, byte by byte")


def test_training_is_submitted_and_the_rest_runs_locally(story):
    calls = [part.call for part in (story.terminated, story.interrupted, story.killed, story.last)]
    assert {job.rule for call in calls for job in call.submitted} == SUBMITTED_RULES
    assert set().union(*(call.ran_locally for call in calls)) == LOCAL_RULES


def test_every_call_submits_only_what_is_missing(story):
    # Jobs that ran when Snakemake was killed may have made outputs, which it cannot know to be complete.
    doubtful = {job.wildcards for job in story.killed.call.submitted if job.id in story.killed.left}
    for part in (story.interrupted, story.killed, story.last):
        assert part.found
        assert not {job.wildcards for job in part.call.submitted} & (part.found - doubtful)


def test_terminated_snakemake_waits_for_its_jobs_and_submits_no_more(story):
    assert story.terminated.status != 0
    assert {job.wildcards for job in story.terminated.call.submitted} == story.interrupted.found
    assert len(story.interrupted.found) == 2
    assert not story.terminated.left


def test_interrupted_snakemake_cancels_its_jobs(story):
    assert story.interrupted.status != 0
    assert not story.interrupted.left


def test_jobs_of_a_killed_snakemake_are_cancelled_by_the_next(story):
    lines = story.last.call.output.splitlines()
    (line,) = (line for line in lines if line.startswith("cancelling SLURM jobs"))
    note(line)
    assert {story.killed.slow} <= set(line.partition(": ")[2].split(", ")) <= story.killed.left
    assert [details(job)["JobState"] for job in story.killed.others] == ["PENDING", "PENDING"]


def test_cancelled_job_is_submitted_again(story):
    last = story.last
    assert last.states[last.cancelled.id]["JobState"] == "CANCELLED"
    (again,) = (job for job in last.call.submitted if job[1:] == last.cancelled[1:] and job != last.cancelled)
    assert last.states[again.id]["JobState"] == "COMPLETED"


def test_preempted_jobs_are_run_again_by_slurm_and_not_submitted_again(story):
    for job in story.last.preempted:
        state = story.last.states[job.id]
        assert (state["JobState"], state["Restarts"]) == ("COMPLETED", "1")
        submitted = [other for other in story.last.call.submitted if other[1:] == job[1:]]
        assert submitted[-1] == job


def test_no_checkpoint_is_left(story):
    assert not list((story.repository / "results").rglob("checkpoints/*"))
