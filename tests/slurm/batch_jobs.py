"""The state of jobs by SLURM, and the processes that run in them."""

import re
import subprocess
from typing import NamedTuple

import psutil


class Job(NamedTuple):
    """A job that Snakemake submitted: its SLURM id, its rule, and its wildcards joined by underscores."""

    id: str
    rule: str
    wildcards: str

    def __str__(self):
        return f"{self.id} ({self.rule} {self.wildcards})"


def slurm(*command):
    """The output of one of SLURM's commands. Raises CalledProcessError if it fails."""
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def in_queue(folder, *states):
    """Ids of the jobs submitted from ``folder`` that are in one of ``states``, or anywhere in the queue."""
    lines = slurm("squeue", "--noheader", "--format=%i|%T|%Z").splitlines()
    jobs = [line.split("|") for line in lines]
    return [job for job, state, where in jobs if where == str(folder) and (not states or state in states)]


def details(job):
    """The fields that SLURM shows for the job with this id: JobState, TimeLimit, Restarts, Partition …"""
    return dict(re.findall(r"(\w+)=(\S*)", slurm("scontrol", "--oneliner", "show", "job", job)))


def start_soon(job):
    """Shorten the two minutes for which SLURM delays a requeued job to three seconds.

    A shorter delay would fail: the node distinguishes the two starts of a job by the second.
    """
    slurm("scontrol", "update", f"JobId={job}", "StartTime=now+3")


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
