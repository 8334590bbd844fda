"""Archive the results of every publication for good, as small Parquet files, a folder per run.

`archive/run_id=<id>/` has the tables of `estimates` and `meta`, what the checks found, counts of
values, flags and rejections, and the manifest: enough to trace how a figure changed from run to
run, and why. The folders are Hive partitions, so one pattern reads a table of all runs. A folder
appears in one rename, before the switch; publications that have none yet get theirs. Nothing here
removes one.

Each folder's index names the hash of every file in it, so a file that changed is found. Not here:
the publications themselves (`publish`).
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

import duckdb

from warehouse.hashing import hash_file
from warehouse.publication.errors import PublishError
from warehouse.publication.manifest import MANIFEST, MANIFEST_HASH
from warehouse.publication.untrusted import DATABASE, open_untrusted
from warehouse.publication.verification import differing_files
from warehouse.sql_text import literal, quote

INDEX = "index.json"
RUN = "run_id="
TABLE = re.compile(r"([a-z_]+)\.([a-z0-9_]+)\.parquet")
# Every table of these schemas is kept whole.
WHOLE = ("estimates", "meta")
# Kept besides, each where the publication has the table that it is made from. `value_count` says by
# indicator why a figure moved. `value_span` has the years in a row for which a place has a current
# value of an indicator; what a run lost over several others is counted by them.
SPAN = "quality.value_span"
OBSERVATIONS = "marts.fct_indicator_observation"
SUMMARIES = {
    "quality.expectation_result": (
        "quality.expectation_result",
        "select * from quality.expectation_result",
    ),
    "quality.value_count": (
        OBSERVATIONS,
        """
        select source_id, indicator_id, place_level, quality_flag, quality_rule, is_current,
            count(*) as n_values,
            count(distinct city_id) as n_cities, min("year") as first_year, max("year") as last_year
        from marts.fct_indicator_observation group by all""",
    ),
    "quality.rejected_count": (
        "quality.rejected_value",
        "select source_id, reason, count(*) as n_rejected from quality.rejected_value group by all",
    ),
    SPAN: (
        OBSERVATIONS,
        """
        with present as (select distinct indicator_id, place_level, city_id, "year"
            from marts.fct_indicator_observation where is_current),
        numbered as (
            select *, "year" - row_number() over (partition by indicator_id, place_level, city_id
                order by "year") as nth from present
        )
        select indicator_id, place_level, city_id, min("year") as first_year,
            max("year") as last_year
        from numbered group by indicator_id, place_level, city_id, nth""",
    ),
}


def archive_publications(store: Path, archive: Path, required: str = "") -> list[str]:
    """Archive every whole publication of a folder that is not archived yet, oldest first; their run
    ids.

    Parameters
    ----------
    store : folder of publications, one folder per run id.
    archive : made where it is missing.
    required : run id of the one that is being published.

    Raises
    ------
    PublishError
        If something else has the archive's path.
    duckdb.Error, OSError
        If the required one cannot be archived; an earlier one that cannot be read is left out, and
        `verify` says what is wrong with it.
    """
    if archive.exists() and not archive.is_dir():
        raise PublishError(
            f"{archive}: expected the folder of what earlier publications said, found a file; "
            "move it away, then run again"
        )
    archive.mkdir(parents=True, exist_ok=True)
    for draft in archive.glob(".*"):
        shutil.rmtree(draft, ignore_errors=True)
    new = [
        folder
        for folder in sorted(store.iterdir())
        if not folder.name.startswith(".")
        and (folder / MANIFEST).is_file()
        and not (archive / f"{RUN}{folder.name}").exists()
    ]
    done = []
    for folder in new:
        try:
            _archive(folder, archive)
            done.append(folder.name)
        except (duckdb.Error, PublishError):
            if folder.name == required:
                raise
    return done


def _archive(publication: Path, archive: Path) -> None:
    """Write a draft in the same folder and rename it."""
    draft = archive / f".{publication.name}"
    draft.mkdir()
    with open_untrusted(publication / DATABASE, draft) as con:
        for name, query in _kept(con):
            target = literal(draft / f"{name}.parquet")
            con.execute(
                f"copy (select * from ({query}) order by all) to {target} (format parquet, "
                "compression zstd)"
            )
    for name in (MANIFEST, MANIFEST_HASH):
        if (publication / name).is_file():
            shutil.copyfile(publication / name, draft / name)
    files = {path.name: hash_file(path) for path in sorted(draft.iterdir())}
    (draft / INDEX).write_text(json.dumps(files, indent=1) + "\n", encoding="utf-8")
    for path in draft.iterdir():
        with open(path, "rb") as file:
            os.fsync(file.fileno())
        path.chmod(0o444)
    os.replace(draft, archive / f"{RUN}{publication.name}")


def _kept(con: duckdb.DuckDBPyConnection) -> Iterator[tuple[str, str]]:
    """Name and query of what is kept of a publication.

    A column `run_id` is left out: the folder's name is that column.
    """
    tables = con.execute(
        "select schema_name, table_name from duckdb_tables() order by all"
    ).fetchall()
    for schema, table in tables:
        if schema in WHOLE:
            columns = "columns(lambda name: name <> 'run_id')"
            yield f"{schema}.{table}", f"select {columns} from {quote(schema)}.{quote(table)}"
    for name, (source, query) in SUMMARIES.items():
        if tuple(source.split(".")) in tables:
            yield name, query


def archived_runs(archive: Path) -> list[str]:
    """Run ids of the archive, oldest first."""
    return [folder.name.removeprefix(RUN) for folder in _run_folders(archive)]


def day_of(run_id: str) -> str:
    """Return the day of a run such as 2026-11-30, by its id."""
    return f"{run_id[:4]}-{run_id[4:6]}-{run_id[6:8]}"


def _run_folders(archive: Path) -> list[Path]:
    return sorted(folder for folder in archive.glob(f"{RUN}*") if folder.is_dir())


def verify_archive(archive: Path, published: Iterable[str] = ()) -> list[str]:
    """Hash every file of the archive again.

    Parameters
    ----------
    archive : Path
    published : iterable of str
        Run ids of the kept publications; each must be archived.

    Returns
    -------
    list of str
        One line per fault: a file that changed, is missing or was added, an index that cannot be
        read, a publication that is not archived. Empty where all is as archived, also where there
        is no archive yet.
    """
    missing = sorted(set(published) - set(archived_runs(archive)))
    faults = [
        f"{archive / RUN}{run_id}: missing, expected what publication {run_id} said: the next "
        "refresh that publishes writes it again"
        for run_id in missing
    ]
    for folder in _run_folders(archive):
        faults += _faults(folder)
    return faults


def _faults(folder: Path) -> list[str]:
    try:
        said = json.loads((folder / INDEX).read_text(encoding="utf-8"))
        # an index of an earlier version also named the run archived before
        faults = differing_files(folder, said.get("files", said), ignored=(INDEX,))
    except (OSError, ValueError, AttributeError) as error:
        faults = [f"{folder}: cannot be read ({error})"]
    return [f"{fault}: put it back from a backup" for fault in faults]


def load_archive(con: duckdb.DuckDBPyConnection, archive: Path) -> list[str]:
    """Put the tables of all runs into an in-memory database named `archive`, each with the column
    `run_id` first.

    A run of an earlier version may lack tables and columns: its columns are null there.

    Returns
    -------
    list of str
        One line for each table with a file that cannot be read, which is left out.
    """
    con.execute("attach ':memory:' as archive")
    left_out: list[str] = []
    files_of: dict[tuple[str, ...], list[str]] = {}
    for path in sorted(archive.glob(f"{RUN}*/*.parquet")):
        named = TABLE.fullmatch(path.name)
        if named:
            files_of.setdefault(named.groups(), []).append(str(path))
    for (schema, table), files in sorted(files_of.items()):
        con.execute(f"create schema if not exists archive.{quote(schema)}")
        try:
            con.execute(
                f"create table archive.{quote(schema)}.{quote(table)} as select run_id, * exclude "
                "(run_id) from read_parquet(?, hive_partitioning = true, "
                "hive_types = {'run_id': varchar}, union_by_name = true) order by run_id",
                [files],
            )
        except duckdb.Error as error:
            left_out.append(
                f"archive: {schema}.{table} is left out ({' '.join(str(error).split())[:200]}); "
                "citysync verify names the file: put it back from a backup"
            )
    return left_out
