"""`datapackage.json` of a publication, after Frictionless' Data Package: what any reader of such
packages needs to load the Parquet files.

Not here: hashes of the tables (`tables`) and of all files (`manifest`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from warehouse.hashing import hash_file
from warehouse.publication.untrusted import DATABASE, open_untrusted

NAME = "datapackage.json"
# Types of DuckDB and what Table Schema calls them; every other type (lists, structures) is written
# as `any`.
TYPES = {
    "VARCHAR": "string",
    "BOOLEAN": "boolean",
    "DATE": "date",
    "TIMESTAMP": "datetime",
    "TIMESTAMP WITH TIME ZONE": "datetime",
    **dict.fromkeys(("DOUBLE", "FLOAT"), "number"),
    **dict.fromkeys(
        (
            "TINYINT",
            "SMALLINT",
            "INTEGER",
            "BIGINT",
            "HUGEINT",
            "UTINYINT",
            "USMALLINT",
            "UINTEGER",
            "UBIGINT",
        ),
        "integer",
    ),
}

# Columns with empty cells, by the files' own statistics; one without statistics counts as such.
WITH_EMPTY_CELLS = """
select path_in_schema from parquet_metadata(?) group by path_in_schema
having sum(stats_null_count) > 0 or count(stats_null_count) < count(*)
"""


@dataclass(frozen=True)
class ForeignKey:
    """A column whose values are values of a column of another table, `schema.table`."""

    column: str
    table: str
    referred: str


@dataclass(frozen=True)
class TableContract:
    """The documentation of a table in the models beyond names and types: columns of its primary
    key, the columns that refer to other tables, and units by column.
    """

    key: Sequence[str] = ()
    foreign_keys: Sequence[ForeignKey] = ()
    units: Mapping[str, str] = field(default_factory=dict)


def describe_package(
    publication: Path, run: Mapping[str, Any], contracts: Mapping[str, TableContract]
) -> str:
    """Return the descriptor of a publication's Parquet files, one resource a table.

    Parameters
    ----------
    publication : Path
        Folder with ``citysync.duckdb`` and ``parquet/``.
    run : mapping
        The run's manifest; `run_id`, `started_at` and `is_simulated` are used.
    contracts : mapping
        By ``schema.table``; a table without one has neither key nor units.

    Returns
    -------
    str
        JSON, the resources sorted by schema and table.
    """
    parquet = publication / "parquet"
    with open_untrusted(publication / DATABASE, parquet) as con:
        resources = [
            _resource(publication, con, path.parent.name, path, contracts)
            for path in sorted(parquet.glob("*/*"))
        ]
    drop_dangling_keys(resources)
    kind = "simulated data with a known effect" if run["is_simulated"] else "delivered statistics"
    package = {
        "profile": "data-package",
        "name": "citysync",
        "title": f"citysync: synchronization of Chinese city pairs, from {kind}",
        "version": run["run_id"],
        **({"created": run["started_at"]} if "started_at" in run else {}),
        # delivered statistics stand under the terms of their producers, which meta.source names
        **({"licenses": [{"name": "MIT", "title": "MIT License"}]} if run["is_simulated"] else {}),
        "resources": resources,
    }
    return json.dumps(package, ensure_ascii=False, indent=1) + "\n"


def drop_dangling_keys(resources: Sequence[dict[str, Any]]) -> None:
    """Remove, in place, foreign keys that refer to a resource that is not among these."""
    names = {resource["name"] for resource in resources}
    for resource in resources:
        schema = resource["schema"]
        keys = schema.pop("foreignKeys", [])
        held = [key for key in keys if key["reference"]["resource"] in names]
        if held:
            schema["foreignKeys"] = held


def _resource(
    publication: Path,
    con: duckdb.DuckDBPyConnection,
    schema: str,
    path: Path,
    contracts: Mapping[str, TableContract],
) -> dict[str, Any]:
    """Return one table: a file, or a folder with a file for each year, which the database lacks."""
    table = path.stem if path.is_file() else path.name
    files = [path] if path.is_file() else sorted(path.rglob("*.parquet"))
    names = [file.relative_to(publication).as_posix() for file in files]
    contract = contracts.get(f"{schema}.{table}", TableContract())
    described = con.execute(
        (
            "select comment from duckdb_tables() where schema_name = ? and table_name = ? and "
            "comment is not null"
        ),
        [schema, table],
    ).fetchone()
    resource = {
        "name": _resource_name(f"{schema}.{table}"),
        "profile": "data-resource",
        "path": names[0] if path.is_file() else names,
        "format": "parquet",
        "mediatype": "application/vnd.apache.parquet",
        # no "bytes": frictionless cannot count those of a Parquet file, and calls it invalid for
        # that; manifest.json has them
        **({"description": described[0]} if described else {}),
        # a resource of several files has no hash of its own in the standard: manifest.json has one
        # for each
        **({"hash": f"sha256:{hash_file(path)}"} if path.is_file() else {}),
        "schema": {"fields": _fields(con, schema, table, files, contract)},
    }
    if contract.key:
        resource["schema"]["primaryKey"] = list(contract.key)
    resource["schema"]["foreignKeys"] = [
        {
            "fields": key.column,
            "reference": {"resource": _resource_name(key.table), "fields": key.referred},
        }
        for key in contract.foreign_keys
    ]
    return resource


def _resource_name(table: str) -> str:
    """Return the standard's form of `schema.table`, which has neither capitals nor underscores."""
    return table.lower().replace("_", "-")


def _fields(
    con: duckdb.DuckDBPyConnection,
    schema: str,
    table: str,
    files: Sequence[Path],
    contract: TableContract,
) -> list[dict[str, str]]:
    commented = (
        "select column_name, comment from duckdb_columns() where schema_name = ? and table_name = ?"
    )
    comments = dict(con.execute(commented, [schema, table]).fetchall())
    described = (
        "select column_name, column_type from (describe select * from read_parquet(?, "
        "hive_partitioning = false))"
    )
    columns = con.execute(described, [str(files[0])]).fetchall()
    counted = con.execute(WITH_EMPTY_CELLS, [[str(file) for file in files]]).fetchall()
    empty = {name for (name,) in counted}
    return [
        {
            "name": name,
            "type": _type(kind, has_empty_cells=name in empty),
            **({"description": comments[name]} if comments.get(name) else {}),
            **({"unit": contract.units[name]} if name in contract.units else {}),
        }
        for name, kind in columns
    ]


def _type(kind: str, *, has_empty_cells: bool) -> str:
    """Return Table Schema's name of a type of DuckDB."""
    if kind.startswith("DECIMAL"):
        return "number"
    found = TYPES.get(kind, "any")
    # frictionless reads Parquet through pandas, where whole numbers beside an empty cell become
    # 2014.0: it would call them no integers
    return "number" if found == "integer" and has_empty_cells else found
