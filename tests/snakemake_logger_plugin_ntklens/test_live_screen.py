"""What a terminal shows during a run, drawn from the records that Snakemake logs."""

import io

import pytest
from snakemake_logger_plugin_ntklens.live_screen import LiveScreen
from snakemake_logger_plugin_ntklens.plan import CLUSTER, PlannedJob
from snakemake_logger_plugin_ntklens.view import View

from tests.support.progress_records import (
    TITLE,
    began,
    failed,
    finished,
    interrupted,
    plan,
    record,
    run,
    started,
)
from tests.support.terminals import Terminal

EPOCH = "epoch 40: train loss 0.5000, test loss 1.2500, accuracies 0.750 and 0.500, 2 of 5 seeds finished\n"
FIGURE = {"rule": "figure_2", "wildcards": {}, "output": ("f/figure-2.pdf", "f/figure-2.png")}


class Stream(io.TextIOWrapper):
    def isatty(self):
        return True


class Shown:
    """A terminal with a `View` on it, which draws when a record comes."""

    def __init__(self, monkeypatch, columns=80, rows=24, encoding="utf-8", colour=True, jobs=None):
        monkeypatch.setenv("COLUMNS", str(columns))
        monkeypatch.setenv("LINES", str(rows))
        monkeypatch.setenv("TERM", "xterm-256color")
        self._bytes, self.terminal, self.now, self._encoding = io.BytesIO(), Terminal(columns), 0.0, encoding
        screen = LiveScreen(Stream(self._bytes, encoding, write_through=True), colour)
        self.view = View(screen, clock=lambda: self.now)
        self.view.announce(run())
        self.view.show(began())
        self.view.expect(plan()._replace(jobs=jobs) if jobs else plan())

    def show(self, *records):
        for one in records:
            self.now += 1.0
            self.view.show(one)

    @property
    def raw(self):
        return self._bytes.getvalue().decode(self._encoding)

    @property
    def lines(self):
        self.terminal.feed(self.raw.replace("\n", "\r\n"))
        self._bytes.seek(0)
        self._bytes.truncate()
        return self.terminal.lines


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("NO_COLOR", raising=False)


def test_view_of_a_running_job(monkeypatch, tmp_path):
    (tmp_path / "a.log").write_text(EPOCH, encoding="utf-8")
    shown = Shown(monkeypatch)
    shown.show(started(1, "a.log"))
    assert shown.lines == [
        "",
        "ntk-lens, config x: 0 of 2 jobs done, 1 running, 1 left",
        "─" * 40 + "  1 s, about 20 s left",
        "figures wanted: 2",
        "left: figures 1",
        f"▸ {TITLE}  0 s",
        "    epoch 40, train loss 0.5000, test loss 1.2500, 2 of 5 seeds finished",
    ]


def test_finished_figure_stays_above_the_view(monkeypatch):
    shown = Shown(monkeypatch)
    shown.show(started(1), finished(1), started(2, **FIGURE))
    assert shown.lines[2] == "━" * 20 + "─" * 20 + "  3 s, a few seconds left"
    shown.show(finished(2))
    assert shown.lines == [
        "✓ figure 2  f/figure-2.png",
        "",
        "ntk-lens, config x: 2 of 2 jobs done, 0 running, 0 left",
        "━" * 40 + "  4 s",
        "figures drawn: 2",
    ]


def test_last_words_take_the_views_place(monkeypatch):
    shown = Shown(monkeypatch)
    shown.show(started(1), finished(1), started(2, **FIGURE), finished(2))
    shown.view.close()
    lines = [line for line in shown.lines if line]
    assert lines == ["✓ figure 2  f/figure-2.png", "Done: 2 jobs in 4 s."]


def test_failure_stays_above_the_view(monkeypatch, tmp_path):
    (tmp_path / "a.log").write_text("ValueError: \x1b[2Jno\n", encoding="utf-8")
    shown = Shown(monkeypatch)
    shown.show(started(1, "a.log"), failed(1, "a.log"))
    assert shown.lines[:3] == [f"✗ {TITLE}", "  log: a.log", "  │ ValueError: no"]
    shown.view.close()
    assert shown.terminal.text.count("ValueError") == 1


def test_interruption(monkeypatch):
    shown = Shown(monkeypatch)
    shown.show(started(1), interrupted(), failed(1))
    shown.view.close()
    lines = [line for line in shown.lines if line]
    assert lines[:2] == ["Stopping the running jobs", "Stopped after 3 s: 0 of 2 jobs done."]


@pytest.mark.parametrize("columns", [20, 33, 60])
def test_lines_of_the_view_are_cut_where_the_terminal_ends(monkeypatch, tmp_path, columns):
    (tmp_path / "a.log").write_text(EPOCH, encoding="utf-8")
    shown = Shown(monkeypatch, columns=columns)
    shown.show(started(1, "a.log"), finished(1))
    drawn = shown.lines
    assert all(len(line) <= columns for line in drawn)
    # Drawn twice or more, and nothing of the earlier views is left.
    assert sum(line.startswith("ntk-lens") for line in drawn) == 1


def test_jobs_beyond_the_terminals_height_are_counted(monkeypatch):
    jobs = {number: PlannedJob(number, "train", 1.0, frozenset(), CLUSTER) for number in range(1, 31)}
    shown = Shown(monkeypatch, columns=100, rows=12, jobs=jobs)
    shown.show(*(started(number) for number in range(1, 31)))
    lines = shown.lines
    assert lines[1] == "ntk-lens, config x: 0 of 30 jobs done, 0 running, 30 in the queue, 0 left"
    assert lines[-1] == "  and 27 more jobs"
    assert sum(line.endswith("waits in the queue") for line in lines) == 3
    assert len(lines) < 12


def test_terminal_without_the_signs_gets_others(monkeypatch, tmp_path):
    (tmp_path / "a.log").write_text("Θ\n", encoding="utf-8")
    shown = Shown(monkeypatch, encoding="ascii")
    shown.show(started(1), finished(1), started(2, "a.log", **FIGURE), failed(2, "a.log", rule="figure_2"))
    shown.view.close()
    assert shown.raw.isascii()
    lines = shown.lines
    assert lines[:3] == ["failed: figure 2", "  log: a.log", "  | ?"]


@pytest.mark.parametrize(("colour", "variable"), [(False, None), (True, "NO_COLOR")])
def test_colours_can_be_switched_off(monkeypatch, colour, variable):
    if variable:
        monkeypatch.setenv(variable, "1")
    shown = Shown(monkeypatch, colour=colour)
    shown.show(started(1), failed(1), record(text="a warning", level=30))
    assert shown.lines
    assert not shown.terminal.styled


def test_colours_are_there_otherwise(monkeypatch):
    shown = Shown(monkeypatch)
    shown.show(started(1), failed(1))
    assert shown.lines
    assert shown.terminal.styled


def test_cursor_is_never_hidden(monkeypatch):
    shown = Shown(monkeypatch)
    shown.show(started(1))
    shown.view.close()
    assert "?25" not in shown.raw
