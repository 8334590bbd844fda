"""The models between the raw files and the graded observations, built on raw tables of a run."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from duckdb import DuckDBPyConnection as Connection

from expectations.suites import RULES
from orchestration.dbt_runner import Dbt, raise_on_failure
from orchestration.home import Home, set_tool_environment

# The address of a cell as one text, the same in the raw table and in the models.
KEY = (
    "concat_ws(chr(31), source_id, coalesce(edition_year::varchar, ''), file_name, "
    "coalesce(sheet_name, ''), cell_ref)"
)
GRADED = f"""
select {KEY} as key, source_id, city_id, place_level, "year", indicator_id, value_delivered,
    raw_text, row_no, quality_flag, quality_rule
from intermediate.int_observations_graded
"""
OBJECTED = " where quality_flag in ('blocked', 'quarantined')"
MODELS = ("+int_observations_graded", "+int_raw_rejections", "gate_staging__indicator_year")
REJECTED = f"select {KEY} as key from intermediate.int_raw_rejections where cell_ref is not null"


def cell_keys(raw: pa.Table) -> np.ndarray:
    """Addresses of the lines of a raw table, shape (n,)."""
    with duckdb.connect() as con:
        con.register("raw_lines", raw)
        return con.execute(f"select {KEY} as key from raw_lines").fetchnumpy()["key"]


def with_columns(raw: pa.Table, columns: Mapping[str, list]) -> pa.Table:
    """A raw table with other values in some of its columns."""
    for name, column in columns.items():
        field = raw.schema.field(name)
        raw = raw.set_column(raw.schema.get_field_index(name), field, pa.array(column, field.type))
    return raw


class Bench:
    """A scratch home whose builds start from seeds built once."""

    def __init__(self, scratch: Path) -> None:
        self.home = Home(scratch)
        set_tool_environment(self.home)
        self._dbt = Dbt(self.home)
        self._seeds: Path | None = None

    def build(self, name: str, raw: pa.Table, input_file: Path) -> Path:
        """Write a raw table and build the models up to the graded observations; returns the build
        folder.
        """
        build = self.home.root / name
        shutil.rmtree(build, ignore_errors=True)
        (build / "raw").mkdir(parents=True)
        pq.write_table(raw, build / "raw" / "lines.parquet", compression="none")
        shutil.copyfile(input_file, build / "input_file.parquet")
        if self._seeds is None:
            raise_on_failure(self._dbt.run("seed", [], build=build))
            self._seeds = self.home.root / "seeds.duckdb"
            shutil.copyfile(build / "citysync.duckdb", self._seeds)
        else:
            shutil.copyfile(self._seeds, build / "citysync.duckdb")
        with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
            raise_on_failure(self._dbt.run("run", MODELS, build=build))
        return build

    def again(self, build: Path, change: Callable[[Connection], None], models: str) -> Path:
        """Change the database of a build and run models of it once more, in a build folder that the
        next call replaces.
        """
        again = self.home.root / "again"
        shutil.rmtree(again, ignore_errors=True)
        again.mkdir()
        shutil.copyfile(build / "citysync.duckdb", again / "citysync.duckdb")
        with duckdb.connect(str(again / "citysync.duckdb")) as con:
            change(con)
        with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
            raise_on_failure(self._dbt.run("run", [models], build=again))
        return again


def read_graded(build: Path, *, objected_only: bool = False) -> pd.DataFrame:
    """Every accepted value of a build (or those blocked or quarantined) with its cell, flag and
    rule.
    """
    return read_table(build, GRADED + (OBJECTED if objected_only else "") + " order by key")


def read_rejected(build: Path) -> pd.DataFrame:
    """Cells that were not taken."""
    return read_table(build, REJECTED)


def read_thin_years(build: Path) -> set[tuple[str, str, int]]:
    """(source, indicator, year) that the gate after staging finds incomplete: a dropped block
    leaves no value that could bear a flag.
    """
    limit = next(
        rule.kwargs["min_value"]
        for rule in RULES["staging"]
        if rule.check_id == "staging_year_complete"
    )
    years = read_table(build, "select * from gates.gate_staging__indicator_year")
    thin = years[years["share_of_neighbours"] < limit]
    return set(zip(thin["source_id"], thin["indicator_id"], thin["year"].astype(int), strict=True))


def read_table(build: Path, query: str) -> pd.DataFrame:
    """What a query finds in a build."""
    with duckdb.connect(str(build / "citysync.duckdb"), read_only=True) as con:
        return con.execute(query).df()
