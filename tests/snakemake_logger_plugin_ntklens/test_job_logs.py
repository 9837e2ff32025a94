"""The logs are written here by what writes those of jobs."""

import pytest
from ntklens.machine import progress
from snakemake_logger_plugin_ntklens.job_logs import (
    Position,
    end_of,
    in_words,
    last_lines,
    position_of,
    printable,
)

VALUES = {"train_loss": 0.5, "test_loss": 1.25, "train_accuracy": 0.75, "test_accuracy": 0.5}


@pytest.fixture
def log_of_training(monkeypatch, capsys):
    """A function: the log of training with reports at these epochs."""
    monkeypatch.setattr(progress, "INTERVAL", 0.0)

    def written(*epochs):
        report = progress.Progress()
        for epoch in epochs:
            report(epoch, lambda: (VALUES, 2, 5))
        return capsys.readouterr().err

    return written


def test_position_is_that_of_the_last_report(log_of_training):
    assert position_of(log_of_training(20, 40)) == Position(40, "0.5000", "1.2500", 2, 5)


def test_position_in_words(log_of_training):
    words = "epoch 40, train loss 0.5000, test loss 1.2500, 2 of 5 seeds finished"
    assert in_words(log_of_training(40)) == words


def test_log_that_ends_in_seeds_is_of_a_job_whose_seeds_are_finished(log_of_training):
    text = log_of_training(40) + "seed 0: ok, least test loss 1.0091 at epoch 25\n"
    assert in_words(text) == "all seeds finished"


def test_log_of_calibration_in_words():
    text = "scale 8, rate → minima: 0.0171 → (32, 53)\nscale 32, rate → minima: 0.022 → (13, 12)\n"
    assert in_words(text) == "2 trials of learning rates, the last at scale 32"
    assert in_words(text.splitlines()[0]) == "1 trial of learning rates, the last at scale 8"


@pytest.mark.parametrize("text", ["", "a warning\n", "epoch 4: train loss"])
def test_log_that_says_nothing_gives_no_words(text):
    assert in_words(text) == ""


def test_end_of_a_long_log_is_read_alone(tmp_path):
    log = tmp_path / "a.log"
    log.write_text("x" * 50 + "ü end", encoding="utf-8")
    assert end_of(log, most=5) == "� end"
    assert end_of(tmp_path / "none.log") == ""


def test_last_lines_are_those_with_text(tmp_path):
    log = tmp_path / "a.log"
    log.write_text("one\ntwo\n\n\x1b[31mthree\x1b[0m\r\n  four\t4\n\n", encoding="utf-8")
    assert last_lines(log, 3) == ["two", "three", "  four  4"]
    assert last_lines(tmp_path / "none.log", 3) == []


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2K\x1b[1Aup", "up"),
        ("\x1b]0;title\x07text", "text"),
        ("\x1b]8;;https://x\x1b\\link", "link"),
        ("bell\x07 back\x08", "bell back"),
        ("\x9b2J c1", "2J c1"),
        ("Θ → 2", "Θ → 2"),
    ],
)
def test_control_characters_are_left_out(text, shown):
    assert printable(text) == shown
