"""Open a publication that anybody may have written, without running anything that it contains.

If DuckDB opens a database as the main one, the database's views and macros can replace built-in
functions and read or write any file of this machine. If a file has another format, DuckDB may
download an extension to read it. So the file is attached read-only, as a DuckDB database, to an
in-memory connection, which is locked before its first query. A database is refused if it holds
anything except tables of plain columns: generated columns, defaults, checks and indexes are
computed, too.

`open_publication` checks the whole folder: it follows the link to the folder once, and no link
inside it. Every command that reads a publication begins there.
"""

from __future__ import annotations

import stat
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from warehouse.database import open_memory
from warehouse.publication.errors import PublishError
from warehouse.publication.manifest import REMEDY, checked_manifest, is_plain_file
from warehouse.sql_text import quote

DATABASE = "citysync.duckdb"
# Everything that runs when a database is read or copied, and table names that would lead elsewhere
# as the name of a file.
NOT_PLAIN_TABLES = """
select 'view ' || schema_name || '.' || view_name from system.main.duckdb_views()
where database_name = $1
union all
select 'function ' || schema_name || '.' || function_name from system.main.duckdb_functions()
where database_name = $1
union all
select 'trigger ' || schema_name || '.' || trigger_name from system.main.duckdb_triggers()
where database_name = $1
union all
select 'sequence ' || schema_name || '.' || sequence_name from system.main.duckdb_sequences()
where database_name = $1
union all
select 'index ' || schema_name || '.' || index_name from system.main.duckdb_indexes()
where database_name = $1
union all
select 'computed column ' || schema_name || '.' || table_name || '.' || column_name
from system.main.duckdb_columns()
where database_name = $1 and (is_generated or column_default is not null)
union all
select lower(constraint_type) || ' of ' || schema_name || '.' || table_name
from system.main.duckdb_constraints()
where database_name = $1 and constraint_type <> 'NOT NULL'
union all
select 'name ' || schema_name || '.' || table_name from system.main.duckdb_tables()
where database_name = $1 and not regexp_full_match(schema_name || '.' || table_name, $2)
order by all
"""
NAME = "[a-z0-9_]+[.][a-z0-9_]+"
N_ROWS = """
select coalesce(sum(estimated_size), 0) from system.main.duckdb_tables() where database_name = $1
"""


@dataclass(frozen=True)
class Publication:
    """A publication that somebody else may have made.

    Attributes
    ----------
    folder : Path
        Its path, with links resolved.
    manifest : dict
        Its manifest; every entry that is used was checked.
    """

    folder: Path
    manifest: dict[str, Any]

    @property
    def database(self) -> Path:
        """Where its database is."""
        return self.folder / DATABASE

    def connect(self, *folders: Path) -> AbstractContextManager[duckdb.DuckDBPyConnection]:
        """Open its database as `open_untrusted` does."""
        return open_untrusted(self.database, *folders)


def open_publication(folder: Path) -> Publication:
    """Return a publication after checking that it contains only files and folders, and that its
    database contains only plain tables.

    Parameters
    ----------
    folder : Path
        A publication, or the link to one: the link is followed here and never again, so that a
        refresh that switches it later does not mix two runs.

    Raises
    ------
    PublishError
        If it contains anything except files and folders, its manifest is not valid, or
        `attach_untrusted` refuses its database.
    """
    folder = folder.resolve()
    for path in sorted(folder.rglob("*")):
        mode = path.lstat().st_mode
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
            raise PublishError(
                f"{str(path)!r}: expected a file or a folder, found a link, a pipe or a device; "
                f"{REMEDY}"
            )
    found = Publication(folder, checked_manifest(folder))
    with found.connect():
        return found


@contextmanager
def open_untrusted(database: Path, *folders: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Yield a locked connection to one database, whose tables are named `schema.table`.

    Parameters and errors as of `attach_untrusted`.
    """
    with open_memory() as con:
        attach_untrusted(con, {"citysync": database}, *folders)
        con.execute("use citysync")
        yield con


def attach_untrusted(
    con: duckdb.DuckDBPyConnection, databases: Mapping[str, Path], *folders: Path
) -> None:
    """Attach untrusted databases, and lock the connection for good.

    Afterwards the connection reads and writes only files below `folders` and loads no extension,
    and no statement can change that. Its main database stays the same.

    Parameters
    ----------
    con : duckdb connection
        To our own database, in memory or a build, with nothing untrusted attached yet.
    databases : mapping
        Path of each database by the name under which it is attached, read-only.
    folders : Path

    Raises
    ------
    PublishError
        If a database holds anything except tables of plain columns, or more rows than bytes; is a
        link or not a file; has an unfinished write; or cannot be opened by DuckDB.
    """
    try:
        _attach(con, databases, folders)
    except duckdb.OutOfMemoryException:
        # memory ran out: that is no fault of the databases
        raise
    except duckdb.Error as error:
        raise PublishError(
            f"{', '.join(map(str, databases.values()))}: expected a DuckDB database, found a file "
            f"that cannot be opened ({' '.join(str(error).split())[:200]}); {REMEDY}"
        ) from None


def _attach(
    con: duckdb.DuckDBPyConnection, databases: Mapping[str, Path], folders: Sequence[Path]
) -> None:
    paths = {name: path.parent.resolve() / path.name for name, path in databases.items()}
    for name, path in paths.items():
        found = ""
        if not is_plain_file(path):
            found = "a link or no file"
        elif path.with_name(f"{path.name}.wal").exists():
            found = "one with a .wal file, which an interrupted write leaves"
        if found:
            raise PublishError(
                f"{path}: expected a published database, found {found}; run `make refresh` first, "
                "or name the file published/citysync.duckdb of a home"
            )
        con.execute(f"attach $1 as {quote(name)} (read_only, type duckdb)", [str(path)])
    con.execute("set allowed_directories = $1", [[str(folder) for folder in folders]])
    con.execute("set enable_external_access = false")
    con.execute("set lock_configuration = true")
    for name, path in paths.items():
        found = con.execute(NOT_PLAIN_TABLES, [name, NAME]).fetchall()
        if found:
            raise PublishError(
                f"{path}: expected only plain tables, found {len(found)} other things, first "
                f"{', '.join(repr(what) for (what,) in found[:5])}; name "
                "published/citysync.duckdb of a home (build/ holds no publication), or copy it anew"
            )
        # equal rows are compressed to nothing: a small file may hold more than a day can read
        rows = con.execute(N_ROWS, [name]).fetchone()[0]
        if rows > path.stat().st_size:
            raise PublishError(
                f"{path}: expected at most one row a byte, found {rows:,} rows in "
                f"{path.stat().st_size:,} bytes: it was not made by citysync; copy it again"
            )
