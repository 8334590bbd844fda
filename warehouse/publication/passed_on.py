"""What of a publication may be passed on: single values where the terms of their source let them,
results and facts of the seeds whole.
"""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import duckdb

from warehouse.hashing import hash_file
from warehouse.publication.datapackage import NAME as PACKAGE
from warehouse.sql_text import literal, quote

LICENCES = Path(__file__).resolve().parents[1] / "seeds" / "source_licences.csv"
# results, facts of the seeds and counts: no single value of a source. A table that is not named
# here or below is left out.
WHOLE = {
    "marts": (
        "dim_city",
        "dim_indicator",
        "dim_literature",
        "dim_other_policy",
        "dim_pilot_zone",
        "dim_study_claim",
        "fct_coverage",
        "fct_pair_synchronization",
        "fct_policy_overlap",
    ),
    "meta": ("estimate_change", "input_file", "publication_change", "run", "source"),
    "quality": ("expectation_result",),
}
# every row names the sources of its values
BY_SOURCE = {
    "marts.fct_indicator_conflict": ("chosen_source_id", "other_source_id"),
    "marts.fct_indicator_observation": ("source_id",),
    "marts.fct_indicator_revision": ("source_id",),
    "quality.rejected_value": ("source_id",),
}
# tables of single values that pages show row by row
EMPTIED = (
    "marts.dim_codebook",
    "marts.fct_series_passage",
    "meta.current_change",
    "meta.flag_change",
    "quality.expectation_row",
)
_NAMES = "select schema_name || '.' || table_name from duckdb_tables()"
POLICY = ("dim_policy_document", "fct_policy_clause", "fct_policy_tool", "fct_policy_zone")
# the gap of two growth rates is a single value in another dress
WITHOUT = ("neg_abs_gap_", "neg_abs_residual_")
NOT_WHOLE = "repeats values of sources that may not be passed on"


def free_sources() -> set[str]:
    """Sources whose values may be passed on, by the seed of licences."""
    return {
        row["source_id"]
        for row in csv.DictReader(LICENCES.read_text(encoding="utf-8").splitlines())
        if row["may_be_passed_on"] == "true"
    }


def copy_tables(
    con: duckdb.DuckDBPyConnection, draft: Path, free: set[str] | None
) -> list[tuple[str, int, str]]:
    """Copy the tables of the attached database `published` as far as they may be passed on.

    Parameters
    ----------
    con : DuckDBPyConnection
        Of the copy.
    draft : Path
        Folder in which `parquet/<schema>/<table>.parquet` is written beside it.
    free : set of str or None
        Sources whose values may be passed on; None for all, as of simulated data.

    Returns
    -------
    list of (table, rows left out, why)
        Of the tables that lack something.
    """
    left_out = []
    names = con.execute(
        "select schema_name, table_name from duckdb_tables() where database_name = 'published' "
        "order by all"
    ).fetchall()
    for schema, table in names:
        rows, columns, why = _part(con, schema, table, free)
        name = f"{quote(schema)}.{quote(table)}"
        source = f"published.{name}"
        count = con.execute(f"select count(*) filter (where not ({rows})) from {source}")
        n_left = count.fetchone()[0]
        if why and (n_left or columns != "*"):
            left_out.append((f"{schema}.{table}", n_left, why))
        if rows == "false":
            continue
        con.execute(f"create schema if not exists {quote(schema)}")
        con.execute(f"create table {name} as select {columns} from {source} where {rows}")
        (draft / "parquet" / schema).mkdir(parents=True, exist_ok=True)
        path = draft / "parquet" / schema / f"{table}.parquet"
        con.execute(f"copy {name} to {literal(path)} (format parquet, compression zstd)")
    return left_out


def _part(
    con: duckdb.DuckDBPyConnection, schema: str, table: str, free: set[str] | None
) -> tuple[str, str, str]:
    """Which rows and columns of a table may be passed on, and why not all."""
    if free is None or schema == "estimates":
        return "true", "*", ""
    name = f"{schema}.{table}"
    if name in BY_SOURCE:
        return _permitted(name, free), "*", "sources that may not be passed on"
    if table in POLICY and schema == "marts":
        return ("true" if "policy_texts" in free else "false"), "*", NOT_WHOLE
    if table not in WHOLE.get(schema, ()):
        return "false", "*", NOT_WHOLE
    found = con.execute(
        "select column_name from duckdb_columns() where database_name = 'published' and "
        "schema_name = ? and table_name = ?",
        [schema, table],
    ).fetchall()
    hidden = [column for (column,) in found if column.startswith(WITHOUT)]
    if not hidden:
        return "true", "*", ""
    return "true", f"* exclude ({', '.join(map(quote, hidden))})", f"columns: {', '.join(hidden)}"


def _permitted(name: str, free: set[str]) -> str:
    """The rows of a table whose sources may all be passed on."""
    listed = ", ".join(map(literal, sorted(free)))
    return " and ".join(f"coalesce({column} in ({listed}), false)" for column in BY_SOURCE[name])


def empty_what_is_not_free(con: duckdb.DuckDBPyConnection, free: set[str]) -> None:
    """Delete from a copy of the whole database the single values that pages may not show."""
    present = {row[0] for row in con.execute(_NAMES).fetchall()}
    for name in sorted(present.intersection(BY_SOURCE)):
        con.execute(f"delete from {name} where not ({_permitted(name, free)})")
    for name in sorted(present.intersection(EMPTIED)):
        con.execute(f"delete from {name}")


def describe_copy(publication: Path, draft: Path) -> dict[str, Any]:
    """The publication's data package for the tables that are here, with terms and sources."""
    package = json.loads((publication / PACKAGE).read_text(encoding="utf-8"))
    kept = []
    for resource in package["resources"]:
        path = draft / resource["path"]
        if path.exists():
            here = set(duckdb.read_parquet(str(path)).columns)
            fields = [field for field in resource["schema"]["fields"] if field["name"] in here]
            resource["schema"]["fields"] = fields
            kept.append(resource | {"hash": f"sha256:{hash_file(path)}"})
    sources = duckdb.read_parquet(str(draft / "parquet/meta/source.parquet")).fetchall()
    named = [
        (title or producer or source, licence)
        for source, _, producer, title, licence, *_ in sources
    ]
    return package | {
        "resources": kept,
        "licenses": [
            {"name": "MIT", "title": "MIT License", "path": "https://spdx.org/licenses/MIT"}
        ],
        "sources": [
            {"title": f"{title} ({licence or 'terms not stated'})"} for title, licence in named
        ],
        "contributors": [{"title": "citysync", "role": "author"}],
    }
