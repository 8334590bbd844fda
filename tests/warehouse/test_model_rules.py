"""What every dbt model has to keep to, read from the files and from the manifest of `dbt parse`;
docs/dbt-rules.md says it in prose.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.warehouse.dbt_build import REPOSITORY, run_dbt

MODELS, MACROS = REPOSITORY / "warehouse" / "models", REPOSITORY / "warehouse" / "macros"
# A model reads its own layer and those before it.
LAYERS = ("staging", "intermediate", "marts", "quality")
NAMES = {
    "staging": r"stg_(raw|policy|seeds)__\w+",
    "intermediate": r"int_\w+",
    "marts": r"(dim|fct|panel)_\w+",
    "quality": r"gate_(staging|marts)__\w+|rejected_value",
}
MOST_PARENTS = 7
# What is broken on purpose; docs/dbt-rules.md has the reasons.
MANY_PARENTS = {"fct_city_year", "int_observations_flagged", "int_observations_blocked"}
SHARED_SOURCES = {
    "input_files": {"stg_raw__input_files", "stg_policy__documents", "stg_policy__clauses"}
}
MADE_BY_OWN_HOOK = {"int_policy_clause_tools": {"policy_labels"}}
# read by the gates, and by whoever asks why a file was not taken
READ_BY_NO_MODEL = {"check_severity", "stg_raw__input_files"}
HAS_NO_KEY, HAS_ONE_ROW = "none of its own", "none; the table has one row"

SQL_FILES = {path.stem: path for path in sorted(MODELS.rglob("*.sql"))}
MODEL_FILES = SQL_FILES | {path.stem: path for path in sorted(MODELS.rglob("*.py"))}


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> dict:
    target = tmp_path_factory.mktemp("parsed")
    run_dbt(["parse", "--no-partial-parse"], target, target)
    return json.loads((target / "manifest.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def models(manifest: dict) -> dict[str, dict]:
    return {
        node["name"]: node
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model"
    }


@pytest.fixture(scope="module")
def tests_of(manifest: dict) -> dict[str, list[dict]]:
    """Generic data tests by the model they stand at."""
    found: dict[str, list[dict]] = {}
    for node in manifest["nodes"].values():
        if node["resource_type"] == "test" and node.get("attached_node"):
            found.setdefault(node["attached_node"].split(".")[-1], []).append(node["test_metadata"])
    return found


def first_comments(name: str) -> dict[str, str]:
    """The lines `grain` and `key` of a model's file."""
    text = MODEL_FILES[name].read_text(encoding="utf-8")
    return dict(re.findall(r"^(?:--|#) (grain|key): (.+)$", text, re.MULTILINE))


def layer(node: dict) -> int:
    return LAYERS.index(Path(node["path"]).parts[0])


def parents(node: dict) -> list[list[str]]:
    """Kind and name of what a model reads, such as ["seed", "city_roster"]."""
    return [
        [unique_id.split(".")[0], unique_id.split(".")[-1]]
        for unique_id in node["depends_on"]["nodes"]
    ]


@pytest.mark.parametrize("name", MODEL_FILES)
def test_the_first_lines_say_what_one_row_is_and_its_key(name: str) -> None:
    lines = MODEL_FILES[name].read_text(encoding="utf-8").splitlines()
    first = lines[1] if lines[0].startswith("{{ config(") else lines[0]
    assert re.match(r"(--|#) grain: one row (is|in all)", first)
    assert first_comments(name)["key"]


@pytest.mark.parametrize("name", MODEL_FILES)
def test_the_key_is_tested(name: str, tests_of: dict[str, list[dict]]) -> None:
    key = first_comments(name)["key"]
    kept = {test["name"]: test["kwargs"] for test in tests_of.get(name, [])}
    if key.startswith(HAS_NO_KEY):
        assert "as_many_rows_as" in kept
        return
    tested = kept["primary_key"]
    assert tested["columns"] == ([] if key == HAS_ONE_ROW else key.partition(";")[0].split(", "))
    assert [
        column for column in tested["columns"] if f" {column} may be null" in key
    ] == tested.get("nullable", [])


def test_a_yaml_stands_beside_each_mart_and_one_in_each_other_folder(
    models: dict[str, dict], manifest: dict
) -> None:
    expected, found = {}, {}
    for name, node in models.items():
        folder = Path(node["original_file_path"]).parent
        parts = folder.relative_to("warehouse/models").parts
        folder_yaml = (
            f"_{'_'.join(parts[1:]) if parts[0] == 'quality' and len(parts) > 1 else parts[-1]}.yml"
        )
        expected[name] = str(folder / (f"{name}.yml" if parts == ("marts",) else folder_yaml))
        found[name] = (node["patch_path"] or "no YAML").removeprefix("citysync://")
    assert found == expected
    for test in manifest["unit_tests"].values():
        beside = Path(models[test["model"]]["original_file_path"])
        assert test["original_file_path"] in (
            str(beside.with_suffix(".yml")),
            str(beside.parent / "_unit_tests.yml"),
        )


def test_everything_is_described(models: dict[str, dict], manifest: dict) -> None:
    seeds = {
        node["name"]: node for node in manifest["nodes"].values() if node["resource_type"] == "seed"
    }
    sources = {node["name"]: node for node in manifest["sources"].values()}
    assert [
        name for name, node in {**models, **seeds, **sources}.items() if not node["description"]
    ] == []
    contracted = [node for node in models.values() if node["contract"]["enforced"]]
    assert [
        (node["name"], column)
        for node in contracted
        for column, said in node["columns"].items()
        if not said["description"]
    ] == []


def test_published_tables_have_a_contract(models: dict[str, dict]) -> None:
    assert [
        name
        for name, node in models.items()
        if node["schema"] in ("marts", "quality") and not node["contract"]["enforced"]
    ] == []


def test_names_folders_and_schemas_agree(models: dict[str, dict]) -> None:
    for name, node in models.items():
        folders = Path(node["path"]).parts
        assert re.fullmatch(NAMES[folders[0]], name), name
        assert node["schema"] == ("gates" if "gates" in folders else folders[0]), name


def test_no_model_reads_a_higher_layer(models: dict[str, dict]) -> None:
    upward = [
        (name, parent)
        for name, node in models.items()
        for kind, parent in parents(node)
        if kind == "model" and layer(models[parent]) > layer(node)
    ]
    assert upward == []


def test_staging_reads_sources_and_seeds_and_nothing_else_reads_a_source(
    models: dict[str, dict],
) -> None:
    for name, node in models.items():
        kinds = {kind for kind, _ in parents(node)}
        assert kinds, f"{name} reads nothing"
        assert kinds <= {"source", "seed"} if layer(node) == 0 else "source" not in kinds, name
        assert sum(kind == "source" for kind, _ in parents(node)) <= 1, name


def test_each_source_has_one_reader_and_nothing_is_left_unread(
    models: dict[str, dict], manifest: dict
) -> None:
    readers: dict[str, set[str]] = {}
    for name, node in models.items():
        for _, parent in parents(node):
            readers.setdefault(parent, set()).add(name)
    for source in (node["name"] for node in manifest["sources"].values()):
        assert readers[source] == SHARED_SOURCES.get(source, readers[source]) and (
            source in SHARED_SOURCES or len(readers[source]) == 1
        )
    ends = {name for name, node in models.items() if layer(node) < LAYERS.index("marts")}
    seeds = {node["name"] for node in manifest["nodes"].values() if node["resource_type"] == "seed"}
    assert (ends | seeds) - set(readers) == READ_BY_NO_MODEL


def test_few_models_join_many(models: dict[str, dict]) -> None:
    assert {
        name for name, node in models.items() if len(parents(node)) > MOST_PARENTS
    } == MANY_PARENTS


def plain_sql(path: Path) -> str:
    """A file without comments and texts in quotes, `{}` in the place of what Jinja writes."""
    text = re.sub(r"\{#.*?#\}|--[^\n]*", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    return re.sub(r"'[^'\n]*'", "''", re.sub(r"\{\{.*?\}\}|\{%.*?%\}", "{}", text, flags=re.DOTALL))


def table_expressions(path: Path) -> set[str]:
    return set(re.findall(r"(\w+) as (?:not materialized |materialized )?\(", plain_sql(path)))


@pytest.mark.parametrize("name", SQL_FILES)
def test_no_relation_is_named_by_hand(name: str) -> None:
    path = SQL_FILES[name]
    defined = table_expressions(path) | MADE_BY_OWN_HOOK.get(name, set())
    if "trend_residual_ctes(" in path.read_text(encoding="utf-8"):
        defined |= table_expressions(MACROS / "trends.sql")
    named = set(re.findall(r"(?<!distinct )\b(?:from|join)\s+([\w.\"]+)(?!\()", plain_sql(path)))
    assert named <= defined | {"unnest", "range", "generate_series"}


@pytest.mark.parametrize("path", sorted(MACROS.glob("*.sql")), ids=lambda path: path.stem)
def test_no_macro_names_a_relation_by_hand(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert "Relation.create" not in text and "get_relation" not in text
    # also inside the texts that a macro gives to run_query
    assert re.findall(r"(?<!distinct )\b(?:from|join)\s+(\w+\.\w+)", text) == []


UNIT_IN_NAME = {
    "_cny_100m": "100 million yuan",
    "_usd_1m": "million US dollars",
    "_cny": "yuan",
    "_km2": "km2",
    "_km": "km",
    "_deg": "degrees",
}


def test_marts_are_public_and_every_model_has_an_owner(models: dict[str, dict]) -> None:
    assert {name for name, node in models.items() if node["access"] == "public"} == {
        name for name, node in models.items() if node["schema"].endswith("marts")
    }
    assert {name for name, node in models.items() if not node.get("group")} == set()


def test_every_measure_of_a_mart_has_a_unit_that_agrees_with_its_name(
    models: dict[str, dict],
) -> None:
    measures = {
        (name, column["name"]): column["config"]["meta"].get("unit", "")
        for name, node in models.items()
        if node["access"] == "public"
        for column in node["columns"].values()
        if column["data_type"] == "double"
    }
    assert len(measures) > 100
    assert [place for place, unit in measures.items() if not unit] == []
    wrong = {
        place: unit
        for place, unit in measures.items()
        for ending, expected in UNIT_IN_NAME.items()
        if place[1].endswith(ending) and unit != expected
    }
    assert wrong == {}


def test_every_table_of_estimates_is_an_exposure(manifest: dict) -> None:
    from orchestration.assets.estimation import DESCRIPTIONS

    exposures = {node["name"] for node in manifest["exposures"].values()}
    assert {f"estimates_{table}" for table in (*DESCRIPTIONS, "truth", "claim")} <= exposures


def test_every_page_of_the_report_is_an_exposure(manifest: dict) -> None:
    from estimation.report.pages.catalog import PAGES

    exposures = {
        node["name"]: node["url"]
        for node in manifest["exposures"].values()
        if node["type"] == "dashboard"
    }
    assert exposures == {f"page_{page.slug}": f"report/{page.slug}.html" for page in PAGES}
