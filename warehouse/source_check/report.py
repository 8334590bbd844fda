"""What `check-source` says: the likely faults first, then what was taken, what was turned away and
why, and the differences.
"""

from __future__ import annotations

import duckdb

from warehouse.source_check.comparison import Series, likely_fault

#: So many lines of a kind are shown.
SHOWN = 12
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
    con: duckdb.DuckDBPyConnection, series: list[Series], faults: list[str]
) -> list[str]:
    """The whole answer, line by line."""
    lines = [f"likely faults: {len(faults)}" if faults else "likely faults: none found"]
    lines += [f"  {fault}" for fault in _most(faults)]
    n_taken, n_left = sum(one.n for one in series), _all(con, _LEFT_OUT)[0][0]
    lines.append(
        f"taken: {n_taken:,} values of {len({one.indicator_id for one in series})} indicators; "
        f"left out by the layout: {n_left:,} lines"
    )
    file_name = None
    for one in series:
        if one.file_name != file_name:
            file_name = one.file_name
            lines.append(f" {file_name}")
        shown = (
            f"{one.n_common:,} beside current values, {one.share_equal or 0:.1%} equal"
            if one.n_common
            else "nothing current to stand beside"
        )
        years = f"{one.first_year}-{one.last_year}"
        lines.append(
            f"  {one.indicator_id} ({one.units} to {one.unit}): {one.n:,} values, {one.n_places} "
            f"places, {years}; {shown}"
        )
    rejected = _all(con, _REJECTED)
    lines.append(
        "rejected: " + (f"{sum(row[1] for row in rejected):,} lines" if rejected else "nothing")
    )
    lines += [
        f"  {reason}: {n:,}, such as {where}: {text!r}" for reason, n, where, text in rejected
    ]
    unknown = [
        f"{name!r} ({n:,})"
        for reason, name, n in _all(con, _PLACES)
        if reason == "unknown_city" and name
    ]
    if unknown:
        lines.append("places that are not known: " + ", ".join(_most(unknown)))
    sources = _all(con, _SOURCES)
    if sources:
        lines.append("beside the current values, by their source:")
        lines += [
            f"  {source}: {n:,} common, {equal:,} equal within 0.5 %, {far:,} off by more than 5 %"
            for source, n, equal, far in sources
        ]
    return lines


def _most(items: list[str]) -> list[str]:
    return items if len(items) <= SHOWN else [*items[:SHOWN], f"and {len(items) - SHOWN:,} more"]


def _all(con: duckdb.DuckDBPyConnection, query: str) -> list[tuple]:
    return con.execute(query).fetchall()
