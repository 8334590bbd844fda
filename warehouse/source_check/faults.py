"""Derive the likely faults from the comparison: faults of a column as a whole, of its years, of its
provinces, of the rows of a province in one year, or of one cell; and what could not be compared.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby

import duckdb

from warehouse.ingest.drafting.value_matching import CURRENT_PRICES
from warehouse.source_check.comparison import ACCEPTED
from warehouse.sql_text import literal

#: A fault is no chance from so many cells on, which are this share of those that do not agree, and
#: so much of all.
FEWEST, MOST, LEAST = 8, 0.5, 0.05
#: One cell is a power of ten off where so much of the rest of its column agrees.
REST_AGREES = 0.9
#: Filled cells are no chance from this share of all on.
FILLED = 0.2
#: A part is of another definition where so few of its cells agree, so many elsewhere, and half are
#: so far off; a column where half are this far off. Of rates 0.3 points are far.
FEW_AGREE, MANY_AGREE, OFF, FAR, FAR_RATE = 0.3, 0.7, 0.02, 0.1, 0.003
#: A column is a copy of a source that has so many of its values, so much of those that any other
#: source has, and of which so many are the same to the last digit.
FEWEST_COPIED, COPIED = 100, 0.95
#: A year is partly filled with less than this share of the places of a usual year.
PARTLY = 0.7

_PARTS = """file_name, indicator_id,
    grouping sets ((), ("year"), (province_name), ("year", province_name))"""
_CAUSES = f"""
with parts as (
    select file_name, indicator_id, "year", province_name,
        count(*) as n, count(current) as n_common,
        count(*) filter (where current is not null and (not is_equal or cause is not null)) as n_not
    from compared
    group by {_PARTS}
),
explained as (
    select file_name, indicator_id, "year", province_name, cause, count(*) as n_cause,
        arg_min(cell_ref, raw_line_id) as first_cell
    from (
        from compared where cause is not null
        union all
        select * replace ('filled' as cause) from compared where is_filled
    )
    group by cause, {_PARTS}
)
select explained.* exclude (n_cause, first_cell), n_cause,
    if(cause = 'filled', n, n_common) as n_all, first_cell
from explained
inner join parts on
    explained.file_name = parts.file_name and explained.indicator_id = parts.indicator_id
    and explained."year" is not distinct from parts."year"
    and explained.province_name is not distinct from parts.province_name
where n_cause >= {FEWEST} and if(cause = 'filled', n_cause >= {FILLED} * n,
    n_cause >= {MOST} * n_not and n_cause >= {LEAST} * n_common)
order by explained.file_name, explained.indicator_id, cause, explained."year" is not null,
    explained.province_name is not null, explained."year", explained.province_name
"""
_FILLED_IN = (
    "a straight line between the years beside, or last year's figure again: filled in, not measured"
)
# of the cells that nothing fits better
_AGREEMENT = """
select file_name, indicator_id, coalesce(cast("year" as varchar), province_name) as part,
    case when "year" is not null then 1 when province_name is not null then 2 else 0 end as kind,
    count(*) as n, count(*) filter (where is_equal) / count(*) as share,
    coalesce(median(gap), 0), any_value(points) is not null as is_rate
from compared
where current is not null and cause is null and not is_filled
group by file_name, indicator_id, grouping sets ((), ("year"), (province_name))
having n >= 20
order by 1, 2, kind, part
"""
_PARTLY = f"""
select file_name, indicator_id, n, "year", median(n) over column_of_file as usual
from (select file_name, indicator_id, "year", count(distinct place_id) as n from compared
    group by all)
window column_of_file as (partition by file_name, indicator_id)
qualify n < {PARTLY} * usual
order by file_name, indicator_id, n, "year"
"""
_OFF_RANGE = """
select file_name, indicator_id, 'from ' || min_value || ' to ' || max_value
    || if(must_be_positive, ', above zero', ''), "year", count(*), min(cell_ref)
from compared inner join indicator_catalog using (indicator_id)
where "value" not between min_value and max_value or (must_be_positive and "value" <= 0)
group by all order by all
"""
# columns, and years of a column, of which nothing is taken
_CURRENT_PRICES = f"""
select file_name, indicator_id, {literal(CURRENT_PRICES)} as what, "year",
    count(*) filter (where is_nominal) as n_nominal,
    arg_min(cell_ref, raw_line_id) filter (where is_nominal)
from (
    select *, 2 <= decimals and growth_pct is not null as is_fine,
        abs(100 * ("value" / points - if(unit = 'index_100', 1, 0)) - growth_pct) <= basis_equal
            as is_nominal
    from compared
    left join lateral (
        select arg_min(growth_pct, abs(compared."value" - growth_pct)) as growth_pct from nominal
        where nominal.indicator_id = compared.growth_of and nominal.place_id = compared.place_id
            and nominal."year" = compared."year"
    ) on true
    where growth_of is not null and basis_equal is not null and place_level = 'city'
)
where is_fine
group by file_name, indicator_id, "year"
having count(*) >= any_value(basis_cells) and n_nominal >= any_value(basis_share) * count(*)
order by all
"""
_COPIES = f"""
with shared as (
    select file_name, indicator_id, count(*) as n_shared from compared
    where current is not null and "value" <> 0 group by all
)
select file_name, other_source_id, indicator_id, n_same, n_common
from copies inner join shared using (file_name, indicator_id)
where n_same >= {FEWEST_COPIED} and n_same >= {COPIED} * n_common
    and n_common >= {COPIED} * n_shared
order by all
"""
# of cells that no part is faulty of as a whole
_ALONE = f"""
with column_of_file as (
    select file_name, indicator_id, count(current) as n_common,
        count(*) filter (where is_equal) as n_equal
    from compared group by all
)
select file_name, indicator_id, "year", cell_ref, place_id, "value", current, current_source, cause,
    n_common, n_equal
from compared inner join column_of_file using (file_name, indicator_id)
where starts_with(cause, '10^') and n_common > {FEWEST} and n_equal >= {REST_AGREES} * n_common
order by file_name, indicator_id, raw_line_id
"""
_LOST = """
select file_name, coalesce(indicator_id, 'no indicator') as indicator, min(reason) as why,
    min(unit_text), "year", count(*) as n
from int_raw_resolved
where "value" is not null
group by file_name, indicator, grouping sets ((), ("year"))
having count(*) filter (where reason is null) = 0
order by 1, 2, "year" is not null, "year"
"""
_MISPLACED = """
select coalesce(place_text, place_code_text), count(*) as n from int_raw_resolved
where reason = 'place_mismatch' group by all order by n desc, 1
"""
_UNMAPPED = """
select file_name, cell_ref, raw_text from int_raw_rejections
where reason = 'unmapped_column' and not contains(detail, 'left out by the layout')
order by file_name, cell_ref
"""
_BLOCKED = """
select file_name, indicator_id, string_agg(distinct rule, ', ' order by rule) over column_of_file,
    "year", n, cell
from (select file_name, indicator_id, blocked_rule as rule, "year", count(*) as n,
        min(cell_ref) as cell
    from compared where blocked_rule is not null and not is_equal group by all)
window column_of_file as (partition by file_name, indicator_id)
order by all
"""
# the first gate stops a refresh with such a file
_WITHOUT_VALUE = """
select substr(path, strpos(path, '/') + 1), n_rejected
from input_file inner join file_state using (path)
where status = 'taken' and n_observations = 0 and state <> 'as published' order by path
"""
_UNCHANGED = "select path from file_state where state = 'as published'"
_NOT_COMPARED = """
select file_name, indicator_id, "year" from compared
group by all
having count(current) < 20 and 2 * count(current) < count(*)
order by all
"""


@dataclass(frozen=True)
class Fault:
    """One thing that most probably is wrong.

    Attributes
    ----------
    n : int
        Of how many cells.
    file_name, indicator_id, what : str
        Two faults with the same three are one fault, of the same or of other parts of the column.
    sentence : str
    years : frozenset of int
        Of which years; empty for all.
    places : frozenset of str
        Of which provinces, or for which names; empty for all.
    """

    n: int
    file_name: str
    indicator_id: str
    what: str
    sentence: str
    years: frozenset[int] = frozenset()
    places: frozenset[str] = frozenset()

    def covers(self, other: Fault) -> bool:
        """Return whether another one is of this kind and of no further part of the column."""
        if (self.file_name, self.indicator_id, self.what) != (
            other.file_name,
            other.indicator_id,
            other.what,
        ):
            return False
        has_years = not self.years or (bool(other.years) and self.years >= other.years)
        has_places = not self.places or (bool(other.places) and self.places >= other.places)
        return has_years and has_places


def likely_faults(
    con: duckdb.DuckDBPyConnection, *, everything: bool = False
) -> tuple[list[Fault], list[Fault]]:
    """Return what most probably is wrong: files that give no value, then what concerns most cells.

    Parameters
    ----------
    con : duckdb.DuckDBPyConnection
        After `comparison.compare`.
    everything : bool
        Whether years that are partly filled count too.

    Returns
    -------
    list of Fault, list of Fault
        Those that are new, and those that the values which the publication has accepted show by
        themselves.
    """
    found = [*_without_value(con), *_faults(con, everything=everything)]
    with _accepted_alone(con):
        accepted = _faults(con, everything=everything)
    new, known = [], []
    for fault in found:
        if any(one.covers(fault) for one in accepted):
            known.append(fault)
        else:
            new.append(fault)
    return new, known


def _without_value(con: duckdb.DuckDBPyConnection) -> Iterator[Fault]:
    for file, n in rows_of(con, _WITHOUT_VALUE):
        sentence = (
            f"{file}: no value would be taken ({n:,} lines are rejected): a refresh would stop"
        )
        yield Fault(n, file, "", "no value", sentence)


@contextmanager
def _accepted_alone(con: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Let the queries of this module read what the publication has accepted, and nothing else."""
    ((catalog,),) = con.execute("select current_database()").fetchall()
    con.execute(f"use {catalog}.{ACCEPTED}")
    try:
        yield
    finally:
        con.execute(f"use {catalog}.main")


def _faults(con: duckdb.DuckDBPyConnection, *, everything: bool) -> list[Fault]:
    found = [
        *_lost(con),
        *_explained(con),
        *_by_years(con, _CURRENT_PRICES, "current prices", "{n:,} values are {what} ({cell})"),
        *_other_definition(con),
        *_by_years(con, _OFF_RANGE, "range", "values that are not {what}: {n:,} ({cell})"),
        *_by_years(
            con, _BLOCKED, "blocked", "values that the publication blocks: {n:,} ({what}; {cell})"
        ),
        *_misplaced(con),
        *_unmapped(con),
    ]
    if everything:
        found += _partly_filled(con)
    found += _alone(con, found)
    return sorted(found, key=lambda fault: (-fault.n, fault.sentence))


def _misplaced(con: duckdb.DuckDBPyConnection) -> Iterator[Fault]:
    rows = rows_of(con, _MISPLACED)
    if rows:
        n = sum(n for _, n in rows)
        names = ", ".join(name for name, _ in rows[:5])
        sentence = f"{n:,} values are next to the code of another place ({names})"
        yield Fault(
            n, "", "", "misplaced", sentence=sentence, places=frozenset(name for name, _ in rows)
        )


def _unmapped(con: duckdb.DuckDBPyConnection) -> Iterator[Fault]:
    for file, cell, text in rows_of(con, _UNMAPPED):
        sentence = f"{file} {cell}: column {text!r} is neither mapped nor ignored by the layout"
        yield Fault(1, file, text, "unmapped", sentence=sentence)


def _alone(con: duckdb.DuckDBPyConnection, found: list[Fault]) -> Iterator[Fault]:
    """Single cells that are a power of ten off, in columns where the rest agrees; those of a part
    that is found as a whole are in its sentence.
    """
    told = {(fault.file_name, fault.indicator_id, fault.what) for fault in found}
    for row in rows_of(con, _ALONE):
        file, indicator, year, cell, place, value, current, source, cause, n_common, n_equal = row
        if (file, indicator, cause) in told:
            continue
        sentence = (
            f"{file}: {indicator}: {year}: one value is {cause} ({cell}): {value:.10g}, "
            f"{source} has {current:.10g}; {n_equal:,} of the {n_common:,} values in this column "
            "agree"
        )
        yield Fault(
            1,
            file,
            indicator,
            f"{cause} alone",
            sentence,
            frozenset({year}),
            frozenset({str(place)}),
        )


def not_compared(con: duckdb.DuckDBPyConnection) -> list[str]:
    """Return columns and their years of which no other source says anything, one line a column."""
    lines = []
    for (file, indicator), rows in _grouped(con, _NOT_COMPARED):
        lines.append(f"{file}: {indicator}: {_span(row[-1] for row in rows)}")
    return lines


def copies(con: duckdb.DuckDBPyConnection, *, everything: bool = False) -> list[str]:
    """Return files whose figures are those of another source to the last digit, one line a file and
    source; files that are published as they are only for ``everything``.
    """
    lines = []
    for (file, source), rows in _grouped(con, _COPIES):
        names = ", ".join(row[2] for row in rows[:5])
        if len(rows) > 5:
            names += f" and {len(rows) - 5} more"
        lines.append(
            f"{file}: a copy of {source}: {sum(row[3] for row in rows):,} of "
            f"{sum(row[4] for row in rows):,} values are the same to the last digit ({names})"
        )
    old = () if everything else _unchanged(con)
    return [line for line in lines if not line.startswith(old)]


def _unchanged(con: duckdb.DuckDBPyConnection) -> tuple[str, ...]:
    """Return how sentences on files begin that are published as they are."""
    names = [path.partition("/")[2] for (path,) in rows_of(con, _UNCHANGED)]
    return (*(f"{name}: " for name in names), *(f"{name} " for name in names))


def _partly_filled(con: duckdb.DuckDBPyConnection) -> Iterator[Fault]:
    for (file, indicator), rows in _grouped(con, _PARTLY):
        years = frozenset(row[3] for row in rows)
        n = sum(int(row[4] - row[2]) for row in rows)
        sentence = (
            f"{file}: {indicator}: {_span(years)}: partly filled, {rows[0][2]:,} to "
            f"{rows[-1][2]:,} places of {rows[0][4]:,.0f} in a usual year"
        )
        yield Fault(n, file, indicator, "partly filled", sentence, years)


def _lost(con: duckdb.DuckDBPyConnection) -> Iterator[Fault]:
    for (file, indicator), rows in _grouped(con, _LOST):
        years: frozenset[int] = frozenset()
        where = ""
        n = rows[0][5]
        # the first row is of all years, where nothing of any year is taken
        if rows[0][4] is not None:
            years = frozenset(row[4] for row in rows)
            where = f"{_span(years)}: "
            n = sum(row[5] for row in rows)
        why = rows[0][2]
        if rows[0][3]:
            why = f"{rows[0][2]}, unit {rows[0][3]!r}"
        sentence = f"{file}: {indicator}: {where}none of its {n:,} values is taken ({why})"
        yield Fault(n, file, indicator, "lost", sentence, years)


def _explained(con: duckdb.DuckDBPyConnection) -> Iterator[Fault]:
    """Report one explanation for values that disagree, for the largest part that it covers."""
    for (file, indicator, cause), rows in _grouped(con, _CAUSES, (0, 1, 4)):
        by_level = groupby(rows, lambda row: (row[2] is None, row[3] is None))
        levels = [list(level) for _, level in by_level]
        level = next((one for one in levels if _share(one) >= MOST), levels[0])
        years = frozenset(row[2] for row in level) - {None}
        provinces = frozenset(row[3] for row in level) - {None}
        where = "".join(
            f"{part}: " for part in (_span(years), ", ".join(sorted(provinces))) if part
        )
        what = cause
        if cause == "filled":
            what = _FILLED_IN
        n_all = sum(row[6] for row in level)
        said = f"{where}{_share(level):.0%} of {n_all:,} values are {what} ({level[0][7]})"
        n = sum(row[5] for row in level)
        sentence = f"{file}: {indicator}: {said}"
        yield Fault(n, file, indicator, cause, sentence, years, provinces)


def _share(parts: list[tuple]) -> float:
    return sum(row[5] for row in parts) / sum(row[6] for row in parts)


def _other_definition(con: duckdb.DuckDBPyConnection) -> Iterator[Fault]:
    what = "definition"
    for (file, indicator), rows in _grouped(con, _AGREEMENT):
        by_kind = {kind: list(parts) for kind, parts in groupby(rows, lambda row: row[3])}
        whole = by_kind.get(0, [])
        is_rate = rows[0][7]
        far, off_by = FAR, OFF
        if is_rate:
            far, off_by = FAR_RATE, FAR_RATE
        if whole and whole[0][5] < MOST and whole[0][6] > far:
            by = _distance(whole[0][6], is_rate=is_rate)
            said = f"half of the values differ from those of other sources by {by}"
            sentence = f"{file}: {indicator}: {said}: another definition, vintage or place"
            yield Fault(whole[0][4], file, indicator, what, sentence)
            continue
        for kind in (1, 2):
            parts = by_kind.get(kind, [])
            off = [row for row in parts if row[5] < FEW_AGREE and row[6] > off_by]
            if not off or not any(row[5] >= MANY_AGREE for row in parts):
                continue
            years: frozenset[int] = frozenset()
            provinces: frozenset[str] = frozenset()
            if kind == 1:
                years = frozenset(int(row[2]) for row in off)
                where = _span(years)
            else:
                provinces = frozenset(row[2] for row in off)
                where = ", ".join(row[2] for row in off)
            by = _distance(max(row[6] for row in off), is_rate=is_rate)
            sentence = (
                f"{file}: {indicator}: {where}: half of the values are off by {by}, elsewhere "
                "most agree: two definitions or vintages in one column"
            )
            n = sum(row[4] for row in off)
            yield Fault(n, file, indicator, what, sentence, years, provinces)


def _distance(gap: float, *, is_rate: bool) -> str:
    """Return a distance in log points as a person writes it."""
    return f"{100 * gap:.1f} points" if is_rate else f"{gap:.0%}"


def _by_years(
    con: duckdb.DuckDBPyConnection, query: str, what: str, sentence: str
) -> Iterator[Fault]:
    """A fault for each file, indicator and sentence; then year, count and cell."""
    for (file, indicator, words), rows in _grouped(con, query, (0, 1, 2)):
        n = sum(row[4] for row in rows)
        years = frozenset(row[3] for row in rows)
        said = sentence.format(n=n, what=words, cell=rows[0][5])
        yield Fault(n, file, indicator, what, f"{file}: {indicator}: {_span(years)}: {said}", years)


def _span(years: Iterable[int | None]) -> str:
    """Return years as a person writes them: ``2003-2006, 2009``."""
    spans: list[str] = []
    before = None
    for year in sorted(set(years) - {None}):
        if before is not None and year == before + 1:
            spans[-1] = f"{spans[-1].partition('-')[0]}-{year}"
        else:
            spans.append(str(year))
        before = year
    return ", ".join(spans)


def _grouped(
    con: duckdb.DuckDBPyConnection, query: str, columns: tuple[int, ...] = (0, 1)
) -> Iterator[tuple[tuple, list[tuple]]]:
    """Rows of a query that are alike in some columns, by these."""
    for found, rows in groupby(rows_of(con, query), lambda row: tuple(row[i] for i in columns)):
        yield found, list(rows)


def rows_of(con: duckdb.DuckDBPyConnection, query: str) -> list[tuple]:
    """Return rows of a query."""
    return con.execute(query).fetchall()
