"""What this machine's processor is."""

import hashlib
import platform
from pathlib import Path


def model():
    """Its model's name; of its architecture where the system does not tell."""
    line = _first_line("model name")
    return line.partition(":")[2].strip() or platform.processor() or platform.machine()


def instruction_set():
    """A name for what programs it can run, fit for a folder."""
    flags = _first_line("flags", "Features") or "unknown"
    return f"{platform.machine()}-{hashlib.sha256(flags.encode()).hexdigest()[:12]}"


def _first_line(*beginnings):
    """The first line of /proc/cpuinfo with one of these ``beginnings``; empty where there is none."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    return next((line for line in lines if line.startswith(beginnings)), "")
