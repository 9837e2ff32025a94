"""The processor of this machine, from /proc/cpuinfo on Linux. macOS has no such file, so less is known."""

import hashlib
import platform
from pathlib import Path


def model() -> str:
    """The name of its model, or of its family or architecture if the model is not known, as on macOS."""
    line = _first_line("model name")
    return line.partition(":")[2].strip() or platform.processor() or platform.machine()


def instruction_set() -> str:
    """A name, usable as a folder name, for the set of programs that it can run.

    On Linux it depends on the processor's features, on macOS only on its architecture.
    """
    flags = _first_line("flags", "Features") or "unknown"
    return f"{platform.machine()}-{hashlib.sha256(flags.encode()).hexdigest()[:12]}"


def _first_line(*beginnings: str) -> str:
    """The first line of /proc/cpuinfo that starts with one of ``beginnings``; empty if there is none."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text(encoding="utf-8").splitlines() if cpuinfo.exists() else []
    return next((line for line in lines if line.startswith(beginnings)), "")
