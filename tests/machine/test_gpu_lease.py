"""Leases of simulated GPUs by real processes, some of which are killed."""

import os
import random
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from ntklens.machine import locks
from ntklens.machine.gpu_lease import DeviceError, _full_name, _take, _visible

FIRST, SECOND = "GPU-0000aaaa-11", "GPU-0000bbbb-22"
JOB = """
import os, sys
from ntklens.machine import gpu_lease
gpu_lease.POLL = 0.02
gpu_lease.lease_gpu(int(sys.argv[1]))
print(os.environ["CUDA_VISIBLE_DEVICES"], os.environ.get("CUDA_DEVICE_ORDER"), flush=True)
sys.stdin.read()
"""
WORKFLOW = str(Path(__file__).parents[2] / "workflow")


class Job:
    """A process that leases a GPU and keeps it until it is stopped or killed."""

    def __init__(self, program, environment, jobs_per_gpu):
        self.process = subprocess.Popen(
            [sys.executable, "-c", program, str(jobs_per_gpu)],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )

    def answers(self, seconds=60.0):
        return bool(select.select([self.process.stdout], [], [], seconds)[0])

    @property
    def environment(self):
        """CUDA_VISIBLE_DEVICES and CUDA_DEVICE_ORDER, once it has a GPU."""
        assert self.answers()
        return self.process.stdout.readline().split()

    @property
    def gpu(self):
        return self.environment[0]

    def waits(self):
        """Whether it says that it waits, and then keeps waiting."""
        assert select.select([self.process.stderr], [], [], 60)[0]
        return "waiting for a GPU" in self.process.stderr.readline() and not self.answers(0.2)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        return self.process.communicate("")


class Machine:
    """Two GPUs that `nvidia-smi` lists, and jobs on them."""

    def __init__(self, folder):
        self.tools, self.temporary, self.jobs = folder / "bin", folder / "tmp", []
        self.tools.mkdir()
        self.temporary.mkdir()
        self.nvidia_smi(f"echo 0, {FIRST}; echo 1, {SECOND}")

    def nvidia_smi(self, script):
        (self.tools / "nvidia-smi").write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        (self.tools / "nvidia-smi").chmod(0o755)

    def job(self, jobs_per_gpu=1, program=JOB, **variables):
        environment = {
            **{key: os.environ[key] for key in ("HOME", "LANG") if key in os.environ},
            "PATH": f"{self.tools}{os.pathsep}/usr/bin{os.pathsep}/bin",
            "PYTHONPATH": WORKFLOW,
            "TMPDIR": str(self.temporary),
            **variables,
        }
        self.jobs.append(Job(program, environment, jobs_per_gpu))
        return self.jobs[-1]


@pytest.fixture
def machine(tmp_path):
    machine = Machine(tmp_path)
    yield machine
    for job in machine.jobs:
        job.process.kill()
        job.process.communicate()


def test_every_job_has_a_gpu_of_its_own_and_a_killed_one_leaves_it(machine):
    first, second = machine.job(), machine.job()
    held = {first.gpu: first, second.gpu: second}
    assert set(held) == {FIRST, SECOND}
    third = machine.job()
    assert third.waits()
    held[FIRST].kill()
    assert third.gpu == FIRST


def test_job_that_ends_leaves_its_gpu(machine):
    assert machine.job().gpu == FIRST
    machine.jobs[0].stop()
    assert machine.job().gpu == FIRST


def test_several_jobs_share_a_gpu_where_asked(machine):
    jobs = [machine.job(jobs_per_gpu=2) for _ in range(4)]
    assert sorted(job.gpu for job in jobs) == [FIRST, FIRST, SECOND, SECOND]
    fifth = machine.job(jobs_per_gpu=2)
    assert fifth.waits()
    jobs[2].kill()
    assert fifth.answers()


def test_gpu_with_the_fewest_leases_comes_first(machine):
    assert [machine.job(jobs_per_gpu=3).gpu for _ in range(2)] == [FIRST, SECOND]
    assert [machine.job(jobs_per_gpu=3).gpu for _ in range(2)] == [FIRST, SECOND]
    machine.jobs[1].kill()
    machine.jobs[3].kill()
    assert [machine.job(jobs_per_gpu=3).gpu for _ in range(2)] == [SECOND, SECOND]


def test_job_that_shares_with_nobody_is_left_alone_by_jobs_that_share(machine):
    alone = machine.job(CUDA_VISIBLE_DEVICES="0")
    assert alone.gpu == FIRST
    assert [machine.job(jobs_per_gpu=2).gpu for _ in range(2)] == [SECOND, SECOND]
    assert machine.job(jobs_per_gpu=2).waits()
    assert machine.job(jobs_per_gpu=1).waits()
    alone.kill()
    last = machine.jobs[-2:]
    assert select.select([job.process.stdout for job in last], [], [], 60)[0]


def test_no_two_jobs_have_one_gpu_while_jobs_come_and_are_killed(machine):
    """Thirty jobs, five at once, each killed or stopped after it has held its GPU for some time."""
    choice = random.Random(0)
    waiting, holding, seen = [machine.job() for _ in range(5)], {}, []
    while len(seen) < 30:
        ready = select.select([job.process.stdout for job in waiting], [], [], 0.01)[0]
        for job in [job for job in waiting if job.process.stdout in ready]:
            gpu = job.gpu
            assert gpu not in holding
            holding[gpu], seen = job, [*seen, gpu]
            waiting.remove(job)
            waiting.append(machine.job())
        for gpu, job in list(holding.items()):
            if choice.random() < 0.3:
                del holding[gpu]
                job.kill() if choice.random() < 0.5 else job.stop()
    assert set(seen) == {FIRST, SECOND}


def test_jobs_choose_one_after_the_other(machine):
    machine.job().stop()
    (folder,) = machine.temporary.glob("*/gpus")
    with locks.locked(folder / "choosing"):
        job = machine.job()
        assert not job.answers(1.0)
    assert job.gpu == FIRST


def test_program_that_outlives_its_job_holds_no_lease(machine):
    program = JOB.replace("sys.stdin.read()", "import subprocess; subprocess.run(['sleep', '60'])")
    job = machine.job(program=program, CUDA_VISIBLE_DEVICES="0")
    assert job.gpu == FIRST
    children = Path(f"/proc/{job.process.pid}/task/{job.process.pid}/children")
    while not children.read_text(encoding="utf-8"):
        time.sleep(0.01)
    child = int(children.read_text(encoding="utf-8"))
    try:
        job.kill()
        assert machine.job(CUDA_VISIBLE_DEVICES="0").gpu == FIRST
        os.kill(child, 0)  # it still runs
    finally:
        os.kill(child, signal.SIGKILL)


@pytest.mark.parametrize(
    ("visible", "expected"),
    [
        ("1", SECOND),
        ("1,0", SECOND),
        ("GPU-0000b", SECOND),
        (FIRST, FIRST),
        ("1,-1,0", SECOND),
        ("MIG-1c2d/7/0", "MIG-1c2d/7/0"),
    ],
)
def test_user_chooses_among_the_gpus(machine, visible, expected):
    job = machine.job(CUDA_VISIBLE_DEVICES=visible, CUDA_DEVICE_ORDER="FASTEST_FIRST")
    assert job.environment == [expected, "PCI_BUS_ID"]


def test_gpu_is_the_same_by_all_its_names(machine):
    names = ["1", SECOND, "GPU-0000bbbb", "1,1"]
    assert machine.job(CUDA_VISIBLE_DEVICES=names[0]).gpu == SECOND
    assert all(machine.job(CUDA_VISIBLE_DEVICES=name).waits() for name in names[1:])


def test_gpus_that_the_user_names_need_no_nvidia_smi(machine):
    (machine.tools / "nvidia-smi").unlink()
    jobs = [machine.job(CUDA_VISIBLE_DEVICES="0,1") for _ in range(2)]
    assert {job.gpu for job in jobs} == {"0", "1"}


def test_folder_that_others_may_change_holds_no_leases(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    locks.user_folder().chmod(0o777)
    with pytest.raises(DeviceError, match=r"no GPU can be leased: .* may be changed by other users"):
        _take({FIRST: "first"}, 1)


@pytest.mark.parametrize(
    ("script", "variables", "reason"),
    [
        ("echo No devices were found", {}, "No devices were found"),
        ("echo Driver/library version mismatch >&2; exit 18", {}, "version mismatch"),
        (None, {}, "no such program"),
        (None, {"CUDA_VISIBLE_DEVICES": ""}, "no such program"),
        (f"echo 0, {FIRST}", {"CUDA_VISIBLE_DEVICES": ""}, "CUDA_VISIBLE_DEVICES= allows no GPU"),
        (f"echo 0, {FIRST}", {"CUDA_VISIBLE_DEVICES": "-1"}, "CUDA_VISIBLE_DEVICES=-1 allows no GPU"),
        (f"echo 0, {FIRST}", {"SLURM_JOB_ID": "7"}, "SLURM gave this job no GPU"),
        (f"echo 0, {FIRST}", {"SLURM_JOB_ID": "7", "CUDA_VISIBLE_DEVICES": "NoDevFiles"}, "SLURM gave"),
    ],
)
def test_no_gpu_is_an_error_that_says_why_and_what_to_do(machine, script, variables, reason):
    if script is None:
        (machine.tools / "nvidia-smi").unlink()
    else:
        machine.nvidia_smi(script)
    job = machine.job(**variables)
    _, errors = job.stop()
    assert job.process.returncode == 1
    assert "DeviceError" in errors
    assert reason in errors
    assert "set device: cpu" in errors


def test_slurm_jobs_keep_the_names_that_slurm_gave_them(machine):
    """With cgroups each job calls its GPU 0: different GPUs have the same name."""
    jobs = [machine.job(SLURM_JOB_ID=number, CUDA_VISIBLE_DEVICES="0") for number in ("7", "8")]
    assert [job.environment for job in jobs] == [["0", "None"]] * 2


def test_processes_of_one_slurm_job_share_what_it_has(machine):
    variables = {"SLURM_JOB_ID": "7", "CUDA_VISIBLE_DEVICES": "2,3"}
    assert {machine.job(**variables).gpu for _ in range(2)} == {"2", "3"}
    assert machine.job(**variables).waits()


def test_locks_of_past_slurm_jobs_are_removed(machine):
    assert machine.job(SLURM_JOB_ID="7", CUDA_VISIBLE_DEVICES="0").gpu == "0"
    assert machine.job(SLURM_JOB_ID="8", CUDA_VISIBLE_DEVICES="0").gpu == "0"
    machine.jobs[0].kill()
    assert machine.job(SLURM_JOB_ID="9", CUDA_VISIBLE_DEVICES="0").gpu == "0"
    left = {path.name for path in machine.temporary.glob("*/gpus/slurm-*")}
    assert left == {"slurm-8-0", "slurm-8-0.0", "slurm-9-0", "slurm-9-0.0"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [("", []), ("-1", []), ("0,2", ["0", "2"]), (" 1 , 0", ["1", "0"]), ("0,x,1", ["0"])],
)
def test_visible_gpus_end_at_the_first_that_is_none(text, expected):
    assert _visible(text) == expected


def test_unknown_number_stays_a_number():
    assert _full_name("5", {"0": FIRST}) == "5"
