"""What every dbt model has to keep to, from its first lines and from the manifest of `dbt parse`;
docs/dbt-rules.md says it in prose.
"""

import json
import re
from pathlib import Path

import pytest

from orchestration.dbt_runner import ensure_manifest
from orchestration.home import Home
from tests.warehouse.dbt_build import REPOSITORY

# A model reads its own layer and those before it.
LAYERS = ("staging", "intermediate", "marts", "quality")
HAS_NO_KEY, HAS_ONE_ROW = "none of its own", "none; the table has one row"
UNIT_IN_NAME = {
    "_cny_100m": "100 million yuan",
    "_usd_1m": "million US dollars",
    "_cny": "yuan",
    "_km2": "km2",
    "_km": "km",
    "_deg": "degrees",
}


@pytest.fixture(scope="module")
def manifest() -> dict:
    return json.loads(ensure_manifest(Home.from_environment()).read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def models(manifest: dict) -> dict[str, dict]:
    return {n["name"]: n for n in manifest["nodes"].values() if n["resource_type"] == "model"}


def layer(node: dict) -> int:
    return LAYERS.index(Path(node["path"]).parts[0])


def test_the_first_lines_say_what_one_row_is_and_its_key_which_is_tested(
    manifest: dict, models: dict[str, dict]
) -> None:
    tests = [n for n in manifest["nodes"].values() if n.get("attached_node")]
    for name, node in models.items():
        text = (REPOSITORY / node["original_file_path"]).read_text(encoding="utf-8")
        said = dict(re.findall(r"^(?:--|#) (grain|key): (.+)$", text, re.MULTILINE))
        assert said["grain"].startswith(("one row is", "one row in all")), name
        key = said["key"]
        kept = [t["test_metadata"] for t in tests if t["attached_node"] == node["unique_id"]]
        if key.startswith(HAS_NO_KEY):
            assert "as_many_rows_as" in [test["name"] for test in kept], name
            continue
        columns = [] if key == HAS_ONE_ROW else key.partition(";")[0].split(", ")
        nullable = [column for column in columns if f" {column} may be null" in key]
        tested = [test["kwargs"] for test in kept if test["name"] == "primary_key"]
        found = [(one["columns"], one.get("nullable", [])) for one in tested]
        assert (columns, nullable) in found, name


def test_published_tables_have_a_contract_and_every_column_a_description_and_a_unit(
    models: dict[str, dict],
) -> None:
    published = [node for node in models.values() if node["schema"] in ("marts", "quality")]
    assert len(published) > 10
    for node in published:
        assert node["contract"]["enforced"] and node["description"], node["name"]
        for name, column in node["columns"].items():
            assert column["description"], (node["name"], name)
            if column["data_type"] == "double" and node["access"] == "public":
                unit = column["config"]["meta"].get("unit")
                ending = next((e for e in UNIT_IN_NAME if name.endswith(e)), None)
                assert unit and unit == UNIT_IN_NAME.get(ending, unit), (node["name"], name)


def test_no_model_reads_a_higher_layer_and_staging_alone_reads_sources(
    models: dict[str, dict],
) -> None:
    for name, node in models.items():
        read = [tuple(parent.split(".")[::2]) for parent in node["depends_on"]["nodes"]]
        kinds = {kind for kind, _ in read}
        assert kinds <= {"source", "seed"} if layer(node) == 0 else "source" not in kinds, name
        above = [p for kind, p in read if kind == "model" and layer(models[p]) > layer(node)]
        assert above == [], name
