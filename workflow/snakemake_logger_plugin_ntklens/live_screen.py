"""One live view at the bottom of a terminal; what ends or fails scrolls by above it."""

from collections.abc import Iterator
from logging import ERROR, INFO, WARNING
from typing import TextIO

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text

from snakemake_logger_plugin_ntklens.job_logs import printable
from snakemake_logger_plugin_ntklens.run_state import Failure, Job, RunState
from snakemake_logger_plugin_ntklens.words import about, count, duration

FIXED = 8  # lines at most of the view that are not about running jobs, and one to write on
BAR = 40  # columns


class _Terminal(Console):
    """A terminal whose cursor stays visible, so that it is visible even after a SIGKILL."""

    def show_cursor(self, show: bool = True) -> bool:
        """Leave the cursor alone."""
        return False


class LiveScreen:
    """A `Screen` on a terminal. Colours follow ``colour``, NO_COLOR and what the terminal can show."""

    def __init__(self, stream: TextIO, colour: bool) -> None:
        self._console = _Terminal(
            file=stream, no_color=None if colour else True, highlight=False, markup=False, emoji=False
        )
        self._live: Live | None = None

    def began(self) -> None:
        """The view starts once the jobs are known."""

    def planned(self, state: RunState, now: float) -> None:
        """Start the live view."""
        self._live = Live(console=self._console, auto_refresh=False, transient=True)
        self._live.start()
        self.tick(state, now)

    def started(self, state: RunState, job: Job, now: float) -> None:
        """A job was started or submitted."""
        self.tick(state, now)

    def finished(self, state: RunState, job: Job, seconds: float, now: float) -> None:
        """A job ended well; what people asked for is said for good."""
        if state.plan and job.rule in state.plan.figures:
            picture = next((path for path in job.outputs if path.endswith(".png")), job.outputs[0])
            self._print(self._sign("✓", "done:"), "green", f"{job.title}  {picture}")
        self.tick(state, now)

    def failed(self, state: RunState, failure: Failure) -> None:
        """A job failed: its log, and the log's last lines."""
        self._print(self._sign("✗", "failed:"), "bold red", failure.title)
        self._line(f"  log: {failure.log or 'none'}", "red")
        for line in failure.lines:
            self._line(f"  │ {line}" if self._has_symbols else f"  | {line}", "dim")

    def retried(self, failure: Failure) -> None:
        """A job that failed will start again."""
        self._print(self._sign("↻", "again:"), "yellow", f"{failure.title} starts again")

    def message(self, text: str, level: int) -> None:
        """Anything else that people should read; details are in Snakemake's log."""
        if level >= INFO:
            self._line(text, "red" if level >= ERROR else "yellow" if level >= WARNING else "")

    def tick(self, state: RunState, now: float) -> None:
        """Draw the view anew."""
        if self._live:
            self._live.update(Group(*self._rows(state, now)), refresh=True)

    def close(self, lines: list[str], good: bool) -> None:
        """Remove the live view and say the last words."""
        if self._live:
            self._live.stop()
            self._console.print()
        for number, line in enumerate(lines):
            self._line(line, ("bold green" if good else "bold red") if number == 0 else "")

    def _rows(self, state: RunState, now: float) -> Iterator[RenderableType]:
        """The view from top to bottom."""
        yield Text()
        yield self._one_line(_heading(state), "bold")
        yield self._bar(state, _times(state, now))
        if state.plan and state.plan.figures:
            yield self._one_line(_figures(state))
        if state.left:
            yield self._one_line(_left(state), "dim")
        yield from self._jobs(state, now)

    def _bar(self, state: RunState, beside: str) -> Text:
        """The share of jobs that are done, as a bar, and ``beside`` it a text."""
        length = max(min(self._console.width - len(beside) - 2, BAR), 0)
        done = length * len(state.finished) // max(state.total, 1)
        full, empty = ("━", "─") if self._has_symbols else ("#", "-")
        return Text.assemble((done * full, "green"), ((length - done) * empty, "dim"), f"  {beside}")

    def _jobs(self, state: RunState, now: float) -> Iterator[RenderableType]:
        """The running jobs, as many as there is room for; those in a queue come last."""
        jobs = sorted(state.running.values(), key=lambda job: job.queued)
        room = max(self._console.height - FIXED, 2)
        two_lines = 2 * len(jobs) <= room
        shown = jobs if len(jobs) <= room else jobs[: room - 1]
        for job in shown:
            yield from self._job(job, now, two_lines)
        if len(jobs) > len(shown):
            yield self._one_line(f"  and {count(len(jobs) - len(shown), 'more job')}", "dim")

    def _job(self, job: Job, now: float, two_lines: bool) -> Iterator[RenderableType]:
        time = "" if job.queued else duration(now - job.since)
        first = f"{self._sign('▸', '>')} {job.title}  {time}".rstrip()
        at = job.at
        if not two_lines:
            yield self._one_line(f"{first}  {at}".rstrip())
            return
        yield self._one_line(first)
        if at:
            yield self._one_line(f"    {at}")

    @property
    def _has_symbols(self) -> bool:
        return self._console.encoding.lower().startswith("utf")

    def _sign(self, symbol: str, word: str) -> str:
        return symbol if self._has_symbols else word

    def _print(self, sign: str, style: str, text: str) -> None:
        """A line for good, above the view, with a coloured sign in front."""
        self._console.print(Text.assemble((sign, style), " ", self._plain(text)), soft_wrap=True)

    def _line(self, text: str, style: str) -> None:
        """Lines for good, above the view."""
        for line in text.splitlines():
            self._console.print(Text(self._plain(line), style=style), soft_wrap=True)

    def _one_line(self, text: str, style: str = "") -> Text:
        """A line of the view, cut off where the terminal ends."""
        overflow = "ellipsis" if self._has_symbols else "crop"
        return Text(self._plain(text), style=style, no_wrap=True, overflow=overflow)

    def _plain(self, text: str) -> str:
        """``text`` without control characters and without signs that the terminal lacks."""
        encoding = self._console.encoding
        return printable(text).encode(encoding, "replace").decode(encoding)


def _heading(state: RunState) -> str:
    name = f"ntk-lens, config {state.run.name}" if state.run else "ntk-lens"
    queued = sum(job.queued for job in state.running.values())
    parts = [f"{len(state.finished)} of {count(state.total, 'job')} done"]
    parts.append(f"{len(state.running) - queued} running")
    if queued:
        parts.append(f"{queued} in the queue")
    if state.failed:
        parts.append(f"{len(state.failed)} failed")
    return f"{name}: {', '.join([*parts, f'{state.left} left'])}"


def _times(state: RunState, now: float) -> str:
    left = state.seconds_left(now)
    rest = f", {about(left)} left" if left else ""
    return f"{duration(now - state.began)}{rest}"


def _figures(state: RunState) -> str:
    wanted = state.plan.figures.values() if state.plan else ()
    waiting = [key for key in wanted if key not in state.figures_drawn]
    drawn = [key for key in wanted if key in state.figures_drawn]
    parts = [f"figures wanted: {', '.join(waiting)}"] if waiting else []
    parts += [f"{'drawn' if waiting else 'figures drawn'}: {', '.join(drawn)}"] if drawn else []
    return "; ".join(parts)


def _left(state: RunState) -> str:
    return "left: " + ", ".join(f"{stage} {jobs}" for stage, jobs in state.stages_left().items())
