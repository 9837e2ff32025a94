"""What training took, by curve and scale, beside what the cost model had estimated.

    python benchmarks/recorded_costs.py config/full-scale-mnist.yaml    # after a run of that config

Times are of the processor, from Snakemake's records. Of a job that was interrupted they tell the last part.
"""

import argparse
from collections import defaultdict
from pathlib import Path

import yaml
from ntklens.costs.recorded import SECONDS_PER_HOUR, RecordedJob, recorded_jobs
from ntklens.costs.units import UNIT_COSTS, read_unit_costs
from ntklens.planning import paths
from ntklens.planning.config import Config, load
from ntklens.planning.curves import point_name
from ntklens.planning.estimate import Job, jobs_of
from ntklens.planning.tables import table
from ntklens.storage.curve import Curve

HEADINGS = ("jobs", "estimated", "recorded", "ratio", "peak estimated", "peak recorded")
MIB = 2**20


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("config", type=Path)
    args = parser.parse_args()
    config = load(yaml.safe_load(args.config.read_text(encoding="utf-8")))
    records = recorded_jobs(Path(paths.results(config.name), "benchmarks"))
    print("core-hours, and peak memory of one job\n")
    print(table(("curve", "scale", *HEADINGS), rows(config, records)))


def rows(config: Config, records: list[RecordedJob]) -> list[list[str]]:
    """One row for each scale of each curve of which any job was recorded, and one for all."""
    recorded = {job.job: job for job in records if job.rule == "train"}
    groups: dict[tuple[str, ...], list[tuple[Job, RecordedJob]]] = defaultdict(list)
    for job in jobs_of(config, read_unit_costs(UNIT_COSTS)):
        if job.curve is not None and job.scale is not None:
            key = record_of(config, job.curve, job.scale, job.seeds)
            if key in recorded:
                groups["/".join(job.curve), str(job.scale)].append((job, recorded[key]))
    every = [pair for pairs in groups.values() for pair in pairs]
    return [row(where, pairs) for where, pairs in [*groups.items(), (("all", ""), every)] if pairs]


def record_of(config: Config, curve: Curve, scale: int, seeds: range) -> str:
    """The name of a training job's record."""
    point = point_name(config, curve, scale)
    return paths.BATCH_KEY.format(**curve._asdict(), point=point, first=seeds[0], last=seeds[-1])


def row(where: tuple[str, ...], pairs: list[tuple[Job, RecordedJob]]) -> list[str]:
    estimated = sum(job.price.core_seconds for job, _ in pairs) / SECONDS_PER_HOUR
    recorded = sum(record.cpu_seconds for _, record in pairs) / SECONDS_PER_HOUR
    peaks = max(job.price.memory for job, _ in pairs) / MIB, max(record.peak_mib for _, record in pairs)
    numbers = (f"{estimated:.3f}", f"{recorded:.3f}", f"{recorded / estimated:.2f}")
    return [*where, str(len(pairs)), *numbers, *(f"{peak:.0f} MiB" for peak in peaks)]


if __name__ == "__main__":
    main()
