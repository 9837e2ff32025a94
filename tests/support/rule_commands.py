"""The commands of the smoke config's rules, for tests that call them under faults and compare the results."""

import os
import re
import shlex
import subprocess
from pathlib import Path
from typing import NamedTuple

COMMAND = r"^Shell command: (python .*?)(?: 2> \S+)?$"
RULES = (
    "fetch",
    "subsample",
    "calibrate",
    "train",
    "aggregate",
    "infinite_width",
    "adaptation_rate",
    "power_laws",
    "transition",
    "ends",
    "comparison",
    "robustness",
    "figure_4",
)
TRAINING = ("calibrate", "train")  # with JAX and checkpoints: several seconds each


class Ended(NamedTuple):
    """How a command ended; ``output`` is the file that it was to write."""

    code: int
    stderr: str
    output: Path


class RuleCommands:
    """The rules' commands in ``repository``, in which the smoke config has run.

    ``folder`` takes the table of robustness, which is no part of that run.
    """

    def __init__(self, repository, folder):
        self.repository = repository
        result = repository.snakemake("--dry-run", "--printshellcmds", "--forceall", "all", "robustness")
        assert result.returncode == 0, result.stdout + result.stderr
        blocks = re.split(r"^(?:local)?rule (\w+):\n", result.stdout, flags=re.MULTILINE)[1:]
        commands = {}
        for rule, block in zip(blocks[::2], blocks[1::2], strict=True):
            commands.setdefault(rule, []).extend(re.findall(COMMAND, block, re.MULTILINE))
        # Jobs of one rule differ in nothing that matters here.
        self._commands = {rule: max(own) for rule, own in commands.items() if own}
        self._usual = {rule: repository / _output(own) for rule, own in self._commands.items()}
        self._usual["robustness"] = self.call("robustness", folder).output

    def call(self, rule, folder, before="true", **variables):
        """Call the command of ``rule`` with ``folder`` for its output, after the shell command ``before``.

        ``variables`` are those of its environment; None removes one.
        """
        folder.mkdir(exist_ok=True)
        command = self._commands[rule]
        output = folder / Path(_output(command)).name
        state = shlex.quote(str(folder / "state.npz"))
        command = command.replace(f"--out {_output(command)}", f"--out {shlex.quote(str(output))}")
        command = re.sub(r"--checkpoint \S+", lambda _: f"--checkpoint {state}", command)
        environment = {
            **self.repository.environment,
            "PYTHONPATH": str(self.repository / "workflow"),
            "NTKLENS_COMPILATION_CACHE": str(self.repository / ".cache/xla"),
            **variables,
        }
        result = subprocess.run(
            ["bash", "-c", f"{before}; exec {command}"],
            cwd=self.repository.folder,
            env={name: value for name, value in environment.items() if value is not None},
            capture_output=True,
            timeout=300,
        )
        return Ended(result.returncode, os.fsdecode(result.stderr), output)

    def assert_same(self, rule, ended):
        """Assert that a call of ``rule`` ended well, with the bytes of the undisturbed run."""
        assert ended.code == 0, ended.stderr
        found, expected = files_beside(ended.output), files_beside(self._usual[rule])
        assert list(found) == list(expected)
        for name, path in found.items():
            assert path.read_bytes() == expected[name].read_bytes(), name


def files_beside(path):
    """The files that a script writes for the output ``path``, by name: they differ in their suffixes."""
    return {own.name: own for own in sorted(path.parent.glob(f"{path.stem}.*"))}


def _output(command):
    return re.search(r"--out (\S+)", command)[1]
