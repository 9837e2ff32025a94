"""The JSON schema and the tables of config/README.md follow from the config's models."""

import copy
import json
from pathlib import Path

import jsonschema
import pytest
import yaml
from ntklens.planning.config import load
from ntklens.planning.config.__main__ import drift, main
from ntklens.planning.config.documentation import README, SCHEMA, schema_text, table, with_tables
from ntklens.planning.config.messages import fields_by_key, model_in, sections
from ntklens.planning.config.top import Config
from ntklens.studies.catalogue import AXES

from tests.support.small_config import SIZES, WIDTHS, changed, small, without

SHIPPED = sorted(
    path for path in (Path(__file__).parents[2] / "config").glob("*.yaml") if path.stem != "claims"
)


@pytest.fixture(scope="module")
def validator():
    schema = json.loads(schema_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def test_files_are_what_the_models_say():
    difference = drift()
    assert not difference, f"{difference}\nrun `python -m ntklens.planning.config`"


def test_check_reports_drift_and_writes_nothing(monkeypatch, tmp_path):
    path = tmp_path / "README.md"
    monkeypatch.setattr("ntklens.planning.config.__main__.ROOT", tmp_path)
    monkeypatch.setattr("ntklens.planning.config.__main__.documents", lambda: {path: "new\n"})
    path.write_text("old\n", encoding="utf-8")
    with pytest.raises(SystemExit, match=r"(?s)-old\n\+new\n.*python -m ntklens\.planning\.config"):
        main(["--check"])
    assert path.read_text(encoding="utf-8") == "old\n"
    main([])
    assert path.read_text(encoding="utf-8") == "new\n"


def test_every_key_is_described():
    for place, model in sections(Config):
        for name, field in fields_by_key(model).items():
            assert field.description, f"{place}.{name}"
            assert field.description.endswith("."), f"{place}.{name}"
            assert "\n" not in field.description


def test_every_section_with_keys_has_a_table_in_the_readme():
    text = README.read_text(encoding="utf-8")
    for place, model in sections(Config):
        if any(model_in(field.annotation) is None for field in fields_by_key(model).values()):
            assert table(model) in text, place


def test_text_between_the_markers_is_replaced_and_all_other_text_kept():
    text = "a\n<!-- table: analysis -->\nold\n<!-- end -->\nb\n"
    new = with_tables(text)
    assert new.startswith("a\n<!-- table: analysis -->\n\n| key | default | unit | meaning |\n")
    assert new.endswith("\n\n<!-- end -->\nb\n")
    assert "| `resamples` ◇ | `2000` |" in new
    assert "old" not in new
    assert with_tables(new) == new


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_schema_accepts_the_configs_that_come_along(validator, path):
    validator.validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    first = path.read_text(encoding="utf-8").splitlines()[0]
    assert first == "# yaml-language-server: $schema=../workflow/schemas/config.schema.json"
    assert (path.parent / first.partition("=")[2]).resolve() == SCHEMA


@pytest.mark.parametrize(
    "config",
    [
        without(("name",)),
        without((*WIDTHS, "widths")),
        changed(("colour",), "blue"),
        changed(("name",), "a b"),
        changed(("device",), "tpu"),
        changed(("test_samples",), 0),
        changed(("training", "patience"), 1),
        changed(("training", "spectrum_epochs"), [0, 0]),
        changed(("networks", "a b"), {"hidden_layers": 1}),
        changed(("networks", "deep"), {"hidden_layers": 0}),
        changed((*WIDTHS, "widths"), []),
        changed((*SIZES, "vary_initialisation"), "yes"),
        changed(("studies", "own"), [{"dataset": "digits"}]),
        changed(
            ("studies", "own"),
            [{"axis": "colour", "dataset": "digits", "networks": ["three-layer"], "scales": [1]}],
        ),
    ],
)
def test_schema_refuses_what_the_models_refuse(validator, config):
    validator.validate(small())
    assert not validator.is_valid(config)
    with pytest.raises(Exception, match="config"):
        load(copy.deepcopy(config))


def test_schema_tells_units_and_what_the_paper_does_not_state():
    schema = json.loads(schema_text())
    assert schema["properties"]["test_samples"]["description"].endswith(
        "Unit: samples. Not stated in the paper."
    )
    own = schema["$defs"]["OwnStudyEntry"]["properties"]
    assert own["sigma"]["description"].endswith("Only on the axis removed_share.")
    assert "removed_share" in own["axis"]["enum"]


def test_every_axis_is_in_the_readmes_table_of_axes():
    text = README.read_text(encoding="utf-8")
    assert all(f"\n| `{name}` |" in text for name in AXES)
