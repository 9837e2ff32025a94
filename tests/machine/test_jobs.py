"""What the training scripts share: how much memory an NTK may take, and which checkpoint is a job's own."""

import argparse

import pytest
from ntklens.kernel.ntk import MEMORY
from ntklens.machine import jobs

RECORD = {"settings": {"width": 8}, "inputs": {"subset.h5": "abc"}, "commit": "0123", "seeds": [0, 1]}


def arguments(*given):
    parser = argparse.ArgumentParser()
    jobs.add_arguments(parser)
    return parser.parse_args(given)


@pytest.fixture
def script(tmp_path):
    path = tmp_path / "script.py"
    path.write_text("import ntklens.storage.status\n")
    return path


def saved_by(tmp_path, script, record=RECORD):
    """What a job with this ``record`` finds, after one with `RECORD` was killed."""
    args = arguments("--checkpoint", str(tmp_path / "job.npz"))
    jobs.open_checkpoint(args, script, RECORD).save({"epoch": 3}, {})
    return lambda: jobs.open_checkpoint(args, script, record).saved


@pytest.mark.parametrize(
    ("megabytes", "expected"),
    [(None, MEMORY), (100_000, MEMORY), (1000, 500_000_000), (1, 500_000)],
)
def test_kernels_keep_within_half_of_the_job(megabytes, expected):
    given = [] if megabytes is None else ["--memory", str(megabytes)]
    assert jobs.ntk_memory(arguments(*given)) == expected


def test_no_checkpoint_unless_asked_for(script):
    assert jobs.open_checkpoint(arguments(), script, RECORD) is None


def test_same_job_goes_on(tmp_path, script):
    assert saved_by(tmp_path, script)().position == {"epoch": 3}


def test_other_commit_with_the_same_code_goes_on(tmp_path, script):
    assert saved_by(tmp_path, script, {**RECORD, "commit": "4567"})() is not None


@pytest.mark.parametrize(
    "change", [{"settings": {"width": 9}}, {"inputs": {"subset.h5": "d"}}, {"seeds": [2]}]
)
def test_other_job_starts_anew(tmp_path, script, change):
    assert saved_by(tmp_path, script, {**RECORD, **change})() is None


def test_changed_code_starts_anew(tmp_path, script):
    saved = saved_by(tmp_path, script)
    script.write_text("import ntklens.storage.status  # changed\n")
    assert saved() is None


def test_seconds_come_from_the_environment(tmp_path, script, monkeypatch):
    monkeypatch.setenv("NTKLENS_CHECKPOINT_SECONDS", "0")
    checkpoint = jobs.open_checkpoint(arguments("--checkpoint", str(tmp_path / "job.npz")), script, RECORD)
    assert not checkpoint.due()


def test_every_device_of_a_job_is_recorded(tmp_path, script, monkeypatch):
    args = arguments("--checkpoint", str(tmp_path / "job.npz"))
    for device in ("GPU A", "GPU B"):
        monkeypatch.setattr(jobs, "description", lambda device=device: {"device": device})
        checkpoint = jobs.open_checkpoint(args, script, RECORD)
        checkpoint.save({"epoch": 3}, {})
    assert jobs.device_attributes(checkpoint)["device"] == "GPU A, then GPU B"
    assert jobs.device_attributes(None)["device"] == "GPU B"
