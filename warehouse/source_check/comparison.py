"""What one source's values look like beside the current ones of the published warehouse, and which
fault each picture speaks for.
"""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

#: Values agree within this share; a fault needs so many common cells, and that share of them.
EQUAL, FEWEST, MOST = 0.005, 20, 0.5
#: Half of the values this far off (in logs) are another thing's.
FAR = 0.1
_RATE_UNITS = ("pct", "permille")

CURRENT = """
create table current_value as
select city_id as place_id, place_level, "year", indicator_id, "value", source_id
from published.marts.fct_indicator_observation
where is_current
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

# one row a taken value with the current one of the same cell, of the years beside it, and of the
# city in the row above and below
COMPARED = """
create table compared as
with taken as (
    select
        raw_line_id, source_id, file_name, sheet_name, indicator_id, place_level, place_id, "year",
            canonical_value as "value", unit,
        unit_text, row_no, col_no, cell_ref
    from int_raw_resolved
    where reason is null
),
beside as (
    select
        *,
        lag(place_id) over in_column as place_above,
        lead(place_id) over in_column as place_below
    from taken
    window in_column as (partition by file_name, sheet_name, indicator_id, "year" order by row_no)
)
select
    beside.*,
    now."value" as current,
    now.source_id as current_source,
    before."value" as current_before,
    after."value" as current_after,
    above."value" as current_above,
    below."value" as current_below
from beside
left join current_value as now
    on beside.place_id = now.place_id and beside.place_level = now.place_level
        and beside.indicator_id = now.indicator_id
        and beside."year" = now."year"
left join current_value as before
    on beside.place_id = before.place_id and beside.place_level = before.place_level
        and beside.indicator_id = before.indicator_id
        and beside."year" - 1 = before."year"
left join current_value as after
    on beside.place_id = after.place_id and beside.place_level = after.place_level
        and beside.indicator_id = after.indicator_id
        and beside."year" + 1 = after."year"
left join current_value as above
    on beside.place_above = above.place_id and beside.place_level = above.place_level
        and beside.indicator_id = above.indicator_id
        and beside."year" = above."year"
left join current_value as below
    on beside.place_below = below.place_id and beside.place_level = below.place_level
        and beside.indicator_id = below.indicator_id
        and beside."year" = below."year"
"""

_NEAR = 'abs("value" - {other}) <= {equal} * greatest(abs({other}), abs("value"))'


def _share(other: str) -> str:
    near = _NEAR.format(other=other, equal=EQUAL)
    return (
        f"count(*) filter (where {near}) / nullif(count(*) filter (where {other} is not null), 0)"
    )


SUMMARY = f"""
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
    {_share("current")} as share_equal,
    {_share("current_before")} as share_before,
    {_share("current_after")} as share_after,
    {_share("current_above")} as share_above,
    {_share("current_below")} as share_below,
    median("value" / current) filter (where current <> 0) as median_ratio,
    mode(round(log10(abs("value" / current)))) filter (where current <> 0
        and "value" <> 0) as power,
    median("value" - current) as median_difference,
    quantile_cont(abs(ln(abs("value" / current))), 0.5) filter (where current <> 0
        and "value" <> 0) as median_gap
from compared
group by file_name, indicator_id
order by file_name, indicator_id
"""

# what share of the values that lie off by a power of ten are equal once it is taken off
POWER = f"""
select count(*) filter (where abs("value" / pow(10, $power) - current) <= {EQUAL} * abs(current)) /
    nullif(count(current), 0) as share
from compared
where file_name = $file and indicator_id = $indicator
"""

# an indicator of the same unit whose current values these are
OTHER = f"""
select
    other.indicator_id,
    count(*) filter (where abs(c."value" - other."value") <= {EQUAL} * abs(other."value")) /
        count(*) as share,
    count(*) as n
from compared as c
inner join current_value as other on c.place_id = other.place_id
    and c.place_level = other.place_level and c."year" = other."year"
inner join indicator_catalog as catalog on other.indicator_id = catalog.indicator_id
    and catalog.canonical_unit = c.unit
where c.file_name = $file and c.indicator_id = $indicator and other.indicator_id <> $indicator
group by all
having n >= {FEWEST}
order by share desc, other.indicator_id
limit 1
"""


@dataclass(frozen=True)
class Series:
    """One indicator of one file beside the current values (columns of ``SUMMARY``)."""

    file_name: str
    indicator_id: str
    unit: str
    units: str
    n: int
    n_places: int
    first_year: int
    last_year: int
    n_common: int
    share_equal: float | None
    share_before: float | None
    share_after: float | None
    share_above: float | None
    share_below: float | None
    median_ratio: float | None
    power: float | None
    median_difference: float | None
    median_gap: float | None


def compare(con: duckdb.DuckDBPyConnection) -> list[Series]:
    """Series of the source beside the current values; the published database is attached as
    ``published``, the list of the source's files is the table ``input_file``.
    """
    con.execute(CURRENT)
    con.execute(FILE_STATE.format(published="published.meta.input_file"))
    return _summary(con)


def describe(con: duckdb.DuckDBPyConnection) -> list[Series]:
    """The same where nothing is published: no value has one to stand beside."""
    columns = (
        'place_id integer, place_level varchar, "year" integer, indicator_id varchar, "value" '
        "double, source_id varchar"
    )
    con.execute(f"create table current_value ({columns})")
    con.execute(FILE_STATE.format(published="input_file where false"))
    return _summary(con)


def _summary(con: duckdb.DuckDBPyConnection) -> list[Series]:
    con.execute(COMPARED)
    return [Series(*row) for row in con.execute(SUMMARY).fetchall()]


def likely_fault(con: duckdb.DuckDBPyConnection, series: Series) -> str | None:
    """The fault that a series' values speak for most clearly, as a sentence; None where they look
    right or nothing can be said.
    """
    if series.n_common < FEWEST or (series.share_equal or 0.0) >= MOST:
        return None
    return _power(con, series) or _shift(series) or _other(con, series) or _level(series)


def _power(con: duckdb.DuckDBPyConnection, series: Series) -> str | None:
    if not series.power:
        return None
    power = int(series.power)
    share = con.execute(POWER, _where(series) | {"power": power}).fetchall()[0][0]
    if (share or 0.0) < MOST:
        return None
    return (
        f"{share:.0%} of the common values are 10^{power} times the current ones: look at the "
        f"unit ({series.units})"
    )


def _shift(series: Series) -> str | None:
    shifts = {
        "the year before": series.share_before,
        "the year after": series.share_after,
        "the city of the row above": series.share_above,
        "the city of the row below": series.share_below,
    }
    what, share = max(shifts.items(), key=lambda item: item[1] or 0.0)
    return (
        f"{share:.0%} of the values are those of {what}: a column is shifted"
        if _is_clear(share, series)
        else None
    )


def _other(con: duckdb.DuckDBPyConnection, series: Series) -> str | None:
    found = con.execute(OTHER, _where(series)).fetchall()
    if not found or not _is_clear(found[0][1], series):
        return None
    return (
        f"{found[0][1]:.0%} of the values are those of {found[0][0]}: another indicator, or "
        "another column"
    )


def _is_clear(share: float | None, series: Series) -> bool:
    return (share or 0.0) >= max(MOST, (series.share_equal or 0.0) + 0.3)


def _level(series: Series) -> str | None:
    if series.unit in _RATE_UNITS:
        is_index = series.median_difference is not None and abs(series.median_difference - 100) < 5
        return (
            (
                "the values lie about 100 above the current ones: an index (previous year = 100) "
                "where a rate is meant"
            )
            if is_index
            else None
        )
    if series.median_gap is None or series.median_gap <= FAR:
        return None
    return (
        f"half of the values differ from the current ones by more than {series.median_gap:.0%}: "
        "another definition, vintage or place"
    )


def _where(series: Series) -> dict[str, object]:
    return {"file": series.file_name, "indicator": series.indicator_id}
