"""What jobs took: the time and the memory that Snakemake recorded as it ran them."""

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from ntklens.storage.files import FilePath

SECONDS_PER_HOUR = 3600.0


class RecordedJob(NamedTuple):
    """One job, by its rule and the name of its file below the rule's folder.

    Of a job that was interrupted, the record tells the last part alone.
    """

    rule: str
    job: str
    seconds: float  # of wall time
    cpu_seconds: float
    peak_mib: float  # of resident memory, 2²⁰ bytes


def recorded_jobs(folder: FilePath) -> list[RecordedJob]:
    """Every job recorded in a config's folder of benchmarks, one folder below it for each rule."""
    return sorted(job for path in Path(folder).glob("*/*.tsv") for job in _read(path))


def core_hours(jobs: Iterable[RecordedJob]) -> float:
    """The CPU time of ``jobs`` together, in hours of one core."""
    return sum(job.cpu_seconds for job in jobs) / SECONDS_PER_HOUR


def as_csv(jobs: Iterable[RecordedJob]) -> str:
    """``jobs`` as a table, one a line."""
    lines = [",".join(RecordedJob._fields)]
    lines += [
        f"{job.rule},{job.job},{job.seconds:.2f},{job.cpu_seconds:.2f},{job.peak_mib:.1f}" for job in jobs
    ]
    return "\n".join(lines) + "\n"


def _read(path: Path) -> Iterator[RecordedJob]:
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            numbers = (_number(row.get(column)) for column in ("s", "cpu_time", "max_rss"))
            yield RecordedJob(path.parent.name, path.stem, *numbers)


def _number(text: str | None) -> float:
    """Snakemake writes NA or a dash for what it could not measure of a short job: that counts as nothing."""
    try:
        return float(text or 0)
    except ValueError:
        return 0.0
