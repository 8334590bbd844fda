"""The JSON schema for editors is that of the model, and the shipped layouts hold under it."""

import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from warehouse.ingest.errors import LayoutError
from warehouse.ingest.layouts import LAYOUT_FOLDER, SCHEMA_FILE, build_schema, parse_layout

PAGE = Path(__file__).resolve().parents[3] / "docs" / "layouts.md"
VALIDATOR = jsonschema.Draft202012Validator(json.loads(build_schema()))


def test_the_schema_is_the_one_that_the_model_gives():
    assert SCHEMA_FILE.read_text(encoding="utf-8") == build_schema(), (
        "run .venv/bin/python -m warehouse.ingest.layouts"
    )


@pytest.mark.parametrize("path", sorted(LAYOUT_FOLDER.glob("*.yml")), ids=lambda path: path.stem)
def test_shipped_layouts_hold_under_the_schema_and_name_it(path):
    text = path.read_text(encoding="utf-8")
    assert text.startswith("# yaml-language-server: $schema=layout.schema.json\n")
    assert not list(VALIDATOR.iter_errors(yaml.safe_load(text)))


def test_the_whole_layout_of_the_page_is_one():
    text = PAGE.read_text(encoding="utf-8").partition("```yaml\n")[2].partition("```")[0]
    assert parse_layout(text, "city_bureau.yml").source_id == "city_bureau"


def test_a_key_that_stands_twice_is_named_with_its_line():
    with pytest.raises(
        LayoutError, match=r"x\.yml, line 3: description: expected each key once; found it twice"
    ):
        parse_layout("source_id: x\ndescription: a\ndescription: b\ntables: []\n", "x.yml")
