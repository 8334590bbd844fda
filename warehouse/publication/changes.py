"""What a refresh changed compared with the current publication: values by source and indicator,
flags, current values, and the estimates.

All tables lie in `meta`: they depend on what was published before, which the other tables do not.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import duckdb

from warehouse.build_database import open_build
from warehouse.publication import change_queries as sql
from warehouse.publication.errors import PublishError
from warehouse.publication.foreign import DATABASE, attach_foreign
from warehouse.publication.manifest import is_simulated

TABLES = {
    "meta.publication_change": sql.PUBLICATION_CHANGE,
    "meta.flag_change": sql.FLAG_CHANGE,
    "meta.current_change": sql.CURRENT_CHANGE,
    "meta.estimate_change": sql.ESTIMATE_CHANGE,
}
MOST_LINES = 5


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


class FaultOfQuery(Exception):
    """A query of this module cannot be run on the build; the message is DuckDB's."""


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
    FaultOfQuery
        If a query cannot be run on the build itself, which is a fault of this module.
    """
    with open_build(build) as con:
        con.execute("create schema if not exists meta")
        found = Compared()
        if os.path.lexists(published):
            try:
                if _is_simulated(published) == simulated:
                    return Compared(_compare_with(con, published / DATABASE))
            except (PublishError, duckdb.Error, CannotBeCompared) as error:
                found = Compared(not_compared=" ".join(str(error).split()))
        # empty tables; what is no fault of the earlier publication is raised again
        compare(con, None)
        return found


def _is_simulated(published: Path) -> bool:
    """Whether a publication was made from the simulated landing.

    Raises
    ------
    PublishError, CannotBeCompared
        If it cannot be read, or does not say.
    """
    found = is_simulated(published)
    if found is None:
        raise CannotBeCompared("its manifest does not say whether it is simulated")
    return found


def _compare_with(con: duckdb.DuckDBPyConnection, database: Path) -> str:
    """Compare the build with the database of a publication, and return its run id."""
    attach_foreign(con, {"previous": database})
    _require_columns(con, "previous")
    runs = con.execute("select run_id from previous.meta.run").fetchall()
    if len(runs) != 1:
        raise CannotBeCompared(f"its table meta.run has {len(runs)} rows, expected one")
    compare(con, "previous")
    return runs[0][0]


def _require_columns(con: duckdb.DuckDBPyConnection, previous: str) -> None:
    """Require that what is read of a publication can be read of the one attached as `previous`.

    Each query is planned on the build first, outside the `try`: one that is wrong there is wrong
    everywhere, and ends the run.
    """
    here = con.execute("select current_database()").fetchone()[0]
    for query in (sql.BEST, sql.DEFAULT_ESTIMATES):
        try:
            con.execute(f"explain {query.format(catalog=here)}")
        except duckdb.Error as error:
            raise FaultOfQuery(str(error)) from error
        try:
            con.execute(f"explain {query.format(catalog=previous)}")
        except (duckdb.CatalogException, duckdb.BinderException) as error:
            raise CannotBeCompared(
                f"it was made by another version of citysync ({str(error).splitlines()[0]})"
            ) from error


def compare(con: duckdb.DuckDBPyConnection, previous: str | None) -> None:
    """Write every table; `previous` is the name under which the old publication is attached, None
    where there is none.
    """
    here = con.execute("select current_database()").fetchone()[0]
    run = f"(select run_id from {previous}.meta.run)" if previous else "cast(null as varchar)"
    sides = {
        f"{side}_{name}": f"select * from ({part.format(catalog=catalog)}) where {bool(previous)}"
        for side, catalog in (("old", previous or here), ("new", here))
        for name, part in (("values", sql.BEST), ("estimates", sql.DEFAULT_ESTIMATES))
    }
    con.execute(sql.JUDGED.format(here=here, **sides))
    for table, statement in TABLES.items():
        con.execute(statement.format(table=table, run=run, **sides))


def change_lines(con: duckdb.DuckDBPyConnection) -> list[str]:
    """Lines for the closing summary: what was added, lost and revised by source, flags lifted and
    set, why current values changed, and how far the headlines moved."""
    run, not_compared = con.execute("select previous_run_id, not_compared from meta.run").fetchone()
    if not_compared is not None:
        return [f"changed    not compared with the publication before: {not_compared}"]
    if run is None:
        return []
    lines = [f"changed    since the publication {run}"]
    for source, change, new, revised, gone, current in con.execute(sql.BY_SOURCE).fetchall():
        if change == "removed":
            lines.append(
                f"  {source}: removed from the landing with its {gone:,} values; {current:,} "
                "current values changed"
            )
        else:
            lines.append(
                f"  {source}: {new:,} new, {revised:,} revised, {gone:,} gone; {current:,} "
                "current values changed"
            )
    lines += _flag_lines(con)
    # why they are others than before, the most frequent reasons first
    if reasons := con.execute(sql.BY_REASON).fetchall():
        counts = ", ".join(f"{n:,} {reason}" for reason, n in reasons)
        lines.append(f"  current values: {counts} (meta.current_change)")
    for spec, old, new, errors in con.execute(sql.HEADLINES).fetchall():
        moved = "" if errors is None else f" ({errors:+.2f} old standard errors)"
        lines.append(f"  {spec}: {_number(old)} -> {_number(new)}{moved}")
    return lines


def _flag_lines(con: duckdb.DuckDBPyConnection) -> list[str]:
    """Blocks lifted and set; what a new source lifts is a warning, with the first of it."""
    lifted, put = con.execute(sql.FLAG_TOTALS).fetchone()
    lines = (
        [f"  flags: {lifted:,} blocks lifted, {put:,} newly set (meta.flag_change)"]
        if lifted or put
        else []
    )
    for source, indicator, rule, n, current, example, new_sources in con.execute(
        sql.LIFTED_BY_NEW_SOURCES
    ).fetchall()[:MOST_LINES]:
        lines.append(
            f"  warning: {n:,} values of {source}, {indicator}, that {rule} blocked are no longer "
            f"blocked, {current:,} of them are current "
            f"now, first {example}; new beside them: {new_sources}. Look at them in "
            "meta.flag_change before you believe them."
        )
    return lines


def _number(value: float | None) -> str:
    return "not run" if value is None else f"{value:.4f}"
