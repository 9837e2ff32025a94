"""Print what a config costs before it runs: core-hours, memory and disk by study and by figure."""

import argparse
import sys
from collections import Counter
from pathlib import Path

import yaml
from ntklens import costs
from ntklens.config import ConfigError, complete
from ntklens.files import write_json
from ntklens.image_formats import DatasetError
from ntklens.studies import figure_curves
from ntklens.unit_costs import read_unit_costs

ROOT = Path(__file__).resolve().parents[2]
CORES = (1, 8, 64)
HEADINGS = ("jobs", "core-hours", "GPU-hours*", "longest job", "peak memory", "disk")


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", default=ROOT / "config/paper.yaml", type=Path)
    parser.add_argument("--unit-costs", default=ROOT / "benchmarks/results/unit-costs.json", type=Path)
    parser.add_argument("--json", metavar="FILE", help="write the numbers there too, in seconds and bytes")
    args = parser.parse_args(argv)
    try:
        config = complete(yaml.safe_load(args.config.read_text()))
        units = read_unit_costs(args.unit_costs)
        jobs = costs.jobs_of(config, units)
    except (ConfigError, DatasetError, OSError) as error:
        sys.exit(f"estimate: {error}")
    print(report(config, jobs, units.measured))
    if args.json:
        write_json(args.json, as_json(config, jobs, units.measured))


def report(config, jobs, measured):
    """The whole text."""
    studies = [[*key, *cells(costs.total(own))] for key, own in costs.by_study(jobs).items()]
    studies.append(["total", "", *cells(costs.total(jobs))])
    figures = [
        [f"figure {number}", shown(curves), *cells(costs.total(costs.jobs_for(jobs, curves)))]
        for number, curves in figure_curves(config).items()
    ]
    versions = ", ".join(f"{name} {version}" for name, version in measured["versions"].items())
    return "\n".join(
        [
            f"What config {config['name']!r} costs",
            "",
            table(["study", "dataset", *HEADINGS], studies),
            "",
            "Each figure alone; figures share studies:",
            "",
            table(["figure", "needs", *HEADINGS], figures),
            "",
            f"On {' / '.join(map(str, CORES))} cores, at least: "
            + " / ".join(duration(costs.wall_seconds(jobs, cores)) for cores in CORES)
            + "; peak memory is that of one job.",
            f"Core-hours: from units measured on one core, {measured['processor']} ({versions});",
            "  `python benchmarks/unit_costs.py` measures them. Aggregation, fits and drawing are left out.",
            f"* assumed, not measured: {costs.GPU_OPERATIONS_PER_SECOND / 1e12:g} TFLOP/s in float32 and "
            f"{1000 * costs.GPU_SECONDS_PER_UPDATE:g} ms an update, a job alone on its GPU;",
            f"  spectra and alignments stay on the CPU: {hours(spectra_seconds(jobs))} of the core-hours.",
        ]
    )


def shown(curves):
    """How many of which ``curves``."""
    counts = Counter(curve.study for curve in curves)
    return ", ".join(f"{study} ×{count}" for study, count in counts.items())


def spectra_seconds(jobs):
    return sum(job.seconds.get("spectra", 0.0) for job in jobs)


def cells(total):
    return [
        str(total.jobs),
        hours(total.core_seconds),
        hours(total.gpu_seconds),
        duration(total.longest),
        size(total.memory),
        size(total.disk),
    ]


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


def as_json(config, jobs, measured):
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
        "jobs": [{**job._asdict(), "curve": job.curve._asdict()} for job in jobs],
    }


if __name__ == "__main__":
    main()
