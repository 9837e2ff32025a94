"""Which lock `make` removes before it calls Snakemake: one that a killed Snakemake of this user left."""

import os
import subprocess
import sys

import psutil
import pytest
from ntklens.machine import live_runs, locks

from workflow import release_lock


@pytest.fixture
def lock(tmp_path, monkeypatch):
    """The file of a lock on the folder that this process works in, where a config is invalid."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / ".snakemake/locks/0.output.lock"
    path.parent.mkdir(parents=True)
    path.touch()
    (tmp_path / "config").mkdir()
    (tmp_path / "config/config.yaml").write_text("no: config", encoding="utf-8")
    return path


@pytest.fixture
def beside():
    """A process whose command line names Snakemake, in another folder."""
    process = subprocess.Popen([sys.executable, "-", "snakemake"], stdin=subprocess.PIPE, cwd="/")
    yield process
    process.communicate()


def test_lock_of_a_killed_call_is_removed_whatever_the_config(lock, beside, capsys):
    release_lock.main()
    assert not lock.exists()
    assert "removing the lock" in capsys.readouterr().err


def test_lock_of_another_user_stays(lock, monkeypatch, capsys):
    somebody = os.getuid() + 1
    monkeypatch.setattr("os.getuid", lambda: somebody)
    release_lock.main()
    assert lock.exists()
    assert capsys.readouterr().err == f"the lock stays: it is that of another user ({somebody - 1})\n"


def test_lock_stays_if_a_snakemake_does_not_say_where_it_works(lock, beside, monkeypatch, capsys):
    cwd = psutil.Process.cwd

    def denied(process):
        if process.pid == beside.pid:
            raise psutil.AccessDenied(process.pid)
        return cwd(process)

    monkeypatch.setattr("psutil.Process.cwd", denied)
    release_lock.main()
    assert lock.exists()
    said = f"the lock stays: it may be that of process {beside.pid}, another user's\n"
    assert capsys.readouterr().err == said


def test_lock_stays_while_a_run_lives_on_another_machine(lock, capsys):
    live = locks.lock(live_runs.lock_file(), shared=True)
    release_lock.main()
    assert lock.exists()
    assert "on another machine" in capsys.readouterr().err
    os.close(live)
    release_lock.main()
    assert not lock.exists()


def test_without_a_lock_nothing_is_said(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    release_lock.main()
    assert capsys.readouterr().err == ""
