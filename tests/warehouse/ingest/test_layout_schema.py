"""The JSON schema for editors and the reader's own validation say the same; the reference page
names every key.
"""

import copy
import json
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pytest
import yaml
from pydantic import BaseModel, ValidationError

from tests.warehouse.ingest.delivered import LAYOUT_YAML, YEARS_YAML
from warehouse.ingest import layout_model
from warehouse.ingest.errors import LayoutError
from warehouse.ingest.layouts import LAYOUT_FOLDER, SCHEMA_FILE, build_schema, parse_layout

PAGE = Path(__file__).resolve().parents[3] / "docs" / "layouts.md"
VALIDATOR = jsonschema.Draft202012Validator(json.loads(build_schema()))

MORE = r"""
source_id: more
description: The ways that the two small layouts leave out.
edition_year: {fixed: 2018}
tables:
  - files: ["*"]
    header: {find: [a], after: b, unit_row: 1}
    ends: {blank_rows: 1}
    span: "A:C"
    place: {level: city, looked_up: {sheet: s, key: k, name: n}, within: {sheet_name: "(.+)"}}
    year: {letter: B, fill_down: true}
    indicators: [{letter: C, id: area_km2, unit: km2}]
  - files: ["*"]
    place: {level: province, columns: "(.+)"}
    year: {title: "([0-9]{4})"}
    row_indicators: {column: a, indicators: [{column: b, id: area_km2}]}
  - files: ["*"]
    place: {level: city, name_letter: A, code_letter: B, name_pattern: "(.+)市"}
    year: {column: z, pattern: "([0-9]{4})-"}
    row_indicators:
      {column: a, value: v, unit_column: u, fill_down: true,
       indicators: [{pattern: b, id: area_km2}]}
  - files: ["*"]
    place: {level: country}
    year: {sheet_name: "([0-9]{4})"}
    indicators:
      - column: [b, c]
        id: area_km2
        left_out_where: {column: d, matches: e, reason: imputed}
"""
#: A value of each kind that a key may be given wrongly.
WRONG = {
    "unknown_key": "x",
    "letter": "C",
    "title": "(.+)",
    "columns": "(.+)",
    "column": "c",
    "constant": 2015,
    "row": 1,
    "find": ["f"],
    "unit": "亿元",
    "unit_pattern": "[(](.+)[)]",
    "unit_column": "u",
    "value": "v",
    "code_letter": "D",
    "fill_down": True,
    "unit_row": 0,
    "after": "x",
    "blank_rows": 2,
    "matches": "m",
    "name": "n",
    "code": "c",
    "fixed": 1850,
    "sheet_name": "(.+)",
    "span": "A-C",
    "name_pattern": "(.+)",
    "pattern": "([0-9]{4})",
}


def layouts() -> list[dict]:
    return [yaml.safe_load(text) for text in (LAYOUT_YAML, YEARS_YAML, MORE)]


def places(node: object, path: tuple = ()) -> Iterator[tuple]:
    """Every mapping of a layout, by its path."""
    if isinstance(node, dict):
        yield path
        for key, value in node.items():
            yield from places(value, (*path, key))
    elif isinstance(node, list):
        for number, value in enumerate(node):
            yield from places(value, (*path, number))


def at(node: object, path: tuple) -> object:
    for part in path:
        node = node[part]
    return node


def mutations() -> list[dict]:
    """Each mapping with each key taken out, and with each wrong key put in."""
    found = []
    for layout in layouts():
        for path in places(layout):
            for key in at(layout, path):
                changed = copy.deepcopy(layout)
                del at(changed, path)[key]
                found.append(changed)
            for key, value in WRONG.items():
                if key not in at(layout, path) and "respell" not in path:
                    changed = copy.deepcopy(layout)
                    at(changed, path)[key] = value
                    found.append(changed)
    return found


def reader_takes(layout: dict) -> bool:
    try:
        layout_model.Layout.model_validate(layout)
    except ValidationError:
        return False
    return True


def test_the_schema_is_the_one_that_the_model_gives():
    assert SCHEMA_FILE.read_text(encoding="utf-8") == build_schema(), (
        "run .venv/bin/python -m warehouse.ingest.layouts"
    )


@pytest.mark.parametrize("path", sorted(LAYOUT_FOLDER.glob("*.yml")), ids=lambda path: path.stem)
def test_shipped_layouts_hold_under_the_schema_and_name_it(path):
    text = path.read_text(encoding="utf-8")
    assert text.startswith("# yaml-language-server: $schema=layout.schema.json\n")
    assert not list(VALIDATOR.iter_errors(yaml.safe_load(text)))


def test_schema_and_reader_judge_a_thousand_wrong_layouts_alike():
    tried = mutations()
    assert len(tried) > 1_000
    unlike = [layout for layout in tried if VALIDATOR.is_valid(layout) != reader_takes(layout)]
    assert not unlike, f"{len(unlike)} of {len(tried)}, the first: {unlike[0]}"
    taken = sum(map(reader_takes, tried))
    assert 0.02 * len(tried) < taken < 0.5 * len(tried), "both verdicts occur"


def test_the_reference_page_names_every_key():
    page = PAGE.read_text(encoding="utf-8")
    models = [
        model
        for model in vars(layout_model).values()
        if isinstance(model, type) and issubclass(model, BaseModel)
    ]
    keys = {name for model in models for name in model.model_fields}
    assert len(keys) > 50
    assert not sorted(key for key in keys if f"`{key}`" not in page and f"{key}:" not in page)


def test_the_whole_layout_of_the_page_is_one():
    text = PAGE.read_text(encoding="utf-8").partition("```yaml\n")[2].partition("```")[0]
    assert parse_layout(text, "city_bureau.yml").source_id == "city_bureau"


def test_a_key_that_stands_twice_is_named_with_its_line():
    with pytest.raises(
        LayoutError, match=r"x\.yml, line 3: description: expected each key once; found it twice"
    ):
        parse_layout("source_id: x\ndescription: a\ndescription: b\ntables: []\n", "x.yml")
