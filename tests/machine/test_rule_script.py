"""Scripts that run out of time, room or memory, as processes: one sentence on stderr."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

HANGS = "time.sleep(60)"
# ctypes.PyDLL calls C without releasing the GIL, so no other Python thread of the process can run.
HANGS_IN_C = "ctypes.PyDLL(None).sleep(60)"


def script(folder, body, limit="minutes=0.01"):
    """A script named aggregate.py whose main is ``body``."""
    path = folder / "aggregate.py"
    path.write_text(
        "import ctypes, errno, os, sys, time\nfrom ntklens.machine.rule_script import run_script\n"
        "from ntklens.storage.errors import FileError\n"
        f"def main():\n    {body}\nrun_script(main, {limit})\n",
        encoding="utf-8",
    )
    return path


def call(path, *arguments, **variables):
    return subprocess.run(
        [sys.executable, str(path), *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT / "workflow"), **variables},
        capture_output=True,
        encoding="utf-8",
        timeout=50,
    )


@pytest.mark.parametrize("body", [HANGS, HANGS_IN_C])
def test_a_script_that_hangs_is_ended_with_a_sentence(tmp_path, body):
    result = call(script(tmp_path, body), "--out", "results/Θ.h5")
    assert result.returncode == -signal.SIGKILL
    assert result.stderr.startswith("aggregate results/Θ.h5: ended because it took more than 0.01 minutes. ")
    assert len(result.stderr.splitlines()) == 1


def test_a_script_in_time_ends_as_it_likes(tmp_path):
    result = call(script(tmp_path, "print(os.getpid()); sys.exit('as it likes')", limit="minutes=5"))
    assert (result.returncode, result.stderr) == (1, "as it likes\n")


def test_scripts_without_a_limit_are_not_ended(tmp_path):
    result = call(script(tmp_path, "time.sleep(1)", limit="minutes=None"), NTKLENS_MINUTES="0.001")
    assert (result.returncode, result.stderr) == (0, "")


def test_the_environment_sets_another_limit(tmp_path):
    longer = call(script(tmp_path, "time.sleep(1)"), NTKLENS_MINUTES="5")
    assert longer.returncode == 0
    wrong = call(script(tmp_path, "pass"), "--out", "a.h5", NTKLENS_MINUTES="long")
    assert wrong.stderr == "aggregate a.h5: NTKLENS_MINUTES must be a number of minutes, not 'long'\n"


def test_the_watchdog_of_a_killed_script_ends_with_it(tmp_path):
    path = script(tmp_path, "print(os.getpid(), flush=True); time.sleep(60)", limit="minutes=5")
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "workflow")}
    # The watchdog inherits stdout, so this pipe closes only when it ends too.
    with subprocess.Popen([sys.executable, str(path)], env=environment, stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        process.kill()
        assert process.communicate(timeout=60) == (b"", None)  # before its limit of five minutes


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (
            "raise OSError(errno.ENOSPC, 'No space left on device', 'fit.json')",
            "fit.json: No space left on device. Make room, then start again: what is finished stays",
        ),
        ("open('no such file')", "no such file: No such file or directory"),
        ("raise OSError('a damaged\\n file')", "a damaged file"),
        ("raise FileError('a.h5 is damaged: delete it')", "a.h5 is damaged: delete it"),
        ("raise MemoryError", "there is not enough memory (none is left)"),
        ("raise MemoryError('for an array')", "there is not enough memory (for an array)"),
    ],
)
def test_what_the_machine_lacks_is_said_in_one_sentence(tmp_path, body, sentence):
    result = call(script(tmp_path, body), "--out", "a.h5")
    assert (result.returncode, result.stderr) == (1, f"aggregate a.h5: {sentence}\n")


def test_other_errors_keep_their_traceback(tmp_path):
    result = call(script(tmp_path, "raise KeyError('ntk_trace')"))
    assert "Traceback" in result.stderr
