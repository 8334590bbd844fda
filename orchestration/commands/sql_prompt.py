"""`citysync sql`: a read-only prompt on the published warehouse.

The connection cannot write, attach, load or read other files.
"""

from __future__ import annotations

import atexit
import signal
import sys
from code import InteractiveConsole
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path

import duckdb

from orchestration.commands.publications import publication_folder
from orchestration.commands.sql_results import show, write
from orchestration.home import Home
from orchestration.terminal import Exit, end_command
from warehouse.errors import Refused
from warehouse.publication.archive import load_archive
from warehouse.publication.file_tables import add_file_tables, files_of_tables
from warehouse.publication.foreign import DATABASE, attach_foreign
from warehouse.sql_text import quote

GREETING = "citysync: read-only. Statements end with `;`, ctrl-d leaves. `help` says more."
HELP = """\
  from tables;            tables that are here, with rows and what they hold
  from columns where "table" = 'marts.dim_city';
                          columns of a table with their types and what they mean
  from archive.meta.run;  what every run said: archive.*
A result as a file: citysync sql --out cities.xlsx -q "from marts.dim_city"
Questions as people ask them, each with its query: docs/querying.md"""
# what is here, for people: `tables` and `columns` beside the tables themselves
VIEWS = """
create temp view tables as
select schema_name || '.' || table_name as "table", estimated_size as "rows", comment as holds
from duckdb_tables() where database_name = 'citysync'
union all
select schema_name || '.' || view_name, null, comment from duckdb_views()
where database_name = 'files'
order by all;
create temp view columns as
select schema_name || '.' || table_name as "table", column_name as "column", data_type as type,
    comment as means
from duckdb_columns() where database_name in ('citysync', 'files') order by 1, column_index
"""


@contextmanager
def connect_read_only(
    home: Home, *, with_archive: bool = True
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A locked connection to the published database, and to those tables of the publication that
    are files.

    Parameters
    ----------
    home : Home
    with_archive : bool
        Whether the tables of all runs are read into memory, as the database `archive`.

    Raises
    ------
    PublishError
        If nothing has been published in this home, a file of a table is missing, or the database
        holds more than tables.
    duckdb.Error
        If it cannot be opened.
    """
    folder = publication_folder(home, None)
    path, files = folder / DATABASE, files_of_tables(folder)
    with duckdb.connect() as holding, duckdb.connect() as con:
        # DuckDB copies nothing into a file that is attached somewhere: a query may detach it here
        attach_foreign(holding, {"citysync": path})
        add_file_tables(con, "files", files)
        if with_archive:
            for line in load_archive(con, home.archive):
                print(line, file=sys.stderr)
        con.execute(VIEWS)
        attach_foreign(con, {"citysync": path})
        # where a name is looked up: `marts.x` is a table of the database, or else one of the files
        schemas = sorted({table.split(".")[0] for table in files})
        places = [
            f"{catalog}.{quote(schema)}" for schema in schemas for catalog in ("citysync", "files")
        ]
        con.execute("set search_path = $1", [",".join(["citysync.main", *places])])
        yield con


class Prompt(InteractiveConsole):
    """Python's own console (history, several lines, ctrl-c, ctrl-d) with statements of SQL in the
    place of Python's; a statement ends with a semicolon.

    Parameters
    ----------
    con : duckdb connection
    """

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        super().__init__()
        self._con = con

    def runsource(self, source: str, filename: str = "", symbol: str = "") -> bool:
        """Answer a statement, or say why not; True where more of it is to come."""
        text = source.strip()
        if text and text != "help" and not text.endswith(";"):
            return True
        try:
            if text == "help":
                print(HELP)
            elif text:
                _interruptibly(self._con, text)
        except (duckdb.Error, RuntimeError) as error:
            print(error, file=sys.stderr)
        return False


def _interruptibly(con: duckdb.DuckDBPyConnection, query: str) -> None:
    """Show a result beside this thread, which ctrl-c reaches at once: in the midst of a query
    DuckDB does not always look for it.
    """
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(show, con, query)
        try:
            future.result()
        except KeyboardInterrupt:
            con.interrupt()
            future.result()


def _edit_lines(con: duckdb.DuckDBPyConnection, history: Path) -> None:
    """Line editing with history, and the tabulator for the names of tables and columns."""
    import readline

    names = con.execute('select "table" from tables union select "column" from columns')
    words = sorted(name for (name,) in names.fetchall())
    readline.set_completer(
        lambda begun, nth: next(islice((w for w in words if w.startswith(begun)), nth, None), None)
    )
    readline.set_completer_delims(" \t\n(),;=")
    readline.parse_and_bind("tab: complete")
    with suppress(OSError):
        readline.read_history_file(history)
    atexit.register(readline.write_history_file, history)


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
        0, or 2 with the reason on standard error: a result is for the next program.
    """
    home = Home.from_environment()
    try:
        if out and query is None:
            raise Refused('--out needs a query: sql --out cities.csv -q "from marts.dim_city"')
        asks_archive = query is None or "archive" in query.lower()
        with connect_read_only(home, with_archive=asks_archive) as con:
            if query is None:
                _prompt(con, home.root / "sql_history")
            elif out:
                print(f"{write(con, query, Path(out)):,} rows in {out}")
            else:
                show(con, query)
    except (OSError, Refused, duckdb.Error) as error:
        return end_command(Exit.BAD_INPUT, str(error), sys.stderr)
    except (KeyboardInterrupt, RuntimeError) as error:
        # what DuckDB makes of ctrl-c has no class of its own
        if isinstance(error, RuntimeError) and str(error) != "Query interrupted":
            raise
        return end_command(128 + signal.SIGINT, "interrupted", sys.stderr)
    return Exit.DONE


def _prompt(con: duckdb.DuckDBPyConnection, history: Path) -> None:
    is_person = sys.stdin.isatty()
    sys.ps1, sys.ps2 = ("citysync> ", "      ... ") if is_person else ("", "")
    if is_person:
        _edit_lines(con, history)
    Prompt(con).interact(GREETING if is_person else "", exitmsg="")
