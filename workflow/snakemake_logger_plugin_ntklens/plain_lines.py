"""One line per event, with the time, for files and for terminals that can only write."""

import time
from collections.abc import Callable
from logging import ERROR, WARNING
from typing import TextIO

from snakemake_logger_plugin_ntklens.job_logs import printable
from snakemake_logger_plugin_ntklens.run_state import Failure, Job, RunState
from snakemake_logger_plugin_ntklens.words import about, count, duration


class PlainLines:
    """A `Screen` that writes lines, without control characters, and in the stream's encoding."""

    def __init__(self, stream: TextIO, date: Callable[[], str] | None = None) -> None:
        self._stream, self._is_run = stream, False
        self._date = date or (lambda: time.strftime("%Y-%m-%d %H:%M:%S"))

    def began(self) -> None:
        """From here on lines are those of a run. Those before it stay as Snakemake words them."""
        self._is_run = True

    def planned(self, state: RunState, now: float) -> None:
        """How much there is to do."""
        plan, left = state.plan, state.seconds_left(now)
        if plan is None or left is None:
            return
        figures = f"; figures wanted: {', '.join(plan.figures.values())}" if plan.figures else ""
        name = f"config {state.run.name}: " if state.run else ""
        self._write(f"{name}{count(state.total, 'job')}, {about(left)}{figures}")

    def started(self, state: RunState, job: Job, now: float) -> None:
        """A job was started or submitted."""
        self._write(f"{'submitted' if job.queued else 'started'}: {job.title}")

    def finished(self, state: RunState, job: Job, seconds: float, now: float) -> None:
        """A job ended well."""
        left = state.seconds_left(now)
        rest = f", {about(left)} left" if left else ""
        self._write(
            f"done: {job.title}, in {duration(seconds)} ({len(state.finished)} of {state.total} jobs{rest})"
        )

    def failed(self, state: RunState, failure: Failure) -> None:
        """A job failed: its log, and the log's last lines."""
        self._write(f"failed: {failure.title}; log: {failure.log or 'none'}")
        for line in failure.lines:
            self._write(f"  | {line}")

    def retried(self, failure: Failure) -> None:
        """A job that failed will start again."""
        self._write(f"starts again: {failure.title}")

    def message(self, text: str, level: int) -> None:
        """Each line of a message."""
        label = ""
        if self._is_run:
            label = "error: " if level >= ERROR else "warning: " if level >= WARNING else ""
        for line in text.splitlines():
            if line.strip():
                self._write(label + line)

    def tick(self, state: RunState, now: float) -> None:
        """Lines tell of events alone."""

    def close(self, lines: list[str], good: bool) -> None:
        """The last words."""
        for line in lines:
            self._write(line)

    def _write(self, text: str) -> None:
        encoding = self._stream.encoding or "utf-8"
        date = f"{self._date()} " if self._is_run else ""
        line = f"{date}{printable(text)}".encode(encoding, "replace").decode(encoding)
        self._stream.write(line + "\n")
        self._stream.flush()
