"""Read what one step of a rehearsal brought from its publication, as rows of the table."""

from __future__ import annotations

from typing import Any

import duckdb

from orchestration.change_sentences import FLAGS, NAMED_VALUES
from warehouse.database import rows_of

COLUMNS = (
    *("edition", "run_id", "kind", "name", "status", "n_values", "before", "after"),
    *("change", "deviation", "change_in_deviations", "detail"),
)
#: So many lost and revised values of an arrival are named, the largest first; all are counted.
MOST_NAMED = 20
VERDICTS = """
select 'verdict' as kind, now.spec_id as name, old_verdict as "before", verdict as "after",
    case when old_verdict is null then 'first' when old_verdict = verdict then 'kept'
        else 'changed' end as status,
    format('{}-{}', first_year, last_year) || coalesce(format(': {:+.4f}', estimate), '')
        || coalesce(' ' || nullif(reason, ''), '') as detail
from estimates.primary as now
left join (select spec_id, old_verdict from meta.estimate_change) using (spec_id)
where now.spec_id like '%.newest' or now.spec_id like '%.study_window' order by now.spec_id
"""
#: What changed since the arrival before; the columns of each are some of COLUMNS.
CHANGES = (
    """
select 'estimate' as kind, spec_id as name, if(change = 0, 'kept', 'changed') as status,
    format('{:+.4f}', old_estimate) as "before", format('{:+.4f}', estimate) as "after",
    change, deviation, change_in_deviations,
    format('window to {}, then to {}', old_last_year, last_year)
        || coalesce('. ' || nullif(reason, ''), '') as detail
from meta.movement order by spec_id
""",
    """
select 'promise' as kind, 'none' as name, 'none written' as status,
    'No earlier arrival wrote a rule for the newest window of this one.' as detail
where not exists (from meta.promise)
""",
    """
select 'promise' as kind, format('{}, rule {}', spec_id, rule_name) as name,
    if(status = 'as_written', 'kept', 'broken') as status,
    format('{:+.4f}', estimate_written) as "before", format('{:+.4f}', estimate) as "after",
    format('{}-{}, written by run {}', first_year, last_year, written_by)
        || if(status = 'as_written', '', ': ' || what_changed)
        || coalesce('. ' || nullif(reason, ''), '') as detail
from meta.promise order by spec_id, rule_name
""",
    """
select 'places' as kind, change as name, 'changed' as status, count(*) as n_values
from meta.place_change group by change order by change
""",
    """
select 'values in use' as kind, reason as name, 'changed' as status,
    sum(n_values)::bigint as n_values,
    format('the largest by {:.2f}%', 100 * max(largest_relative_change)) as detail
from meta.current_change group by reason order by n_values desc, reason
""",
    f"""
select 'loss' as kind, name, 'changed' as status, 1 as n_values
from ({NAMED_VALUES}) where is_lost order by nth limit {MOST_NAMED}
""",
    f"""
select 'revision' as kind, name, 'changed' as status, 1 as n_values
from ({NAMED_VALUES}) where reason = 'revised' order by nth limit {MOST_NAMED}
""",
    f"""
select 'flags' as kind, format('{{}} by {{}}, {{}}', quality_flag, quality_rule, case change
        when 'came' then 'on new or revised values' when 'set' then 'newly set' else change
    end) as name, 'changed' as status, n as n_values
from ({FLAGS}) order by n desc, change, quality_flag, quality_rule
""",
    """
select 'warning' as kind, check_id as name, n_new_rows as n_values, first_new_row as detail,
    coalesce(format('known since {}, with new findings', known_since), 'new') as status
from meta.check_change where known_since is null or n_new_rows > 0 order by check_id
""",
)


def arrival_rows(con: duckdb.DuckDBPyConnection, edition: int) -> list[dict[str, Any]]:
    """Return rows of the table of a rehearsal for the publication of one edition (columns of
    COLUMNS).

    Parameters
    ----------
    con : duckdb.DuckDBPyConnection
        On the database of the publication.
    edition : int
    """
    (run,) = rows_of(con, "select run_id, previous_run_id, not_compared from meta.run")
    rows = rows_of(con, VERDICTS)
    if run["previous_run_id"] is not None:
        for query in CHANGES:
            rows += rows_of(con, query)
    if run["not_compared"] is not None:
        missing = {"kind": "comparison", "name": "none", "status": "none"}
        rows.append({**missing, "detail": run["not_compared"]})
    named = {**dict.fromkeys(COLUMNS), "edition": edition, "run_id": run["run_id"]}
    return [{**named, **row} for row in rows]


def refused_row(edition: int, reason: str) -> dict[str, Any]:
    """Return a row for a refresh that was refused because of what it would have lost."""
    found = {"kind": "loss", "name": "the whole publication", "status": "refused"}
    return {**dict.fromkeys(COLUMNS), "edition": edition, **found, "detail": reason}
