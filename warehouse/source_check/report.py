"""Write the answer of `check-source`: the new and changed files and the likely faults first, then
what was taken, what was turned away and why, and the differences; on one screen, or all of it.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import duckdb

from warehouse.source_check.faults import copies, rows_of

#: So many lines of a kind are shown on one screen; of faults three times as many.
SHOWN = 5
_FILES = """
select
    file.state,
    file.path,
    file.note,
    count(taken.raw_line_id) as n,
    count(distinct taken.indicator_id),
    count(distinct taken.place_id),
    min(taken."year"),
    max(taken."year"),
    count(taken.current) as n_common,
    count(*) filter (where taken.is_equal)
from file_state as file
left join compared as taken on file.path = taken.source_id || '/' || taken.file_name
group by all
order by file.path
"""
_REJECTED = """
select
    reason,
    count(*) as n,
    arg_min(file_name || coalesce(' ' || sheet_name, '') || coalesce(' ' || cell_ref, ''),
        raw_line_id),
    arg_min(raw_text, raw_line_id)
from int_raw_rejections
where not coalesce(contains(detail, 'left out by the layout'), false)
group by reason
order by n desc, reason
"""
_LEFT_OUT = (
    "select count(*) from int_raw_rejections where contains(detail, 'left out by the layout')"
)
_UNKNOWN = """
select coalesce(place_text, place_code_text) as place, count(*) as n from int_raw_resolved
where reason = 'unknown_city' and place is not null
group by all
order by n desc, place
"""
_SOURCES = """
select
    current_source, count(*) as n, count(*) filter (where is_equal) as n_equal,
    count(*) filter (where abs("value" - current) > 0.05 * abs(current)) as n_far
from compared
where current is not null
group by current_source
order by n desc, current_source
"""
# what a column holds besides numbers that agree
_COLUMNS = """
with rejected as (
    select file_name, indicator_id, count(*) as n from int_raw_resolved
    where reason is not null and "value" is not null
    group by all
)
select file_name, indicator_id, count(*) filter (where "value" = 0),
    count(*) filter (where blocked_rule is not null), coalesce(any_value(rejected.n), 0)
from compared
left join rejected using (file_name, indicator_id)
group by all
"""


def report_lines(
    con: duckdb.DuckDBPyConnection,
    series: list[dict[str, Any]],
    faults: list[str],
    known: list[str],
    unheard: list[str],
    *,
    everything: bool = False,
) -> list[str]:
    """Return the answer, line by line: on one screen, or ``everything``.

    `known` are faults that the publication has accepted already.
    """
    files = rows_of(con, _FILES)
    states = Counter(state for state, *_ in files)
    others = [_file(*row) for row in files if everything or row[0] != "as published"]
    n_taken, n_left = sum(one["n"] for one in series), rows_of(con, _LEFT_OUT)[0][0]
    n_indicators = len({one["indicator_id"] for one in series})
    rejected = rows_of(con, _REJECTED)
    unknown = [f"{name!r} ({n:,})" for name, n in rows_of(con, _UNKNOWN)]
    counts = {(file, indicator): others for file, indicator, *others in rows_of(con, _COLUMNS)}
    copied = copies(con, everything=everything)
    sections = [
        ("files: " + ", ".join(f"{n:,} {state}" for state, n in states.items()), others),
        (f"likely faults: {len(faults) or 'none found'}", faults),
        (f"faults that the publication has already: {len(known) or 'none'}", known),
        (
            f"copies of known sources, no second source for them: {len(copied) or 'none found'}",
            copied,
        ),
        (f"columns with years that nothing else speaks of: {len(unheard) or 'none'}", unheard),
        (
            f"taken: {n_taken:,} values of {n_indicators} indicators; left out by the layout: "
            f"{n_left:,} lines",
            [_series(one, *counts[one["file_name"], one["indicator_id"]]) for one in series],
        ),
        (
            f"rejected: {sum(row[1] for row in rejected):,} lines",
            [f"{reason}: {n:,}, such as {where}: {text!r}" for reason, n, where, text in rejected],
        ),
        (f"places that are not known: {len(unknown):,}", unknown),
        (
            "beside values of other sources:",
            [
                f"{source}: {n:,} common, {equal:,} equal within 0.5 % or 0.05 points, "
                f"{far:,} off by more than 5 %"
                for source, n, equal, far in rows_of(con, _SOURCES)
            ],
        ),
    ]
    lines = []
    for title, items in sections:
        most = SHOWN
        if everything:
            most = len(items)
        elif items is faults:
            most = 3 * SHOWN
        elif items is known:
            most = 1
        shown = items[:most]
        if len(items) > most:
            shown = [*shown, f"and {len(items) - most:,} more (--all)"]
        lines += [title, *(f"  {item}" for item in shown)]
    return lines


def _file(
    state: str,
    path: str,
    note: str | None,
    n: int,
    n_indicators: int,
    n_places: int,
    first_year: int | None,
    last_year: int | None,
    n_common: int,
    n_equal: int,
) -> str:
    if note:
        return f"{state} {path}: not read: {note}"
    if not n:
        return f"{state} {path}: no value would be taken"
    return (
        f"{state} {path}: {n:,} values of {n_indicators} indicators, {n_places} places, "
        f"{first_year}-{last_year}; {_beside(n_common, n_equal)}"
    )


def _beside(n_common: int, n_equal: float) -> str:
    return (
        f"{n_common:,} beside other values, {n_equal / n_common:.1%} equal"
        if n_common
        else "nothing to stand beside"
    )


def _series(one: dict[str, Any], n_zeros: int, n_blocked: int, n_rejected: int) -> str:
    counts = {"zeros": n_zeros, "blocked as published": n_blocked, "rejected": n_rejected}
    others = "".join(f"; {n:,} {what}" for what, n in counts.items() if n)
    taken = (
        "{file_name}: {indicator_id} ({units} to {unit}): {n:,} values, {n_places} places, "
        "{first_year}-{last_year}; "
    ).format_map(one)
    return f"{taken}{_beside(one['n_common'], one['n_equal'])}{others}"
