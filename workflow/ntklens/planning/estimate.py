"""What a config costs by study and by figure, and what it requests from a cluster, before it runs."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from ntklens.costs import prices
from ntklens.costs.units import UnitCosts
from ntklens.planning import requests
from ntklens.planning.config import Config
from ntklens.planning.curves import batches, curves, learning_rate_of, scales
from ntklens.planning.later_jobs import LaterJobs
from ntklens.planning.tables import duration, hours, size, table
from ntklens.storage.curve import Curve

CORES = (1, 8, 64)
MOST_STUDIES = 3  # of one figure that its row names
OF_DATASETS = "data"  # stands in the column of studies for jobs that belong to a dataset only
HEADINGS = ("jobs", "core-hours", "GPU-hours*", "longest job", "peak memory", "disk")
LATER = "averages, fits, figures"  # stands there for the jobs after training, which have no price
ON_CORE = ("memory", "run time", "core-hours asked")
ON_GPU = ("memory, GPU*", "run time, GPU*", "GPU-hours asked*")
REQUESTS = ("jobs", *ON_CORE, *ON_GPU)


class Job(NamedTuple):
    """A Snakemake job with its price. It belongs to a curve or, if ``curve`` is None, to a dataset."""

    rule: str
    dataset: str
    curve: Curve | None
    scale: int | None
    seeds: range
    price: prices.Price


def jobs_of(config: Config, units: UnitCosts) -> list[Job]:
    """Every `Job` of a config: those of its datasets, then each curve's calibration and training."""
    sizes = {curve.dataset: requests.sizes_of(config, curve) for curve in curves(config)}
    jobs = [
        Job(rule, dataset, None, None, range(0), prices.dataset_price(sizes[dataset]))
        for dataset in sizes
        for rule in ("fetch", "subsample")
    ]
    for curve in curves(config):
        own: list[tuple[str, int | None, tuple[int, int]]] = []
        if learning_rate_of(config, curve) is None:
            own.append(("calibrate", None, (0, -1)))
        for scale in scales(config, curve):
            own += [("train", scale, batch) for batch in batches(config, curve, scale)]
        for rule, scale, (first, last) in own:
            seeds = range(first, last + 1)
            price = requests.price_of(config, units, curve, scale, seeds)
            jobs.append(Job(rule, curve.dataset, curve, scale, seeds, price))
    return jobs


def jobs_for(jobs: Iterable[Job], curves: Iterable[Curve]) -> list[Job]:
    """The ``jobs`` that ``curves`` need, those of their datasets included."""
    needed = set(curves)
    datasets = {curve.dataset for curve in needed}
    return [job for job in jobs if job.curve in needed or (job.curve is None and job.dataset in datasets)]


def by_study(jobs: Iterable[Job]) -> dict[tuple[str | None, str], list[Job]]:
    """(study, dataset) -> its jobs, in their order; (None, dataset) -> the jobs of a dataset."""
    groups: dict[tuple[str | None, str], list[Job]] = {}
    for job in jobs:
        groups.setdefault((job.curve.study if job.curve else None, job.dataset), []).append(job)
    return groups


def total(jobs: Sequence[Job]) -> dict[str, Any]:
    """Sums over ``jobs``, and the largest time and memory of a single job; in seconds and bytes."""
    seconds, memory = [job.price.core_seconds for job in jobs], [job.price.memory for job in jobs]
    return {
        "jobs": len(jobs),
        "core_seconds": sum(seconds),
        "gpu_seconds": sum(job.price.gpu_seconds for job in jobs),
        "longest": max(seconds, default=0.0),
        "memory": max(memory, default=0.0),
        "disk": sum(job.price.disk for job in jobs),
    }


def wall_seconds(jobs: Sequence[Job], cores: int) -> float:
    """The least wall time on this many ``cores``.

    That is the time of all work shared evenly or, if it is longer, the time of the longest chain of a
    calibration and a job that waits for it.
    """
    seconds = [(job.rule, job.curve, job.price.core_seconds) for job in jobs]
    before = {curve: own for rule, curve, own in seconds if rule == "calibrate"}
    chains = [own + before.get(curve, 0.0) for rule, curve, own in seconds if rule != "calibrate"]
    return max(total(jobs)["core_seconds"] / cores, max(chains, default=0.0))


def on_cluster(jobs: Iterable[Job]) -> list[Job]:
    """The jobs that run on a cluster; datasets are fetched where Snakemake itself runs."""
    return [job for job in jobs if job.curve]


def requested(jobs: Sequence[Job], gpus: int) -> dict[str, Any]:
    """The largest memory (MB) and run time (minutes) that one of ``jobs`` requests, and the hours of all."""
    minutes = [requests.run_time_minutes(job.price, gpus) for job in jobs]
    memory = max(requests.memory_mb(job.price, gpus) for job in jobs)
    return {"mem_mb": memory, "minutes": max(minutes), "hours": sum(minutes) / 60}


def start_ups(jobs: Sequence[Job], units: UnitCosts) -> tuple[tuple[int, float], tuple[int, float]]:
    """The number of ``jobs`` and their seconds of starting up, then both if no two seeds shared a job."""
    seconds = sum(job.price.seconds["start-up"] for job in jobs)
    more = sum(len(job.seeds[1:]) for job in jobs)
    return (len(jobs), seconds), (len(jobs) + more, seconds + more * units.start_up(compiled=True))


def report(
    config: Config,
    jobs: Sequence[Job],
    later: LaterJobs,
    figures: Mapping[str, Sequence[Curve]],
    units: UnitCosts,
) -> str:
    """The estimate as text. ``figures`` maps the key of each figure to the curves that it needs."""
    cluster, measured = on_cluster(jobs), units.measured
    (count, start_up), (count_alone, start_up_alone) = start_ups(cluster, units)
    times = " / ".join(duration(wall_seconds(jobs, cores)) for cores in CORES)
    versions = ", ".join(map(" ".join, measured["versions"].items()))
    spectra = hours(sum(job.price.seconds.get("spectra", 0.0) for job in cluster))
    figure_rows = [
        [f"figure {key}", _studies(own), *_costs(jobs_for(jobs, own), later.of_figures[key].total())]
        for key, own in figures.items()
    ]
    others = later.whole.total()
    later_row = [LATER, "", str(others), *[""] * (len(HEADINGS) - 1)]
    return f"""\
What config {config.name!r} costs

{_study_table(jobs, HEADINGS, partial(_costs, others=0), [later_row], _costs(jobs, others))}

Each figure alone; figures share studies:

{table(["figure", "needs", *HEADINGS], figure_rows)}

On {" / ".join(map(str, CORES))} cores, at least: {times}; peak memory is that of one job.
Core-hours: from units measured on one core, {measured["processor"]} ({versions});
  `python benchmarks/unit_costs.py` measures them.
Jobs: as many as `snakemake -n` counts where nothing is made yet. {len(cluster)} calibrate or train, \
{len(jobs) - len(cluster)} fetch or split data,
  {others} make averages, fits, figures and tables; these take seconds each, which are left out.

What the {len(cluster)} jobs that calibrate or train request from a cluster, to be safe: \
{requests.RUN_TIME_MARGIN:g} times that time,
at least {requests.LEAST_RUN_TIME} minutes, and {requests.MEMORY_MARGIN:g} times that memory, \
at least {size(1e6 * requests.LEAST_MEMORY)}; more when a job is tried again

{_study_table(cluster, REQUESTS, _requests, [], _requests(cluster))}

Memory and run time: the most that one job of a study requests; `snakemake -n` shows them for each job.
Hours asked: the sum over all jobs, on one core or one GPU each; most need less, as the first table says.
Starting up takes {hours(start_up)} of the core-hours in {count} jobs; \
with one seed per job, {hours(start_up_alone)} in {count_alone}.
* assumed, not measured: {prices.GPU_OPERATIONS_PER_SECOND / 1e12:g} TFLOP/s in float32, \
{1000 * prices.GPU_SECONDS_PER_UPDATE:g} ms per update, one job per GPU;
  start-up, spectra and alignments as on a core (spectra: {spectra} hours);
  {size(1e6 * requests.CUDA_MEMORY)} more of the host's memory than on the CPU."""


def _study_table(
    jobs: Sequence[Job],
    headings: Sequence[str],
    cells: Callable[[Sequence[Job]], list[str]],
    more: Sequence[list[str]],
    last: Sequence[str],
) -> str:
    rows = [[study or OF_DATASETS, name, *cells(own)] for (study, name), own in by_study(jobs).items()]
    return table(["study", "dataset", *headings], [*rows, *more, ["total", "", *last]])


def _studies(curves: Iterable[Curve]) -> str:
    """Each study with the number of its curves; of more than `MOST_STUDIES` the first one alone."""
    counts = Counter(curve.study for curve in curves)
    named = [f"{study} ×{count}" for study, count in counts.items()]
    return (
        ", ".join(named) if len(named) <= MOST_STUDIES else f"{named[0]} and {len(named) - 1} other studies"
    )


def _costs(jobs: Sequence[Job], others: int) -> list[str]:
    """The cells of ``jobs``, with ``others`` that have no price."""
    count, core, gpu, longest, memory, disk = total(jobs).values()
    return [str(count + others), hours(core), hours(gpu), duration(longest), size(memory), size(disk)]


def _requests(jobs: Sequence[Job]) -> list[str]:
    cells = [str(len(jobs))]
    for gpus in (0, 1):
        memory, minutes, all_hours = requested(jobs, gpus).values()
        cells += [size(1e6 * memory), duration(60 * minutes), hours(3600 * all_hours)]
    return cells


def as_json(
    config: Config,
    jobs: Sequence[Job],
    later: LaterJobs,
    figures: Mapping[str, Sequence[Curve]],
    units: UnitCosts,
) -> dict[str, Any]:
    """The numbers of `report`, and those of every job, in seconds and bytes."""
    return {
        "config": config.name,
        "units": {key: units.measured[key] for key in ("processor", "versions")},
        "gpu": "assumed, not measured",
        "total": total(jobs),
        "jobs_after_training": dict(later.whole),
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
