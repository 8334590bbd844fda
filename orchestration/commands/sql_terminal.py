"""The prompt of `citysync sql`: editing over several lines, history, completion, and a few words
that are no SQL.
"""

from __future__ import annotations

import atexit
import os
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import islice
from pathlib import Path
from types import ModuleType

import duckdb

from orchestration.commands.sql_results import WRITERS, CannotWrite, show, write

GREETING = (
    "citysync: read-only. Statements end with `;`, ctrl-c ends a query, ctrl-d leaves. `help` "
    "says more."
)
HELP = f"""\
  .tables marts        tables that are here, all or those whose name holds a word
  .schema marts.dim_city
                       columns of a table with their types and what they mean
  .write cities.xlsx from marts.dim_city;
                       write a result; the name ends in {", ".join(WRITERS)}
  .quit                leave (ctrl-d does too)
  archive.*            what every run said: from archive.meta.run;
Questions as people ask them, each with its query: docs/querying.md"""
TABLES = """
with found as (
    select database_name, schema_name || '.' || table_name as "table", estimated_size as "rows",
        comment as holds
    from duckdb_tables()
    union all
    select database_name, schema_name || '.' || view_name, null, comment from duckdb_views()
)
select "table", "rows", holds from found
where database_name in (current_database(), 'files') and contains("table", '{part}') order by all
"""
COLUMNS = """
select column_name as "column", data_type as type, comment as means from duckdb_columns()
where database_name in (current_database(), 'files') and schema_name || '.' || table_name = ?
    order by column_index
"""


def is_whole(text: str) -> bool:
    """Whether what was typed can be run: a statement with its semicolon, a word of the prompt, or
    nothing.
    """
    text = text.strip()
    return (
        not text
        or text.endswith(";")
        or text == "help"
        or (text.startswith(".") and not text.startswith(".write"))
    )


def answer(con: duckdb.DuckDBPyConnection, text: str) -> bool:
    """Run what was typed, print what it gives or why it failed; False to leave.

    Parameters
    ----------
    con : duckdb connection
    text : str
        As `is_whole` wants it.
    """
    if text.strip() in (".quit", ".quit;"):
        return False
    try:
        _interruptibly(con, lambda: _answer(con, text.strip()))
    except duckdb.InterruptException:
        print("the query was ended", file=sys.stderr)
    except (duckdb.Error, CannotWrite) as error:
        print(error, file=sys.stderr)
    except RuntimeError as error:
        # what DuckDB raises where a result is interrupted while it is printed
        print("the query was ended" if "nterrupt" in str(error) else error, file=sys.stderr)
    return True


def _interruptibly(con: duckdb.DuckDBPyConnection, work: Callable[[], None]) -> None:
    """Do the work beside this thread, which ctrl-c reaches at once: in the midst of a query DuckDB
    does not always look for it.
    """
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(work)
        try:
            future.result()
        except KeyboardInterrupt:
            con.interrupt()
            future.result()


def _answer(con: duckdb.DuckDBPyConnection, text: str) -> None:
    word, _, rest = text.partition(" ")
    if text == "help":
        print(HELP)
    elif word == ".tables":
        show(con, TABLES.format(part=rest.strip().rstrip(";").replace("'", "''")))
    elif word == ".schema":
        _show_columns(con, rest.strip().rstrip(";"))
    elif word == ".write":
        name, _, query = rest.strip().partition(" ")
        print(f"{write(con, query, Path(name)):,} rows in {name}")
    elif text.startswith("."):
        print(
            f"{word}: expected .tables, .schema, .write or .quit; `help` says what they do",
            file=sys.stderr,
        )
    elif text:
        show(con, text)


def _show_columns(con: duckdb.DuckDBPyConnection, table: str) -> None:
    rows = con.execute(COLUMNS, [table]).fetchall()
    if not rows:
        print(
            (
                f"{table or 'no name'}: expected a table such as marts.dim_city, found none of "
                "this "
                "name; .tables lists them"
            ),
            file=sys.stderr,
        )
    for column, kind, means in rows:
        print(f"  {column}  {kind}  {means or ''}".rstrip())


def prompt(con: duckdb.DuckDBPyConnection, history: Path) -> None:
    """Read and answer until the end of input.

    Parameters
    ----------
    con : duckdb connection
    history : Path
        File that keeps what was typed; without a writable place nothing is kept.
    """
    print(GREETING)
    if sys.stdin.isatty():
        _edit_lines(con, history)
    lines: list[str] = []
    while True:
        try:
            lines.append(_read_line("      ... " if lines else "citysync> "))
            if is_whole("\n".join(lines)):
                text, lines = "\n".join(lines), []
                if not answer(con, text):
                    return
        except KeyboardInterrupt:
            print()
            lines = []
        except EOFError:
            return


def _read_line(shown: str) -> str:
    if sys.stdin.isatty():
        return input(shown)
    if line := sys.stdin.readline():
        return line
    raise EOFError


def _edit_lines(con: duckdb.DuckDBPyConnection, history: Path) -> None:
    """Line editing with history, and the tabulator for the names of tables and columns."""
    import readline

    names = con.execute(
        "select schema_name || '.' || table_name from duckdb_tables() union select column_name "
        "from duckdb_columns() order by all"
    ).fetchall()
    words = [*(name for (name,) in names), "help", ".tables", ".schema", ".write", ".quit"]

    def complete(begun: str, nth: int) -> str | None:
        return next(islice((word for word in words if word.startswith(begun)), nth, None), None)

    readline.set_completer(complete)
    readline.set_completer_delims(" \t\n(),;=")
    readline.parse_and_bind("tab: complete")
    with suppress(OSError):
        readline.read_history_file(history)
    atexit.register(_keep_history, readline, history)


def _keep_history(readline: ModuleType, history: Path) -> None:
    with suppress(OSError):
        # for this user alone: what is asked of statistics is nobody else's
        os.close(os.open(history, os.O_CREAT | os.O_WRONLY, 0o600))
        readline.write_history_file(history)
