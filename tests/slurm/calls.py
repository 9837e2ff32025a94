"""Calls of Snakemake with profiles/slurm, which run in the background so that tests can disturb them."""

import re
import signal
import subprocess
import time

import pytest

from tests.slurm.batch_jobs import Job, everything, unblock, what_happened
from tests.slurm.journal import note

SUBMITTED = re.compile(r"submitted with SLURM jobid (\d+) \(log: \S+/rule_(\w+)/(\S+)/\d+\.log\)")
LOCAL_RULE = re.compile(r"^localrule (\w+):", re.MULTILINE)
# The profile's intervals suit a cluster; the jobs of these tests finish within seconds.
FAST = ("--slurm-init-seconds-before-status-checks", "1", "--max-status-checks-per-second", "1")


def use_profile(repository, device="cpu", runtime=None):
    """Edit the three places in the profile as a user does; ``runtime`` is the time limit of training jobs."""
    path = repository / "profiles/slurm/config.yaml"
    text = path.read_text(encoding="utf-8")
    more = "" if runtime is None else f"\n    runtime: {runtime}"
    for place, value in {
        "  slurm_account: my-account\n": "",  # this cluster has no accounting
        "slurm_partition: my-cpu-partition\n": "slurm_partition: cpu\n",
        "slurm_partition: my-gpu-partition\n": f"slurm_partition: gpu{more}\n",
        "  - device=gpu\n": f"  - device={device}\n  - checkpoint_seconds=0.01\n",
        "resources:\n  gpu: 100\n": "resources:\n  gpu: 100\n" if device == "gpu" else "",
    }.items():
        assert text.count(place) == 1, place
        text = text.replace(place, value)
    path.write_text(text, encoding="utf-8")


class Call:
    """One call of Snakemake, to be used in a with statement, which kills it at its end if it still runs."""

    def __init__(self, repository, *arguments, name):
        self.repository, self.name = repository, name
        self._arguments = arguments
        self._path = repository / f"{name.replace(' ', '-')}.log"

    def __enter__(self):
        with self._path.open("w", encoding="utf-8") as output:
            # If the tests are killed, the kernel kills Snakemake too. A shell that starts the tests in the
            # background makes them ignore SIGINT, and Snakemake would inherit that.
            command = ["env", "--default-signal=INT", "setpriv", "--pdeathsig", "KILL", "snakemake"]
            self._process = subprocess.Popen(
                [*command, *self._arguments, "--workflow-profile", "profiles/slurm", *FAST],
                cwd=self.repository.folder,
                env=self.repository.environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        note(f"{self.name} starts")
        return self

    def __exit__(self, *_):
        self._process.kill()
        self._process.wait()

    @property
    def output(self):
        return self._path.read_text(encoding="utf-8")

    @property
    def end(self):
        """The last lines of the output, where Snakemake says what failed, and what SLURM did of late."""
        return "\n".join([*self.output.splitlines()[-80:], "", *what_happened(lines=60)])

    @property
    def submitted(self):
        """All jobs submitted so far, in order."""
        return [Job(*found) for found in SUBMITTED.findall(self.output)]

    @property
    def ran_locally(self):
        """The names of the rules that ran without SLURM."""
        return set(LOCAL_RULE.findall(self.output))

    def wait_for(self, condition, seconds=300):
        """Wait until ``condition()`` is true, and return its value. Fails if Snakemake ends before."""
        deadline = time.monotonic() + seconds
        while not (result := condition()):
            assert self._process.poll() is None, self.output
            assert time.monotonic() < deadline, self.output
            time.sleep(0.05)
        return result

    def send(self, number):
        """Send a signal to Snakemake alone and return its exit status."""
        note(f"{self.name} gets {signal.Signals(number).name}")
        self._process.send_signal(number)
        return self.finish()

    def finish(self, seconds=400):
        """Wait until Snakemake ends, and return its exit status. Fails after ``seconds``."""
        deadline = time.monotonic() + seconds
        while (status := self._process.poll()) is None:
            if time.monotonic() > deadline:
                pytest.fail(f"{self.name} still runs after {seconds} s\n{self.output}\n{everything()}")
            unblock([job.id for job in self.submitted])
            time.sleep(1)
        jobs = "".join(f"\n            {job}" for job in self.submitted)
        note(f"{self.name} ends with status {status}; it submitted {len(self.submitted)} jobs{jobs}")
        return status
