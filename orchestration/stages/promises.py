"""Compare the main test with the preregistered rules: those that earlier runs wrote down for its
window, and registered lists. A promise is one such rule.

The comparison is in `estimation/study/promises.py`. The table is `meta.promise`, since it depends
on what was published before.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from orchestration.archived_tables import read_archived, runs_of_kind
from orchestration.registered_lists import read_registered
from orchestration.run import Run
from orchestration.terminal import progress
from warehouse.database import open_build, open_memory, write_frame

RESULT = """
create macro result_of(estimate, low, high, p) as coalesce(
    format('{:+.4f} ({} to {}), p of both series {:.4f}', estimate,
        coalesce(format('{:+.4f}', low::double), 'no end'),
        coalesce(format('{:+.4f}', high::double), 'no end'), p),
    'no estimate')
"""
LINES = """
with results as (
    select *, format('{}, rule {}, {}-{}', spec_id, rule_name, first_year, last_year) as named,
        result_of(estimate, ci_low, ci_high, p_value_family) as now,
        result_of(estimate_written, ci_low_written, ci_high_written, p_value_family_written)
            as written
    from promises
)
select unnest(if(status = 'as_written', [
    format('{}: as written by {}; {}', named, written_by, coalesce(nullif(reason, ''), now))
], [
    format('{}: changed since {}, written by {}: {}', named, changed_since, written_by,
        what_changed),
    format('{}: as written: {}; as it is now: {}', named, coalesce(nullif(reason, ''), written),
        now)
]))
from results
"""


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
    """Return one line for each promise; for one that was changed also a line with both results."""
    if promises.empty:
        return []
    with open_memory() as con:
        con.execute(RESULT)
        con.register("promises", promises)
        return [line for (line,) in con.execute(LINES).fetchall()]
