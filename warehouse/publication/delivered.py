"""Is what was published what was delivered? Published rows are compared with the same files read
again, and files with their hashes.

`verification` compares a publication with its own manifest; here it is compared with where it came
from. So a lie that was published (of a cache, or of a build that was changed before it was hashed)
and a delivered file that was changed afterwards are found, with their cells.

Belongs here: the comparison of two databases, and of files with a manifest. Not here: reading the
files again and running the models up to accepted values
(`orchestration/delivered_again.py`). What later models make of values is compared by `make
reproduce`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb

from warehouse.build_database import open_build
from warehouse.ingest.errors import FileFault
from warehouse.ingest.snapshot import take_snapshot
from warehouse.publication.errors import PublishError
from warehouse.publication.foreign import attach_foreign

EXAMPLES = 3
PLACE = "source_id, edition_year, file_name, sheet_name, cell_ref"


# Rows that two databases hold alike: what one is called, its columns, and where they stand
# published and read again. Each delivered value with its place, year and unit, then each line that
# was turned away, then each clause of a policy text.
COMPARED = (
    (
        "values",
        (
            f'{PLACE}, place_level, city_id, indicator_id, "year", raw_text, value_delivered, '
            'unit_delivered, "value", unit'
        ),
        "marts.fct_indicator_observation",
        "intermediate.int_observations_corrected",
    ),
    (
        "rejected lines",
        f"{PLACE}, raw_text, reason, indicator_id, unit_text",
        "quality.rejected_value",
        "quality.rejected_value",
    ),
    (
        "policy clauses",
        "document_id, clause_no, clause_text",
        "marts.fct_policy_clause",
        "staging.stg_policy__clauses",
    ),
)
DIFFERENCE = """
with gone as (select {columns} from {one} {where} except all select {columns} from {other} {where})
select count(*) over () as n, gone from gone order by all limit {examples}
"""


def input_faults(
    inputs: Iterable[dict[str, Any]], landing: Path, present: Mapping[str, Path]
) -> dict[str, str]:
    """Delivered files that are not what the manifest says, by their path in the landing.

    Parameters
    ----------
    inputs : entries of a manifest, with `path` and `sha256`; a file that was not opened (a link)
    has none.
    landing : folder, for the messages.
    present : where each file of the landing lies, by its path.
    """
    faults = {}
    for entry in inputs:
        path, location = landing / entry["path"], present.get(entry["path"])
        if entry["sha256"] is None:
            continue
        if location is None or not location.is_file():
            faults[entry["path"]] = (
                f"{path}: missing, expected the file with sha256 {entry['sha256']}"
            )
            continue
        try:
            found = take_snapshot(location).sha256
        except FileFault as fault:
            faults[entry["path"]] = f"{path}: {fault}"
            continue
        if found != entry["sha256"]:
            faults[entry["path"]] = (
                f"{path}: sha256 {found}, expected {entry['sha256']}: it is not the file that was "
                "published"
            )
    return faults


def value_faults(database: Path, build: Path, but: Sequence[str]) -> tuple[list[str], int]:
    """Published rows that the delivered files do not hold, and rows of the files that were not
    published.

    Parameters
    ----------
    database : that of a publication.
    build : folder of the models up to accepted values, made from the same files read again.
    but : paths of files that are left out, as they are not what was published.

    Returns
    -------
    list of str, int
        One line per kind of difference with its number and first rows, and how many published rows
        were compared.

    Raises
    ------
    PublishError
        The publication lacks a table (it is of an earlier version).
    """
    with open_build(build, read_only=True) as con:
        attach_foreign(con, {"published": database})
        try:
            return _compare(con, but)
        except (duckdb.CatalogException, duckdb.BinderException) as error:
            first = str(error).splitlines()[0]
            raise PublishError(
                f"{database}: expected the tables of this version, found {first}; publish "
                "again first"
            ) from error


def _compare(con: duckdb.DuckDBPyConnection, but: Sequence[str]) -> tuple[list[str], int]:
    faults, n_rows = [], 0
    con.execute(
        "create temp table left_out as select unnest(?::varchar[]) as file_path", [list(but)]
    )
    for what, columns, of_publication, of_files in COMPARED:
        path = (
            "'policy_texts/' || document_id"
            if "file_name" not in columns
            else "concat_ws('/', nullif(source_id, '.'), file_name)"
        )
        where = f"where {path} not in (select file_path from left_out)"
        published, again = f"published.{of_publication}", f"citysync.{of_files}"
        n_rows += con.execute(f"select count(*) from {published} {where}").fetchone()[0]
        for one, other, words in (
            (published, again, f"published {what} that the delivered files do not hold"),
            (again, published, f"{what} of the delivered files that are not published so"),
        ):
            query = DIFFERENCE.format(
                columns=columns, one=one, other=other, where=where, examples=EXAMPLES
            )
            rows = con.execute(query).fetchall()
            if rows:
                faults.append(
                    f"{rows[0][0]:,} {words}, first {'; '.join(_shown(row[1]) for row in rows)}"
                )
    return faults, n_rows


def _shown(row: dict[str, Any]) -> str:
    """Such as `tidy values.csv B2 gdp_real_cny_100m 110000 2005 '1200.5' 1200.5`; texts with their
    control characters shown.
    """
    parts = [str(value) for value in row.values() if value is not None]
    for place, text in enumerate(parts):
        if not text.isprintable():
            parts[place] = repr(text)
    return " ".join(parts)[:300]
