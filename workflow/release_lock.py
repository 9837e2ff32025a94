"""Remove the lock that a killed Snakemake left on this folder; wait if Snakemake is still running.

A killed Snakemake leaves its lock behind, and `kill -9` of make leaves Snakemake running. The lock is removed
only when no Snakemake process works in this folder any more, on this machine or another. It stays if that
cannot be known, as of another user's: Snakemake then says that the folder is locked.
"""

import os
import shutil
import sys
from pathlib import Path

import psutil
from ntklens.machine.live_runs import may_live

LOCKS = Path(".snakemake/locks")


def running_here() -> list[psutil.Process]:
    """Snakemake processes that work in this folder, without this process and its parents.

    Raises psutil.AccessDenied if one does not say where it works.
    """
    here, mine = str(Path.cwd()), {os.getpid(), *(p.pid for p in psutil.Process().parents())}
    found: list[psutil.Process] = []
    for process in psutil.process_iter():
        try:
            if process.pid not in mine and _is_snakemake(process) and process.cwd() == here:
                found.append(process)
        except (psutil.NoSuchProcess, psutil.ZombieProcess):
            continue
    return found


def _is_snakemake(process: psutil.Process) -> bool:
    try:
        return "snakemake" in " ".join(process.cmdline()[:3])
    except psutil.AccessDenied:
        return False


def owners() -> set[int]:
    """The users whose locks are on this folder."""
    try:
        return {path.stat().st_uid for path in LOCKS.iterdir()}
    except FileNotFoundError:  # no lock, or its Snakemake has just ended
        return set()


def main() -> None:
    if not owners():
        return
    try:
        for process in running_here():
            print(f"snakemake is already running here (process {process.pid}): waiting", file=sys.stderr)
            process.wait()
    except psutil.AccessDenied as error:
        print(f"the lock stays: it may be that of process {error.pid}, another user's", file=sys.stderr)
        return
    if others := owners() - {os.getuid()}:
        print(f"the lock stays: it is that of another user ({min(others)})", file=sys.stderr)
    elif owners() and may_live():
        print("the lock stays: a run lives in this folder on another machine, or may do so", file=sys.stderr)
    elif owners():
        print("removing the lock that a killed run left behind", file=sys.stderr)
        # As `snakemake --unlock` does, but with any config.
        shutil.rmtree(LOCKS, ignore_errors=True)


if __name__ == "__main__":
    main()
