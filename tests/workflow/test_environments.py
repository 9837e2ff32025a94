"""The conda environments match the locks, the rules and the scripts' imports.

The tests in tests/environments make the environments and run rules in them.
"""

import re
import subprocess

import pytest
import yaml

from tests.support.environment_files import (
    CUDA_LOCK,
    ENVIRONMENTS,
    LOCKS,
    OWN_LOCK,
    ROOT,
    imports,
    packages,
    pins,
    rules,
)

RULES = rules([path.read_text(encoding="utf-8") for path in sorted((ROOT / "workflow/rules").glob("*.smk"))])

# Packages that are listed although no script of ours imports them.
UNIMPORTED = {
    # jaxlib is listed because its build decides between CPU and GPU.
    "train": {"jaxlib"},
    "train-cuda": {"jaxlib"},
    # The post-deploy script calls pip, and installs neural-tangents without its dependencies. jax accepts any
    # scipy, but does not work with a newer one.
    "neural-tangents": {"jaxlib", "pip", "frozendict", "more-itertools", "scipy"},
}

# Small files for the tests of the readers.
LOCK = """\
h5py==3.1 \\
    --hash=sha256:0123
numpy==2.4 ; python_full_version < '3.12' \\
    --hash=sha256:0123
numpy==2.5 ; python_full_version >= '3.12' \\
    --hash=sha256:0123 \\
    --hash=sha256:4567
colorama==0.4.6 ; sys_platform == 'win32' \\
    --hash=sha256:0123
ml_dtypes==0.6.0.post1
"""
NAMES = """\
CHOSEN = (
    "../envs/a.yaml"
    if GPUS
    else "../envs/b-c.yaml"
)
OTHER = "../envs/d.yaml"
"""
RULE = """\
rule {name}:
    input:
        {code},
    conda:
        {environment}
    shell:
        "python"
"""


def drift(name, path):
    """The listed and the locked version of each package whose versions differ."""
    listed = packages(path)
    python = listed.pop("python").version
    listed.pop("pip", None)  # no lock contains it
    locked = pins(OWN_LOCK.get(name, LOCKS[0]), python)
    versions = {package: (listed[package].version, locked.get(package)) for package in listed}
    return {package: pair for package, pair in versions.items() if pair[0] != pair[1]}


def imported_with(name, rules):
    """The packages that scripts of rules with this environment import."""
    scripts = [ROOT / "workflow/scripts" / rule.script for rule in rules if name in rule.environments]
    return set().union(*map(imports, scripts))


def edited(tmp_path, name, package, line):
    """A copy of an environment file in which ``line`` replaces the line of ``package``."""
    text, count = re.subn(rf"- {package}\b.*", f"- {line}", ENVIRONMENTS[name].read_text(encoding="utf-8"))
    assert count == 1
    path = tmp_path / f"{name}.yaml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_versions_are_the_locks(name):
    assert drift(name, ENVIRONMENTS[name]) == {}


@pytest.mark.parametrize(
    ("package", "line", "found"),
    [
        ("numpy", "numpy =1.0", {"numpy": "1.0"}),
        ("numpy", "numpy", {"numpy": ""}),
        ("matplotlib-base", "matplotlib-base =1.0", {"matplotlib": "1.0"}),
        ("scipy", "no-such-package =1.0", {"no-such-package": "1.0"}),
    ],
)
def test_drift_is_found(tmp_path, package, line, found):
    locked = pins(LOCKS[0], "3.13")
    doctored = edited(tmp_path, "figures", package, line)
    assert drift("figures", doctored) == {name: (found[name], locked.get(name)) for name in found}


@pytest.mark.parametrize(("python", "numpy"), [("3.11", "2.4"), ("3.12", "2.5")])
def test_lock_is_read_for_one_python(tmp_path, python, numpy):
    lock = tmp_path / "requirements.lock"
    lock.write_text(LOCK, encoding="utf-8")
    assert pins(lock, python) == {"h5py": "3.1", "numpy": numpy, "ml-dtypes": "0.6.0.post1"}


@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13"])
def test_lock_of_cuda_adds_the_plugin_of_the_locked_jax(python):
    locked, cuda = pins(LOCKS[0], python), pins(CUDA_LOCK, python)
    assert {name: cuda[name] for name in set(locked) & set(cuda)}.items() <= locked.items()
    added = set(cuda) - set(locked)
    assert {name for name in added if not name.startswith("nvidia-")} == {
        "jax-cuda12-plugin",
        "jax-cuda12-pjrt",
    }
    assert {cuda["jax-cuda12-plugin"], cuda["jax-cuda12-pjrt"]} == {locked["jax"]} == {locked["jaxlib"]}
    assert {"nvidia-cublas-cu12", "nvidia-cudnn-cu12", "nvidia-cuda-nvcc-cu12"} <= added


def test_setup_for_cuda_installs_its_lock_after_the_other(tmp_path):
    (tmp_path / "Makefile").write_bytes((ROOT / "Makefile").read_bytes())
    for lock in (LOCKS[0], CUDA_LOCK):
        (tmp_path / lock.name).touch()
    shown = subprocess.run(
        ["make", "-n", "setup-cuda"], cwd=tmp_path, capture_output=True, encoding="utf-8", check=True
    ).stdout
    installed = re.findall(r"-m pip install .*--no-deps --require-hashes -r (\S+)$", shown, re.MULTILINE)
    assert installed == [LOCKS[0].name, CUDA_LOCK.name]


EVERY_LOCK = [*LOCKS, CUDA_LOCK]


@pytest.mark.parametrize("lock", EVERY_LOCK, ids=[lock.stem for lock in EVERY_LOCK])
def test_every_line_of_the_locks_is_understood(lock):
    lines = re.findall(r"^[^ #-].*", lock.read_text(encoding="utf-8"), re.MULTILINE)
    names = {line.split("==")[0] for line in lines}
    everywhere = {line.split("==")[0] for line in lines if ";" not in line}
    assert everywhere <= set(pins(lock, "3.11")) <= names


@pytest.mark.parametrize("rule", RULES, ids=[rule.name for rule in RULES])
def test_every_rule_has_a_script_and_an_environment(rule):
    assert (ROOT / "workflow/scripts" / rule.script).is_file()
    assert rule.environments
    assert rule.environments <= set(ENVIRONMENTS)


def test_every_rule_is_found():
    assert {rule.name for rule in RULES} >= {"fetch", "calibrate", "train", "figure", "verify"}
    whole = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "workflow/rules").glob("*.smk"))
    assert len(RULES) == len(re.findall(r"^ *shell:$", whole, re.MULTILINE))


def test_every_environment_has_a_rule():
    assert set().union(*(rule.environments for rule in RULES)) == set(ENVIRONMENTS)


def test_training_has_an_environment_for_each_device():
    both = {rule.name for rule in RULES if "train-cuda" in rule.environments}
    assert both == {"calibrate", "train"}
    assert all("train" in rule.environments for rule in RULES if rule.name in both)


@pytest.mark.parametrize(
    ("environment", "found"),
    [
        ('"../../envs/d.yaml"', {"d"}),
        ("CHOSEN", {"a", "b-c"}),
        ("OTHER", {"d"}),
        ("UNKNOWN", set()),
    ],
)
def test_environments_of_a_rule_are_read_from_its_text(environment, found):
    rule = RULE.format(name="x", code='code=code("x.py")', environment=environment)
    other = RULE.format(name="y", code='code=code("y.py")', environment='"y.yaml"')
    assert rules([NAMES, rule, other]) == [("x", "x.py", found), ("y", "y.py", {"y"})]


def test_rule_without_script_or_environment_is_found():
    rule = RULE.format(name="x", code="data", environment='"x.yaml"').replace("conda:", "log:")
    assert rules([rule, RULE.format(name="y", code='code=code("y.py")', environment='"y.yaml"')]) == [
        ("x", "", set()),
        ("y", "y.py", {"y"}),
    ]


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_environment_lists_what_its_scripts_import(name):
    missing = imported_with(name, RULES) - set(packages(ENVIRONMENTS[name]))
    assert missing == set()


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_environment_lists_nothing_else(name):
    needless = set(packages(ENVIRONMENTS[name])) - imported_with(name, RULES)
    assert needless == {"python"} | UNIMPORTED.get(name, set())


def test_missing_and_needless_packages_are_found(tmp_path):
    doctored = set(packages(edited(tmp_path, "train", "optax", "pandas =3.0")))
    needed = imported_with("train", RULES)
    assert needed - doctored == {"optax"}
    assert doctored - needed == {"python", "pandas"} | UNIMPORTED["train"]


def test_imports_are_found_wherever_they_stand(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "import json, os.path\nimport scipy.linalg as linalg\n"
        "from ntklens.machine.compilation_cache import use_compilation_cache\n"
        "from ntklens.machine.threads import use_threads\n"
        "def later():\n    from sklearn.datasets import load_digits\n    import yaml\n",
        encoding="utf-8",
    )
    assert imports(script) >= {"scipy", "scikit-learn", "pyyaml", "jax", "threadpoolctl"}
    assert imports(script).isdisjoint({"json", "os", "ntklens", "sklearn", "yaml"})


def test_training_environments_differ_in_the_build_alone():
    cpu, cuda = packages(ENVIRONMENTS["train"]), packages(ENVIRONMENTS["train-cuda"])
    assert cpu.keys() == cuda.keys()
    assert {name for name in cpu if cpu[name] != cuda[name]} == {"jaxlib"}
    assert cpu["jaxlib"] == cuda["jaxlib"]._replace(build="cpu*")
    assert cuda["jaxlib"].build == "cuda*"


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_with_jax_the_build_is_named(name):
    """Otherwise conda chooses the CUDA build where it sees a GPU, and the CPU build elsewhere."""
    listed = packages(ENVIRONMENTS[name])
    assert {package for package in listed if listed[package].build} == (
        {"jaxlib"} if "jax" in listed else set()
    )


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_packages_come_from_conda_forge_alone(name):
    assert yaml.safe_load(ENVIRONMENTS[name].read_text(encoding="utf-8"))["channels"] == [
        "conda-forge",
        "nodefaults",
    ]


def test_neural_tangents_is_installed_without_dependencies_at_its_locks_version():
    script = ENVIRONMENTS["neural-tangents"].with_suffix(".post-deploy.sh").read_text(encoding="utf-8")
    version = pins(LOCKS[1], "3.11")["neural-tangents"]
    assert f'"$CONDA_PREFIX/bin/python" -m pip install --no-deps neural-tangents=={version}\n' in script
