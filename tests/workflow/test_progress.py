"""What a person sees of real runs: on a terminal, and in a file."""

import os
import re
import signal

import h5py
import pytest

from tests.support.terminals import run_on_terminal

CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
AVERAGES = "results/smoke/averages/noise-scaling/digits/dense.h5"
RUN = "results/smoke/runs/noise-scaling/digits/convolutional/removed-0/seeds-0-0.h5"
DRAW = ("--forcerun", "figure_4", "--", "results/smoke/figures/figure-4.pdf")


@pytest.fixture
def repository(edited):
    """A finished repository whose Snakemake shows the view."""
    edited.environment["SNAKEMAKE_LOGGER_NTKLENS_VIEW"] = "auto"
    edited.environment["TERM"] = "xterm-256color"
    return edited


def on_terminal(repository, *arguments, columns=100, **options):
    command = ["snakemake", "--configfile", "config/smoke.yaml", "--cores", "1", *arguments]
    return run_on_terminal(command, columns, cwd=repository.folder, env=repository.environment, **options)


def damage(repository):
    """Make the job that draws figure 4 fail, without making Snakemake renew what it needs."""
    path = repository / AVERAGES
    before = path.stat()
    with h5py.File(path, "r+") as file:
        file.attrs["damaged"] = True
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def test_run_on_a_terminal_from_start_to_end(repository):
    status, terminal, screens = on_terminal(repository, *DRAW)
    assert status == 0, terminal.text
    (during,) = {screen for screen in screens if "1 running" in screen and "figure 4  0 s" in screen}
    assert "ntk-lens, config smoke: 0 of 1 job done, 1 running, 0 left" in during
    assert "figures wanted: 4" in during
    last = [line for line in terminal.lines if line]
    assert "✓ figure 4  results/smoke/figures/figure-4.png" in last
    assert re.search(r"^Done: 1 job in \d+ s\.\nFigures  results/smoke/figures/\n", "\n".join(last), re.M)
    assert "1 running" not in terminal.text
    (log,) = sorted((repository / ".snakemake/log").glob("*.log"))[-1:]
    assert "localrule figure_4:" in log.read_text(encoding="utf-8")


def test_failure_on_a_narrow_terminal(repository):
    damage(repository)
    status, terminal, _ = on_terminal(repository, *DRAW, columns=50)
    assert status == 1, terminal.text
    text = "".join(line.ljust(50) for line in terminal.lines)
    assert text.count("dense.h5 is damaged") == 1
    assert "✗ figure 4" in text
    assert "1 job failed after" in text


def test_ctrl_c(repository):
    status, terminal, _ = on_terminal(repository, "--forcerun", "train", "--", RUN, interrupt_at="starting")
    assert status not in (0, -signal.SIGKILL)
    text = terminal.text
    assert "Stopping the running jobs" in text
    assert re.search(r"^Stopped after \d+ s: 0 of 1 job done\.$", text, re.MULTILINE)
    assert "Traceback" not in text


def test_lines_in_a_file(repository):
    damage(repository)
    result = repository.snakemake("--cores", "1", *DRAW)
    assert result.returncode == 1
    assert not CONTROL.search(result.stderr)
    events = [line[20:] for line in result.stderr.splitlines() if re.match(r"\d{4}-\d\d-\d\d ", line)]
    assert events[:2] == ["config smoke: 1 job, a few seconds; figures wanted: 4", "started: figure 4"]
    assert events[2] == "failed: figure 4; log: results/smoke/logs/figures/figure-4.log"
    assert events[3].startswith("  | ")
    assert result.stderr.count("dense.h5 is damaged") == 1


def test_target_after_a_config_file(repository):
    result = repository.snakemake("figure_2")
    assert result.returncode == 1
    assert "`snakemake figure_2 --configfile config/smoke.yaml`" in result.stderr
    assert "Traceback" not in result.stderr
