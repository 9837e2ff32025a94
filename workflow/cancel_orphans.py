"""Cancel the SLURM jobs that a killed Snakemake left in this folder.

Snakemake calls this as it starts. If no other run lives in the folder, jobs that are still in the queue
belong to no running Snakemake. Such a job would otherwise run at the same time as its successor, or start
later and delete its successor's file. Its training is not lost: the successor resumes from its checkpoint.
It prints the ids of those that it cancelled; by now they have ended. With --name, jobs are named and left
alone, since they may be those of another live run.
"""

import getpass
import shutil
import subprocess
import sys
import time
from pathlib import Path

PATIENCE = 120  # seconds; SLURM gives a cancelled job 30 to end
WHY = (
    "Another Snakemake may work here and own them; if a killed one left them, cancel them with scancel "
    "before their successors start"
)


def orphans() -> list[str]:
    """Ids of this user's jobs that the SLURM plugin of Snakemake submitted from this folder."""
    return [job for job, comment, folder in queue() or [] if comment.startswith("rule_") and here(folder)]


def here(folder: str) -> bool:
    return Path(folder).exists() and Path(folder).samefile(Path.cwd())


def queue() -> list[list[str]] | None:
    """Id, comment and folder of each of this user's jobs; None if SLURM does not answer."""
    command = ["squeue", "--noheader", "--format=%i|%k|%Z", f"--user={getpass.getuser()}"]
    # A folder's name can be in any encoding.
    answer = subprocess.run(command, capture_output=True, encoding="utf-8", errors="surrogateescape")
    if answer.returncode:
        return None
    return [line.split("|", 2) for line in answer.stdout.splitlines() if line.count("|") >= 2]


def have_ended(jobs: list[str]) -> bool:
    left = queue()
    return left is not None and not {job for job, _, _ in left} & set(jobs)


def main() -> None:
    if shutil.which("squeue") is None or not (jobs := orphans()):
        return
    if "--name" in sys.argv[1:]:
        print(f"SLURM jobs of this folder are left alone: {', '.join(jobs)}. {WHY}", file=sys.stderr)
        return
    print(f"cancelling SLURM jobs that an earlier call left behind: {', '.join(jobs)}", file=sys.stderr)
    subprocess.run(["scancel", *jobs], check=True)
    deadline = time.monotonic() + PATIENCE
    while not have_ended(jobs):
        if time.monotonic() > deadline:
            sys.exit(f"SLURM jobs {', '.join(jobs)} do not end: wait for them, then start again")
        time.sleep(1)
    print(*jobs)


if __name__ == "__main__":
    main()
