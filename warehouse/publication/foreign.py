"""The one way into a publication: its database attached, read-only, to a connection that is locked.

Whoever hands a publication over may have put anything into it. A view or a macro of a database that
is opened as the main one replaces DuckDB's own function of its name, reads any file of this
machine and writes others; a file of another kind has an extension fetched. So the file is
attached as a database of DuckDB to a connection in memory, which runs nothing of it; the connection
is locked before its first query, and DuckDB's own functions say what the file holds. Only one with
tables alone is used as the main database; a table may compute too (a generated column, a default, a
check, an index), so none of these is taken either.

`open_publication` does the same for the whole folder: it follows the link to it once and nothing
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

from warehouse.build_database import open_memory
from warehouse.publication.errors import PublishError
from warehouse.publication.manifest import MENDED, checked_manifest, is_plain_file
from warehouse.sql_text import quote

DATABASE = "citysync.duckdb"
# What runs when a database is read or copied, and names that lead elsewhere when a file is called
# after a table.
NOT_TABLES_ALONE = """
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
        Where it is, without a link on the way.
    manifest : dict
        Its manifest, every part that is used checked.
    """

    folder: Path
    manifest: dict[str, Any]

    @property
    def database(self) -> Path:
        """Where its database is."""
        return self.folder / DATABASE

    def connect(self, *folders: Path) -> AbstractContextManager[duckdb.DuckDBPyConnection]:
        """Open its database as `open_foreign` does."""
        return open_foreign(self.database, *folders)


def open_publication(folder: Path) -> Publication:
    """Return a publication whose files are plain and whose database holds tables alone.

    Parameters
    ----------
    folder : Path
        A publication, or the link to one: the link is followed here and never again, so that a
        refresh that switches it later does not mix two runs.

    Raises
    ------
    PublishError
        If there is something in it that is neither a file nor a folder, its manifest cannot be
        used, or its database is refused by `attach_foreign`.
    """
    folder = folder.resolve()
    for path in sorted(folder.rglob("*")):
        mode = path.lstat().st_mode
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
            raise PublishError(
                f"{str(path)!r}: expected a file or a folder, found a link, a pipe or a device; "
                f"{MENDED}"
            )
    found = Publication(folder, checked_manifest(folder))
    with found.connect():
        return found


@contextmanager
def open_foreign(database: Path, *folders: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A locked connection to one database, whose tables are named `schema.table`.

    Parameters and errors as of `attach_foreign`.
    """
    with open_memory() as con:
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
        If one holds anything but tables of plain columns, or more rows than bytes; is a link or no
        file; was left in the midst of a write; or cannot be opened as a database of DuckDB.
    """
    try:
        _attach(con, databases, folders)
    except duckdb.OutOfMemoryException:
        # it says nothing of the databases
        raise
    except duckdb.Error as error:
        raise PublishError(
            f"{', '.join(map(str, databases.values()))}: expected a database of DuckDB, found none "
            f"that opens ({' '.join(str(error).split())[:200]}); {MENDED}"
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
            found = "one with a .wal beside it, which a write that was cut short leaves"
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
        found = con.execute(NOT_TABLES_ALONE, [name, NAME]).fetchall()
        if found:
            raise PublishError(
                f"{path}: expected tables alone, found {len(found)} other things, first "
                f"{', '.join(repr(what) for (what,) in found[:5])}; name "
                "published/citysync.duckdb of a home (build/ holds no publication), or copy it anew"
            )
        # equal rows take no room: a small file may hold more of them than can be read in a day
        rows = con.execute(N_ROWS, [name]).fetchone()[0]
        if rows > path.stat().st_size:
            raise PublishError(
                f"{path}: expected at most one row a byte, found {rows:,} rows in "
                f"{path.stat().st_size:,} bytes: it was not made by citysync; take it again from "
                "where it was copied"
            )
