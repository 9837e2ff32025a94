"""Scripts killed in the middle of writing, then called again under an odd environment: the same bytes.

The kernel itself kills them, with SIGXFSZ, when a file becomes larger than it may. They can no more clean up
than after SIGKILL. Killed training scripts, which resume, are in tests/scripts/test_kills.py.
"""

import signal

import pytest

from tests.support.rule_commands import RULES, TRAINING

pytestmark = pytest.mark.slow

# Python ignores SIGXFSZ when it starts; this is loaded right after that.
FATAL = "import signal\nsignal.signal(signal.SIGXFSZ, signal.SIG_DFL)\n"
# Nothing that a script needs: no UTF-8, no home, no temporary folder.
ODD = {
    "LC_ALL": "C",
    "LANG": None,
    "PYTHONUTF8": "0",
    "PYTHONCOERCECLOCALE": "0",
    "HOME": "/nonexistent",
    "XDG_CACHE_HOME": None,
    "XDG_CONFIG_HOME": None,
    "TMPDIR": "/nonexistent",
    "USER": None,
    "LOGNAME": None,
}
LARGEST = {"infinite_width": 0}  # kilobytes of a file, otherwise 1: all other outputs are larger
PARTIAL = ".partial-*"
NAME = """it's "a" $(touch pwned) `id` \\ Θ;&*{x}\n"""


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule not in TRAINING])
def test_killed_while_writing_it_leaves_nothing_that_looks_whole(commands, tmp_path, rule):
    (tmp_path / "sitecustomize.py").write_text(FATAL, encoding="utf-8")
    ended = commands.call(
        rule,
        tmp_path / "out",
        f"ulimit -f {LARGEST.get(rule, 1)}",
        PYTHONPATH=f"{tmp_path}:{commands.repository / 'workflow'}",
        PYTHONDONTWRITEBYTECODE="1",
    )
    assert ended.code == -signal.SIGXFSZ, ended.stderr
    files = list(ended.output.parent.iterdir())
    assert [path.match(PARTIAL) for path in files] == [True]
    commands.assert_same(rule, commands.call(rule, tmp_path / "out"))


@pytest.mark.parametrize("rule", RULES)
def test_odd_environments_and_paths_change_no_byte(commands, tmp_path, rule):
    ended = commands.call(rule, tmp_path / NAME, "umask 077", **ODD)
    commands.assert_same(rule, ended)
    assert "Traceback" not in ended.stderr
    assert ended.output.stat().st_mode & 0o777 == 0o600
    assert not list(commands.repository.folder.glob("pwned"))
