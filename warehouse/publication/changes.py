"""What a refresh changed compared with the current publication: values by source and indicator,
flags, current values, and the estimates.

All tables lie in `meta`: they depend on what was published before, which the other tables do not.
"""

from __future__ import annotations

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


def write_changes(published: Path, build: Path, simulated: bool) -> None:
    """Compare the build with the publication that stands and write the tables of TABLES.

    Without a publication of the same kind (simulated or delivered) that can be read they are there
    and empty.
    """
    with open_build(build) as con:
        con.execute("create schema if not exists meta")
        compare(con, "previous" if _attach_previous(con, published, simulated) else None)


def _attach_previous(con: duckdb.DuckDBPyConnection, published: Path, simulated: bool) -> bool:
    """Whether there is a publication of the same kind that can be read; a damaged one stops no
    later refresh.
    """
    previous = published / DATABASE
    try:
        if not previous.exists() or is_simulated(published) != simulated:
            return False
        attach_foreign(con, {"previous": previous})
        con.execute(
            "select p_value_family from previous.marts.fct_indicator_observation, "
            "previous.estimates.estimate, previous.estimates.primary, previous.meta.run limit 0"
        )
    except (duckdb.Error, PublishError):
        return False
    return True


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
    both = " union all by name ".join(f"from {table}" for table in TABLES)
    run = con.execute(f"select max(previous_run_id) from ({both})").fetchone()[0]
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
