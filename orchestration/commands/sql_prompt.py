"""`make sql`: a read-only prompt on the published warehouse. The connection cannot write, attach, load or read other files."""

from __future__ import annotations

import sys
from pathlib import Path

import duckdb

from estimation.report.csv_files import csv_text
from orchestration.home import Home
from orchestration.terminal import Exit
from warehouse.publication.archive import load_archive
from warehouse.sql_text import literal

ROWS_SHOWN = 200


def connect_read_only(home: Home, *, with_archive: bool = True) -> duckdb.DuckDBPyConnection:
    """A locked connection to the published database.

    Parameters
    ----------
    home : Home
    with_archive : bool
        Whether the tables of all runs are read into memory, as the database `archive`.

    Raises
    ------
    FileNotFoundError
        If nothing has been published in this home.
    """
    path = home.published / "citysync.duckdb"
    if not path.exists():
        raise FileNotFoundError(f"{path} does not exist: nothing has been published in this home yet; run `make refresh` first")
    if with_archive:
        # a read-only connection can hold nothing in memory beside its file
        con = duckdb.connect()
        con.execute(f"attach {literal(path.resolve())} as citysync (read_only); use citysync")
        for line in load_archive(con, home.archive):
            print(line, file=sys.stderr)
    else:
        con = duckdb.connect(str(path.resolve()), read_only=True)
    con.execute("set enable_external_access = false")
    con.execute("set lock_configuration = true")
    return con


def run_sql(query: str | None, csv_path: str | None = None) -> int:
    """Print one query's result or write it as CSV, or read queries from a prompt until the end of input.

    Parameters
    ----------
    query : SQL; None for the prompt.
    csv_path : file to write instead of printing; an existing file is replaced.

    Returns
    -------
    int
        0, or 2 with the reason on standard error.
    """
    if csv_path and query is None:
        print('CSV= needs a query: make sql CSV=cities.csv Q="from marts.dim_city"', file=sys.stderr)
        return Exit.BAD_INPUT
    try:
        con = connect_read_only(Home.from_environment(), with_archive=query is None or "archive" in query.lower())
    except FileNotFoundError as error:
        print(error, file=sys.stderr)
        return Exit.BAD_INPUT
    with con:
        if query is not None:
            return _write_csv(con, query, Path(csv_path)) if csv_path else _print(con, query)
        print("citysync: read-only. Statements end with `;`, ctrl-d leaves. `show all tables;` lists what is here, archive.* of all runs.")
        return _prompt(con)


def _prompt(con: duckdb.DuckDBPyConnection) -> int:
    import readline  # noqa: F401 (gives input() history and line editing)

    lines: list[str] = []
    while True:
        try:
            lines.append(input("citysync> " if not lines else "      ... "))
        except EOFError:
            print()
            return Exit.DONE
        except KeyboardInterrupt:
            lines = []
            print()
            continue
        if lines[-1].rstrip().endswith(";"):
            _print(con, "\n".join(lines))
            lines = []


def _write_csv(con: duckdb.DuckDBPyConnection, query: str, path: Path) -> int:
    """The result for a spreadsheet; the file is written by Python, the connection itself can write nothing."""
    try:
        found = con.execute(query)
        names, rows = [column[0] for column in found.description or []], found.fetchall()
        path.write_text(csv_text(names, rows), encoding="utf-8", newline="")
    except duckdb.Error as error:
        print(error, file=sys.stderr)
        return Exit.BAD_INPUT
    except OSError as error:
        print(f"{path}: {error.strerror}; give CSV= a file in a folder that exists and can be written", file=sys.stderr)
        return Exit.BAD_INPUT
    print(f"{len(rows):,} rows in {path}")
    return Exit.DONE


def _print(con: duckdb.DuckDBPyConnection, query: str) -> int:
    try:
        relation = con.sql(query)
        if relation is not None:
            relation.show(max_rows=ROWS_SHOWN, max_width=200)
    except duckdb.Error as error:
        print(error, file=sys.stderr)
        return Exit.BAD_INPUT
    return Exit.DONE
