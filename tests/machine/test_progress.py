import pytest
from ntklens.machine import progress
from ntklens.machine.progress import Progress, described

VALUES = {"train_loss": 0.5, "test_loss": 1.25, "train_accuracy": 0.75, "test_accuracy": 0.5}


def test_losses_and_accuracies_in_words():
    assert described(VALUES) == "train loss 0.5000, test loss 1.2500, accuracies 0.750 and 0.500"


def test_line_says_epoch_values_and_seeds_finished(monkeypatch, capsys):
    monkeypatch.setattr(progress, "INTERVAL", 0.0)
    Progress()(40, lambda: (VALUES, 2, 5))
    assert capsys.readouterr().err.endswith(f"s] epoch 40: {described(VALUES)}, 2 of 5 seeds finished\n")


@pytest.mark.parametrize(("epoch", "interval"), [(0, 0.0), (40, 1000.0)])
def test_nothing_is_said_or_computed_at_the_start_or_too_soon(monkeypatch, capsys, epoch, interval):
    monkeypatch.setattr(progress, "INTERVAL", interval)

    def fail():
        raise AssertionError("computed for nothing")

    Progress()(epoch, fail)
    assert capsys.readouterr().err == ""


def test_lines_are_at_least_an_interval_apart(monkeypatch, capsys):
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    report = Progress()
    for epoch in range(20, 100, 20):
        now[0] += 0.6 * progress.INTERVAL
        report(epoch, lambda: (VALUES, 2, 5))
    shown = capsys.readouterr().err.splitlines()
    assert [line.partition("] ")[2][:8] for line in shown] == ["epoch 40", "epoch 80"]
