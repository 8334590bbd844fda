"""`make sql`: a read-only prompt on the published warehouse. The connection cannot write, attach, load or read other files."""

from __future__ import annotations

import sys

import duckdb

from orchestration.home import Home

ROWS_SHOWN = 200


def connect_read_only(home: Home) -> duckdb.DuckDBPyConnection:
    """A locked connection to the published database.

    Raises
    ------
    FileNotFoundError
        If nothing has been published in this home.
    """
    path = home.published / "citysync.duckdb"
    if not path.exists():
        raise FileNotFoundError(f"{path} does not exist: nothing has been published in this home yet; run `make refresh` first")
    con = duckdb.connect(str(path.resolve()), read_only=True)
    con.execute("set enable_external_access = false")
    con.execute("set lock_configuration = true")
    return con


def run_sql(query: str | None) -> int:
    """Print one query's result, or read queries from a prompt until the end of input."""
    try:
        con = connect_read_only(Home.from_environment())
    except FileNotFoundError as error:
        print(error, file=sys.stderr)
        return 2
    with con:
        if query is not None:
            return _print(con, query)
        print("citysync: read-only. Statements end with `;`, ctrl-d leaves. `show all tables;` lists what is here.")
        return _prompt(con)


def _prompt(con: duckdb.DuckDBPyConnection) -> int:
    import readline  # noqa: F401 (gives input() history and line editing)

    lines: list[str] = []
    while True:
        try:
            lines.append(input("citysync> " if not lines else "      ... "))
        except EOFError:
            print()
            return 0
        except KeyboardInterrupt:
            lines = []
            print()
            continue
        if lines[-1].rstrip().endswith(";"):
            _print(con, "\n".join(lines))
            lines = []


def _print(con: duckdb.DuckDBPyConnection, query: str) -> int:
    try:
        relation = con.sql(query)
        if relation is not None:
            relation.show(max_rows=ROWS_SHOWN, max_width=200)
    except duckdb.Error as error:
        print(error, file=sys.stderr)
        return 2
    return 0
