"""What a refresh changed compared with the current publication: values by source and indicator,
flags, current values, and the estimates.

All tables are in `meta`: they depend on what was published before, which the other tables do not.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import duckdb

from warehouse.database import open_build
from warehouse.publication import change_queries as sql
from warehouse.publication.errors import PublishError
from warehouse.publication.manifest import is_simulated
from warehouse.publication.untrusted import DATABASE, attach_untrusted

TABLES = {
    "meta.publication_change": sql.PUBLICATION_CHANGE,
    "meta.flag_change": sql.FLAG_CHANGE,
    "meta.current_change": sql.CURRENT_CHANGE,
    "meta.value_change": sql.VALUE_CHANGE,
    "meta.place_change": sql.PLACE_CHANGE,
    "meta.estimate_change": sql.ESTIMATE_CHANGE,
}


@dataclass(frozen=True)
class Compared:
    """What a build was compared with; both fields are None for the first publication of its kind.

    Attributes
    ----------
    previous_run_id : str or None
        Run of the publication that it was compared with.
    not_compared : str or None
        Why the publication that was there could not be compared with.
    """

    previous_run_id: str | None = None
    not_compared: str | None = None


class CannotBeCompared(Exception):
    """The earlier publication lacks what is compared; the message says what."""


def write_changes(published: Path, build: Path, simulated: bool) -> Compared:
    """Compare the build with the current publication and write the tables of TABLES.

    An earlier publication that is damaged, or was made by a version with other columns, stops no
    refresh: the tables are empty then, and the reason is returned.

    Parameters
    ----------
    published : Path
        Link to the current publication, or a place where there is none.
    build : Path
        Folder of the build.
    simulated : bool
        Whether the build was made from the simulated landing.

    Raises
    ------
    duckdb.Error
        If a query cannot be run on the build itself, which is a fault of this module.
    """
    with open_build(build) as con:
        con.execute("create schema if not exists meta")
        # empty tables; a query that is wrong everywhere ends the run here
        compare(con, None)
        try:
            before = database_before(published, simulated=simulated)
            if before is None:
                return Compared()
            return Compared(_compare_with(con, before))
        except (duckdb.CatalogException, duckdb.BinderException) as error:
            found = f"it was made by another version of citysync ({str(error).splitlines()[0]})"
        except (PublishError, duckdb.Error, CannotBeCompared) as error:
            found = " ".join(str(error).split())
        compare(con, None)
        return Compared(not_compared=found)


def database_before(published: Path, *, simulated: bool) -> Path | None:
    """Return the database of the current publication; None where there is none, or where it is
    simulated and this run is not, or the reverse.

    Raises
    ------
    PublishError, CannotBeCompared
        If it cannot be read, or does not say.
    """
    if not os.path.lexists(published):
        return None
    found = is_simulated(published)
    if found is None:
        raise CannotBeCompared("its manifest does not say whether it is simulated")
    return published / DATABASE if found == simulated else None


def _compare_with(con: duckdb.DuckDBPyConnection, database: Path) -> str:
    """Compare the build with the database of a publication, and return its run id."""
    attach_untrusted(con, {"previous": database})
    runs = con.execute("select run_id from previous.meta.run").fetchall()
    if len(runs) != 1:
        raise CannotBeCompared(f"its table meta.run has {len(runs)} rows, expected one")
    compare(con, "previous")
    return runs[0][0]


def compare(con: duckdb.DuckDBPyConnection, previous: str | None) -> None:
    """Write every table; `previous` is the name under which the old publication is attached, None
    where there is none.
    """
    here = con.execute("select current_database()").fetchone()[0]
    run = f"(select run_id from {previous}.meta.run)" if previous else "cast(null as varchar)"
    sides = {}
    for side, catalog in (("old", previous or here), ("new", here)):
        for name, part in (("values", sql.BEST), ("estimates", sql.DEFAULT_ESTIMATES)):
            query = part.format(catalog=catalog)
            sides[f"{side}_{name}"] = f"select * from ({query}) where {bool(previous)}"
    con.execute(sql.PAIRED.format(here=here, **sides))
    con.execute(sql.CHANGED)
    for table, statement in TABLES.items():
        con.execute(statement.format(table=table, run=run, **sides))
