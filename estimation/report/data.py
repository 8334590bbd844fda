"""What the report reads: small aggregates of marts, estimates, quality and meta. Reading only; nothing is estimated here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

Source = Path | str | duckdb.DuckDBPyConnection | Mapping[str, pd.DataFrame]


@dataclass(frozen=True)
class Query:
    """A query, the tables without which its answer is empty, and the columns of that empty answer."""

    tables: tuple[str, ...]
    columns: str
    sql: str


# Means over pair-years are taken on DECIMAL, so that they have the same bytes for any thread count.
_MEAN = "sum(cast({0} as decimal(28, 10))) / count({0})"
_PATHS = ("cm_growth_official", "comove_growth_official", "dispersion_growth_official", "cm_growth_deflated")

QUERIES = {
    "run": Query(
        ("meta.run",), "run_id, git_commit, started_at, is_simulated", "select run_id, git_commit, started_at, is_simulated from meta.run"
    ),
    "files": Query(
        ("meta.input_file",),
        "path, source_id, edition_year, sha256, bytes, status, note, n_observations, n_rejected",
        "select path, source_id, edition_year, sha256, bytes, status, note, n_observations, n_rejected from meta.input_file order by path",
    ),
    "cities": Query(
        ("marts.dim_city", "marts.fct_city_year", "marts.dim_pilot_zone", "marts.panel_pair_year"),
        "city_id, city_name_zh, city_name_en, province_id, province_name_zh, province_name_en, lon_deg, lat_deg, batch, is_in_sample",
        """
        with first_zone as (select city_id, min(batch) as batch from marts.dim_pilot_zone where is_whole_prefecture group by city_id),
        members as (select city_i_id as city_id from marts.panel_pair_year union select city_j_id from marts.panel_pair_year),
        known as (select distinct city_id from marts.fct_city_year)
        select city_id, city_name_zh, city_name_en, province_id, province_name_zh, province_name_en, lon_deg, lat_deg, first_zone.batch,
            members.city_id is not null as is_in_sample
        from marts.dim_city inner join known using (city_id) left join first_zone using (city_id) left join members using (city_id)
        order by city_id
        """,
    ),
    "batches": Query(
        ("marts.dim_pilot_zone",),
        "batch, approval_date, n_zones, n_whole_prefecture, document_no",
        """
        select batch, min(approval_date) as approval_date, count(*) as n_zones,
            count(*) filter (where is_whole_prefecture) as n_whole_prefecture, min(document_no) as document_no
        from marts.dim_pilot_zone group by batch order by batch
        """,
    ),
    "paths": Query(
        ("marts.panel_pair_year",),
        "year, is_one, n_pairs, " + ", ".join(_PATHS),
        "select year, cohort_year is not null as is_one, count(*) as n_pairs, "
        + ", ".join(f"cast({_MEAN.format(name)} as double) as {name}" for name in _PATHS)
        + " from marts.panel_pair_year group by all order by all",
    ),
    "all_paths": Query(
        ("marts.fct_pair_synchronization",),
        "year, n_pairs, " + ", ".join(_PATHS),
        f"select year, count({_PATHS[0]}) as n_pairs, "
        + ", ".join(f"cast({_MEAN.format(name)} as double) as {name}" for name in _PATHS)
        + " from marts.fct_pair_synchronization group by year order by year",
    ),
    "estimate": Query(
        ("estimates.estimate",),
        "spec_id, analysis, estimator, outcome, term, cohort_year, event_time, vcov, is_default, estimate, std_error, ci_low, ci_high, "
        "p_value, n_obs, n_pairs, n_cities, n_pilots",
        """
        select spec_id, analysis, estimator, outcome, term, cohort_year, event_time, vcov, is_default, estimate, std_error, ci_low, ci_high,
            p_value, n_obs, n_pairs, n_cities, n_pilots
        from estimates.estimate order by spec_id, term, cohort_year nulls first, event_time nulls first, vcov
        """,
    ),
    "diagnostic": Query(
        ("estimates.diagnostic",),
        "spec_id, diagnostic, term, value",
        "select spec_id, diagnostic, term, value from estimates.diagnostic order by all",
    ),
    "not_run": Query(
        ("estimates.not_run",), "spec_id, analysis, reason", "select spec_id, analysis, reason from estimates.not_run order by all"
    ),
    "warning": Query(("estimates.warning",), "spec_id, warning", "select spec_id, warning from estimates.warning order by all"),
    "truth": Query(
        ("estimates.truth",),
        "spec_id, term, cohort_year, event_time, truth",
        "select spec_id, term, cohort_year, event_time, truth from estimates.truth order by all",
    ),
    "coverage": Query(
        ("marts.fct_indicator_observation",),
        "indicator_id, year, n_places",
        """
        select indicator_id, year, count(distinct city_id) as n_places from marts.fct_indicator_observation
        where is_current group by all order by all
        """,
    ),
    "sources": Query(
        ("marts.fct_indicator_observation",),
        "source_id, n_values, n_current, n_flagged",
        """
        select source_id, count(*) as n_values, count(*) filter (where is_current) as n_current,
            count(*) filter (where quality_flag != 'ok') as n_flagged
        from marts.fct_indicator_observation group by source_id order by source_id
        """,
    ),
    "flags": Query(
        ("marts.fct_indicator_observation",),
        "quality_flag, quality_rule, n_values",
        """
        select quality_flag, quality_rule, count(*) as n_values from marts.fct_indicator_observation
        where quality_flag != 'ok' group by all order by all
        """,
    ),
    "rejected": Query(
        ("quality.rejected_value",),
        "source_id, reason, n_values, example",
        """
        select source_id, reason, count(*) as n_values,
            min(concat_ws(' ', file_name, sheet_name, cell_ref, '“' || left(raw_text, 60) || '”')) as example
        from quality.rejected_value group by all order by all
        """,
    ),
    "gates": Query(
        ("quality.expectation_result",),
        "stage, n_expectations, n_failed",
        """
        select stage, count(*) as n_expectations, count(*) filter (where not success) as n_failed
        from quality.expectation_result group by stage order by stage
        """,
    ),
    "gate_failures": Query(
        ("quality.expectation_result",),
        "stage, dataset, expectation, column_name, severity, observed",
        """
        select stage, dataset, expectation, column_name, severity, observed from quality.expectation_result
        where not success order by all limit 60
        """,
    ),
}


@dataclass(frozen=True)
class ReportData:
    """Frames by the name of their query; a frame is empty, with its columns, where its tables are missing or empty."""

    frames: dict[str, pd.DataFrame]

    def __getitem__(self, name: str) -> pd.DataFrame:
        """The frame of one query."""
        return self.frames[name]

    @property
    def run(self) -> dict[str, Any]:
        """The run: run_id, git_commit, started_at, is_simulated; empty without one."""
        run = self.frames["run"]
        return {} if run.empty else run.iloc[0].to_dict()

    @property
    def is_simulated(self) -> bool:
        """Whether every number of the page is simulated."""
        return bool(self.run.get("is_simulated", False))


def read_report_data(source: Source) -> ReportData:
    """Read everything the page shows.

    Parameters
    ----------
    source : path of a DuckDB file (opened read-only), open connection, or data frames by ``schema.table``

    Returns
    -------
    ReportData
    """
    with _connection(source) as con:
        found = {
            f"{schema}.{table}"
            for schema, table in con.execute("select table_schema, table_name from information_schema.tables").fetchall()
        }
        return ReportData({name: _read(con, query, found) for name, query in QUERIES.items()})


def _read(con: duckdb.DuckDBPyConnection, query: Query, found: set[str]) -> pd.DataFrame:
    if found.issuperset(query.tables):
        return con.execute(query.sql).df()
    return pd.DataFrame(columns=query.columns.split(", "))


@contextmanager
def _connection(source: Source) -> Iterator[duckdb.DuckDBPyConnection]:
    if isinstance(source, duckdb.DuckDBPyConnection):
        yield source
        return
    con = duckdb.connect() if isinstance(source, Mapping) else duckdb.connect(str(source), read_only=True)
    try:
        if isinstance(source, Mapping):
            _load(con, source)
        yield con
    finally:
        con.close()


def _load(con: duckdb.DuckDBPyConnection, frames: Mapping[str, pd.DataFrame]) -> None:
    for name, frame in frames.items():
        schema, table = name.split(".")
        con.register("incoming", frame)
        con.execute(f'create schema if not exists "{schema}"')
        con.execute(f'create table "{schema}"."{table}" as select * from incoming')
        con.unregister("incoming")
