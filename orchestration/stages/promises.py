"""What earlier runs wrote down for the newest window: read from the archive, compared, published.

The comparison is in `estimation/study/promises.py`; the table is `meta.promise`, since it depends
on what was published before.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from orchestration.archived import read_archived, runs_of_kind
from orchestration.registered_lists import read_registered
from orchestration.run import Run
from orchestration.terminal import progress
from warehouse.build_database import open_build, write_frame


def check_promises(run: Run, marts: Any, primary: pd.DataFrame) -> None:
    """Compare the main test with the rules that earlier runs wrote down for this window; write
    `meta.promise` and print whether each rule was applied as it was written.
    """
    from estimation.analyses.primary import DECLARED, PRIMARY
    from estimation.study.policies import registered_rows
    from estimation.study.promises import promise_rows, typed_promises

    is_simulated = run.settings.is_simulated
    written = read_written(run.home.archive, is_simulated=is_simulated)
    frame = promise_rows(marts, list(DECLARED), primary, written)
    lists = read_registered(run.home.archive, is_simulated=is_simulated)
    if lists and primary["spec_id"].eq(PRIMARY).any():
        (spec,) = [one for one in DECLARED if one.spec_id == PRIMARY]
        rows = typed_promises(registered_rows(marts, spec, lists))
        frame = pd.concat([frame, rows], ignore_index=True)
    with open_build(run.home.build) as con:
        write_frame(con, "meta", "promise", frame)
    for line in lines_of(frame):
        progress(f"  {line}")


def read_written(archive: Path, *, is_simulated: bool) -> pd.DataFrame:
    """Return `estimates.next_window` of every archived run of delivered files, or of simulated
    ones, with its `run_id`, oldest first.
    """
    parts = []
    for run_id in runs_of_kind(archive, is_simulated=is_simulated):
        part = read_archived(archive, run_id, "estimates.next_window")
        if not part.empty:
            parts.append(part.assign(run_id=run_id))
    if not parts:
        return pd.DataFrame()
    return pd.concat(parts, ignore_index=True)


def lines_of(promises: pd.DataFrame) -> list[str]:
    """One line for each promise, and for one that was changed a second one with both results."""
    lines = []
    for row in promises.to_dict("records"):
        window = f"{row['first_year']}-{row['last_year']}"
        named = f"{row['spec_id']}, rule {row['rule_name']}, {window}"
        if row["status"] == "as_written":
            now = row["reason"] or _result(row, "")
            lines.append(f"{named}: as written by {row['written_by']}; {now}")
            continue
        lines.append(
            f"{named}: changed since {row['changed_since']}, written by {row['written_by']}: "
            f"{row['what_changed']}"
        )
        then = row["reason"] or _result(row, "_written")
        lines.append(f"{named}: as written: {then}; as it is now: {_result(row, '')}")
    return lines


def _result(row: dict[str, Any], ending: str) -> str:
    if pd.isna(row[f"estimate{ending}"]):
        return "no estimate"
    ends = []
    for name in ("ci_low", "ci_high"):
        end = row[f"{name}{ending}"]
        ends.append("no end" if pd.isna(end) else f"{end:+.4f}")
    return (
        f"{row[f'estimate{ending}']:+.4f} ({ends[0]} to {ends[1]}), p of both series "
        f"{row[f'p_value_family{ending}']:.4f}"
    )
