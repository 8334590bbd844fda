"""Two publications up to rounding, with the largest difference of every table.

`python -m tests.comparison FIRST SECOND` prints one line a table, the largest difference first, and
ends with 1 where one is above the tolerance or anything that is no number differs. Each is a folder
as `published/` leads to.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb

from warehouse.build_database import open_memory
from warehouse.publication.file_tables import add_file_tables, files_of_tables
from warehouse.publication.foreign import attach_foreign, open_publication
from warehouse.sql_text import quote

TOLERANCE = 1e-12
FLOATING = ("DOUBLE", "FLOAT")
# a hash of values differs where any of their last bits does; the values themselves are compared
OF_BITS = ("panel_hash",)
# the run's own id and time, and what it found published before it
OF_THE_RUN = "meta."
ROW = "row of both"


def compare_publications(first: Path, second: Path) -> dict[str, dict[str, Any]]:
    """What `compare_relations` finds for every table but those of `meta`.

    Rows are matched by their order over everything but numbers with a point, then over these to six
    digits.

    Parameters
    ----------
    first, second : Path
        Folders of publications.

    Returns
    -------
    dict
        By `schema.table`.

    Raises
    ------
    PublishError
        If one is no publication.
    """
    both = {"first_one": open_publication(first), "second_one": open_publication(second)}
    manifests = [publication.manifest for publication in both.values()]
    with open_memory() as con:
        attach_foreign(con, {name: publication.database for name, publication in both.items()})
        for name, publication in both.items():
            add_file_tables(con, f"{name}_files", files_of_tables(publication))
        found = {}
        for table in sorted({*manifests[0]["tables"], *manifests[1]["tables"]}):
            if table.startswith(OF_THE_RUN):
                continue
            entries = [manifest["tables"].get(table) for manifest in manifests]
            if None in entries:
                found[table] = {"fault": "is in one of the two alone"}
                continue
            sources = [
                _relation(con, f"{name}_files" if "parquet" in entry else name, table)
                for name, entry in zip(both, entries, strict=True)
            ]
            found[table] = compare_relations(con, *sources, [ROW])
    return found


def _relation(con: duckdb.DuckDBPyConnection, catalog: str, table: str) -> str:
    """SQL of a table without what depends on bits, and with a number of each row."""
    schema, name = table.split(".")
    source = f"{catalog}.{quote(schema)}.{quote(name)}"
    kinds = [
        (row[0], row[1])
        for row in con.execute(f"describe select * from {source}").fetchall()
        if row[0] not in OF_BITS
    ]
    columns = ", ".join(quote(column) for column, _ in kinds)
    exact = [quote(column) for column, kind in kinds if kind not in FLOATING]
    rounded = [f"round({quote(column)}, 6)" for column, kind in kinds if kind in FLOATING]
    return (
        f"(select {columns}, row_number() over (order by {', '.join([*exact, *rounded])}) as "
        f"{quote(ROW)} from {source})"
    )


def compare_relations(
    con: duckdb.DuckDBPyConnection, first: str, second: str, keys: Sequence[str]
) -> dict[str, Any]:
    """Rows and the largest difference of two relations; or what differs beyond numbers.

    Parameters
    ----------
    con : duckdb connection
    first, second : str
        Names or expressions of relations, SQL of this code.
    keys : sequence of str
        Columns that name a row in both.

    Returns
    -------
    dict
        `rows`, `max_difference` (relative to the first value where that is above 1, absolute below)
        and `column`, where it is; or `fault` alone, a sentence: other columns, other rows, or
        values that are no numbers and differ.
    """
    kinds = {row[0]: row[1] for row in con.execute(f"describe select * from {first}").fetchall()}
    theirs = [row[0] for row in con.execute(f"describe select * from {second}").fetchall()]
    if sorted(kinds) != sorted(theirs):
        return {"fault": f"columns differ: {sorted(set(kinds) ^ set(theirs))}"}
    rows = [
        con.execute(f"select count(*) from {source}").fetchone()[0] for source in (first, second)
    ]
    numbers = [column for column, kind in kinds.items() if kind in FLOATING and column not in keys]
    others = [column for column in kinds if column not in (*numbers, *keys)]
    # an infinity, or what is no number, is equal to itself alone
    gaps = [_largest_gap(f"a.{c}", f"b.{c}") for c in map(quote, numbers)]
    faults = [
        f"count(*) filter (where (a.{c} is null) <> (b.{c} is null))" for c in map(quote, numbers)
    ]
    faults += [f"count(*) filter (where a.{c} is distinct from b.{c})" for c in map(quote, others)]
    joined = (
        f"{first} as a inner join {second} as b on "
        f"{' and '.join(f'a.{c} is not distinct from b.{c}' for c in map(quote, keys))}"
    )
    common, *found = con.execute(
        f"select {', '.join(['count(*)', *gaps, *faults])} from {joined}"
    ).fetchone()
    differing = [
        f"{count:,} values of {name}"
        for name, count in zip([*numbers, *others], found[len(numbers) :], strict=True)
        if count
    ]
    if len({*rows, common}) > 1:
        return {"fault": f"{rows[0]:,} and {rows[1]:,} rows, {common:,} in common"}
    if differing:
        return {"fault": f"not of the same kind, or null in one of them: {', '.join(differing)}"}
    largest = max(zip(found[: len(numbers)], numbers, strict=True), default=(0.0, ""))
    return {"rows": rows[0], "max_difference": float(largest[0]), "column": largest[1]}


def _largest_gap(a: str, b: str) -> str:
    """SQL of the largest difference of two columns; infinite where one of the two is not finite and
    the other is not the same.
    """
    gap = f"abs({a} - {b}) / greatest(1, abs({a}))"
    return (
        f"coalesce(max(case when {a} is distinct from {b} then case when isfinite({gap}) then "
        f"{gap} else 'inf'::double end end), 0)"
    )


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.comparison", description=__doc__)
    parser.add_argument("first", type=Path)
    parser.add_argument("second", type=Path)
    parser.add_argument("--tolerance", type=float, default=TOLERANCE)
    options = parser.parse_args()
    found = compare_publications(options.first, options.second)
    faults = [
        name
        for name, entry in found.items()
        if "fault" in entry or not entry["max_difference"] <= options.tolerance
    ]
    for name, entry in sorted(
        found.items(), key=lambda item: -item[1].get("max_difference", float("inf"))
    ):
        text = entry.get("fault") or (
            f"{entry['max_difference']:.2g} in {entry['column'] or 'no number'}, "
            f"{entry['rows']:,} rows"
        )
        print(f"{name}: {text}")
    print(f"{len(found)} tables, {len(faults)} of them differ by more than {options.tolerance:g}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
