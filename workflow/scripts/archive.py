"""Pack all that it takes to draw a config's figures and tables again without runs."""

import argparse
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from ntklens.costs.recorded import as_csv, core_hours, recorded_jobs
from ntklens.machine.rule_script import run_script
from ntklens.planning import paths
from ntklens.planning.archive_settings import ArchiveSettings, name_in_archive
from ntklens.storage.archives import CONFIG, write_archive
from ntklens.storage.files import FilePath
from ntklens.storage.provenance import code_commit
from ntklens.storage.records import origin_of
from ntklens.storage.settings_reader import reader_of

JOBS = "jobs.csv"  # what each job took


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", required=True, nargs="+", help="the files to pack")
    parser.add_argument(
        "--runs", required=True, nargs="+", help="the run files, which tell where they were made"
    )
    parser.add_argument("--settings", required=True, type=reader_of(ArchiveSettings))
    parser.add_argument("--out", required=True)
    args = parser.parse_args(argv)
    pack(args.results, args.runs, args.settings, args.out)


def pack(results: Sequence[str], runs: Sequence[str], settings: ArchiveSettings, out: str) -> None:
    """Write the archive ``out`` of the files ``results``, which were made from the files ``runs``."""
    jobs = recorded_jobs(Path(paths.results(settings.name), "benchmarks"))
    files: dict[str, FilePath] = {name_in_archive(path, settings.name): path for path in results}
    about = {
        "name": settings.name,
        "commit": code_commit(),
        "runs": made_by(runs),
        "core_hours": round(core_hours(jobs), 3),
    }
    write_archive(out, files, {CONFIG: settings.config, JOBS: as_csv(jobs)}, about)


def made_by(runs: Iterable[FilePath]) -> dict[str, Any]:
    """Commits, processors and libraries that made the files ``runs``, and how many files they are."""
    origins = [origin_of(path) for path in runs]
    versions = {
        f"{name} {version}" for origin in origins for name, version in origin.get("versions", {}).items()
    }
    return {
        "files": len(origins),
        "commits": sorted({origin["commit"] for origin in origins}),
        "devices": sorted({origin.get("device", "unknown") for origin in origins}),
        "versions": sorted(versions),
    }


if __name__ == "__main__":
    run_script(main)
