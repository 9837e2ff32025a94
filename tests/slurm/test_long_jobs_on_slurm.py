"""Jobs interrupted in training resume from checkpoints and reach the numbers of uninterrupted jobs."""

import json
import re
import signal
import zipfile
from pathlib import Path
from types import SimpleNamespace

import h5py
import numpy as np
import pytest

from tests.slurm.batch_jobs import details, in_queue, slurm, start_soon, worker
from tests.slurm.calls import Call, use_profile
from tests.slurm.journal import note
from tests.support.repositories import copy_repository

CONFIG = Path(__file__).with_name("long.yaml")
RUN = "results/long/runs/model-scaling/digits/three-layer/width-{}/seeds-0-0.h5"
STALLED, REQUEUED = Path(RUN.format(128)), Path(RUN.format(192))
EPOCH = 100  # of 3000 epochs
TARGETS = (str(STALLED), str(REQUEUED), "--configfile", str(CONFIG))
# Minutes. The stalled job gets SLURM's shortest limit, and more at every attempt.
RUNTIME = f"\"attempt if wildcards.point == '{STALLED.parent.name}' else 10\""


@pytest.fixture(scope="module")
def story(slurm, tmp_path_factory):
    """One job is stopped until it exceeds its time, the other is requeued; both also run undisturbed."""
    repository = copy_repository(tmp_path_factory.mktemp("remote") / "repository")
    use_profile(repository, runtime=RUNTIME)
    with Call(repository, *TARGETS, name="call with a stalled job") as call:
        stalled, requeued = catch_both(call)
        note(f"stalled: {stalled}, which has {details(stalled.id)['TimeLimit']}")
        requeue(call, requeued)
        undisturbed = copy_repository(tmp_path_factory.mktemp("local") / "repository")
        result = undisturbed.run("snakemake", *TARGETS)
        assert result.returncode == 0, result.stdout + result.stderr
        status = call.finish()
        return SimpleNamespace(
            repository=repository,
            undisturbed=undisturbed,
            call=call,
            status=status,
            stalled=[details(job.id) for job in jobs_for(call, STALLED)],
            stalled_id=stalled.id,
            requeued=[details(job.id) for job in jobs_for(call, REQUEUED)],
            requeued_id=requeued.id,
        )


def jobs_for(call, output):
    """The jobs submitted to make ``output``, in order."""
    point = f"_{output.parent.name}_"
    return [job for job in call.submitted if point in job.wildcards]


def catch_both(call):
    """Stop the processes of the jobs `STALLED` and `REQUEUED` in training, and return the jobs.

    They are stopped at the same time, so that neither ends before the other is stopped.
    """
    folder, caught = call.repository.folder, {}

    def both():
        for output in (STALLED, REQUEUED):
            if output not in caught and saved_epoch(folder, output) >= EPOCH:
                process = worker(folder, output)
                if process:
                    process.send_signal(signal.SIGSTOP)
                    caught[output] = jobs_for(call, output)[-1]
        return len(caught) == 2

    call.wait_for(both)
    return caught[STALLED], caught[REQUEUED]


def saved_epoch(folder, output):
    """The epoch of the last checkpoint that the job for ``output`` wrote; -1 if there is none."""
    for path in folder.glob(f"results/long/checkpoints/[!.]*{output.parent.name}-*.npz"):
        with zipfile.ZipFile(path) as file:
            return json.loads(file.read("header.json"))["position"]["epoch"]
    return -1


def requeue(call, job):
    slurm("scontrol", "requeue", job.id)
    note(f"scontrol requeue {job}")
    call.wait_for(lambda: job.id in in_queue(call.repository.folder, "PENDING"))
    start_soon(job.id)


def log_of(repository, output):
    (log,) = (repository / "results/long/logs/train").glob(f"*{output.parent.name}-*.log")
    return log.read_text(encoding="utf-8")


def first_epoch(repository, output):
    """The epoch from which a job started, by its log."""
    found = re.search(r"resuming from a checkpoint: epoch (\d+)", log_of(repository, output))
    return int(found[1]) if found else 0


def datasets_of(path):
    """All arrays of an HDF5 file, by name."""
    arrays = {}
    with h5py.File(path) as file:
        file.visititems(
            lambda name, item: arrays.update({name: item[()]}) if isinstance(item, h5py.Dataset) else None
        )
    return arrays


def test_job_that_exceeds_its_time_is_submitted_again_with_more(story):
    assert story.status == 0, story.call.output
    jobs = story.stalled
    first = [job["JobId"] for job in jobs].index(story.stalled_id)
    assert jobs[first]["JobState"] == "TIMEOUT"
    assert jobs[first + 1]["JobState"] == "COMPLETED"
    assert jobs[first]["TimeLimit"] == f"00:0{first + 1}:00"
    assert jobs[first + 1]["TimeLimit"] == f"00:0{first + 2}:00"
    begin = log_of(story.repository, STALLED).splitlines()[0]
    note(f"the stalled job was submitted again with {jobs[first + 1]['TimeLimit']}: {begin}")


def test_requeued_job_is_run_again_by_slurm_and_not_submitted_again(story):
    (job,) = story.requeued
    assert (job["JobId"], job["JobState"], job["Restarts"]) == (story.requeued_id, "COMPLETED", "1")
    note(f"the requeued job was run again by SLURM: {log_of(story.repository, REQUEUED).splitlines()[0]}")


@pytest.mark.parametrize("output", [STALLED, REQUEUED], ids=["stalled", "requeued"])
def test_both_go_on_from_their_checkpoints_to_the_same_numbers(story, output):
    assert first_epoch(story.repository, output) >= EPOCH
    assert first_epoch(story.undisturbed, output) == 0
    ours, theirs = datasets_of(story.repository / output), datasets_of(story.undisturbed / output)
    assert ours.keys() == theirs.keys()
    for name in ours:
        np.testing.assert_array_equal(ours[name], theirs[name], err_msg=name)
    assert not list((story.repository / "results").rglob("checkpoints/*"))
