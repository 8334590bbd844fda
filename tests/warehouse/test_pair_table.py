"""Tables of pairs as warehouse/macros/pair_table.sql writes them: contracts hold, descriptions
become comments, an older table or view is replaced.
"""

import os
import re
from pathlib import Path
from unittest import mock

import duckdb
import pytest
import yaml

WAREHOUSE = Path(__file__).resolve().parents[2] / "warehouse"


def write_project(
    folder: Path, query: str, columns: list[dict], config: dict | None = None
) -> None:
    """A project of one model under a contract, with this project's macros."""
    project = {
        "name": "small",
        "version": "1.0.0",
        "profile": "small",
        "macro-paths": [str(WAREHOUSE / "macros"), str(WAREHOUSE / "tests" / "generic")],
        "models": {
            "small": {
                "+materialized": "pair_table",
                "+persist_docs": {"relation": True, "columns": True},
            }
        },
    }
    profile = {
        "small": {
            "target": "d",
            "outputs": {
                "d": {"type": "duckdb", "path": str(folder / "citysync.duckdb"), "threads": 1}
            },
        }
    }
    model = {
        "name": "things",
        "description": "All $ things",
        "columns": columns,
        "config": {"contract": {"enforced": True}, **(config or {})},
        "data_tests": [{"filled": {"arguments": {"columns": [c["name"] for c in columns]}}}],
    }
    (folder / "models").mkdir(exist_ok=True)
    (folder / "dbt_project.yml").write_text(yaml.safe_dump(project))
    (folder / "profiles.yml").write_text(yaml.safe_dump(profile))
    (folder / "models" / "things.sql").write_text(query)
    (folder / "models" / "_models.yml").write_text(
        yaml.safe_dump({"version": 2, "models": [model]})
    )


def run(folder: Path, **settings: str) -> str:
    """Build the models with more variables; the message of what failed, empty if nothing did."""
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.cli.main import dbtRunner

    places = [
        "--project-dir",
        str(folder),
        "--profiles-dir",
        str(folder),
        "--target-path",
        str(folder),
        "--log-path",
        str(folder),
    ]
    with mock.patch.dict(os.environ, {"DO_NOT_TRACK": "1", **settings}):
        try:
            outcome = dbtRunner().invoke(["build", "--quiet", "--log-level", "none", *places])
        finally:
            DuckDBConnectionManager.close_all_connections()
    return (
        ""
        if outcome.success
        else str(
            outcome.exception
            or next(r.message for r in outcome.result.results if r.status in ("error", "fail"))
        )
    )


def read(folder: Path, query: str) -> list:
    with duckdb.connect(str(folder / "citysync.duckdb"), read_only=True) as con:
        return con.execute(query).fetchall()


DESCRIBED = (
    "select column_name, data_type, comment from duckdb_columns() where table_name = 'things' "
    "order by column_index"
)


SCORES = """
{{ config(schema='intermediate', materialized='table') }}
select (9 - c)::integer as city_id, y::integer as "year"
from range(9) as t(c), range(2011, 2013) as s(y) where y = 2011 or c < 2
"""
PAIRS = """
select i.city_id as city_i_id, j.city_id as city_j_id, i."year", (j.city_id - i.city_id) / 3 as gap
from {{ ref('int_city_year_scores') }} as i
inner join {{ ref('int_city_year_scores') }} as j on i."year" = j."year" and i.city_id < j.city_id
"""
PAIR_COLUMNS = [
    {"name": "city_i_id", "data_type": "integer", "description": "one"},
    {"name": "city_j_id", "data_type": "integer", "description": "the other"},
    {"name": "year", "data_type": "integer", "description": "calendar", "quote": True},
    {"name": "gap", "data_type": "double", "description": "a measure"},
]


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project of one model of 37 pair-years: nine cities in 2011, two in 2012; read by dbt once
    for all tests.
    """
    folder = tmp_path_factory.mktemp("pairs")
    write_project(folder, PAIRS, PAIR_COLUMNS, {"meta": {"is_pair_year": True}})
    (folder / "models" / "int_city_year_scores.sql").write_text(SCORES)
    return folder


@pytest.mark.parametrize(
    ("old", "new", "limit", "said"),
    [
        ("/ 3 as gap", "as gap", "1", "contract"),
        ("", "", "1e7", "CITYSYNC_PAIR_YEAR_LIMIT.*1e7"),
    ],
)
def test_files_by_year_hold_to_the_contract_and_a_limit_that_is_no_number_is_named(
    pairs: Path, old: str, new: str, limit: str, said: str
) -> None:
    (pairs / "models" / "things.sql").write_text(PAIRS.replace(old, new))
    message = run(pairs, CITYSYNC_PAIR_YEAR_LIMIT=limit)
    (pairs / "models" / "things.sql").write_text(PAIRS)
    assert re.search(said, message, re.DOTALL)
    assert not (pairs / "main.things").exists()


def test_pair_years_beyond_the_limit_are_sorted_files_by_year_under_a_view(pairs: Path) -> None:
    kinds = (
        "select table_name from duckdb_tables() where schema_name = 'main' "
        "union all select view_name || '!' from duckdb_views() where not internal"
    )
    assert run(pairs, CITYSYNC_PAIR_YEAR_LIMIT="37") == ""
    assert read(pairs, kinds) == [("things",)]
    as_table = read(pairs, "from things order by all"), read(pairs, DESCRIBED)
    assert len(as_table[0]) == 37

    assert run(pairs, CITYSYNC_PAIR_YEAR_LIMIT="36") == ""
    assert read(pairs, kinds) == [("things!",)]
    assert (read(pairs, "from things order by all"), read(pairs, DESCRIBED)) == as_table
    files = sorted(
        path.relative_to(pairs).as_posix() for path in (pairs / "main.things").rglob("*.parquet")
    )
    assert files == [f"main.things/year={year}/pairs_0.parquet" for year in (2011, 2012)]
    rows = duckdb.execute(f"select city_i_id, city_j_id from '{pairs / files[0]}'").fetchall()
    assert len(rows) == 36 and rows == sorted(rows)
    assert run(pairs) == ""
    assert read(pairs, kinds) == [("things",)]
