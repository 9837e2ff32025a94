"""What the training scripts share: the memory of an NTK, and the checkpoint from which a job resumes."""

import argparse

import pytest
from ntklens.machine import job_start

RECORD = {"settings": {"width": 8}, "inputs": {"subset.h5": "abc"}, "commit": "0123", "seeds": [0, 1]}


def arguments(*given):
    parser = argparse.ArgumentParser()
    job_start.add_arguments(parser)
    return parser.parse_args(given)


def found_by(tmp_path, record=RECORD, code="a digest"):
    """What a job with this ``record`` and ``code`` resumes from, after one with `RECORD` was killed."""
    args = arguments("--checkpoint", str(tmp_path / "job.npz"))
    job_start.open_checkpoint(args, RECORD, "a digest").save({"epoch": 3}, {})
    return job_start.open_checkpoint(args, record, code).saved


@pytest.mark.parametrize(
    ("megabytes", "expected"),
    [(None, None), (100_000, 50_000_000_000), (1, 500_000)],
)
def test_kernels_keep_within_half_of_the_job(megabytes, expected):
    given = [] if megabytes is None else ["--memory", str(megabytes)]
    assert job_start.ntk_memory(arguments(*given)) == expected


def test_no_checkpoint_unless_asked_for():
    assert job_start.open_checkpoint(arguments(), RECORD, "a digest") is None


def test_same_job_goes_on(tmp_path):
    assert found_by(tmp_path).position == {"epoch": 3}


def test_other_commit_with_the_same_code_goes_on(tmp_path):
    assert found_by(tmp_path, {**RECORD, "commit": "4567"}) is not None


@pytest.mark.parametrize(
    "change", [{"settings": {"width": 9}}, {"inputs": {"subset.h5": "d"}}, {"seeds": [2]}]
)
def test_other_job_starts_anew(tmp_path, change):
    assert found_by(tmp_path, {**RECORD, **change}) is None


def test_changed_code_starts_anew(tmp_path):
    assert found_by(tmp_path, code="another digest") is None


def test_job_on_another_backend_starts_anew(tmp_path, monkeypatch):
    assert found_by(tmp_path) is not None
    monkeypatch.setattr(job_start.jax, "default_backend", lambda: "another")
    args = arguments("--checkpoint", str(tmp_path / "job.npz"))
    assert job_start.open_checkpoint(args, RECORD, "a digest").saved is None


def test_finished_job_leaves_no_checkpoint(tmp_path):
    args = arguments("--checkpoint", str(tmp_path / "job.npz"))
    checkpoint = job_start.open_checkpoint(args, RECORD, "a digest")
    checkpoint.save({"epoch": 3}, {})
    job_start.finish(checkpoint)
    assert list(tmp_path.iterdir()) == []
    job_start.finish(None)


def test_seconds_come_from_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("NTKLENS_CHECKPOINT_SECONDS", "0")
    checkpoint = job_start.open_checkpoint(
        arguments("--checkpoint", str(tmp_path / "job.npz")), RECORD, "a digest"
    )
    assert not checkpoint.due()


def test_every_device_of_a_job_is_recorded(tmp_path, monkeypatch):
    args = arguments("--checkpoint", str(tmp_path / "job.npz"))
    for device in ("GPU A", "GPU B"):
        monkeypatch.setattr(job_start, "description", lambda device=device: {"device": device})
        checkpoint = job_start.open_checkpoint(args, RECORD, "a digest")
        checkpoint.save({"epoch": 3}, {})
    assert job_start.device_attributes(checkpoint)["device"] == "GPU A, then GPU B"
    assert job_start.device_attributes(None)["device"] == "GPU B"
