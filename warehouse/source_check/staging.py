"""The models that resolve places, units and years, run on one source's raw files alone: the same
SQL as in a refresh, without dbt.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from warehouse.replay.models import make
from warehouse.sql_text import literal

_MODELS = ("int_raw_resolved", "int_raw_rejections", "int_indicator_limits", "province_roster")


def build_staging(con: duckdb.DuckDBPyConnection, raw_build: Path) -> None:
    """Make a table of each model, named as the model, in this connection.

    Parameters
    ----------
    con : duckdb.DuckDBPyConnection
    raw_build : Path
        Folder with ``raw/*.parquet`` of the source.
    """
    con.execute(
        "create view observations as select * from read_parquet("
        f"{literal(raw_build / 'raw' / '*.parquet')}, union_by_name = true, file_row_number = true)"
    )
    made: set[str] = set()
    for name in _MODELS:
        make(con, name, made, kind="table")
