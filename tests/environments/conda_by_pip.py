"""A stand-in for conda: the few commands that Snakemake gives it, carried out with venv and pip.

An environment then holds what its file lists, at the versions listed, what those packages depend on, at the
versions of the lock, and nothing else. The rest is Snakemake's own doing: which rule gets which
environment, the script that runs after one is made, the activation before a job.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

from tests.support.environment_files import LOCKS, packages, pins

VERSION = "24.7.1"  # the oldest that Snakemake takes
# conda puts an environment where its last one stood in the PATH: behind a virtual environment activated
# after conda's base. So it is here, behind a `python` that is not to be called.
ACTIVATE = 'export CONDA_PREFIX="$1" PATH="$PATH:$1/bin"\n'
OTHER_PYTHON = "#!/bin/sh\necho 'a job ran the python of no environment' >&2\nexit 1\n"
COMMAND = """#!{executable}
import sys
sys.path[:0] = {path}
from tests.environments.conda_by_pip import main
main(sys.argv[1:], {prefix!r}, {pythons})
"""


def install(prefix, pythons):
    """Write ``prefix``/bin with `conda`, `activate` and that `python`.

    ``pythons`` are the interpreters {version: path} that environments are made with.
    """
    command = COMMAND.format(executable=sys.executable, path=sys.path, prefix=str(prefix), pythons=pythons)
    folder = prefix / "bin"
    folder.mkdir(parents=True)
    for name, content in (("conda", command), ("activate", ACTIVATE), ("python", OTHER_PYTHON)):
        (folder / name).write_text(content)
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
    """Make the environment that ``file`` describes at ``prefix``. Exits where pip or the locks refuse."""
    listed = packages(file)
    python = listed.pop("python").version
    pip = [] if listed.pop("pip", None) else ["--without-pip"]
    subprocess.run([pythons[python], "-m", "venv", *pip, prefix], check=True)
    versions = {package.name: package.version for package in listed.values()}
    constraints = prefix / "constraints.txt"
    constraints.write_text("\n".join(_requirements(lock_of(versions, python))))
    subprocess.run(
        [sys.executable, "-m", "pip", "--python", prefix / "bin/python", "install", "--quiet"]
        + ["--disable-pip-version-check", "--constraint", constraints, *_requirements(versions)],
        check=True,
    )


def lock_of(versions, python):
    """The pins of the lock that has all of ``versions`` {name: version}. Exits where none has."""
    for lock in LOCKS:
        found = pins(lock, python)
        if versions.items() <= found.items():
            return found
    sys.exit(f"no lock has {' '.join(_requirements(versions))} for Python {python}")


def _requirements(versions):
    return [f"{name}=={version}" for name, version in sorted(versions.items())]
