"""Every rule's script with its output on a full disk, then with room: one sentence, then the same bytes."""

import subprocess
from contextlib import suppress

import pytest

from tests.support.rule_commands import RULES, TRAINING

pytestmark = pytest.mark.slow


def fill(folder):
    """Write a file until the disk of ``folder`` is full."""
    with (folder / "filling").open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))


def check_sentence(ended, reason):
    """One line, after what the script reports of its work, names the output and the ``reason``."""
    assert ended.code == 1
    assert "Traceback" not in ended.stderr
    last = ended.stderr.splitlines()[-1]
    assert str(ended.output) in last
    assert reason in last


@pytest.mark.parametrize("rule", RULES)
def test_full_disk_is_said_and_room_gives_the_same_bytes(commands, mounted, tmp_path, rule):
    folder = tmp_path / "disk"
    with mounted(folder, "size=200k"):
        fill(folder)
        ended = commands.call(rule, folder, NTKLENS_CHECKPOINT_SECONDS="0.001")
        check_sentence(ended, ": No space left on device. Make room, then start again")
        assert ("no checkpoint written" in ended.stderr) == (rule in TRAINING)
        assert [path.name for path in folder.iterdir()] == ["filling"]
        (folder / "filling").unlink()
        subprocess.run(["mount", "-o", "remount,size=50m", str(folder)], check=True)
        commands.assert_same(rule, commands.call(rule, folder))


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule not in TRAINING])
def test_read_only_folder_is_said(commands, mounted, tmp_path, rule):
    folder = tmp_path / "disk"
    with mounted(folder, "ro"):
        check_sentence(commands.call(rule, folder), ": Read-only file system")


# This one needs no root.
@pytest.mark.parametrize("rule", ["train", "figure_4"])
def test_limit_of_file_sizes_is_said(commands, tmp_path, rule):
    variables = {"NTKLENS_CHECKPOINT_SECONDS": "0.001", "PYTHONDONTWRITEBYTECODE": "1"}
    ended = commands.call(rule, tmp_path / "out", "ulimit -f 1", **variables)
    check_sentence(ended, ": File too large. Make room, then start again")
    assert ("no checkpoint written" in ended.stderr) == (rule == "train")
    assert list(ended.output.parent.iterdir()) == []
