"""`citysync sql`: a read-only prompt on the published warehouse.

The connection cannot write, attach, load or read other files.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from orchestration.commands.sql_results import CannotWrite, show, write
from orchestration.commands.sql_terminal import prompt
from orchestration.home import Home
from orchestration.terminal import Exit, end_command
from warehouse.publication.archive import load_archive
from warehouse.publication.errors import PublishError
from warehouse.publication.file_tables import add_file_tables, files_of_tables
from warehouse.publication.foreign import DATABASE, attach_foreign
from warehouse.publication.manifest import MANIFEST
from warehouse.sql_text import quote


@contextmanager
def connect_read_only(
    home: Home, *, with_archive: bool = True, query: str | None = None
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A locked connection to the published database, and to those tables of the publication that
    are files.

    Parameters
    ----------
    home : Home
    with_archive : bool
        Whether the tables of all runs are read into memory, as the database `archive`.
    query : str, optional
        The only query that will be asked: files of tables that it does not name need not be hashed
        first.

    Raises
    ------
    FileNotFoundError
        If nothing has been published in this home.
    PublishError
        If a file of a table is not as it was published, or the database holds more than tables.
    duckdb.Error
        If it cannot be opened.
    """
    path = home.published / DATABASE
    if not path.is_file():
        raise FileNotFoundError(
            f"{path} does not exist: nothing has been published in this home yet; run `make "
            "refresh` first"
        )
    folder = path.resolve().parent
    files = {}
    if (folder / MANIFEST).exists():
        files = files_of_tables(
            folder, lambda table: query is None or table.split(".")[1] in query.lower()
        )
    with duckdb.connect() as holding, duckdb.connect() as con:
        # DuckDB copies nothing into a file that is attached somewhere: a query may detach it here
        attach_foreign(holding, {"citysync": path})
        add_file_tables(con, "files", files)
        if with_archive:
            for line in load_archive(con, home.archive):
                print(line, file=sys.stderr)
        attach_foreign(con, {"citysync": path})
        # where a name is looked up: `marts.x` is a table of the database, or else one of the files
        schemas = sorted({table.split(".")[0] for table in files})
        places = [
            f"{catalog}.{quote(schema)}" for schema in schemas for catalog in ("citysync", "files")
        ]
        con.execute("set search_path = $1", [",".join(["citysync.main", *places])])
        yield con


def run_sql(query: str | None, out: str | None = None) -> int:
    """Print one query's result or write it to a file, or read queries from a prompt until the end
    of input.

    Parameters
    ----------
    query : SQL; None for the prompt.
    out : file to write instead of printing, .csv, .parquet or .xlsx by its name; an existing file
    is replaced.

    Returns
    -------
    int
        0, or 2 with the reason on standard error.
    """
    if out and query is None:
        return _refuse('--out needs a query: sql --out cities.csv -q "from marts.dim_city"')
    home = Home.from_environment()
    try:
        with connect_read_only(
            home, with_archive=query is None or "archive" in query.lower(), query=query
        ) as con:
            if query is not None:
                return _answer_once(con, query, out)
            prompt(con, home.root / "sql_history")
    except (FileNotFoundError, PublishError, duckdb.Error) as error:
        return _refuse(error)
    return Exit.DONE


def _refuse(reason: object) -> int:
    """On standard error: a result is for the next program."""
    return end_command(Exit.BAD_INPUT, str(reason), sys.stderr)


def _answer_once(con: duckdb.DuckDBPyConnection, query: str, out: str | None) -> int:
    try:
        if out:
            print(f"{write(con, query, Path(out)):,} rows in {out}")
        else:
            show(con, query)
    except (duckdb.Error, CannotWrite) as error:
        return _refuse(error)
    return Exit.DONE
