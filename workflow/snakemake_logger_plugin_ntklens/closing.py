"""The last words of a run: how it ended, where the results lie, what to try next."""

import os
import shlex
import sys
from pathlib import Path

from snakemake_logger_plugin_ntklens.plan import Run
from snakemake_logger_plugin_ntklens.run_state import RunState
from snakemake_logger_plugin_ntklens.words import count, duration

MOST_FILES = 4  # of those that were asked for, where they are no figures
MOST_FAILURES = 10
DEFAULT_CONFIG = "config/config.yaml"


def closing(state: RunState, now: float) -> list[str]:
    """Lines of plain text."""
    if state.plan is None:  # there was nothing to do, or no run could start, and a message says so
        return _results(state) if state.is_run and not state.refused else []
    took = duration(now - state.began)
    if state.complete:
        return [f"Done: {count(state.total, 'job')} in {took}.", *_results(state)]
    done = f"{len(state.finished)} of {count(state.total, 'job')} done."
    if state.stopped:
        return [
            f"Stopped after {took}: {done}",
            "Start again to continue: finished jobs stay, and training resumes from its checkpoints.",
        ]
    failures = list(state.failed.values())
    first = f"{count(len(failures), 'job')} failed" if failures else "The run ended early"
    more = len(failures) - MOST_FAILURES
    return [
        f"{first} after {took}, {done}",
        *[_failure(failure.title, failure.log) for failure in failures[:MOST_FAILURES]],
        *([f"  and {more} more"] if more > 0 else []),
        "Start again once the cause is gone: finished jobs stay, and training resumes from its checkpoints.",
        "Snakemake's own log, with every command: the newest file in .snakemake/log/",
    ]


def _failure(title: str, log: str | None) -> str:
    return f"  {title}" if log is None else f"  {title}: {log}"


def _results(state: RunState) -> list[str]:
    """Where the results lie, as far as they exist, and what to try next."""
    run, plan = state.run, state.plan
    if run is None:
        return []
    rows = [(place.label, place.path) for place in run.places if _exists(place.path)]
    if plan is not None and not plan.figures:
        asked = [path for path in plan.targets if Path(path).exists()]
        rows = [("Results", path) for path in asked[:MOST_FILES]]
        if len(asked) > MOST_FILES:
            rows.append(("", f"and {len(asked) - MOST_FILES} more files"))
    figures = sorted(map(str, Path(f"results/{run.name}/figures").glob("figure-*.json")))
    rows += [("Next", command) for command in _commands(run, figures)]
    if run.snakefile and rows:  # the shell may be elsewhere
        rows.insert(0, ("In", str(Path.cwd())))
    width, before, lines = max((len(label) for label, _ in rows), default=0), "", []
    for label, text in rows:
        lines.append(f"{'' if label == before else label:{width}}  {text}")
        before = label
    return lines


def _exists(path: str) -> bool:
    """Whether a file is there, or a folder that holds something."""
    place = Path(path)
    return any(place.iterdir()) if place.is_dir() else place.exists()


def _commands(run: Run, figures: list[str]) -> list[str]:
    if not figures:
        return []
    snakemake, python = _program("snakemake"), _program("python")
    snakefile = ["--snakefile", run.snakefile] if run.snakefile else []
    configs = ["--configfile", *run.config_files] if run.config_files else []
    given = ["--config", *run.given] if run.given else []
    commands = [f"{python} -m ntklens trace {shlex.quote(figures[0])}  (a figure's origin)"]
    # Snakemake makes no report while a file is missing that belongs in it.
    if all(_exists(place.path) for place in run.places):
        report = shlex.join([snakemake, *snakefile, *configs, *given, "--report", "report.html"])
        commands.insert(0, f"{report}  (all on one page)")
    edited = shlex.join(run.config_files or [DEFAULT_CONFIG])
    # In another folder without a config, the default one is the workflow's, which serves other folders too.
    own = run.config_files or not run.snakefile or Path(DEFAULT_CONFIG).exists()
    if own and not run.from_archive:
        commands.append(f"edit {edited} and start again: only what depends on a change runs")
    return commands


def _program(name: str) -> str:
    """How to call a program that lies beside this Python: as short as it works from this folder."""
    path = os.path.relpath(Path(sys.executable).parent / name)
    return name if path.startswith("..") or not Path(path).exists() else path
