"""Find the warnings of a gate that the last publication had too, and since when.

A warning is known since the run from which on its check failed in every publication. A failing row
is new if the last publication does not have it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import pandas as pd

from orchestration.archived_tables import read_archived, runs_of_kind
from orchestration.home import Home
from orchestration.terminal import progress
from warehouse.publication.archive import day_of
from warehouse.publication.change_tables import CannotBeCompared, database_before
from warehouse.publication.errors import PublishError
from warehouse.publication.untrusted import open_untrusted

COLUMNS = {
    **dict.fromkeys(("stage", "check_id", "severity", "known_since"), "string"),
    **dict.fromkeys(("n_rows", "n_new_rows"), "Int64"),
    "first_new_row": "string",
}


@dataclass(frozen=True)
class Known:
    """Failed checks of the publication before.

    Attributes
    ----------
    since : dict
        Day of the first of the consecutive runs in which a check failed, by stage and check.
    rows : set of tuple
        Stage, check and failing row.
    """

    since: dict[tuple[str, str], str] = field(default_factory=dict)
    rows: set[tuple[str, str, str]] = field(default_factory=set)


def read_known(home: Home, *, simulated: bool) -> Known:
    """Return the failed checks of the current publication, if it is of the same kind; none where it
    cannot be read, which is printed.
    """
    try:
        database = database_before(home.published, simulated=simulated)
        if database is None:
            return Known()
        with open_untrusted(database) as con:
            rows = con.execute(
                "select stage, check_id, failing_row from quality.expectation_row"
            ).fetchall()
            failed = con.execute(
                "select stage, check_id from quality.expectation_result where not success"
            ).fetchall()
            ((run_id,),) = con.execute("select run_id from meta.run").fetchall()
    except (PublishError, CannotBeCompared, duckdb.Error, ValueError) as error:
        found = str(error).splitlines()[0]
        progress(f"  every warning counts as new: the publication before cannot be read ({found})")
        return Known()
    day = day_of(run_id)
    since = dict.fromkeys(failed, day)
    _look_back(home.archive, run_id, simulated=simulated, since=since)
    return Known(since, {(stage, check, row or "") for stage, check, row in rows})


def _look_back(
    archive: Path, run_id: str, *, simulated: bool, since: dict[tuple[str, str], str]
) -> None:
    """Move each check's day back to the first of the consecutive runs in which it failed."""
    left = set(since)
    for earlier in reversed(runs_of_kind(archive, is_simulated=simulated)):
        results = read_archived(archive, earlier, "quality.expectation_result")
        if earlier >= run_id or results.empty:
            continue
        failed = results[~results["success"].astype(bool)]
        left &= set(zip(failed["stage"], failed["check_id"], strict=True))
        for key in left:
            since[key] = day_of(earlier)


def check_changes(results: pd.DataFrame, rows: pd.DataFrame, known: Known) -> pd.DataFrame:
    """Return the rows of `meta.check_change`, one for each failed check.

    Parameters
    ----------
    results, rows : DataFrame
        `quality.expectation_result` and `quality.expectation_row` of this run.
    known : Known
    """
    found = []
    for check in results[~results["success"].astype(bool)].to_dict("records"):
        key = (check["stage"], check["check_id"])
        is_its = (rows["stage"] == key[0]) & (rows["check_id"] == key[1])
        failing = rows[is_its].sort_values("nth")
        names = failing["failing_row"].fillna("")
        new = failing[[(*key, name) not in known.rows for name in names]]
        shown = None
        if len(new):
            shown = f"{new['failing_row'].iloc[0]} {new['failing_value'].iloc[0]}".strip()
        found.append(
            {
                "stage": key[0],
                "check_id": key[1],
                "severity": check["severity"],
                "known_since": known.since.get(key),
                "n_rows": len(failing),
                "n_new_rows": len(new),
                "first_new_row": shown,
            }
        )
    frame = pd.DataFrame(found, columns=list(COLUMNS)).astype(COLUMNS)
    return frame.sort_values(["stage", "check_id"], ignore_index=True)
