"""Tables as warehouse/macros/table.sql writes them: contracts hold, descriptions become comments, an older table or view is replaced."""

from __future__ import annotations

import os
from pathlib import Path
from unittest import mock

import duckdb
import pytest
import yaml

MACROS = Path(__file__).resolve().parents[2] / "warehouse" / "macros"
COLUMNS = [
    {"name": "id", "data_type": "integer", "description": "it's a key"},
    {"name": "order", "data_type": "double", "description": "a word of SQL", "quote": True},
]


def write_project(folder: Path, query: str, columns: list[dict], config: dict | None = None) -> None:
    """A project of one model under a contract, with this project's macros."""
    project = {
        "name": "small",
        "version": "1.0.0",
        "profile": "small",
        "macro-paths": [str(MACROS)],
        "models": {"small": {"+materialized": "table", "+persist_docs": {"relation": True, "columns": True}}},
    }
    profile = {"small": {"target": "d", "outputs": {"d": {"type": "duckdb", "path": str(folder / "small.duckdb"), "threads": 1}}}}
    model = {
        "name": "things",
        "description": "All $ things",
        "columns": columns,
        "config": {"contract": {"enforced": True}, **(config or {})},
    }
    (folder / "models").mkdir(exist_ok=True)
    (folder / "dbt_project.yml").write_text(yaml.safe_dump(project))
    (folder / "profiles.yml").write_text(yaml.safe_dump(profile))
    (folder / "models" / "things.sql").write_text(query)
    (folder / "models" / "_models.yml").write_text(yaml.safe_dump({"version": 2, "models": [model]}))


def run(folder: Path) -> str:
    """Build the model; the message of what failed, empty if nothing did."""
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.cli.main import dbtRunner

    places = ["--project-dir", str(folder), "--profiles-dir", str(folder), "--target-path", str(folder), "--log-path", str(folder)]
    with mock.patch.dict(os.environ, {"DO_NOT_TRACK": "1"}):
        try:
            outcome = dbtRunner().invoke(["run", "--quiet", "--log-level", "none", *places])
        finally:
            DuckDBConnectionManager.close_all_connections()
    return "" if outcome.success else str(outcome.exception or outcome.result.results[0].message)


def read(folder: Path, query: str) -> list:
    with duckdb.connect(str(folder / "small.duckdb"), read_only=True) as con:
        return con.execute(query).fetchall()


def test_columns_stand_as_in_the_contract_and_are_described(tmp_path: Path) -> None:
    write_project(tmp_path, 'select 0.5::double as "order", 7 as id', COLUMNS)
    assert run(tmp_path) == ""
    described = "select column_name, data_type, comment from duckdb_columns() where table_name = 'things' order by column_index"
    assert read(tmp_path, described) == [("id", "INTEGER", "it's a key"), ("order", "DOUBLE", "a word of SQL")]
    assert read(tmp_path, "select comment from duckdb_tables() where table_name = 'things'") == [("All $ things",)]
    assert read(tmp_path, "from things") == [(7, 0.5)]


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ('select 7::bigint as id, 0.5::double as "order"', "id"),
        ("select 7 as id", "order"),
        ('select 7 as id, 0.5::double as "order", 1 as more', "more"),
    ],
)
def test_a_query_that_breaks_its_contract_leaves_the_older_table(tmp_path: Path, query: str, named: str) -> None:
    write_project(tmp_path, 'select 7 as id, 0.5::double as "order"', COLUMNS)
    assert run(tmp_path) == ""
    write_project(tmp_path, query, COLUMNS)
    message = run(tmp_path)
    assert "contract" in message
    assert named in message
    assert read(tmp_path, "from things") == [(7, 0.5)]


@pytest.mark.parametrize("older", ["view", "table"])
def test_an_older_view_or_table_is_replaced(tmp_path: Path, older: str) -> None:
    with duckdb.connect(str(tmp_path / "small.duckdb")) as con:
        con.execute(f"create {older} things as select 1 as other")
    write_project(tmp_path, 'select 7 as id, 0.5::double as "order"', COLUMNS)
    assert run(tmp_path) == ""
    assert read(tmp_path, "select table_name from duckdb_tables()") == [("things",)]
    assert read(tmp_path, "from things") == [(7, 0.5)]


def test_a_failing_query_leaves_the_older_table(tmp_path: Path) -> None:
    write_project(tmp_path, 'select 7 as id, 0.5::double as "order"', COLUMNS)
    assert run(tmp_path) == ""
    write_project(tmp_path, "select cast('x' || i as integer) as id, 0.5::double as \"order\" from range(3) as t(i)", COLUMNS)
    assert "Conversion Error" in run(tmp_path)
    assert read(tmp_path, "from things") == [(7, 0.5)]


def test_constraints_are_refused_rather_than_left_out(tmp_path: Path) -> None:
    constrained = [{**COLUMNS[0], "constraints": [{"type": "not_null"}]}, COLUMNS[1]]
    write_project(tmp_path, 'select 7 as id, 0.5::double as "order"', constrained)
    assert "constraints" in run(tmp_path)


def test_hooks_run_inside_the_transaction(tmp_path: Path) -> None:
    config = {"pre_hook": "create table before as select 2 as n", "post_hook": "update things set id = (select n from before)"}
    write_project(tmp_path, 'select 7 as id, 0.5::double as "order"', COLUMNS, config)
    assert run(tmp_path) == ""
    assert read(tmp_path, "from things") == [(2, 0.5)]
