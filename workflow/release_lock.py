"""Remove the lock that a killed Snakemake left on this folder; wait if Snakemake is still running.

A killed Snakemake leaves its lock behind, and `kill -9` of make leaves Snakemake running. The lock is
removed only when no Snakemake process works in this folder any more.
"""

import os
import subprocess
import sys
from pathlib import Path

import psutil

LOCKS = Path(".snakemake/locks")


def running_here() -> list[psutil.Process]:
    """Snakemake processes that work in this folder, without this process and its parents."""
    here, mine = str(Path.cwd()), {os.getpid(), *(p.pid for p in psutil.Process().parents())}
    found: list[psutil.Process] = []
    for process in psutil.process_iter():
        try:
            words = " ".join(process.cmdline()[:3])
            if process.pid not in mine and "snakemake" in words and process.cwd() == here:
                found.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
            continue
    return found


def locked() -> bool:
    """Whether Snakemake's lock on this folder exists."""
    return LOCKS.is_dir() and any(LOCKS.iterdir())


def main() -> None:
    if not locked():
        return
    for process in running_here():
        print(f"snakemake is already running here (process {process.pid}): waiting", file=sys.stderr)
        process.wait()
    if locked():
        print("removing the lock that a killed run left behind", file=sys.stderr)
        subprocess.run(["snakemake", "--unlock", "--quiet"], check=True)


if __name__ == "__main__":
    main()
