"""Print what a config costs before it runs: core-hours, memory and disk, and what to ask a cluster for."""

import argparse
import copy
import sys
from collections import Counter
from pathlib import Path

import yaml
from ntklens.costs import prices as costs
from ntklens.costs.units import UNIT_COSTS, read_unit_costs
from ntklens.data.errors import DatasetError
from ntklens.planning import requests as resources
from ntklens.planning.config import ConfigError, complete
from ntklens.planning.curves import figure_curves
from ntklens.storage.files import write_json

ROOT = Path(__file__).resolve().parents[2]
CORES = (1, 8, 64)
HEADINGS = ("jobs", "core-hours", "GPU-hours*", "longest job", "peak memory", "disk")
REQUESTS = ("jobs", "memory", "run time", "core-hours", "memory, GPU*", "run time, GPU*", "GPU-hours*")


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", default=ROOT / "config/paper.yaml", type=Path)
    parser.add_argument("--unit-costs", default=UNIT_COSTS, type=Path)
    parser.add_argument("--json", metavar="FILE", help="write the numbers there too, in seconds and bytes")
    args = parser.parse_args(argv)
    try:
        config = complete(yaml.safe_load(args.config.read_text()))
        units = read_unit_costs(args.unit_costs)
        jobs = costs.jobs_of(config, units)
        alone = costs.jobs_of(one_seed_a_job(config), units)
    except (ConfigError, DatasetError, OSError) as error:
        sys.exit(f"estimate: {error}")
    print(report(config, jobs, alone, units.measured))
    if args.json:
        write_json(args.json, as_json(config, jobs, alone, units.measured))


def one_seed_a_job(config):
    """``config`` with no two seeds in one job."""
    config = copy.deepcopy(config)
    for entries in config["studies"].values():
        for entry in entries:
            entry["seeds_per_job"] = 1
    return config


def report(config, jobs, alone, measured):
    """The whole text. ``alone`` are the jobs if no two seeds shared one."""
    figures = figure_curves(config)
    lines = [f"What config {config['name']!r} costs", "", study_table(jobs, HEADINGS, cost_cells), ""]
    lines += ["Each figure alone; figures share studies:", "", figure_table(jobs, figures), ""]
    lines += cost_notes(jobs, measured)
    asked = f"{resources.RUNTIME_MARGIN:g} times that time, {resources.MEMORY_MARGIN:g} times that memory"
    lines += ["", f"What it asks a cluster for: {asked}, more when a job is tried again", ""]
    lines += [study_table(training_jobs(jobs), REQUESTS, request_cells), ""]
    lines += [*request_notes(jobs, alone), *gpu_notes(jobs)]
    return "\n".join(lines)


def study_table(jobs, headings, cells):
    rows = [[*key, *cells(own)] for key, own in costs.by_study(jobs).items()]
    return table(["study", "dataset", *headings], [*rows, ["total", "", *cells(jobs)]])


def figure_table(jobs, figures):
    rows = [
        [f"figure {number}", shown(curves), *cost_cells(costs.jobs_for(jobs, curves))]
        for number, curves in figures.items()
    ]
    return table(["figure", "needs", *HEADINGS], rows)


def cost_notes(jobs, measured):
    versions = ", ".join(f"{name} {version}" for name, version in measured["versions"].items())
    times = " / ".join(duration(costs.wall_seconds(jobs, cores)) for cores in CORES)
    return [
        f"On {' / '.join(map(str, CORES))} cores, at least: {times}; peak memory is that of one job.",
        f"Core-hours: from units measured on one core, {measured['processor']} ({versions});",
        "  `python benchmarks/unit_costs.py` measures them. Aggregation, fits and drawing are left out.",
    ]


def request_notes(jobs, alone):
    return [
        "Memory and run time: the most that one job of a study asks for. Hours: the sum over all its jobs,",
        "  each on one core or one GPU; few use them up. `snakemake -n` shows mem_mb and runtime of each.",
        f"Starting up takes {hours(start_up_seconds(jobs))} of the core-hours in "
        f"{len(training_jobs(jobs))} jobs; with one seed a job, {hours(start_up_seconds(alone))} "
        f"in {len(training_jobs(alone))}.",
    ]


def gpu_notes(jobs):
    return [
        f"* assumed, not measured: {costs.GPU_OPERATIONS_PER_SECOND / 1e12:g} TFLOP/s in float32, "
        f"{1000 * costs.GPU_SECONDS_PER_UPDATE:g} ms an update, a job alone on its GPU;",
        f"  start-up, spectra and alignments as on a core (spectra: {hours(spectra_seconds(jobs))} hours);",
        f"  {size(1e6 * resources.CUDA_MEMORY)} of the host's memory more than on the CPU.",
    ]


def training_jobs(jobs):
    """Those that a cluster gets; data are fetched where Snakemake runs."""
    return [job for job in jobs if job.curve.study != "data"]


def shown(curves):
    """How many of which ``curves``."""
    counts = Counter(curve.study for curve in curves)
    return ", ".join(f"{study} ×{count}" for study, count in counts.items())


def spectra_seconds(jobs):
    return sum(job.seconds.get("spectra", 0.0) for job in jobs)


def start_up_seconds(jobs):
    return sum(job.seconds.get("start-up", 0.0) for job in jobs)


def cost_cells(jobs):
    total = costs.total(jobs)
    return [
        str(total.jobs),
        hours(total.core_seconds),
        hours(total.gpu_seconds),
        duration(total.longest),
        size(total.memory),
        size(total.disk),
    ]


def requested(jobs, gpus):
    """The largest memory (MB) and run time (minutes) that ``jobs`` ask for, and the hours of all."""
    minutes = [resources.runtime_minutes(job, gpus) for job in jobs]
    return {
        "mem_mb": max(resources.memory_mb(job, gpus) for job in jobs),
        "runtime": max(minutes),
        "hours": sum(minutes) / 60,
    }


def request_cells(jobs):
    on_cpu, on_gpu = requested(jobs, gpus=0), requested(jobs, gpus=1)
    texts = [
        text
        for asked in (on_cpu, on_gpu)
        for text in (
            size(1e6 * asked["mem_mb"]),
            duration(60 * asked["runtime"]),
            hours(3600 * asked["hours"]),
        )
    ]
    return [str(len(jobs)), *texts]


def hours(seconds):
    """In hours, two digits where there are hundredths."""
    value = seconds / 3600
    if 0 < value < 0.01:
        return "<0.01"
    return f"{value:.0f}" if value >= 10 else f"{value:.1f}" if value >= 1 else f"{value:.2f}"


def duration(seconds):
    """In the unit that suits it."""
    if seconds < 99.5:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5970 else f"{seconds / 3600:.1f} h"


def size(count):
    """Bytes in the unit that leaves one to three digits."""
    for unit in ("B", "kB", "MB"):
        if count < 999.5:
            return f"{count:.0f} {unit}"
        count /= 1000
    return f"{count:.1f} GB"


def table(headings, rows):
    """Columns of even width, the first two to the left, numbers to the right."""
    widths = [max(len(row[column]) for row in [headings, *rows]) for column in range(len(headings))]
    rule = ["-" * width for width in widths]

    def line(row):
        texts = [
            text.ljust(width) if column < 2 else text.rjust(width)
            for column, (text, width) in enumerate(zip(row, widths, strict=True))
        ]
        return "  ".join(texts).rstrip()

    return "\n".join(map(line, [headings, rule, *rows]))


def as_json(config, jobs, alone, measured):
    return {
        "config": config["name"],
        "units": {key: measured[key] for key in ("processor", "versions")},
        "gpu": "assumed, not measured",
        "total": costs.total(jobs)._asdict(),
        "studies": [
            {"study": study, "dataset": dataset, **costs.total(own)._asdict()}
            for (study, dataset), own in costs.by_study(jobs).items()
        ],
        "figures": {
            str(number): costs.total(costs.jobs_for(jobs, curves))._asdict()
            for number, curves in figure_curves(config).items()
        },
        "wall_seconds": {str(cores): costs.wall_seconds(jobs, cores) for cores in CORES},
        "requests": {
            device: requested(training_jobs(jobs), gpus) for device, gpus in (("cpu", 0), ("gpu", 1))
        },
        "training_jobs": {
            name: {"jobs": len(training_jobs(own)), "start_up_seconds": start_up_seconds(own)}
            for name, own in (("config", jobs), ("one seed a job", alone))
        },
        "jobs": [{**job._asdict(), "curve": job.curve._asdict()} for job in jobs],
    }


if __name__ == "__main__":
    main()
