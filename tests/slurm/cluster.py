"""A real SLURM of one node on the loopback interface, which runs while its standard input stays open.

    python tests/slurm/cluster.py

starts munged, slurmctld and slurmd with their files in a temporary folder, prints "ready", and stops them
when its standard input closes. Therefore no daemon is left when the process that started it ends, even by
Ctrl-C or SIGKILL. Jobs do not see the variable SLURM_CONF, so /etc/slurm/slurm.conf has to exist. It is
written only where there is none, and removed at the end.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import psutil

SYSTEM = Path("/etc/slurm")
PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch")
NAME = "ntk-lens-test"
NODE = "node1"
CPUS = 4  # the number of jobs at once, however many CPUs the machine has
GPUS = 2  # links to /dev/null, which SLURM counts and assigns like GPUs

# There are no cgroups and no accounting, so that this works in containers. JobRequeue=0 restarts only jobs
# that request it, which the profile makes them do. A job in `urgent` pre-empts jobs in the other partitions.
SLURM_CONF = """\
ClusterName={name}
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller_port}
SlurmdPort={node_port}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerParameters=bf_interval=2,sched_interval=2
SlurmdParameters=config_overrides
PropagateResourceLimits=NONE
GresTypes=gpu
JobRequeue=0
KillWait=5
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
NodeName={node} NodeHostname={host} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory=1000000 Gres=gpu:{gpus}
PartitionName=cpu Nodes={node} PriorityTier=1 Default=YES
PartitionName=gpu Nodes={node} PriorityTier=1
PartitionName=urgent Nodes={node} PriorityTier=2
"""
GRES_CONF = "NodeName={node} Name=gpu File={folder}/gpu[0-{last}]\n"


def reason_to_skip():
    """The reason why no SLURM can be started here, or None."""
    missing = [program for program in PROGRAMS if shutil.which(program) is None]
    if missing:
        return f"SLURM is not installed (no {', '.join(missing)}): apt-get install slurm-wlm munge"
    if os.geteuid() != 0:
        return "starting SLURM's daemons and writing /etc/slurm/slurm.conf takes root"
    for name in ("slurm.conf", "gres.conf"):
        if (SYSTEM / name).exists():
            return f"{SYSTEM / name} is there: this machine belongs to a cluster, which is left alone"
    return None


@contextmanager
def running():
    """Run the three daemons, with the node idle; at the end stop them and remove their configuration."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ntk-lens-slurm-")))
        _prepare(folder)
        for name, text in _configuration(folder).items():
            stack.enter_context(_written(SYSTEM / name, text))
        stack.enter_context(_daemon(folder, "munged", "--foreground", *_munge_options(folder)))
        _wait(folder, "socket of munge", (folder / "munge.socket").exists)
        stack.enter_context(_daemon(folder, "slurmctld", "-D"))
        stack.enter_context(_daemon(folder, "slurmd", "-D", "-N", NODE))
        _wait(folder, "idle node", _node_is_idle)
        stack.callback(_cancel_jobs)
        yield


def _prepare(folder):
    folder.chmod(0o711)  # munge requires that all users can reach its socket
    for name in ("state", "spool"):
        (folder / name).mkdir(parents=True)
    for number in range(GPUS):
        (folder / f"gpu{number}").symlink_to(os.devnull)
    key = folder / "munge.key"
    key.touch(mode=0o600)
    key.write_bytes(os.urandom(128))


def _configuration(folder):
    values = {
        "name": NAME,
        "folder": folder,
        "host": socket.gethostname().partition(".")[0],
        "node": NODE,
        "cpus": CPUS,
        "gpus": GPUS,
        "last": GPUS - 1,
        "controller_port": _free_port(),
        "node_port": _free_port(),
    }
    return {"slurm.conf": SLURM_CONF.format(**values), "gres.conf": GRES_CONF.format(**values)}


def _munge_options(folder):
    files = {"key-file": "key", "socket": "socket", "pid-file": "pid", "log-file": "log", "seed-file": "seed"}
    return [f"--{option}={folder}/munge.{suffix}" for option, suffix in files.items()]


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def _written(path, text):
    """A new file with ``text`` at ``path``, removed at the end. Raises FileExistsError if there is one."""
    with path.open("x", encoding="utf-8") as file:
        file.write(text)
    try:
        yield
    finally:
        path.unlink()


@contextmanager
def _daemon(folder, *command):
    """Run ``command`` in a session of its own; at the end stop it and its child processes."""
    with (folder / f"{command[0]}.out").open("w", encoding="utf-8") as output:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
        )
    try:
        yield
    finally:
        children = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        for child in children:
            if child.is_running():
                child.kill()


def _wait(folder, what, condition, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            logs = "".join(
                f"--- {path.name}\n{path.read_text(encoding='utf-8')}"
                for path in sorted(folder.glob("*.log"))
            )
            outputs = "".join(
                f"--- {path.name}\n{path.read_text(encoding='utf-8')}"
                for path in sorted(folder.glob("*.out"))
            )
            raise TimeoutError(f"SLURM did not start: no {what} after {seconds} s\n{outputs}{logs}")
        time.sleep(0.2)


def _node_is_idle():
    return _output("sinfo", "--noheader", "--partition=cpu", "--format=%T").strip() == "idle"


def _output(*command):
    return subprocess.run(command, capture_output=True, encoding="utf-8").stdout


def _cancel_jobs():
    """Cancel all jobs, so that none outlives the daemons."""
    subprocess.run(["scancel", "--user=root"], capture_output=True)
    deadline = time.monotonic() + 30
    while _output("squeue", "--noheader").strip() and time.monotonic() < deadline:
        time.sleep(0.2)
    for process in psutil.process_iter():  # without cgroups, SLURM may miss some processes
        with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            if process.environ().get("SLURM_CLUSTER_NAME") == NAME:
                process.kill()


def main():
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # on Ctrl-C the tests end, and close our standard input
    with running():
        print("ready", flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
