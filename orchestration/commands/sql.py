"""`citysync sql`: read-only queries on the published warehouse.

The connection cannot write, attach, load or read other files.
"""

from __future__ import annotations

import datetime as dt
import io
import math
import shlex
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path

import duckdb

from estimation.control_characters import visible
from estimation.csv_files import csv_lines
from orchestration.home import Home
from orchestration.machine_faults import explain
from orchestration.publication_folders import publication_folder
from orchestration.terminal import Exit, end_command, put
from warehouse.database import open_memory
from warehouse.errors import Refused
from warehouse.publication.archive import load_archive
from warehouse.publication.open_yearly_files import add_yearly_tables, files_of_tables
from warehouse.publication.untrusted import DATABASE, attach_untrusted, open_publication
from warehouse.sql_text import quote
from warehouse.whole_files import write_whole

ROWS_SHOWN = 200
# of a Parquet file, held in memory at a time: pairs of counties are more than memory holds
ROWS_OF_A_PART = 122_880
# a sheet of a workbook, less its header
MOST_ROWS_OF_A_SHEET = 1_048_575
NARROWEST = 80
#: What a person may ask first, each with its question.
EXAMPLES = {
    "which tables are there, and what do they hold?": "from tables",
    "what is the verdict?": "select verdict, estimate, ci_low, ci_high, p_value, reason from "
    "estimates.primary where spec_id = 'primary.cm_growth_official.newest'",
    "how did Hangzhou grow?": "select year, growth_official_pct from marts.fct_city_year where "
    "city_id = 330100 order by year",
}
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
    publication = open_publication(publication_folder(home, None))
    files = files_of_tables(publication)
    with open_memory() as con:
        add_yearly_tables(con, files)
        if with_archive:
            for line in load_archive(con, home.archive):
                print(line, file=sys.stderr)
        con.execute(VIEWS)
        attach_untrusted(con, {"citysync": publication.database})
        # where a name is looked up: `marts.x` is a table of the database, or else one of the files
        schemas = sorted({table.split(".")[0] for table in files})
        places = ["citysync.main"]
        for schema in schemas:
            places += [f"citysync.{quote(schema)}", f"files.{quote(schema)}"]
        con.execute("set search_path = $1", [",".join(places)])
        yield con


def show(con: duckdb.DuckDBPyConnection, query: str) -> None:
    """Print a result, at most `ROWS_SHOWN` rows and as wide as the terminal.

    Raises
    ------
    duckdb.Error, RuntimeError
        As DuckDB says; a query that is interrupted ends with one of them too.
    """
    relation = con.sql(query)
    if relation is not None:
        width = max(shutil.get_terminal_size((200, 50)).columns, NARROWEST)
        printed = io.StringIO()
        with redirect_stdout(printed):
            relation.show(max_rows=ROWS_SHOWN, max_width=width)
        put(printed.getvalue().removesuffix("\n"))


def write(con: duckdb.DuckDBPyConnection, query: str, path: Path) -> int:
    """Write a result to a file and return its number of rows; an existing file is replaced.

    Parameters
    ----------
    con : duckdb connection
    query : str
    path : Path
        Ends in .csv, .parquet or .xlsx.

    Raises
    ------
    Refused
        If the ending is another one, or a sheet cannot hold the rows.
    duckdb.Error, OSError
        As DuckDB says; what Arrow reads from a query that fails is an OSError too.
    """
    writer = WRITERS.get(path.suffix.lower())
    if writer is None:
        raise Refused(
            f"{path}: expected a name that ends in {', '.join(WRITERS)}; found "
            f"{path.suffix or 'no ending'!r}"
        )
    with write_whole(path) as draft:
        return writer(con, query, draft)


def _write_csv(con: duckdb.DuckDBPyConnection, query: str, path: Path) -> int:
    found = con.execute(query)
    lines = csv_lines(_names(found), iter(found.fetchone, None))
    with path.open("w", encoding="utf-8", newline="") as file:
        # less the mark and the header
        return sum(file.write(line) > 0 for line in lines) - 2


def _write_parquet(con: duckdb.DuckDBPyConnection, query: str, path: Path) -> int:
    import pyarrow.parquet as pq

    n_rows, parts = 0, con.sql(query).to_arrow_reader(ROWS_OF_A_PART)
    with pq.ParquetWriter(path, parts.schema, compression="zstd") as file:
        for part in parts:
            file.write_batch(part)
            n_rows += part.num_rows
    return n_rows


def _write_xlsx(con: duckdb.DuckDBPyConnection, query: str, path: Path) -> int:
    """Return numbers and dates as such, everything else as text, which is never a formula."""
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

    found = con.execute(query)
    names, rows = _names(found), found.fetchmany(MOST_ROWS_OF_A_SHEET + 1)
    if len(rows) > MOST_ROWS_OF_A_SHEET:
        raise Refused(
            f"a sheet of .xlsx holds {MOST_ROWS_OF_A_SHEET:,} rows and the result has more; "
            "write .csv or .parquet"
        )
    book = Workbook(write_only=True)
    sheet = book.create_sheet("result")

    def cell(value: object) -> object:
        if value is None or (isinstance(value, float) and not math.isfinite(value)):
            return None
        if isinstance(value, (int, float, dt.date)) and getattr(value, "tzinfo", None) is None:
            return value
        text = WriteOnlyCell(sheet, value=ILLEGAL_CHARACTERS_RE.sub("", str(value)))
        # a text like "=1+1" would be taken for a formula by its first character
        text.data_type = "s"
        return text

    for row in [names, *rows]:
        sheet.append([cell(value) for value in row])
    # a disk that is full while the book is packed would be reported a second time, by its packer
    packed = io.BytesIO()
    book.save(packed)
    path.write_bytes(packed.getvalue())
    return len(rows)


def _names(found: duckdb.DuckDBPyConnection) -> list[str]:
    return [column[0] for column in found.description or []]


WRITERS: dict[str, Callable[[duckdb.DuckDBPyConnection, str, Path], int]] = {
    ".csv": _write_csv,
    ".parquet": _write_parquet,
    ".xlsx": _write_xlsx,
}


def run_sql(query: str | None, out: str | None = None) -> int:
    """Print one query's result or write it to a file; without a query print examples.

    Parameters
    ----------
    query : SQL; None for examples.
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
        if query is None:
            _print_examples(home)
            return Exit.DONE
        with connect_read_only(home, with_archive="archive" in query.lower()) as con:
            if out:
                put(f"{write(con, query, Path(out)):,} rows in {out}")
            else:
                show(con, query)
    except (OSError, Refused, duckdb.Error) as error:
        reason = explain(error, Path(out or "standard output")) or str(error)
        first, *details = reason.splitlines()
        if isinstance(error, duckdb.CatalogException):
            # what it finds alike are tables of its own
            details = []
            first += " (citysync sql -q 'from tables' lists them)"
        for line in details:
            print(visible(line), file=sys.stderr)
        return end_command(Exit.BAD_INPUT, first, sys.stderr)
    except (KeyboardInterrupt, RuntimeError) as error:
        # what DuckDB makes of ctrl-c has no class of its own
        if isinstance(error, RuntimeError) and str(error) != "Query interrupted":
            raise
        return end_command(128 + signal.SIGINT, "interrupted", sys.stderr)
    return Exit.DONE


def _print_examples(home: Home) -> None:
    """Print three queries, and how DuckDB's own command line opens the file."""
    put("citysync sql takes a query, such as:")
    for question, query in EXAMPLES.items():
        put(f'\n  # {question}\n  citysync sql -q "{query}"')
    put(
        "\nQuestions as people ask them, each with its query: docs/querying.md. DuckDB's own "
        "command line opens the database read-only for many queries:\n\n  duckdb -readonly "
        f"{shlex.quote(str(home.published / DATABASE))}\n\nIt is not locked as `citysync sql` is, "
        "and has neither archive.* nor tables that are kept as files (parquet/)."
    )
