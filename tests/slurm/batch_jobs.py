"""The state of jobs by SLURM, and the processes that run in them."""

import re
import subprocess
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import psutil

from tests.slurm.journal import note


class Job(NamedTuple):
    """A job that Snakemake submitted: its SLURM id, its rule, and its wildcards joined by underscores."""

    id: str
    rule: str
    wildcards: str

    def __str__(self):
        return f"{self.id} ({self.rule} {self.wildcards})"


def slurm(*command):
    """The output of one of SLURM's commands. Raises CalledProcessError if it fails."""
    return subprocess.run(command, capture_output=True, encoding="utf-8", check=True).stdout


def in_queue(folder, *states):
    """Ids of the jobs submitted from ``folder`` that are in one of ``states``, or anywhere in the queue."""
    lines = slurm("squeue", "--noheader", "--format=%i|%T|%Z").splitlines()
    jobs = [line.split("|") for line in lines]
    return [job for job, state, where in jobs if where == str(folder) and (not states or state in states)]


def details(job):
    """The fields that SLURM shows for the job with this id: JobState, TimeLimit, Restarts, Partition …"""
    return dict(re.findall(r"(\w+)=(\S*)", slurm("scontrol", "--oneliner", "show", "job", job)))


def start_soon(job):
    """Shorten the two minutes for which SLURM delays a requeued job to ten seconds.

    A shorter delay would fail. The node distinguishes the two starts of a job by the second, and what is
    left of the first start may take KillWait, five seconds, to end. Its end would pass for the second's.
    """
    slurm("scontrol", "update", f"JobId={job}", "StartTime=now+10")


def unblock(jobs):
    """Do for ``jobs`` what the administrator of a cluster does while tests wait.

    If a job starts again on its node before SLURM has cleaned up after its first start, SLURM holds the job
    or takes the node out of service. It also delays requeued jobs by minutes.
    """
    if "DRAIN" in slurm("sinfo", "--noheader", "--format=%T").upper():
        note(f"the node is out of service: {slurm('sinfo', '--noheader', '--list-reasons').strip()}")
        slurm("scontrol", "update", "NodeName=ALL", "State=RESUME")
    for line in slurm("squeue", "--noheader", "--states=PENDING", "--format=%i|%r").splitlines():
        job, _, reason = line.partition("|")
        if job in jobs and "launch failed" in reason:
            note(f"{job} is held: {reason}")
            slurm("scontrol", "release", job)
        elif job in jobs and reason == "BeginTime" and seconds_until_start(job) > 15:
            start_soon(job)


def seconds_until_start(job):
    """How long SLURM delays a waiting job at least; 0 if it does not say."""
    start = details(job)["StartTime"]
    return 0 if start == "Unknown" else (datetime.fromisoformat(start) - datetime.now()).total_seconds()


def everything():
    """What SLURM shows of its nodes and jobs."""
    return slurm("scontrol", "--oneliner", "show", "node") + slurm("scontrol", "--oneliner", "show", "job")


def what_happened(lines):
    """The last ``lines`` of the log of SLURM's controller."""
    found = re.search(r"^SlurmctldLogFile\s*= (\S+)$", slurm("scontrol", "show", "config"), re.MULTILINE)
    return Path(found[1]).read_text(encoding="utf-8", errors="replace").splitlines()[-lines:]


def worker(folder, output):
    """The Python process that makes ``output``, a path relative to the workflow's ``folder``, or None."""
    for process in psutil.process_iter():
        try:
            words = process.cmdline()
            script = next(iter(words[1:2]), "").startswith("workflow/scripts/")
            if script and str(output) in words and process.cwd() == str(folder):
                return process
        except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
            continue
    return None
