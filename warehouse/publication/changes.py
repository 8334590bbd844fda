"""What a refresh changed compared with the current publication: values by source and indicator, and the estimates.

Both tables lie in `meta`: they depend on what was published before, which the other tables do not.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from warehouse.build_database import open_build
from warehouse.publication.errors import PublishError
from warehouse.publication.manifest import is_simulated
from warehouse.publication.tables import require_tables_only
from warehouse.sql_text import literal

# The best value that each source has for a place, year and indicator, in the old publication and in the new build.
BEST = """
select source_id, indicator_id, place_level, city_id, "year", "value", is_current from {catalog}.marts.fct_indicator_observation
qualify row_number() over (
    partition by source_id, indicator_id, place_level, city_id, "year"
    order by quality_flag = 'blocked', quality_flag = 'quarantined', edition_year desc nulls last, file_name, row_no, col_no
) = 1
"""
PUBLICATION_CHANGE = """
create or replace table meta.publication_change as
with old as ({old}), new as ({new}),
paired as (
    select source_id, indicator_id, old."value" as old_value, new."value" as new_value,
        coalesce(old.is_current, false) as was_current, coalesce(new.is_current, false) as is_current
    from old full join new using (source_id, indicator_id, place_level, city_id, "year")
),
judged as (
    select *, old_value is not null and new_value is not null and abs(new_value - old_value) > 1e-9 * abs(old_value) as is_revised
    from paired
)
select {run} as previous_run_id, source_id, indicator_id,
    count(old_value) as n_before, count(new_value) as n_now,
    count(*) filter (where old_value is null) as n_new,
    count(*) filter (where new_value is null) as n_vanished,
    count(*) filter (where is_revised) as n_revised,
    count(*) filter (where was_current != is_current or (is_revised and is_current)) as n_current_changed,
    median(abs(new_value / nullif(old_value, 0) - 1)) filter (where is_revised) as median_relative_revision
from judged group by source_id, indicator_id
having n_new + n_vanished + n_revised + n_current_changed > 0
order by source_id, indicator_id
"""
# The default method of inference of each coefficient, in the old publication and in the new build.
DEFAULT_ESTIMATES = """
select spec_id, term, cohort_year, event_time, estimate, std_error, p_value, n_obs, n_cities, n_pilots from {catalog}.estimates.estimate
qualify row_number() over (partition by spec_id, term, cohort_year, event_time order by is_default desc, vcov) = 1
"""
ESTIMATE_CHANGE = """
create or replace table meta.estimate_change as
with old as ({old}), new as ({new})
select {run} as previous_run_id, coalesce(old.spec_id, new.spec_id) as spec_id, coalesce(old.term, new.term) as term,
    coalesce(old.cohort_year, new.cohort_year) as cohort_year, coalesce(old.event_time, new.event_time) as event_time,
    old.estimate as old_estimate, new.estimate as new_estimate, new.estimate - old.estimate as difference,
    (new.estimate - old.estimate) / nullif(old.std_error, 0) as difference_in_old_errors,
    old.std_error as old_std_error, new.std_error as new_std_error, old.p_value as old_p_value, new.p_value as new_p_value,
    old.n_obs as old_n_obs, new.n_obs as new_n_obs, old.n_cities as old_n_cities, new.n_cities as new_n_cities,
    old.n_pilots as old_n_pilots, new.n_pilots as new_n_pilots
from old full join new
    on old.spec_id = new.spec_id and old.term = new.term
    and old.cohort_year is not distinct from new.cohort_year and old.event_time is not distinct from new.event_time
where old.estimate is null or new.estimate is null or abs(new.estimate - old.estimate) > 1e-9 or old.n_obs != new.n_obs
order by spec_id, term, cohort_year, event_time
"""
BY_SOURCE = """
select source_id, sum(n_new), sum(n_revised), sum(n_vanished), sum(n_current_changed) from meta.publication_change group by 1 order by 1
"""
HEADLINES = """
select spec_id, old_estimate, new_estimate, difference_in_old_errors from meta.estimate_change
where spec_id in ('baseline.cm_growth_official.headline', 'baseline.cm_growth_deflated.headline') and term = 'treated' order by 1 desc
"""


def write_changes(published: Path, build: Path, simulated: bool) -> None:
    """Compare the build with the publication that stands and write `meta.publication_change` and `meta.estimate_change`.

    Without a publication of the same kind (simulated or delivered) that can be read both tables are there and empty.
    """
    with open_build(build) as con:
        con.execute("create schema if not exists meta")
        compare(con, "previous" if _attach_previous(con, published, simulated) else None)


def _attach_previous(con: duckdb.DuckDBPyConnection, published: Path, simulated: bool) -> bool:
    """Whether there is a publication of the same kind that can be read; a damaged one stops no later refresh."""
    previous = published / "citysync.duckdb"
    try:
        if not previous.exists() or is_simulated(published) != simulated:
            return False
        con.execute(f"attach {literal(previous)} as previous (read_only)")
        require_tables_only(con, "previous", published)
        con.execute("select count(*) from previous.marts.fct_indicator_observation, previous.estimates.estimate, previous.meta.run limit 0")
    except (duckdb.Error, PublishError):
        return False
    return True


def compare(con: duckdb.DuckDBPyConnection, previous: str | None) -> None:
    """Write both tables; `previous` is the name under which the old publication is attached, None where there is none."""
    here = con.execute("select current_database()").fetchone()[0]
    run = f"(select run_id from {previous}.meta.run)" if previous else "cast(null as varchar)"
    for table, statement, part in (
        ("meta.publication_change", PUBLICATION_CHANGE, BEST),
        ("meta.estimate_change", ESTIMATE_CHANGE, DEFAULT_ESTIMATES),
    ):
        con.execute(statement.format(old=part.format(catalog=previous or here), new=part.format(catalog=here), run=run))
        if previous is None:
            con.execute(f"delete from {table}")


def change_lines(con: duckdb.DuckDBPyConnection) -> list[str]:
    """Lines for the closing summary: what was added, lost and revised by source, and how far the headlines moved."""
    both = "from meta.publication_change union all by name from meta.estimate_change"
    run = con.execute(f"select max(previous_run_id) from ({both})").fetchone()[0]
    if run is None:
        return []
    lines = [f"changed    since the publication {run}"]
    for source, new, revised, gone, current in con.execute(BY_SOURCE).fetchall():
        lines.append(f"  {source}: {new:,} new, {revised:,} revised, {gone:,} gone; {current:,} current values changed")
    for spec, old, new, errors in con.execute(HEADLINES).fetchall():
        moved = "" if errors is None else f" ({errors:+.2f} old standard errors)"
        lines.append(f"  {spec}: {_number(old)} -> {_number(new)}{moved}")
    return lines


def _number(value: float | None) -> str:
    return "not run" if value is None else f"{value:.4f}"
