"""The models that resolve places, units and years, run on one source's raw files alone: the same
SQL as in a refresh, without dbt.
"""

from __future__ import annotations

import os
from pathlib import Path

import duckdb
from jinja2 import Environment, StrictUndefined

from warehouse.errors import Refused
from warehouse.sql_text import literal

WAREHOUSE = Path(__file__).resolve().parents[1]
_SEEDS = (
    "city_roster",
    "city_code_changes",
    "province_roster",
    "city_aliases",
    "province_aliases",
    "places_of_other_levels",
    "indicator_catalog",
    "unit_factors",
    "quality_thresholds",
)
_MODELS = (
    "staging/stg_seeds__place_codes",
    "staging/stg_seeds__place_aliases",
    "staging/stg_seeds__places_within",
    "staging/stg_raw__cells",
    "intermediate/raw/int_raw_resolved",
    "intermediate/raw/int_raw_rejections",
    "intermediate/detectors/int_indicator_limits",
)
_MACROS = ("text", "settings", "rule_kinds")


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
    for name in _SEEDS:
        con.execute(
            f'create table "{name}" as from '
            f"read_csv({literal(WAREHOUSE / 'seeds' / f'{name}.csv')}, header = true)"
        )
    macros = "".join(
        (WAREHOUSE / "macros" / f"{name}.sql").read_text(encoding="utf-8") for name in _MACROS
    )
    environment = Environment(undefined=StrictUndefined, autoescape=False)  # noqa: S701 -- SQL of this code, no web page
    for model in _MODELS:
        text = (WAREHOUSE / "models" / f"{model}.sql").read_text(encoding="utf-8")
        sql = environment.from_string(macros + text).render(_names(raw_build))
        con.execute(f'create table "{Path(model).name}" as {sql}')


def _names(raw_build: Path) -> dict[str, object]:
    """What dbt would give to a model."""
    environment = {**os.environ, "CITYSYNC_BUILD": str(raw_build)}
    return {
        "env_var": lambda name, default="": environment.get(name, default),
        "exceptions": _Exceptions(),
        "ref": lambda name: f'"{name}"',
        "source": lambda _, table: f'"{table}"',
    }


class _Exceptions:
    def raise_compiler_error(self, message: str) -> str:
        """End with what a macro says of a setting that it refuses."""
        raise Refused(message)
