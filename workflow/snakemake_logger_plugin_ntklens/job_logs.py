"""What a job's log tells: how far it is, and its last lines.

On a cluster the logs lie on the file system that its nodes share, so this works there too.
"""

import os
import re
from pathlib import Path
from typing import NamedTuple

from snakemake_logger_plugin_ntklens.words import count

# A line of ntklens.machine.progress.Progress.
PROGRESS = re.compile(
    r"epoch (?P<epoch>\d+): train loss (?P<train>\S+), test loss (?P<test>\S+), "
    r"accuracies (?P<train_accuracy>\S+) and (?P<test_accuracy>\S+), "
    r"(?P<finished>\d+) of (?P<seeds>\d+) seeds? finished"
)
SEED = re.compile(r"^seed \d+: ", re.MULTILINE)  # one for each seed, when all are finished
TRIAL = re.compile(r"^scale (?P<scale>\d+), rate → minima: (?P<minima>.*)$", re.MULTILINE)  # of calibrate
END_OF_LOG = 16_384  # bytes that are read
ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class Position(NamedTuple):
    """How far a training job is: its epoch, mean losses as its log has them, and seeds finished."""

    epoch: int
    train_loss: str
    test_loss: str
    finished: int
    seeds: int


def end_of(path: str | os.PathLike[str], most: int = END_OF_LOG) -> str:
    """The last ``most`` bytes of a log as text; empty if there is none."""
    try:
        with Path(path).open("rb") as log:
            log.seek(max(os.fstat(log.fileno()).st_size - most, 0))
            return log.read(most).decode("utf-8", "replace")
    except OSError:
        return ""


def last_lines(path: str | os.PathLike[str], count: int) -> list[str]:
    """The last ``count`` lines of a log that are not blank, without control characters."""
    lines = [printable(line).rstrip() for line in end_of(path).splitlines()]
    return [line for line in lines if line.strip()][-count:]


def printable(text: str) -> str:
    """``text`` without escape sequences and other control characters; tabs become spaces."""
    return UNPRINTABLE.sub("", ESCAPES.sub("", text)).expandtabs(4)


def position_of(text: str) -> Position | None:
    """The last `Position` that the end of a training job's log tells; None if there is none yet."""
    lines = list(PROGRESS.finditer(text))
    if not lines:
        return None
    found = lines[-1]
    return Position(
        int(found["epoch"]), found["train"], found["test"], int(found["finished"]), int(found["seeds"])
    )


def in_words(text: str) -> str:
    """How far a job is, by the end of its log: in words; empty if the log tells nothing."""
    position, trials = position_of(text), TRIAL.findall(text)
    if SEED.search(text):
        return "all seeds finished"
    if position:
        losses = f"train loss {position.train_loss}, test loss {position.test_loss}"
        seeds = f"{position.finished} of {count(position.seeds, 'seed')} finished"
        return f"epoch {position.epoch}, {losses}, {seeds}"
    if trials:
        return f"{count(len(trials), 'trial')} of learning rates, the last at scale {trials[-1][0]}"
    return ""
