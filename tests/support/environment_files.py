"""What the conda environments in envs/ list, what the locks pin, and what the scripts of the rules import."""

import ast
import re
import sys
from pathlib import Path
from typing import NamedTuple

import yaml
from ntklens.data.settings import OPTIONAL_MODULES
from ntklens.storage.import_closure import import_closure
from packaging.markers import Marker
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
CATALOGUE = ROOT / "workflow/ntklens/figures/catalogue.py"
ENVIRONMENTS = {path.stem: path for path in sorted((ROOT / "envs").glob("*.yaml"))}
LOCKS = (ROOT / "requirements.lock", ROOT / "requirements-oracle.lock")
CUDA_LOCK = ROOT / "requirements-cuda.lock"  # what `make setup-cuda` adds to the first
# The catalogue is for Snakemake: no script loads it.
FIGURES = sorted({*(ROOT / "workflow/ntklens/figures").glob("[a-z]*.py")} - {CATALOGUE})
TRAINERS = ("ntklens.training.full_batch", "ntklens.training.mini_batch")
OWN_LOCK = {"neural-tangents": LOCKS[1]}  # the others are of the first

# What PyPI, and so a lock, calls a package by another name than conda-forge: there "matplotlib" brings Qt.
PYPI_NAMES = {"matplotlib-base": "matplotlib"}
# Packages whose module has another name.
DISTRIBUTIONS = {"PIL": "pillow", "sklearn": "scikit-learn", "yaml": "pyyaml"}

# Modules that scripts load by name, which no import statement tells.
LOADED_BY_NAME = {
    "fetch.py": ["ntklens.data.download"],
    "calibrate.py": [*TRAINERS, *OPTIONAL_MODULES.values()],
    "train.py": [*TRAINERS, *OPTIONAL_MODULES.values()],
    "figure.py": [f"ntklens.figures.{path.stem}" for path in FIGURES],
    "gallery.py": [f"ntklens.figures.{path.stem}" for path in FIGURES],
}


class Package(NamedTuple):
    """One line of an environment file: "name", "name =version" or "name =version build"."""

    name: str  # as PyPI spells it
    version: str
    build: str


class Rule(NamedTuple):
    name: str
    script: str  # in workflow/scripts, "" where the rule calls none
    environments: frozenset  # names of files in envs/: more than one where the config decides


def packages(path):
    """The packages that an environment file lists, by name."""
    lines = [line.split() for line in yaml.safe_load(path.read_text(encoding="utf-8"))["dependencies"]]
    found = [
        Package(PYPI_NAMES.get(name, canonicalize_name(name)), version.removeprefix("="), build)
        for name, version, build in (line + [""] * (3 - len(line)) for line in lines)
    ]
    return {package.name: package for package in found}


def pins(lock, python):
    """The versions {name: version} that the file ``lock`` gives to a ``python``, "3.11", on Linux."""
    machine = {"python_version": python, "python_full_version": f"{python}.0", "sys_platform": "linux"}
    lines = re.findall(
        r"^([\w.-]+)==([^\s;]+)(?: ; (.+?))? *\\?$", lock.read_text(encoding="utf-8"), re.MULTILINE
    )
    return {
        canonicalize_name(name): version
        for name, version, marker in lines
        if not marker or Marker(marker).evaluate(machine)
    }


def rules(texts):
    """The rules in ``texts``, the contents of .smk files; a rule in a loop by the pattern of its name."""
    whole = "\n".join(texts)
    blocks = re.split(r"^ *rule ?(\w*):$", whole, flags=re.MULTILINE)[1:]
    return [
        Rule(name or "figure", _script(block, whole), _environments(block, whole))
        for name, block in zip(blocks[::2], blocks[1::2], strict=True)
    ]


def _script(block, whole):
    """The script whose code a rule's `code` is, named there or in the input function that is named there."""
    function = _first(r"code=(code_of_\w+)", block)
    text = _first(rf"^def {function}\(([\s\S]+?)(?=^\S|\Z)", whole) if function else block
    return _first(r'code\([\s\S]*?"(\w+\.py)"', text)


def _environments(block, whole):
    """Every environment that a rule's `conda:` can name, itself or by a name defined in ``whole``."""
    value = _first(r"^ +conda:\n +(.+)$", block)
    definition = _first(rf"^{value} = ([\s\S]+?)(?=^\S|\Z)", whole) if value.isidentifier() else value
    return frozenset(re.findall(r"([\w-]+)\.yaml", definition))


def _first(pattern, text):
    found = re.search(pattern, text, re.MULTILINE)
    return found[1] if found else ""


def imports(script):
    """The packages, as PyPI spells them, that a script and the ntklens modules behind it import anywhere."""
    closure = import_closure(script, *LOADED_BY_NAME.get(Path(script).name, ()))
    names = set().union(*(_imported(path) for path in closure))
    foreign = names - set(sys.stdlib_module_names) - {"ntklens"}
    return {DISTRIBUTIONS.get(name, canonicalize_name(name)) for name in foreign}


def _imported(path):
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names.add(node.module)
    return {name.split(".")[0] for name in names}
