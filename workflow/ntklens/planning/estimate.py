"""What a config costs before it runs, by study and by figure, and what it asks a cluster for."""

from collections import Counter
from typing import NamedTuple

from ntklens.costs import prices
from ntklens.planning import requests
from ntklens.planning.curves import Curve, batches, curves, learning_rate_of, scales
from ntklens.planning.tables import duration, hours, size, table

CORES = (1, 8, 64)
OF_DATASETS = "data"  # what stands in a study's place for jobs of no study
HEADINGS = ("jobs", "core-hours", "GPU-hours*", "longest job", "peak memory", "disk")
REQUESTS = ("jobs", "memory", "run time", "core-hours", "memory, GPU*", "run time, GPU*", "GPU-hours*")


class Job(NamedTuple):
    """A priced Snakemake job, of a curve or, where that is None, of a dataset."""

    rule: str
    dataset: str
    curve: Curve | None
    scale: int | None
    seeds: range
    price: prices.Price


def jobs_of(config, units):
    """Every `Job` of a complete config: its datasets', then each curve's calibration and training."""
    sizes = {curve.dataset: requests.sizes_of(config, curve) for curve in curves(config)}
    jobs = [
        Job(rule, dataset, None, None, range(0), prices.dataset_price(sizes[dataset]))
        for dataset in sizes
        for rule in ("fetch", "subsample")
    ]
    for curve in curves(config):
        own = [("calibrate", None, (0, -1))] if learning_rate_of(config, curve) is None else []
        for scale in scales(config, curve):
            own += [("train", scale, batch) for batch in batches(config, curve, scale)]
        for rule, scale, (first, last) in own:
            seeds = range(first, last + 1)
            price = requests.price_of(config, units, curve, scale, seeds)
            jobs.append(Job(rule, curve.dataset, curve, scale, seeds, price))
    return jobs


def jobs_for(jobs, curves):
    """Those of ``jobs`` that ``curves`` need, their datasets' included."""
    datasets = {curve.dataset for curve in curves}
    return [job for job in jobs if job.curve in curves or (job.curve is None and job.dataset in datasets)]


def by_study(jobs):
    """(study, dataset) -> its jobs, in their order; (None, dataset) -> those of a dataset."""
    groups = {}
    for job in jobs:
        groups.setdefault((job.curve and job.curve.study, job.dataset), []).append(job)
    return groups


def total(jobs):
    """Sums over ``jobs``, and the largest time and memory of any one; in seconds and bytes."""
    seconds, memory = ([getattr(job.price, name) for job in jobs] for name in ("core_seconds", "memory"))
    return {
        "jobs": len(jobs),
        "core_seconds": sum(seconds),
        "gpu_seconds": sum(job.price.gpu_seconds for job in jobs),
        "longest": max(seconds, default=0.0),
        "memory": max(memory, default=0.0),
        "disk": sum(job.price.disk for job in jobs),
    }


def wall_seconds(jobs, cores):
    """The least wall time on so many ``cores``: that of all work shared evenly or, where it is longer, that
    of the longest chain of a calibration and a job that waits for it.
    """
    seconds = [(job.rule, job.curve, job.price.core_seconds) for job in jobs]
    before = {curve: own for rule, curve, own in seconds if rule == "calibrate"}
    chains = [own + before.get(curve, 0.0) for rule, curve, own in seconds if rule != "calibrate"]
    return max(total(jobs)["core_seconds"] / cores, max(chains, default=0.0))


def on_cluster(jobs):
    """The jobs that a cluster gets; datasets are fetched where Snakemake runs."""
    return [job for job in jobs if job.curve]


def requested(jobs, gpus):
    """The largest memory (MB) and run time (minutes) that ``jobs`` ask for, and the hours of all."""
    minutes = [requests.run_time_minutes(job.price, gpus) for job in jobs]
    memory = max(requests.memory_mb(job.price, gpus) for job in jobs)
    return {"mem_mb": memory, "minutes": max(minutes), "hours": sum(minutes) / 60}


def start_ups(jobs, units):
    """How many ``jobs`` there are and their seconds of starting up; then, if no two seeds shared a job."""
    seconds = sum(job.price.seconds["start-up"] for job in jobs)
    more = sum(len(job.seeds[1:]) for job in jobs)
    return (len(jobs), seconds), (len(jobs) + more, seconds + more * units.start_up(compiled=True))


def report(config, jobs, figures, units):
    """The text. ``figures`` maps what figures are called to the curves that each needs."""
    cluster, measured = on_cluster(jobs), units.measured
    (count, start_up), (count_alone, start_up_alone) = start_ups(cluster, units)
    times = " / ".join(duration(wall_seconds(jobs, cores)) for cores in CORES)
    versions = ", ".join(map(" ".join, measured["versions"].items()))
    spectra = hours(sum(job.price.seconds.get("spectra", 0.0) for job in cluster))
    figure_rows = [
        [f"figure {key}", _studies(own), *_costs(jobs_for(jobs, own))] for key, own in figures.items()
    ]
    return f"""\
What config {config["name"]!r} costs

{_study_table(jobs, HEADINGS, _costs)}

Each figure alone; figures share studies:

{table(["figure", "needs", *HEADINGS], figure_rows)}

On {" / ".join(map(str, CORES))} cores, at least: {times}; peak memory is that of one job.
Core-hours: from units measured on one core, {measured["processor"]} ({versions});
  `python benchmarks/unit_costs.py` measures them. Aggregation, fits and drawing are left out.

What it asks a cluster for, more when a job is tried again: \
{requests.RUN_TIME_MARGIN:g} times that time, {requests.MEMORY_MARGIN:g} times that memory

{_study_table(cluster, REQUESTS, _requests)}

Memory and run time: the most that one job of a study asks for. Hours: the sum over all its jobs,
  each on one core or one GPU; few use them up. `snakemake -n` shows mem_mb and runtime of each.
Starting up takes {hours(start_up)} of the core-hours in {count} jobs; \
with one seed a job, {hours(start_up_alone)} in {count_alone}.
* assumed, not measured: {prices.GPU_OPERATIONS_PER_SECOND / 1e12:g} TFLOP/s in float32, \
{1000 * prices.GPU_SECONDS_PER_UPDATE:g} ms an update, a job alone on its GPU;
  start-up, spectra and alignments as on a core (spectra: {spectra} hours);
  {size(1e6 * requests.CUDA_MEMORY)} of the host's memory more than on the CPU."""


def _study_table(jobs, headings, cells):
    rows = [[study or OF_DATASETS, name, *cells(own)] for (study, name), own in by_study(jobs).items()]
    return table(["study", "dataset", *headings], [*rows, ["total", "", *cells(jobs)]])


def _studies(curves):
    counts = Counter(curve.study for curve in curves)
    return ", ".join(f"{study} ×{count}" for study, count in counts.items())


def _costs(jobs):
    count, core, gpu, longest, memory, disk = total(jobs).values()
    return [str(count), hours(core), hours(gpu), duration(longest), size(memory), size(disk)]


def _requests(jobs):
    cells = [str(len(jobs))]
    for gpus in (0, 1):
        memory, minutes, all_hours = requested(jobs, gpus).values()
        cells += [size(1e6 * memory), duration(60 * minutes), hours(3600 * all_hours)]
    return cells


def as_json(config, jobs, figures, units):
    """The numbers of `report`, and those of every job, in seconds and bytes."""
    return {
        "config": config["name"],
        "units": {key: units.measured[key] for key in ("processor", "versions")},
        "gpu": "assumed, not measured",
        "total": total(jobs),
        "studies": [
            {"study": study or OF_DATASETS, "dataset": dataset, **total(own)}
            for (study, dataset), own in by_study(jobs).items()
        ],
        "figures": {key: total(jobs_for(jobs, curves)) for key, curves in figures.items()},
        "wall_seconds": {str(cores): wall_seconds(jobs, cores) for cores in CORES},
        "requests": {name: requested(on_cluster(jobs), gpus) for gpus, name in enumerate(("cpu", "gpu"))},
        "start_ups": dict(zip(("config", "one seed a job"), start_ups(on_cluster(jobs), units), strict=True)),
        "jobs": [{**job._asdict(), **job.price._asdict(), "seeds": len(job.seeds)} for job in jobs],
    }
