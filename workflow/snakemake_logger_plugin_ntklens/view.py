"""A run's progress, shown: on a terminal one live view, elsewhere one line per event."""

import os
import threading
import time
from collections.abc import Callable
from logging import ERROR, LogRecord
from typing import Protocol, TextIO

from snakemake_logger_plugin_ntklens import events
from snakemake_logger_plugin_ntklens.closing import closing
from snakemake_logger_plugin_ntklens.plan import Plan, Run
from snakemake_logger_plugin_ntklens.run_state import Failure, Job, RunState


class Screen(Protocol):
    """Where a run is shown. Each method is called after the state has taken note of the event."""

    def began(self) -> None:
        """Snakemake is about to run jobs; messages before this tell of something else."""

    def planned(self, state: RunState, now: float) -> None:
        """The jobs are known."""

    def started(self, state: RunState, job: Job, now: float) -> None:
        """A job was started or submitted."""

    def finished(self, state: RunState, job: Job, seconds: float, now: float) -> None:
        """A job ended well, after ``seconds``."""

    def failed(self, state: RunState, failure: Failure) -> None:
        """A job failed."""

    def retried(self, failure: Failure) -> None:
        """A job that failed will start again."""

    def message(self, text: str, level: int) -> None:
        """Anything else that people should read, with its level in Python's logging."""

    def tick(self, state: RunState, now: float) -> None:
        """A second has passed."""

    def close(self, lines: list[str], good: bool) -> None:
        """The run has ended; ``lines`` are the last words."""


class View:
    """Takes Snakemake's records, keeps the state of the run, and has a `Screen` show it.

    Records come from one thread of Snakemake, the plan from another, and a third has the clock tick. So each
    call holds one lock, and a screen needs none of its own.
    """

    def __init__(self, screen: Screen, clock: Callable[[], float] = time.monotonic) -> None:
        self._screen, self._clock, self._lock = screen, clock, threading.RLock()
        self._state = RunState(clock())
        self._ended = threading.Event()
        threading.Thread(target=self._tick, daemon=True).start()

    def announce(self, run: Run) -> None:
        """Take note of what the Snakefile knows of the run."""
        with self._lock:
            self._state.run = run

    def expect(self, plan: Plan) -> None:
        """Take note of the jobs, before they start."""
        with self._lock:
            self._state.plan = plan
            self._screen.planned(self._state, self._clock())

    def show(self, record: LogRecord) -> None:
        """Show what a record tells of, if people should know."""
        event = events.event_of(record)
        if event is not None:
            with self._lock:
                self._take(event, self._clock())

    def close(self) -> None:
        """Show how the run ended."""
        self._ended.set()
        with self._lock:
            self._screen.close(closing(self._state, self._clock()), self._state.complete)

    def _take(self, event: events.Event, now: float) -> None:
        state, screen = self._state, self._screen
        match event:
            case events.Began():
                state.is_run = True
                screen.began()
            case events.Started():
                if job := state.start(event, now):
                    screen.started(state, job, now)
            case events.Finished():
                if ended := state.finish(event, now):
                    screen.finished(state, *ended, now)
            case events.Failed():
                self._fail(event)
            case events.Retried():
                if failure := state.retry(event):
                    screen.retried(failure)
            case events.Stopping(graceful):
                state.stopped = True
                waits = "once the running jobs have ended" if graceful else "the running jobs"
                screen.message(f"Stopping {waits}", ERROR)
            case events.Message(text, level):
                state.refused |= level >= ERROR and state.plan is None
                screen.message(text, level)

    def _fail(self, event: events.Failed) -> None:
        failure = self._state.fail(event)
        # Ctrl-C ends the jobs too, each with an error.
        if not self._state.stopped:
            self._screen.failed(self._state, failure)

    def _tick(self) -> None:
        while not self._ended.wait(1.0):
            with self._lock:
                if not self._ended.is_set():
                    now = self._clock()
                    for job in self._state.running.values():
                        job.look(now)
                    self._screen.tick(self._state, now)


def view_on(stream: TextIO, plain: bool, colour: bool) -> View:
    """The `View` on ``stream``: live if that is a terminal that can move its cursor, and not ``plain``."""
    if plain or not stream.isatty() or os.environ.get("TERM", "dumb") in ("dumb", "unknown"):
        from snakemake_logger_plugin_ntklens.plain_lines import PlainLines

        return View(PlainLines(stream))
    from snakemake_logger_plugin_ntklens.live_screen import LiveScreen

    return View(LiveScreen(stream, colour))
