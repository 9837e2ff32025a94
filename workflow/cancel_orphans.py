"""Cancel the SLURM jobs that a killed Snakemake left in this folder.

Called by Snakemake as it starts, when it holds the folder's lock: whatever of its jobs is still in the queue
belongs to no Snakemake any more. Left alone such a job would run beside its successor, or, started later,
delete the file that its successor made. What it had trained is not lost: its successor goes on from its
checkpoint.
"""

import getpass
import shutil
import subprocess
import sys
import time
from pathlib import Path

PATIENCE = 120  # seconds; SLURM gives a cancelled job 30 to end


def orphans():
    """Ids of this user's jobs that the SLURM plugin of Snakemake submitted from this folder."""
    queue = squeue("--format=%i|%k|%Z", f"--user={getpass.getuser()}")
    jobs = [line.split("|", 2) for line in queue.splitlines() if line.count("|") >= 2]
    return [job for job, comment, folder in jobs if comment.startswith("rule_") and here(folder)]


def here(folder):
    return Path(folder).exists() and Path(folder).samefile(Path.cwd())


def squeue(*options):
    """Its output; none where SLURM does not answer."""
    return subprocess.run(["squeue", "--noheader", *options], capture_output=True, text=True).stdout


def main():
    if shutil.which("squeue") is None or not (jobs := orphans()):
        return
    print(f"cancelling SLURM jobs that an earlier call left behind: {', '.join(jobs)}", file=sys.stderr)
    subprocess.run(["scancel", *jobs], check=True)
    deadline = time.monotonic() + PATIENCE
    while squeue(f"--jobs={','.join(jobs)}").strip():
        if time.monotonic() > deadline:
            sys.exit(f"SLURM jobs {', '.join(jobs)} do not end: wait for them, then start again")
        time.sleep(1)


if __name__ == "__main__":
    main()
