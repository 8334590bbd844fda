"""Compare a publication with the delivered files: its rows with the same files read again, and the
files with the hashes in the manifest.

`verification` compares a publication only with its own manifest. This comparison also finds a value
that was changed before it was hashed (in the cache or the build), and a delivered file that was
changed after the publication, and names the cells.

`orchestration/verify_landing.py` reads the files again and runs the models up to accepted values;
`make reproduce` compares what later models compute.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb

from warehouse.database import open_build
from warehouse.ingest.errors import FileFault
from warehouse.ingest.unchanged_files import take_snapshot
from warehouse.publication.errors import PublishError
from warehouse.publication.untrusted import attach_untrusted

EXAMPLES = 3
PLACE = "source_id, edition_year, file_name, sheet_name, cell_ref"


# What is compared: name of the rows, their columns, the published table, and the table made from
# the files read again.
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
    """Return how delivered files differ from the manifest, by their path in the landing.

    Parameters
    ----------
    inputs : entries of a manifest with `path` and `sha256`, which is null for a link.
    landing : folder that the messages name.
    present : location of each file of the landing, by its path there.
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


def value_faults(database: Path, build: Path, ignored: Sequence[str]) -> tuple[list[str], int]:
    """Return how published rows differ from those of the delivered files, in both directions.

    Parameters
    ----------
    database : database of the publication.
    build : folder of the models up to accepted values, made from the same files read again.
    ignored : paths of files that changed, whose rows are not compared.

    Returns
    -------
    list of str, int
        One line per kind of difference with the number of rows and the first of them; and how many
        published rows were compared.

    Raises
    ------
    PublishError
        If the publication lacks a table, because an earlier version wrote it.
    """
    with open_build(build, read_only=True) as con:
        attach_untrusted(con, {"published": database})
        try:
            return _compare(con, ignored)
        except (duckdb.CatalogException, duckdb.BinderException) as error:
            first = str(error).splitlines()[0]
            raise PublishError(
                f"{database}: expected the tables of this version, found {first}; publish "
                "again first"
            ) from error


def _compare(con: duckdb.DuckDBPyConnection, ignored: Sequence[str]) -> tuple[list[str], int]:
    faults, n_rows = [], 0
    con.execute(
        "create temp table left_out as select unnest(?::varchar[]) as file_path", [list(ignored)]
    )
    for what, columns, of_publication, of_files in COMPARED:
        path = "concat_ws('/', nullif(source_id, '.'), file_name)"
        if "file_name" not in columns:
            path = "'policy_texts/' || document_id"
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
    """Return a row as a text such as `tidy values.csv B2 gdp_real_cny_100m 110000 2005 '1200.5'
    1200.5`, with control characters escaped.
    """
    parts = [str(value) for value in row.values() if value is not None]
    for place, text in enumerate(parts):
        if not text.isprintable():
            parts[place] = repr(text)
    return " ".join(parts)[:300]
