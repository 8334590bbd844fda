"""`citysync sql`: read-only queries on the published warehouse.

The connection cannot write, attach, load or read other files.
"""

from __future__ import annotations

import shlex
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
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


def _print_examples(home: Home) -> None:
    """Print three queries, and how DuckDB's own command line opens the file."""
    print("citysync sql takes a query, such as:")
    for question, query in EXAMPLES.items():
        print(f'\n  # {question}\n  citysync sql -q "{query}"')
    print(
        "\nQuestions as people ask them, each with its query: docs/querying.md. DuckDB's own "
        "command line opens the database read-only for many queries:"
        f"\n\n  duckdb -readonly {shlex.quote(str(home.published / DATABASE))}\n\n"
        "It is not locked as `citysync sql` is, and has neither archive.* nor tables that are kept "
        "as files (parquet/)."
    )
