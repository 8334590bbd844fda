"""Read the data frames that each gate checks from the build.

After staging and after the marts they are tables of the schema `gates`.
"""

from __future__ import annotations

import duckdb
import pandas as pd

from expectations.rules import NOT_FINITE
from expectations.suites import RULES
from orchestration.gates import queries as sql
from warehouse.ingest.place_names import read_seed
from warehouse.sql_text import quote

# Stages whose frames are models: warehouse/models/quality/gates/<stage>/gate_<stage>__<data
# set>.sql.
STAGES_WITH_MODELS = ("staging", "marts")


def read_gate_frames(
    con: duckdb.DuckDBPyConnection, stage: str, build: str
) -> dict[str, pd.DataFrame]:
    """Return the data frames of one stage by the name of the data set; `raw` reads the Parquet
    files of `build`, the others the build database.
    """
    if stage == "raw":
        files = con.execute(sql.RAW_FILES, {"input_files": f"{build}/input_file.parquet"}).df()
        cells = con.execute(sql.RAW_CELLS, {"raw": f"{build}/raw/*.parquet"}).df()
        return {"input_files": files, "observations": cells}
    queries = sql.OF_ESTIMATES
    if stage in STAGES_WITH_MODELS:
        datasets = [rule.dataset for rule in RULES[stage] if rule.dataset != NOT_FINITE]
        queries = {name: f"from gates.gate_{stage}__{name}" for name in datasets}
    frames = {name: con.execute(query).df() for name, query in queries.items()}
    if stage in ("marts", "estimates"):
        frames[NOT_FINITE] = read_not_finite(con, stage)
    return frames


def read_not_finite(con: duckdb.DuckDBPyConnection, schema: str) -> pd.DataFrame:
    """Return one row per floating-point column of a schema, with how many of its values are
    infinite or not a number.
    """
    columns = (
        "select table_name, column_name from duckdb_columns() where schema_name = ? and data_type "
        "in ('DOUBLE', 'FLOAT') order by all"
    )
    found: dict[str, list[str]] = {}
    for table, column in con.execute(columns, [schema]).fetchall():
        found.setdefault(table, []).append(column)
    rows = []
    for table, names in found.items():
        counts = ", ".join(f"count(*) filter (where not isfinite({quote(name)}))" for name in names)
        counted = con.execute(f"select {counts} from {quote(schema)}.{quote(table)}").fetchone()
        rows += [(table, name, int(n)) for name, n in zip(names, counted, strict=True)]
    return pd.DataFrame(rows, columns=["table_name", "column", "n_not_finite"])


def read_severity(stage: str) -> dict[str, str]:
    """Return the severities of a stage that the seed `check_severity` changes, by check."""
    rows = read_seed("check_severity")
    return {row["check_id"]: row["severity"] for row in rows if row["stage"] == stage}
