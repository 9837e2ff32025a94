"""A replacement for conda, which executes the commands that Snakemake calls by venv and pip.

An environment then contains the packages that its file lists, at the listed versions, and their dependencies,
at the versions of the lock. Snakemake does the rest as usual: it chooses the environment of each rule, runs
the post-deploy script, and activates the environment before a job.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

from tests.support.environment_files import LOCKS, packages, pins

VERSION = "24.7.1"  # the oldest version that Snakemake accepts
# conda inserts an environment into the PATH where its previous one was, which may be behind a virtual
# environment that was activated after conda's base. Here too it is behind a `python`, which no job may call.
ACTIVATE = 'export CONDA_PREFIX="$1" PATH="$PATH:$1/bin"\n'
OTHER_PYTHON = "#!/bin/sh\necho 'a job ran the python of no environment' >&2\nexit 1\n"
COMMAND = """#!{executable}
import sys
sys.path[:0] = {path}
from tests.environments.conda_by_pip import main
main(sys.argv[1:], {prefix!r}, {pythons})
"""


def install(prefix, pythons):
    """Write `conda`, `activate` and a `python` that fails to ``prefix``/bin.

    ``pythons`` maps each Python version to the interpreter that environments of this version are made with.
    """
    command = COMMAND.format(executable=sys.executable, path=sys.path, prefix=str(prefix), pythons=pythons)
    folder = prefix / "bin"
    folder.mkdir(parents=True)
    for name, content in (("conda", command), ("activate", ACTIVATE), ("python", OTHER_PYTHON)):
        (folder / name).write_text(content, encoding="utf-8")
        (folder / name).chmod(0o755)


def main(arguments, prefix, pythons):
    match arguments:
        case ["--version"]:
            print(f"conda {VERSION}")
        case ["info", "--json"]:
            print(json.dumps({"conda_prefix": prefix, "platform": "linux-64"}))
        case ["config", "--get", "channel_priority", "--json"]:
            print(json.dumps({"get": {"channel_priority": "strict"}}))
        case ["env", "create", *options]:
            parser = argparse.ArgumentParser()
            parser.add_argument("--file", type=Path)
            parser.add_argument("--prefix", type=Path)
            known, _ = parser.parse_known_args(options)
            create(known.file, known.prefix, pythons)
        case ["clean", *_]:
            pass
        case _:
            sys.exit(f"this stand-in for conda does not know {arguments}")


def create(file, prefix, pythons):
    """Make the environment that ``file`` describes at ``prefix``. Fails if pip or the locks refuse."""
    listed = packages(file)
    python = listed.pop("python").version
    pip = [] if listed.pop("pip", None) else ["--without-pip"]
    subprocess.run([pythons[python], "-m", "venv", *pip, prefix], check=True)
    versions = {package.name: package.version for package in listed.values()}
    constraints = prefix / "constraints.txt"
    constraints.write_text("\n".join(_requirements(lock_of(versions, python))), encoding="utf-8")
    subprocess.run(
        [sys.executable, "-m", "pip", "--python", prefix / "bin/python", "install", "--quiet"]
        + ["--disable-pip-version-check", "--constraint", constraints, *_requirements(versions)],
        check=True,
    )


def lock_of(versions, python):
    """The pins of the lock that contains all of ``versions``, by package. Exits if none does."""
    for lock in LOCKS:
        found = pins(lock, python)
        if versions.items() <= found.items():
            return found
    sys.exit(f"no lock has {' '.join(_requirements(versions))} for Python {python}")


def _requirements(versions):
    return [f"{name}=={version}" for name, version in sorted(versions.items())]
