"""Config files that Snakemake would misread, or that are no plain YAML, are refused with file and line."""

import json

import pytest
import yaml
from ntklens.planning.config import ConfigError
from ntklens.planning.config.command_line import as_written
from ntklens.planning.config.files import check_file

from tests.support.repositories import ROOT

GOOD = "name: small\nensemble:\n  seeds: 3\n"
ALIASES = "".join(f"a{level}: &a{level} {{x: *a{level - 1}, y: *a{level - 1}}}\n" for level in range(1, 40))


@pytest.fixture
def refusal(tmp_path, monkeypatch):
    """A function: the message with which a file of some content is refused."""
    monkeypatch.chdir(tmp_path)

    def of(content, name="own.yaml"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        with pytest.raises(ConfigError) as caught:
            check_file(path)
        message = str(caught.value)
        assert message.startswith(f"config file '{name}'")
        assert message.isprintable()
        return message.removeprefix(f"config file '{name}'")

    return of


@pytest.mark.parametrize("path", sorted(ROOT.glob("config/*.yaml")), ids=lambda path: path.stem)
def test_shipped_config_is_accepted_with_its_anchors(path):
    if path.stem != "claims":
        check_file(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (GOOD + "  seeds: 4\n", ", line 4: the key 'seeds' is given twice, first in line 3"),
        (GOOD + "'name': b\n", ", line 4: the key 'name' is given twice, first in line 1"),
        (GOOD + "x: [{a: 1, a: 2}]\n", ", line 4: the key 'a' is given twice, first in line 4"),
        (GOOD + "x: &x {a: 1}\ny:\n  <<: *x\n  <<: *x\n", ", line 7: the key '<<' is given twice, first in"),
        (GOOD + "? [a]\n: 1\n", ", line 4: a key must be a word"),
        (GOOD + "__use_yte__: true\n", ", line 4: the key __use_yte__ would run code: leave it out"),
        ("", ": is empty: a config needs at least a name and studies"),
        ("# nothing\n", ": is empty"),
        ("- a\n", ", line 1: must be a mapping of keys to values"),
        ("a word\n", ", line 1: must be a mapping of keys to values"),
        ("ensemble:\n\tseeds: 3\n", ", line 2: while scanning for the next token found character"),
        ("a: [1\nb: 2\n", ", line 2: while parsing a flow sequence expected"),
        (b"# R\xe9gle\n" + GOOD.encode(), ", line 1: is not encoded in UTF-8"),
        (GOOD.encode("utf-16"), ", line 1: is not encoded in UTF-8"),
        (GOOD + 'x: "\0"\n', ", line 4: holds a character that YAML does not allow"),
        ("a0: &a0 {x: 1}\n" + ALIASES, ": its aliases repeat each other"),
        ("a: &a [*a]\n", ", line 1: its aliases repeat each other, or hold themselves"),
        ("a: &a {b: {c: *a}}\n", ", line 1: its aliases repeat each other, or hold themselves"),
        ("a: " + "[" * 5000 + "]" * 5000, ": is nested too deeply"),
        (GOOD + "---\nname: b\n", "expected a single document in the stream but found another"),
        ("name: !!python/name:os.system\n", ", line 1: could not determine a constructor for the tag"),
        ("name: 2026-13-01\n", ": month must be in 1..12"),
        (f"seeds: {'9' * 5000}\n", ": Exceeds the limit (4300 digits) for integer string conversion"),
    ],
)
def test_file_that_is_refused_is_named_with_the_line(refusal, content, message):
    assert message in refusal(content)


def test_key_that_overrides_a_merged_one_is_accepted(tmp_path):
    path = tmp_path / "own.yaml"
    path.write_text("base: &base {a: 1, b: 2}\nown: {<<: *base, a: 3}\n", encoding="utf-8")
    check_file(path)


def test_json_may_be_indented_by_tabs_but_gives_no_key_twice(refusal, tmp_path):
    path = tmp_path / "good.json"
    path.write_text(json.dumps({"name": "a", "ensemble": {"seeds": 3}}, indent="\t"), encoding="utf-8")
    check_file(path)
    assert "the key 'name' is given twice" in refusal('{\n\t"name": "a",\n\t"name": "b"\n}', "own.json")


@pytest.mark.parametrize("name", ["missing.yaml", "."])
def test_what_is_no_file_is_named(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=r"is no file$"):
        check_file(name)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("keep_runs: 'true'", {"keep_runs": True}),
        ("data_dir: 'null'", {"data_dir": None}),
        ("ensemble: {seeds: '5'}", {"ensemble": {"seeds": 5}}),
        ("widths: ['8', '16']", {"widths": [8, 16]}),
        ("name: abc", {"name": "abc"}),
        ("name: '2026-01-01'", {"name": "2026-01-01"}),
        ("name: '[a'", {"name": "[a"}),
        ("seeds: 3", {"seeds": 3}),
    ],
)
def test_words_of_the_command_line_are_read_as_yaml_reads_them(given, expected):
    assert as_written(yaml.safe_load(given)) == expected
