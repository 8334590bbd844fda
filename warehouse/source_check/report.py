"""What `check-source` says: the new and changed files and the likely faults first, then what was
taken, what was turned away and why, and the differences; on one screen, or all of it.
"""

from __future__ import annotations

from collections import Counter

import duckdb

from warehouse.source_check.comparison import Series, likely_fault

#: So many lines of a kind are shown on one screen.
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
    count(*) filter (where abs(taken."value" - taken.current) <= 0.005 * abs(taken.current))
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
_UNMAPPED = """
select file_name, cell_ref, raw_text from int_raw_rejections
where reason = 'unmapped_column' and not contains(detail, 'left out by the layout')
order by file_name, cell_ref
"""
# a column of which nothing is taken
_LOST = """
select file_name, coalesce(indicator_id, 'no indicator'), min(unit_text), count(*) as n, min(reason)
from int_raw_resolved
where "value" is not null
group by all
having count(*) filter (where reason is null) = 0
order by n desc, 1, 2
"""
_PLACES = """
select reason, coalesce(place_text, place_code_text), count(*) as n from int_raw_resolved
where reason in ('unknown_city', 'place_mismatch')
group by all
order by n desc, 2
"""
_SOURCES = """
select
    current_source, count(*) as n,
    count(*) filter (where abs("value" - current) <= 0.005 * abs(current)) as n_equal,
    count(*) filter (where abs("value" - current) > 0.05 * abs(current)) as n_far
from compared
where current is not null
group by current_source
order by n desc, current_source
"""
# rates jump by themselves, and what is current already has been looked at by the rules
_JUMPS = """
select file_name, indicator_id, count(*) as n, min(cell_ref) from (
    select file_name, indicator_id, cell_ref, "value", current, unit,
        lag("value") over (partition by file_name, indicator_id, place_id
            order by "year") as before,
        lead("value") over (partition by file_name, indicator_id, place_id order by "year") as after
    from compared
)
where "value" > 0 and before > 0 and after > 0 and abs(ln("value" / before)) > ln(5)
    and abs(ln("value" / after)) > ln(5)
    and sign(ln("value" / before)) = sign(ln("value" / after)) and unit not in ('pct', 'permille')
    and not coalesce(abs("value" - current) <= 0.005 * abs(current), false)
group by all
order by n desc, 1, 2
"""


def likely_faults(con: duckdb.DuckDBPyConnection, series: list[Series]) -> list[str]:
    """One sentence for each thing that most probably is wrong, the largest first."""
    found: list[tuple[int, str]] = []
    for file_name, indicator_id, unit_text, n, reason in _all(con, _LOST):
        unit = f", unit {unit_text!r}" if unit_text else ""
        found.append(
            (n, f"{file_name}: {indicator_id}: none of its {n:,} values is taken ({reason}{unit})")
        )
    for one in series:
        sentence = likely_fault(con, one)
        if sentence:
            found.append((one.n_common, f"{one.file_name}: {one.indicator_id}: {sentence}"))
    mismatches = [(name, n) for reason, name, n in _all(con, _PLACES) if reason == "place_mismatch"]
    if mismatches:
        n = sum(count for _, count in mismatches)
        found.append(
            (
                n,
                (
                    f"{n:,} values stand beside the code of another place "
                    f"({', '.join(name for name, _ in mismatches[:5])})"
                ),
            )
        )
    for file_name, cell, text in _all(con, _UNMAPPED):
        found.append(
            (1, f"{file_name} {cell}: column {text!r} is neither mapped nor ignored by the layout")
        )
    for file_name, indicator_id, n, cell in _all(con, _JUMPS):
        found.append(
            (
                n,
                (
                    f"{file_name}: {indicator_id}: {n:,} values are five times both neighbouring "
                    f"years or a fifth ({cell})"
                ),
            )
        )
    return [sentence for _, sentence in sorted(found, key=lambda item: (-item[0], item[1]))]


def report_lines(
    con: duckdb.DuckDBPyConnection,
    series: list[Series],
    faults: list[str],
    *,
    everything: bool = False,
) -> list[str]:
    """The answer, line by line: on one screen, or ``everything``."""
    files = _all(con, _FILES)
    states = Counter(state for state, *_ in files)
    others = [_file(*row) for row in files if everything or row[0] != "as published"]
    n_taken, n_left = sum(one.n for one in series), _all(con, _LEFT_OUT)[0][0]
    rejected = _all(con, _REJECTED)
    unknown = [
        f"{name!r} ({n:,})"
        for reason, name, n in _all(con, _PLACES)
        if reason == "unknown_city" and name
    ]
    sections = [
        ("files: " + ", ".join(f"{n:,} {state}" for state, n in states.items()), others),
        (f"likely faults: {len(faults) or 'none found'}", faults),
        (
            f"taken: {n_taken:,} values of {len({one.indicator_id for one in series})} indicators; "
            f"left out by the layout: {n_left:,} lines",
            [_series(one) for one in series] if everything else [],
        ),
        (
            f"rejected: {sum(row[1] for row in rejected):,} lines",
            [f"{reason}: {n:,}, such as {where}: {text!r}" for reason, n, where, text in rejected],
        ),
        (f"places that are not known: {len(unknown):,}", unknown),
        (
            "beside the current values, by their source:",
            [
                f"{source}: {n:,} common, {equal:,} equal within 0.5 %, "
                f"{far:,} off by more than 5 %"
                for source, n, equal, far in _all(con, _SOURCES)
            ],
        ),
    ]
    lines = []
    for title, items in sections:
        cut = (
            []
            if everything or len(items) <= SHOWN
            else [f"and {len(items) - SHOWN:,} more (--all)"]
        )
        shown = [*items[:SHOWN], *cut] if cut else items
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
        f"{n_common:,} beside current values, {n_equal / n_common:.1%} equal"
        if n_common
        else "nothing current to stand beside"
    )


def _series(one: Series) -> str:
    return (
        f"{one.file_name}: {one.indicator_id} ({one.units} to {one.unit}): {one.n:,} values, "
        f"{one.n_places} places, {one.first_year}-{one.last_year}; "
        f"{_beside(one.n_common, (one.share_equal or 0) * one.n_common)}"
    )


def _all(con: duckdb.DuckDBPyConnection, query: str) -> list[tuple]:
    return con.execute(query).fetchall()
