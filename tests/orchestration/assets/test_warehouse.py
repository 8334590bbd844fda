"""The dbt steps: a rerun builds missing tables, a failed data test shows its rows."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import dagster as dg
import pytest

from orchestration.assets.warehouse import (
    SAMPLE_ROWS,
    _failing_rows,
    _missing_tables,
    require_values,
)
from orchestration.dbt_runner import NodeResult
from orchestration.home import Home
from warehouse.build_database import open_build
from warehouse.ingest.errors import LandingError


def test_a_rerun_builds_what_the_build_lacks(tmp_path: Path) -> None:
    seed, severity, aliases, cells = step = [
        dg.AssetKey(path)
        for path in (["seeds", "a"], ["seeds", "b"], ["staging", "c"], ["staging", "d"])
    ]
    home = Home(tmp_path)
    assert _missing_tables(home, [cells], step) == [seed, severity, aliases]
    assert _missing_tables(home, [seed], step) == []
    home.build.mkdir()
    with open_build(home.build) as con:
        con.execute("create schema seeds; create table seeds.a as select 1 as city_id")
        con.execute("create schema staging; create view staging.c as select * from seeds.a")
    assert _missing_tables(home, [cells], step) == [severity]
    assert _missing_tables(home, step, step) == []


def test_a_failed_data_test_shows_the_rows_it_found(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.build.mkdir()
    with open_build(home.build) as con:
        con.execute(
            "create table pairs as select range as city_i_id, range - 1 as city_j_id from "
            "range(100)"
        )
    failed = NodeResult(
        "test.x",
        "x",
        "test",
        "fail",
        0.1,
        100,
        "",
        "select * from pairs where city_i_id > city_j_id order by city_i_id",
    )
    shown = _failing_rows(home, failed)["sample_of_failing_rows"]
    assert len(shown.records) == SAMPLE_ROWS
    assert shown.records[3].data == {"city_i_id": 3, "city_j_id": 2}
    assert _failing_rows(home, dataclasses.replace(failed, status="pass")) == {}


def test_a_landing_of_which_nothing_is_taken_is_refused_with_the_most_frequent_reason(
    tmp_path: Path,
) -> None:
    home = Home(tmp_path)
    home.build.mkdir()
    with open_build(home.build) as con:
        con.execute("create schema intermediate")
        con.execute("create table intermediate.int_raw_observations as select 1 as k")
        con.execute(
            "create table intermediate.int_raw_rejections as from (values ('unknown_unit', 'x'), "
            "('unknown_city', '999999'), ('unknown_city', '999999')) as t(reason, detail)"
        )
    require_values(home)
    with open_build(home.build) as con:
        con.execute("delete from intermediate.int_raw_observations")
    with pytest.raises(LandingError, match="2 lines for one reason, the first: 999999"):
        require_values(home)
