"""Names that the documentation gives to tables and columns are those of a publication."""

import json
import re
from collections import Counter
from pathlib import Path

import duckdb
import yaml

from estimation.report.language import book
from tests.docs.examples import REPO, blocks_of
from tests.orchestration.conftest import Run

DICTIONARY = REPO / "estimation/report/dictionary.yml"


def test_the_dictionary_names_the_tables_and_columns_of_a_publication(simulated: Run) -> None:
    with duckdb.connect(simulated.home / "published" / "citysync.duckdb", read_only=True) as con:
        query = "select schema_name || '.' || table_name, column_name from duckdb_columns()"
        columns = con.execute(f"{query} where not internal").fetchall()
    words = book("dictionary.yml")
    assert set(words["tables"]) == {table for table, _ in columns}
    assert set(words["columns"]) == {column for _, column in columns}
    assert set(words["of_table"]) <= {f"{table}.{column}" for table, column in columns}


def test_the_dictionary_has_one_text_for_a_name() -> None:
    """YAML takes the last of two without a word."""
    for _, group in yaml.compose(DICTIONARY.read_text(encoding="utf-8")).value:
        names = Counter(name.value for name, _ in group.value)
        assert [name for name, n in names.items() if n > 1] == []


def test_dbts_docs_describe_every_column_before_the_marts(simulated: Run) -> None:
    folder = simulated.home / "published" / "dbt_docs"
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    catalog = json.loads((folder / "catalog.json").read_text(encoding="utf-8"))
    missing = []
    for key, node in manifest["nodes"].items():
        # the seed quality_thresholds describes each column of int_indicator_limits
        if node["resource_type"] != "model" or node["name"] == "int_indicator_limits":
            continue
        if node["schema"] not in ("staging", "intermediate"):
            continue
        described = {name for name, column in node["columns"].items() if column["description"]}
        columns = {name.lower() for name in catalog["nodes"][key]["columns"]}
        missing.extend(f"{node['name']}.{column}" for column in columns - described)
    assert not missing


def test_the_public_readme_lists_tables_by_their_names_in_sql(public_copy: Path) -> None:
    text = (public_copy / "README.md").read_text(encoding="utf-8")
    rows = text.partition("| --- | --- |\n")[2].strip().splitlines()
    names = [re.fullmatch(r"\| `(.+?)` \| .* \|", row)[1] for row in rows]
    assert "marts.dim_city" in names and len(names) > 40
    with duckdb.connect(public_copy / "citysync.duckdb", read_only=True) as con:
        for name in names:
            con.execute(f"select * from {name} limit 1").fetchall()


def test_the_blocks_of_the_public_readme_run(public_copy: Path) -> None:
    """As a reader runs them, from the folder itself in place of a host."""
    text = (public_copy / "README.md").read_text(encoding="utf-8")
    ran = []
    for block in blocks_of(text.replace("https://HOST/PATH", public_copy.as_posix())):
        if block.language == "sql":
            # the first line is what it takes to read from a host
            queries = block.text.replace("install httpfs; load httpfs;", "")
            with duckdb.connect() as con:
                assert con.execute(queries).fetchall()
        elif block.language == "python":
            exec(compile(block.text, "README.md", "exec"), {})
        ran.append(block.language)
    assert {"sql", "python"} <= set(ran)
