"""Compare each value of one source with the published value of the same city and year from another
source, and find what fits it better: another year, row, indicator or unit.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb

from warehouse.database import rows_of
from warehouse.replay.models import make
from warehouse.sql_text import literal

#: Levels agree within this share, rates within the points of threshold `source.equal`. What fits a
#: value better fits it this well, and is four times nearer than the value that was delivered.
EQUAL = 0.005

# what two values may differ by and still agree
CLOSE = """coalesce(taken.points * taken.source_equal,
            {equal} * greatest(abs(taken."value"), abs({other})))"""

# the best value of another source; the source's own only where there is no other, and never the
# same file beside itself
REFERENCE = """
create table reference as
select
    city_id as place_id, place_level, "year", indicator_id, "value", source_id, unit
from published.marts.fct_indicator_observation
where quality_flag <> 'blocked' and source_id || '/' || file_name not in (
    select path from file_state where state = 'as published')
qualify row_number() over (partition by place_level, city_id, indicator_id, "year"
    order by source_id in (select distinct source_id from int_raw_resolved), not is_current,
        quality_flag = 'quarantined', priority, source_id, edition_year desc nulls last, file_name,
        cell_ref) = 1
"""

BLOCKED = """
create table blocked as
select distinct
    city_id as place_id, place_level, "year", indicator_id, "value", quality_rule
from published.marts.fct_indicator_observation
where quality_flag = 'blocked'
"""

# whether a file was published as it is, under another content, or not at all
FILE_STATE = """
create table file_state as
select
    file.path,
    file.note,
    case
        when before.path is null then 'new'
        when before.sha256 is not distinct from file.sha256 then 'as published'
        else 'changed'
    end as state
from input_file as file
left join (select * from {published}) as before on file.path = before.path
"""

# one row a taken value; `is_filled`: a straight line between its own neighbours in time, or the
# figure of the year before once more, where so many digits cannot be so by chance
TAKEN = """
create table taken as
with taken as (
    select
        raw_line_id, source_id, file_name, sheet_name, indicator_id, place_level, place_id, "year",
        place_id // 10000 as province, canonical_value as "value", "value" as delivered, unit,
        growth_of, source_equal, basis_cells, basis_share, basis_equal,
        -- of a rate: how many of its unit are a change of one log point
        case when rule_kind = 'rate' then if(unit = 'permille', 1000, 100) end as points,
        unit_text, row_no, col_no, cell_ref,
        length(regexp_replace(raw_text, '^0+|[^0-9]', '', 'g')) as digits,
        coalesce(length(regexp_extract(raw_text, '[.]([0-9]*[1-9])', 1)), 0) as decimals
    from int_raw_resolved
    left join int_indicator_limits using (indicator_id)
    where reason is null
),
beside as (
    select
        *,
        max(decimals) over (partition by file_name, indicator_id) as most_decimals,
        lag(place_id) over in_column as place_above,
        lead(place_id) over in_column as place_below,
        lag(struct_pack(y := "year", v := delivered)) over in_time as earlier,
        lead(struct_pack(y := "year", v := delivered)) over in_time as later
    from taken
    window
        in_column as (partition by file_name, sheet_name, indicator_id, "year" order by row_no),
        in_time as (partition by file_name, indicator_id, place_id order by "year")
)
select
    * exclude (earlier, later),
    coalesce(earlier.y = "year" - 1 and digits >= 4 and (
        delivered = earlier.v
        or (later.y = "year" + 1
            and abs(later.v - earlier.v) > 100 * pow(10, -most_decimals)
            and abs(delivered - (earlier.v + later.v) / 2) <= 0.51 * pow(10, -most_decimals))
    ), false) as is_filled
from beside
"""

# each with the value of its own place, year and indicator, and the nearest of what fits it better
COMPARED = f"""
create table compared as
with others as (
    select taken.raw_line_id, reference."value", 'the values of ' || reference.indicator_id as what
    from taken
    inner join reference
        on taken.place_id = reference.place_id and taken.place_level = reference.place_level
            and taken."year" = reference."year" and taken.unit = reference.unit
            and taken.indicator_id <> reference.indicator_id
),
beside as (
    select taken.raw_line_id, reference."value", shift.what
    from taken
    cross join (values
        (-1, 0, 'the values of the year before'), (1, 0, 'the values of the year after'),
        (0, -1, 'the values of the city of the row above'),
        (0, 1, 'the values of the city of the row below')
    ) as shift(years, n_rows, what)
    inner join reference
        on taken."year" + shift.years = reference."year"
            and case shift.n_rows when -1 then taken.place_above when 1 then taken.place_below
                else taken.place_id end = reference.place_id
            and taken.place_level = reference.place_level
            and taken.indicator_id = reference.indicator_id
),
scaled as (
    select
        taken.raw_line_id,
        reference."value"
            * pow(10, round(log10(abs(taken."value" / reference."value")))) as "value",
        '10^' || cast(round(log10(abs(taken."value" / reference."value"))) as integer)
            || ' times the right values' as what
    from taken
    inner join reference using (place_id, place_level, "year", indicator_id)
    where taken."value" <> 0 and reference."value" <> 0
        and abs(log10(abs(taken."value" / reference."value"))) > 0.5
    union all
    select raw_line_id, reference."value" + 100, 'an index (previous year = 100), not a rate'
    from taken
    inner join reference using (place_id, place_level, "year", indicator_id)
    where taken.unit in ('pct', 'permille')
),
fitting as (
    select
        candidates.raw_line_id,
        arg_min(candidates.what, (round(abs(1 - candidates."value" / taken."value"), 6),
            candidates.what)) as cause
    from (from others union all from beside union all from scaled) as candidates
    inner join taken on candidates.raw_line_id = taken.raw_line_id
    left join reference
        on taken.place_id = reference.place_id and taken.place_level = reference.place_level
            and taken."year" = reference."year" and taken.indicator_id = reference.indicator_id
    where abs(taken."value" - candidates."value")
            <= {CLOSE.format(equal=EQUAL, other='candidates."value"')}
        and 4 * abs(taken."value" - candidates."value") < abs(taken."value" - reference."value")
        and taken."value" <> 0
    group by candidates.raw_line_id
)
select
    taken.*,
    coalesce(province_roster.province_name_zh, '') as province_name,
    reference."value" as current,
    reference.source_id as current_source,
    coalesce(abs(taken."value" - current) <= {CLOSE.format(equal=EQUAL, other="current")}, false)
        as is_equal,
    coalesce(abs(taken."value" - current) / taken.points,
        case when current <> 0 and taken."value" <> 0
            then abs(ln(abs(taken."value" / current))) end) as gap,
    fitting.cause,
    blocked.quality_rule as blocked_rule
from taken
left join reference
    on taken.place_id = reference.place_id and taken.place_level = reference.place_level
        and taken.indicator_id = reference.indicator_id and taken."year" = reference."year"
left join province_roster on taken.province = province_roster.province_id // 10000
left join fitting on taken.raw_line_id = fitting.raw_line_id
left join (select place_id, place_level, "year", indicator_id, "value", min(quality_rule) as
    quality_rule from blocked group by all) as blocked
    on taken.place_id = blocked.place_id and taken.place_level = blocked.place_level
        and taken.indicator_id = blocked.indicator_id and taken."year" = blocked."year"
        and taken."value" = blocked."value"
"""

# growth of the level at current prices: of the source's own levels, and of those published
NOMINAL = """
create table nominal as
with levels as (
    select 'taken' as origin, file_name, indicator_id, place_id, "year", "value" from taken
    where place_level = 'city' and "value" > 0
    union all
    select source_id, 'published', indicator_id, place_id, "year", "value" from reference
    where place_level = 'city' and "value" > 0
)
select indicator_id, place_id, "year",
    100 * ("value" / lag("value") over in_time - 1) as growth_pct
from levels
where indicator_id in (select growth_of from int_indicator_limits)
window in_time as (partition by origin, file_name, indicator_id, place_id order by "year")
qualify lag("year") over in_time = "year" - 1
"""

# of each column what it shares with another source, and what of that is the same to the last digit
COPIES = """
create table copies as
select
    taken.file_name, taken.indicator_id, other.source_id as other_source_id,
    count(distinct taken.raw_line_id) as n_common,
    count(distinct taken.raw_line_id) filter (
        where abs(taken."value" - other."value") <= 1e-6 * abs(taken."value")) as n_same
from taken
inner join published.marts.fct_indicator_observation as other
    on taken.place_id = other.city_id and taken.place_level = other.place_level
        and taken."year" = other."year" and taken.indicator_id = other.indicator_id
where other.source_id <> taken.source_id and other.quality_flag <> 'blocked' and taken."value" <> 0
group by all
"""

# lines that the publication has as they are: of files that did not change, values that it knows of
# this source whatever file they were in, and what it turned away
ACCEPTED_LINE = """
create table accepted_line as
with line as (
    select raw_line_id, source_id, file_name from int_raw_resolved
    union
    select raw_line_id, source_id, file_name from int_raw_rejections
)
select line.raw_line_id
from line
inner join file_state on file_state.path = line.source_id || '/' || line.file_name
where state = 'as published'
union
select taken.raw_line_id
from taken
inner join published.marts.fct_indicator_observation as known
    on taken.source_id = known.source_id and taken.place_id = known.city_id
        and taken.place_level = known.place_level and taken.indicator_id = known.indicator_id
        and taken."year" = known."year" and taken."value" = known."value"
union
select now.raw_line_id
from int_raw_rejections as now
inner join published.quality.rejected_value as known
    on now.source_id = known.source_id and now.file_name = known.file_name
        and now.cell_ref is not distinct from known.cell_ref
        and now.raw_text is not distinct from known.raw_text and now.reason = known.reason
"""
#: Schema of what queries read of accepted lines alone, and the tables that are there.
ACCEPTED = "accepted"
OF_LINES = ("compared", "int_raw_resolved", "int_raw_rejections")

# one indicator of one file beside the values of other sources
SUMMARY = """
select
    file_name,
    indicator_id,
    any_value(unit) as unit,
    string_agg(distinct coalesce(unit_text, 'canonical'), ', '
        order by coalesce(unit_text, 'canonical')) as units,
    count(*) as n,
    count(distinct place_id) as n_places,
    min("year") as first_year,
    max("year") as last_year,
    count(current) as n_common,
    count(*) filter (where is_equal) as n_equal
from compared
group by file_name, indicator_id
order by file_name, indicator_id
"""


_MODELS = ("int_raw_resolved", "int_raw_rejections", "int_indicator_limits", "province_roster")


def build_staging(con: duckdb.DuckDBPyConnection, raw_build: Path) -> None:
    """Make a table of each model, named as the model, in this connection.

    Parameters
    ----------
    con : duckdb.DuckDBPyConnection
    raw_build : Path
        Folder with ``raw/*.parquet`` of the source.
    """
    con.execute(
        "create view observations as select * from read_parquet("
        f"{literal(raw_build / 'raw' / '*.parquet')}, union_by_name = true, file_row_number = true)"
    )
    made: set[str] = set()
    for name in _MODELS:
        make(con, name, made, kind="table")


def compare(con: duckdb.DuckDBPyConnection, *, is_published: bool) -> list[dict[str, Any]]:
    """Make the tables of this module, and say what the source holds.

    Parameters
    ----------
    con : duckdb.DuckDBPyConnection
        With the models of `build_staging` and the list of the source's files as ``input_file``.
    is_published : bool
        Whether a database is attached as ``published``; else no value can be compared.
    """
    before = "published.meta.input_file" if is_published else "input_file where false"
    con.execute(FILE_STATE.format(published=before))
    if is_published:
        con.execute(REFERENCE)
        con.execute(BLOCKED)
    else:
        place = 'place_id integer, place_level varchar, "year" integer, indicator_id varchar'
        con.execute(
            f'create table reference ({place}, "value" double, source_id varchar, unit varchar)'
        )
        con.execute(f'create table blocked ({place}, "value" double, quality_rule varchar)')
    con.execute(TAKEN)
    con.execute(COMPARED)
    con.execute(NOMINAL)
    if is_published:
        con.execute(COPIES)
        con.execute(ACCEPTED_LINE)
    else:
        con.execute(
            "create table copies (file_name varchar, indicator_id varchar, "
            "other_source_id varchar, n_common bigint, n_same bigint)"
        )
        con.execute("create table accepted_line (raw_line_id integer)")
    con.execute(f"create schema {ACCEPTED}")
    for table in OF_LINES:
        con.execute(
            f"create table {ACCEPTED}.{table} as select * from {table} "
            "where raw_line_id in (select raw_line_id from accepted_line)"
        )
    return rows_of(con, SUMMARY)
