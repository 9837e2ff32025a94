"""SLURM's view of jobs, and the processes at work in them."""

import re
import subprocess
from typing import NamedTuple

import psutil


class Job(NamedTuple):
    """A job that Snakemake submitted: SLURM's id, its rule, its wildcards' values joined by underscores."""

    id: str
    rule: str
    wildcards: str

    def __str__(self):
        return f"{self.id} ({self.rule} {self.wildcards})"


def slurm(*command):
    """Output of one of SLURM's commands, which has to succeed."""
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def in_queue(folder, *states):
    """Ids of the jobs that came from ``folder`` and are in one of ``states``, by default all in the queue."""
    lines = slurm("squeue", "--noheader", "--format=%i|%T|%Z").splitlines()
    jobs = [line.split("|") for line in lines]
    return [job for job, state, where in jobs if where == str(folder) and (not states or state in states)]


def details(job):
    """What SLURM knows of the job with this id: JobState, TimeLimit, Restarts, Partition …"""
    return dict(re.findall(r"(\w+)=(\S*)", slurm("scontrol", "--oneliner", "show", "job", job)))


def start_soon(job):
    """Spare us the two minutes that SLURM lets a requeued job wait, but not so much that its node refuses it.

    For the node tells the job's two starts apart by the second.
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
