"""The one way into a publication: its database attached, read-only, to a connection that is locked.

Whoever hands a publication over may have put anything into it. A view or a macro of a database that
is opened as the main one stands in the place of DuckDB's own function of its name, reads any file
of this machine and writes others; a file of another kind has an extension fetched. So the file is
attached as a database of DuckDB to a connection in memory, which runs nothing of it; the connection
is locked before its first query, and DuckDB's own functions say what the file holds. Only one with
tables alone is used as the main database.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import duckdb

from warehouse.publication.errors import PublishError
from warehouse.sql_text import quote

DATABASE = "citysync.duckdb"
RUNS = """
select schema_name || '.' || view_name from system.main.duckdb_views() where database_name = $1
union all
select schema_name || '.' || function_name from system.main.duckdb_functions()
where database_name = $1
order by all
"""


@contextmanager
def open_foreign(database: Path, *folders: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A locked connection to one database, whose tables are named `schema.table`.

    Parameters and errors as of `attach_foreign`.
    """
    with duckdb.connect() as con:
        attach_foreign(con, {"citysync": database}, *folders)
        con.execute("use citysync")
        yield con


def attach_foreign(
    con: duckdb.DuckDBPyConnection, databases: Mapping[str, Path], *folders: Path
) -> None:
    """Attach databases that somebody else may have made, and lock the connection for good.

    From here on the connection reads and writes files below `folders` alone, loads no extension and
    cannot be told otherwise. The main database stays the one it was.

    Parameters
    ----------
    con : duckdb connection
        To a database of our own, in memory or a build; nothing foreign was attached to it before.
    databases : mapping
        Paths by the name under which each is attached, read-only.
    folders : Path

    Raises
    ------
    PublishError
        If one holds anything but tables, is no file or was left in the midst of a write.
    duckdb.Error
        If one cannot be opened as a database of DuckDB.
    """
    paths = {name: path.resolve() for name, path in databases.items()}
    for name, path in paths.items():
        if not path.is_file() or path.with_name(f"{path.name}.wal").exists():
            raise PublishError(
                f"{path}: expected a published database, found none, or one with a .wal beside it; "
                "run `make refresh` first, or name the file published/citysync.duckdb of a home"
            )
        con.execute(f"attach $1 as {quote(name)} (read_only, type duckdb)", [str(path)])
    con.execute("set allowed_directories = $1", [[str(folder) for folder in folders]])
    con.execute("set enable_external_access = false")
    con.execute("set lock_configuration = true")
    # anything that runs when it is read
    for name, path in paths.items():
        found = con.execute(RUNS, [name]).fetchall()
        if found:
            raise PublishError(
                f"{path}: expected tables alone, found views or functions "
                f"({', '.join(repr(name) for (name,) in found[:5])}): "
                "it was not made by citysync; take it again from where it was copied"
            )
