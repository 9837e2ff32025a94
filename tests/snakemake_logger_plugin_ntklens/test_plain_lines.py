"""A run as lines, from the records that Snakemake logs."""

import io

import pytest
from snakemake_logger_plugin_ntklens.plain_lines import PlainLines
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

AGAIN = "Start again once the cause is gone: finished jobs stay, and training resumes from its checkpoints."


class Lines:
    """What a `View` writes for the records that it is shown, a second apart."""

    def __init__(self, encoding="utf-8"):
        self._bytes, self._now = io.BytesIO(), 0.0
        stream = io.TextIOWrapper(self._bytes, encoding, write_through=True)
        self.view = View(PlainLines(stream, date=lambda: "[date]"), clock=lambda: self._now)
        self._encoding = encoding

    def show(self, *records):
        for one in records:
            self._now += 1.0
            self.view.show(one)

    @property
    def text(self):
        return self._bytes.getvalue().decode(self._encoding)


@pytest.fixture
def lines(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return begun()


def begun(**options):
    own = Lines(**options)
    own.view.announce(run())
    own.show(began())
    own.view.expect(plan())
    return own


def test_run_from_start_to_end(lines):
    lines.show(started(1), finished(1), started(2, rule="figure_2", wildcards={}), finished(2))
    lines.view.close()
    assert lines.text.splitlines() == [
        "[date] config x: 2 jobs, about 20 s; figures wanted: 2",
        f"[date] started: {TITLE}",
        f"[date] done: {TITLE}, in 1 s (1 of 2 jobs, a few seconds left)",
        "[date] started: figure 2",
        "[date] done: figure 2, in 1 s (2 of 2 jobs)",
        "[date] Done: 2 jobs in 5 s.",
    ]


def test_failure_shows_the_end_of_its_log_once(lines, tmp_path):
    (tmp_path / "a.log").write_text("Traceback\n\x1b[31mValueError: Θ\x1b[0m\n", encoding="utf-8")
    lines.show(started(1, "a.log"), failed(1, "a.log"))
    lines.view.close()
    assert lines.text.splitlines()[2:] == [
        f"[date] failed: {TITLE}; log: a.log",
        "[date]   | Traceback",
        "[date]   | ValueError: Θ",
        "[date] 1 job failed after 3 s, 0 of 2 jobs done.",
        f"[date]   {TITLE}: a.log",
        f"[date] {AGAIN}",
        "[date] Snakemake's own log, with every command: the newest file in .snakemake/log/",
    ]


def test_failure_that_starts_again(lines):
    lines.show(started(1), failed(1), record(text="Trying to restart job 1."), started(1), finished(1))
    assert lines.text.splitlines()[2:] == [
        f"[date] failed: {TITLE}; log: none",
        f"[date] starts again: {TITLE}",
        f"[date] started: {TITLE}",
        f"[date] done: {TITLE}, in 1 s (1 of 2 jobs, a few seconds left)",
    ]


def test_interruption_is_no_failure_of_the_jobs(lines):
    lines.show(started(1), interrupted(), failed(1))
    lines.view.close()
    assert lines.text.splitlines()[2:] == [
        "[date] error: Stopping the running jobs",
        "[date] Stopped after 4 s: 0 of 2 jobs done.",
        "[date] Start again to continue: finished jobs stay, and training resumes from its checkpoints.",
    ]


def test_signs_that_the_encoding_lacks_become_question_marks(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    lines = begun(encoding="ascii")
    lines.show(record(text="Θ → 2"))
    assert lines.text.endswith("[date] ? ? 2\n")


def test_what_is_no_run_is_said_as_snakemake_says_it():
    lines = Lines()
    lines.view.announce(run())
    lines.show(record(text="Creating report..."), record(text="Report created."))
    lines.view.close()
    assert lines.text == "Creating report...\nReport created.\n"


def test_nothing_to_do_ends_with_where_results_lie(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    figures = tmp_path / "results/x/figures"
    figures.mkdir(parents=True)
    (figures / "figure-2.json").touch()
    lines = Lines()
    lines.view.announce(run())
    lines.show(began(), record(text="Nothing to be done (all requested files are present and up to date)."))
    lines.view.close()
    assert lines.text.splitlines()[:2] == [
        "[date] Nothing to be done (all requested files are present and up to date).",
        "[date] Figures  results/x/figures",
    ]
    assert "snakemake --configfile config/x.yaml --report report.html" in lines.text


def test_run_that_cannot_start_ends_with_the_reason():
    lines = Lines()
    lines.view.announce(run())
    lines.show(began(), record(text="LockException:\nError: Directory cannot be locked.", level=40))
    lines.view.close()
    assert lines.text.splitlines()[-1] == "[date] error: Error: Directory cannot be locked."
