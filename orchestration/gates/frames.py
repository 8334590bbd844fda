"""The data frames each gate judges: small aggregates and the tables themselves, read from the build."""

from __future__ import annotations

import duckdb
import pandas as pd

from orchestration.gates import queries as sql

TABLES = {
    "staging": {
        "observations": sql.STAGED,
        "indicator_of_source": sql.SERIES,
        "indicator_year": sql.COVERAGE,
        "yearly_change": sql.CHANGES,
        "identity": sql.IDENTITIES,
        "edition": sql.EDITIONS,
        "freshness": sql.FRESHNESS,
    },
    "marts": {
        "fct_city_year": sql.CITY_YEAR,
        "fct_city_pair": sql.PAIR,
        "fct_pair_synchronization": sql.SYNC,
        "window": sql.WINDOW,
        "blocked": sql.BLOCKED,
        "current_change": sql.CURRENT_CHANGES,
        "conflict": sql.CONFLICTS,
    },
    "estimates": {
        "estimate": sql.ESTIMATE,
        "defaults": sql.DEFAULTS,
        "outcome_of_specs": sql.OUTCOMES,
        "headline_rows": sql.HEADLINE_ROWS,
    },
}


def read_gate_frames(con: duckdb.DuckDBPyConnection, stage: str, build: str) -> dict[str, pd.DataFrame]:
    """Data set name to data frame for one stage; `raw` reads the Parquet files of `build`, the others the build database."""
    if stage == "raw":
        files = con.execute(sql.RAW_FILES, {"input_files": f"{build}/input_file.parquet"}).df()
        cells = con.execute(sql.RAW_CELLS, {"raw": f"{build}/raw/*.parquet"}).df()
        return {"input_files": files, "observations": cells}
    return {name: con.execute(query).df() for name, query in TABLES[stage].items()}


def read_severity(con: duckdb.DuckDBPyConnection, stage: str) -> dict[str, str]:
    """Overrides of the seed `check_severity` for one stage; empty before the seeds are loaded."""
    known = con.execute("select count(*) from duckdb_tables() where schema_name = 'seeds' and table_name = 'check_severity'").fetchone()[0]
    if not known:
        return {}
    return dict(con.execute("select check_id, severity from seeds.check_severity where stage = ?", [stage]).fetchall())
