"""What one arrival of a rehearsal brought: rows of its table, read from the publication that the
refresh made of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import duckdb

from orchestration.what_changed import FLAGS, IS_REVISED, LOST, named_values

COLUMNS = (
    *("edition", "run_id", "kind", "name", "status", "n_values", "before", "after"),
    *("change", "deviation", "change_in_deviations", "detail"),
)
#: So many lost and revised values of an arrival are named, the largest first; all are counted.
MOST_NAMED = 20
KEPT, CHANGED, BROKEN, FIRST = "kept", "changed", "broken", "first"
MOVEMENT = """
select spec_id, old_last_year, last_year, old_estimate, estimate, change, deviation,
    change_in_deviations, reason
from meta.movement order by spec_id
"""
VERDICTS = """
select now.spec_id, first_year, last_year, estimate, verdict, reason, old_verdict
from estimates.primary as now
left join (select spec_id, old_verdict from meta.estimate_change) using (spec_id)
where now.spec_id like '%.newest' or now.spec_id like '%.study_window' order by now.spec_id
"""
PROMISES = """
select spec_id, rule_name, first_year, last_year, written_by, status, what_changed,
    estimate_written, estimate, reason
from meta.promise order by spec_id, rule_name
"""
VALUES = """
select reason, sum(n_values)::bigint, max(largest_relative_change) from meta.current_change
group by reason order by 2 desc, reason
"""
CHECKS = """
select check_id, known_since, n_new_rows, first_new_row from meta.check_change
where known_since is null or n_new_rows > 0 order by check_id
"""
PLACES = """
select change, count(*) from meta.place_change group by change order by change
"""
Row = dict[str, Any]


def arrival_rows(con: duckdb.DuckDBPyConnection, edition: int) -> list[Row]:
    """Rows of the table of a rehearsal for the publication of one edition (columns of COLUMNS).

    Parameters
    ----------
    con : duckdb.DuckDBPyConnection
        On the database of the publication.
    edition : int
    """
    query = "select run_id, previous_run_id, not_compared from meta.run"
    ((run_id, before, not_compared),) = con.execute(query).fetchall()
    rows = [*_verdicts(con)]
    if before is not None:
        for part in (_movement, _promises, _values, _flags, _checks):
            rows += part(con)
    if not_compared is not None:
        rows.append({"kind": "comparison", "name": "none", "status": "none"})
        rows[-1]["detail"] = not_compared
    named = {**dict.fromkeys(COLUMNS), "edition": edition, "run_id": run_id}
    return [{**named, **row} for row in rows]


def refused_row(edition: int, reason: str) -> Row:
    """A row for a refresh that was refused because of what it would have lost."""
    found = {"kind": "loss", "name": "the whole publication", "status": "refused"}
    return {**dict.fromkeys(COLUMNS), "edition": edition, **found, "detail": reason}


def _verdicts(con: duckdb.DuckDBPyConnection) -> Iterator[Row]:
    for spec, first, last, estimate, verdict, reason, old in con.execute(VERDICTS).fetchall():
        status = KEPT
        if old is None:
            status = FIRST
        elif old != verdict:
            status = CHANGED
        detail = f"{first}-{last}"
        if estimate is not None:
            detail += f": {estimate:+.4f}"
        if reason:
            detail += f" {reason}"
        row: Row = {"kind": "verdict", "name": spec, "status": status}
        yield {**row, "before": old, "after": verdict, "detail": detail}


def _movement(con: duckdb.DuckDBPyConnection) -> Iterator[Row]:
    for row in con.execute(MOVEMENT).fetchall():
        spec, old_last, last, old, new, change, deviation, moved, reason = row
        detail = f"window to {old_last}, then to {last}"
        if reason:
            detail += f". {reason}"
        yield {
            "kind": "estimate",
            "name": spec,
            "status": KEPT if change == 0 else CHANGED,
            "before": _number(old),
            "after": _number(new),
            "change": change,
            "deviation": deviation,
            "change_in_deviations": moved,
            "detail": detail,
        }


def _number(value: float | None) -> str | None:
    return None if value is None else f"{value:+.4f}"


def _promises(con: duckdb.DuckDBPyConnection) -> Iterator[Row]:
    rows = con.execute(PROMISES).fetchall()
    if not rows:
        detail = "No earlier arrival wrote a rule for the newest window of this one."
        yield {"kind": "promise", "name": "none", "status": "none written", "detail": detail}
    for row in rows:
        spec, rule, first, last, written_by, status, what, then, now, reason = row
        detail = f"{first}-{last}, written by run {written_by}"
        if status == "as_written":
            status = KEPT
        else:
            status = BROKEN
            detail += f": {what}"
        if reason:
            detail += f". {reason}"
        yield {
            "kind": "promise",
            "name": f"{spec}, rule {rule}",
            "status": status,
            "before": _number(then),
            "after": _number(now),
            "detail": detail,
        }


def _values(con: duckdb.DuckDBPyConnection) -> Iterator[Row]:
    for change, n in con.execute(PLACES).fetchall():
        yield {"kind": "places", "name": change, "status": CHANGED, "n_values": n}
    for reason, n, largest in con.execute(VALUES).fetchall():
        detail = None
        if largest is not None:
            detail = f"the largest by {largest:.2%}"
        row: Row = {"kind": "values in use", "name": reason, "status": CHANGED}
        yield {**row, "n_values": n, "detail": detail}
    for kind, condition in (("loss", LOST), ("revision", IS_REVISED)):
        for name in named_values(con, condition, MOST_NAMED):
            yield {"kind": kind, "name": name, "status": CHANGED, "n_values": 1}


def _flags(con: duckdb.DuckDBPyConnection) -> Iterator[Row]:
    words = {"came": "on new or revised values", "set": "newly set", "lifted": "lifted"}
    for change, flag, rule, n in con.execute(FLAGS).fetchall():
        name = f"{flag} by {rule}, {words[change]}"
        yield {"kind": "flags", "name": name, "status": CHANGED, "n_values": n}


def _checks(con: duckdb.DuckDBPyConnection) -> Iterator[Row]:
    for check, since, n, first in con.execute(CHECKS).fetchall():
        status = "new"
        if since is not None:
            status = f"known since {since}, with new findings"
        row: Row = {"kind": "warning", "name": check, "status": status}
        yield {**row, "n_values": n, "detail": first}
