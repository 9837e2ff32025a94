"""Random configs: valid ones can be planned, and changed ones are planned or refused in one sentence."""

import copy
import datetime
import json
import math
import random

import jaxtyping
import jsonschema
import pytest
import yaml
from hypothesis import given, settings
from ntklens.planning.config import Config, ConfigError, load
from ntklens.planning.config.files import check_file
from ntklens.planning.config.messages import fields_by_key, sections

from tests.fuzz import draws as st
from tests.fuzz.configs import configs
from tests.fuzz.conftest import CASES
from tests.fuzz.draws import strategy
from tests.fuzz.outcomes import Outcome
from tests.fuzz.plans import plan
from tests.support.repositories import ROOT, copy_repository

LONGEST = 700  # characters of a sentence
SCHEMA = jsonschema.Draft202012Validator(
    json.loads((ROOT / "workflow/schemas/config.schema.json").read_text(encoding="utf-8"))
)


@pytest.fixture(autouse=True, scope="module")
def _without_checks_of_shapes():
    """Planning has no arrays, and the checks of its many small calls would take most of the time."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


def outcome_of(action):
    """What became of ``action``, and the error if it is not one of ours."""
    try:
        action()
    except ConfigError as error:
        message = str(error)
        begins = message.startswith(("config key '", "config file '", "the config "))
        if begins and message.isprintable() and len(message) <= LONGEST:
            return Outcome.REFUSED, error
        return Outcome.TRACEBACK, error
    except Exception as error:
        return Outcome.TRACEBACK, error
    return Outcome.RIGHT, None


@given(strategy(configs()))
def test_valid_config_is_loaded_and_planned(tally, config):
    outcome, error = outcome_of(lambda: plan(load(config)))
    valid = outcome is Outcome.RIGHT and SCHEMA.is_valid(config)
    tally("config, valid")(Outcome.RIGHT if valid else Outcome.WRONG)
    assert valid, error


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    return copy_repository(tmp_path_factory.mktemp("fuzz") / "repository")


def test_valid_config_builds_its_graph_of_jobs(tally, repository):
    """A small share of the cases, in real dry runs."""
    count = tally("config, graph of jobs")

    @settings(max_examples=max(1, CASES // 200))
    @given(strategy(configs()))
    def check(config):
        (repository / "own.yaml").write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")
        result = repository.snakemake("-n", "--quiet", config="own.yaml")
        count(Outcome.RIGHT if result.returncode == 0 else Outcome.TRACEBACK)
        assert result.returncode == 0, result.stderr

    check()


def keys_in(config):
    """Every key of a config, without the names that users choose."""
    for name, value in config.items():
        if isinstance(value, dict):
            yield from keys_in(value)
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            for entry in value:
                yield from keys_in(entry)
        yield name


def test_every_key_of_the_models_is_drawn():
    drawn = {key for seed in range(300) for key in keys_in(configs().make(random.Random(seed)))}
    keys = {key for _, model in sections(Config) for key in fields_by_key(model)}
    assert keys - drawn == {"precomputed"}  # names an archive, which tests/workflow/test_archive.py makes


TEXTS = st.sampled_from(
    ["", "digits", "own", "null", "a\n", "\0", "\ud800", "x" * 5000, "$(touch ran)", "../a", "a.npz", "a b"]
)
VALUES = (
    st.sampled_from([None, True, False, {}, datetime.date(2026, 1, 1)])
    | st.integers(-2, 2000)
    | st.sampled_from([10**5 + 1, 10**9, 2**31, 10**30, 10**400, 1 << 20000])
    | st.sampled_from([math.nan, math.inf, -1.0, 0.0, 0.5, 1.0, 1e-320, 1e39, 1e300])
    | TEXTS
    | st.distinct(st.integers(-1, 300), 0, 4)
    | st.distinct(TEXTS, 0, 2)
)


def places(value, path=()):
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield (*path, key)
        yield from places(inner, (*path, key))


@st.composite
def changes(draw):
    """A valid config with one to three changes: other values, values of other keys, lost or further keys."""
    config = copy.deepcopy(draw(configs()))
    for _ in range(draw(st.integers(1, 3))):
        everywhere = list(places(config))
        if not everywhere:
            break
        *way, last = draw(st.sampled_from(everywhere))
        section = config
        for key in way:
            section = section[key]
        kind = draw(st.sampled_from(["value", "value", "swap", "lose", "add"]))
        if kind == "value":
            section[last] = draw(VALUES)
        elif kind == "swap":
            other = config
            for key in draw(st.sampled_from(everywhere)):
                other = other[key]
            section[last] = copy.deepcopy(other)
        elif kind == "lose":
            del section[last]
        elif isinstance(section, dict):
            section[draw(TEXTS | st.integers(-1, 9) | st.none())] = draw(VALUES)
    return config


def allowed_by_schema(config):
    """Whether the JSON schema allows ``config``. It cannot look at integers that Python does not write."""
    try:
        return SCHEMA.is_valid(config)
    except (ValueError, OverflowError):
        return False


@given(strategy(changes()))
def test_changed_config_is_planned_or_refused_in_one_sentence(tally, config):
    """What is planned is what the JSON schema, an independent judge, allows."""
    outcome, error = outcome_of(lambda: plan(load(config)))
    if outcome is Outcome.RIGHT and not allowed_by_schema(config):
        outcome = Outcome.WRONG
    tally("config, changed")(outcome)
    assert outcome in (Outcome.RIGHT, Outcome.REFUSED), error


@st.composite
def files(draw):
    """The bytes of a config file with one fault, and what must become of it, None for either."""
    text = yaml.safe_dump(draw(configs()), sort_keys=False)
    lines = text.splitlines(keepends=True)
    kind = draw(st.sampled_from(["none", "twice", "byte", "tab", "cut", "insert"]))
    if kind == "none":
        return text.encode(), Outcome.RIGHT
    if kind == "twice":
        keyed = [index for index, line in enumerate(lines) if line.rstrip().endswith(tuple("0123456789"))]
        keyed = [
            index for index in keyed if ":" in lines[index] and not lines[index].lstrip().startswith("-")
        ]
        index = draw(st.sampled_from(keyed))
        return "".join([*lines[: index + 1], lines[index], *lines[index + 1 :]]).encode(), Outcome.REFUSED
    content, at = text.encode(), draw(st.integers(0, len(text) - 1))
    if kind == "byte":
        return content[:at] + bytes([draw(st.integers(128, 255))]) + content[at:], Outcome.REFUSED
    if kind == "tab":
        index = draw(st.integers(1, len(lines) - 1))
        return "".join([*lines[:index], "\t", *lines[index:]]).encode(), None
    if kind == "cut":
        return content[:at], None
    hostile = draw(
        st.sampled_from(["\0", "*a", "&a ", "<<: 3\n", "{", "]", "!!python/name:os ", "---\n", ": "])
    )
    return content[:at] + hostile.encode() + content[at:], None


@given(strategy(files()))
def test_file_with_a_fault_is_read_or_refused_in_one_sentence(tally, tmp_path_factory, file):
    """Of what is read, PyYAML makes what it makes of the file without these checks."""
    content, expected = file
    path = tmp_path_factory.getbasetemp() / "own.yaml"
    path.write_bytes(content)

    def read():
        check_file(path)
        load(yaml.safe_load(content))

    outcome, error = outcome_of(read)
    if expected is not None and outcome in (Outcome.RIGHT, Outcome.REFUSED) and outcome is not expected:
        outcome = Outcome.WRONG
    tally("config file")(outcome)
    assert outcome in (Outcome.RIGHT, Outcome.REFUSED), error
