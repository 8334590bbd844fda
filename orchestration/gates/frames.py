"""The data frames each gate judges, read from the build. After staging and after the marts they are tables of the schema `gates`."""

from __future__ import annotations

import duckdb
import pandas as pd

from expectations.suites import RULES
from orchestration.gates import queries as sql

# Stages whose frames are models: warehouse/models/quality/gates/<stage>/gate_<stage>__<data set>.sql.
STAGES_WITH_MODELS = ("staging", "marts")


def read_gate_frames(con: duckdb.DuckDBPyConnection, stage: str, build: str) -> dict[str, pd.DataFrame]:
    """Data set name to data frame for one stage; `raw` reads the Parquet files of `build`, the others the build database."""
    if stage in STAGES_WITH_MODELS:
        return {dataset: con.execute(f"select * from gates.gate_{stage}__{dataset}").df() for dataset in datasets_of(stage)}
    if stage == "raw":
        files = con.execute(sql.RAW_FILES, {"input_files": f"{build}/input_file.parquet"}).df()
        cells = con.execute(sql.RAW_CELLS, {"raw": f"{build}/raw/*.parquet"}).df()
        return {"input_files": files, "observations": cells}
    return {name: con.execute(query).df() for name, query in sql.OF_ESTIMATES.items()}


def datasets_of(stage: str) -> list[str]:
    """The data sets that the suite of a stage judges, in its order."""
    return list(dict.fromkeys(rule.dataset for rule in RULES[stage]))


def read_severity(con: duckdb.DuckDBPyConnection, stage: str) -> dict[str, str]:
    """Overrides of the seed `check_severity` for one stage; empty before the seeds are loaded."""
    known = con.execute("select count(*) from duckdb_tables() where schema_name = 'seeds' and table_name = 'check_severity'").fetchone()[0]
    if not known:
        return {}
    return dict(con.execute("select check_id, severity from seeds.check_severity where stage = ?", [stage]).fetchall())
