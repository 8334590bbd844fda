"""Explain a cell of a publication: its delivered figures, what each rule measures of them,
which one is current, and what it enters.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import duckdb

from warehouse.corrections import cells_of, named, shown
from warehouse.database import rows_of
from warehouse.errors import Refused
from warehouse.ingest.place_names import read_province_names
from warehouse.replay.measures import LOG, MEASURES, WORDS
from warehouse.replay.models import query_of, render_text
from warehouse.replay.replay import replay
from warehouse.replay.uses import find_uses, growth_without_rate, made_of

FIGURES = """
create or replace temp table figure as
select observation_id, city_id, "year" from int_observations_graded
where city_id = $1 and "year" = $2 and place_level = 'city'
    and list_contains((select list(distinct indicator_id) from own_indicators), indicator_id)
"""
# a threshold from which on a rule never flags, as the seed writes it
_NEVER = 9
# of the letters of two ids
LEAST_LIKENESS = 0.5
_IS_CELL = """
select count(*) from marts.fct_indicator_observation
where city_id = $1 and "year" = $2 and indicator_id = $3 and place_level = 'city'
"""
# whether the growth of a year is delivered in the other form: as an index, not a rate, or a rate
_IS_OTHER_FORM = """
select count(*) from marts.fct_indicator_observation
where city_id = $1 and "year" = $2 and place_level = 'city' and indicator_id = case $3
    when 'gdp_growth_official_pct' then 'gdp_index_prev_year_100'
    when 'gdp_index_prev_year_100' then 'gdp_growth_official_pct' end
"""
_IS_CITY = "select count(*) from marts.dim_city where city_id = $1"
_INDICATORS = "select indicator_id from marts.dim_indicator order by indicator_id"
# the years in which a file delivers an indicator of a city, in runs such as 2003-2019
_YEARS = """
select string_agg(run, ', ' order by run) from (
    select min("year") || case when count(*) > 1 then '-' || max("year") else '' end as run
    from (
        select "year", "year" - row_number() over (order by "year") as run_no
        from marts.fct_indicator_observation
        where city_id = $1 and indicator_id = $2 and place_level = 'city'
        group by "year"
    )
    group by run_no
)
"""
# what the figures of a province are, since models check cities alone
_OF_PROVINCE = """
select source_id, edition_year, "value", quality_flag, quality_rule, is_current
from marts.fct_indicator_observation
where city_id = $1 and "year" = $2 and indicator_id = $3 and place_level = 'province'
order by is_current desc, source_id, edition_year
"""
_COLUMN = """
select data_type, comment from duckdb_columns()
where schema_name = 'marts' and table_name = 'fct_city_year' and column_name = $1
"""
_DELIVERED = """
select distinct indicator_id from marts.fct_indicator_observation
where city_id = $1 and "year" = $2 and place_level = 'city'
order by indicator_id
"""
_READ = """
select
    checked.observation_id, checked.indicator_id, checked.source_id, checked.edition_year,
    checked.file_name, checked.sheet_name, checked.cell_ref, checked.raw_text, checked."value",
    checked.unit, limits.rule_kind = 'rate' as is_rate, checked.value_delivered,
    checked.unit_delivered, checked.priority,
    precedence.earned_priority, precedence.n_run_years, published.is_current,
    published.quality_flag, published.quality_rule, published.quality_detail,
    published.proposed_value,
    checked.quality_flag as flag_again, checked.quality_rule as rule_again,
    (
        select min(by_hand.reason || ' (' || by_hand.evidence || ')')
        from quality.correction as by_hand
        where by_hand.correction_state = 'applies' and published.quality_flag = 'corrected'
            and by_hand.source_id = checked.source_id and by_hand.file_name = checked.file_name
            and by_hand.city_id = checked.city_id and by_hand."year" = checked."year"
            and by_hand.indicator_id = checked.indicator_id
    ) as correction
from int_observations_graded as checked
inner join figure on checked.observation_id = figure.observation_id
inner join marts.fct_indicator_observation as published
    on checked.source_id = published.source_id and checked.file_name = published.file_name
        and checked.edition_year is not distinct from published.edition_year
        and checked.place_level = published.place_level and checked.city_id = published.city_id
        and checked."year" = published."year" and checked.indicator_id = published.indicator_id
inner join int_indicator_limits as limits on checked.indicator_id = limits.indicator_id
inner join int_observations_precedence as precedence
    on checked.observation_id = precedence.observation_id
order by checked.indicator_id, published.is_current desc, checked.choice_rank
"""
_FLAGS = """
select flags.observation_id, flags.rule, flags.grade, flags.detail from (
    select observation_id, rule, grade, detail from int_observations_flagged
    union
    select observation_id, rule, grade, detail from int_observations_stitched
) as flags
where flags.observation_id in (select figure.observation_id from figure)
order by all
"""


_OF_FIGURE = "where observation_id in (select figure.observation_id from figure)"
# To measure one cell, a model reads only a part of one of its tables: the city in all years and all
# cities in the adjacent years, the province in all years, or the city in all years.
_NEAR = 'city_id = {city_id} or "year" between {year} - 1 and {year} + 1'
_PROVINCE = "province_id = {city_id} // 10000 * 10000"
_CITY = "city_id = {city_id}"
#: Of a model, the table of which it reads a part, and that part.
_NARROWED = {
    "int_observations_exact": ("int_observations_corrected", _NEAR),
    "int_observations_basis": ("int_rates_delivered", _NEAR),
    "int_observations_flagged": ("int_observations_corrected", _NEAR),
    "int_observations_constructed": ("int_values_series", _NEAR),
    "int_observations_identity": ("int_observations_corrected", _CITY),
    "int_observations_level_run": ("int_values_compared", _PROVINCE),
    "int_observations_level_run_alone": ("int_trends_cleaned", _NEAR),
    "int_observations_mismatch": ("int_trends_cleaned", _NEAR),
    "int_observations_outvoted": ("int_trends_cleaned", _NEAR),
    "int_observations_spike_left": ("int_trends_cleaned", _NEAR),
    "int_observations_stale": ("int_values_figures", _NEAR),
    "int_observations_vintage_break": ("int_values_compared", _NEAR),
    "int_values_candidates": ("int_values_paired", _NEAR),
}
#: Rows of a step that are kept, where the step has no row per figure (else `_OF_FIGURE`).
_FILTERS = {
    ("int_values_candidates", "checked"): 'where "year" = {year}',
    ("int_observations_identity", "delivered_rows"): "",
    ("int_observations_wrong_entity", "distances"): "",
    ("int_observations_identity", "named"): 'where city_id = {city_id} and "year" = {year}',
    ("int_observations_level_run", "numbered"): "where city_id = {city_id}",
    ("int_observations_level_run_alone", "spans"): "where city_id = {city_id}",
    ("int_observations_mismatch", "checked"): 'where "year" = {year}',
    ("int_values_apart", "parts"): "",
}


@dataclass(frozen=True)
class Test:
    """A rule's test on a figure: what was measured, beside the threshold, and what came of it.

    `outcome` is 'passed', 'found' or 'vetoed' (beyond the threshold, and yet no flag: `note` says
    which condition of the rule does not hold).
    """

    rule: str
    what: str
    kind: str
    is_at_most: bool
    measured: float | None
    threshold: float | None
    note: str | None
    outcome: str


@dataclass(frozen=True)
class Figure:
    """A delivered figure with its cell, its flag, and every test on it."""

    facts: dict[str, Any]
    tests: list[Test]
    flags: list[dict[str, str]]
    remark: str


@dataclass(frozen=True)
class Explanation:
    """All that is known of a cell.

    Attributes
    ----------
    city, indicator : str
    year : int
    figures : list of Figure
        Those of the indicator and of the other form of its quantity; the current ones first.
    choice : str
        Which figure is current and why.
    uses : list of str
        What the cell enters, a sentence each.
    sources : str
        The figures of all sources for the indicator, in one line.
    delivered : list of str
        The figures that `citysync correct` takes, as it lists them.
    """

    city: str
    indicator: str
    year: int
    figures: list[Figure]
    choice: str
    uses: list[str]
    sources: str
    delivered: list[str]


def explain(
    con: duckdb.DuckDBPyConnection,
    where: tuple[int, int, str],
    *,
    left_out: Mapping[str, Sequence[int]],
) -> Explanation:
    """Explain a cell.

    Parameters
    ----------
    con : duckdb.DuckDBPyConnection
        As of `replay`.
    where : tuple
        City, year and indicator.
    left_out : mapping
        As of `find_uses`.

    Raises
    ------
    Refused
        If the publication holds no such cell.
    """
    if not con.execute(_IS_OTHER_FORM, list(where)).fetchone()[0]:
        require_cell(con, where)
    city_id, year, indicator_id = where
    replay(con, where)
    con.execute(FIGURES, [city_id, year])
    read = rows_of(con, _READ)
    flags: dict[int, list[dict[str, str]]] = defaultdict(list)
    flagged = set()
    for flag in rows_of(con, _FLAGS):
        observation_id = flag.pop("observation_id")
        flags[observation_id].append(flag)
        flagged.add((observation_id, flag["rule"]))
    tests = measure(con, flagged)
    figures = []
    for row in read:
        observation_id = row["observation_id"]
        figures.append(_figure(row, tests[observation_id], flags[observation_id]))
    own = [row for row in read if row["indicator_id"] == indicator_id]
    name = con.execute(
        "select city_name_zh || ' ' || city_name_en from marts.dim_city where city_id = $1",
        [city_id],
    ).fetchall()
    city = f"{city_id} {name[0][0] if name else ''}".strip()
    current = [row for row in read if row["is_current"]]
    entered = list(find_uses(con, where, current, left_out))
    if own:
        choice = _choice(own) + _other_form(read, indicator_id)
    else:
        growth = growth_without_rate(con, where) or "growth of the year is not known"
        choice = f"No file delivers {indicator_id} of {year}; {growth}"
    return Explanation(
        city,
        indicator_id,
        year,
        figures,
        choice,
        entered,
        sources=", ".join(_said(row) for row in own) or "no file delivers it",
        delivered=[shown(cell) for cell in cells_of(con, where)],
    )


def measure(con: duckdb.DuckDBPyConnection, flagged: Set[tuple[int, str]]) -> dict[int, list[Test]]:
    """Return what every rule measures of the figures in the table `figure` (observation_id, year).

    A rule that measures nothing of a figure (no value in the year before, no other source, no
    threshold for the indicator, or one that is never reached) is left out; of several sources the
    farthest one counts, of exact agreement the nearest.

    Parameters
    ----------
    con : duckdb.DuckDBPyConnection
    flagged : set of (int, str)
        Each figure and a rule that flags it.

    Returns
    -------
    dict of int to list of Test
        By observation_id, in the order of `MEASURES`.
    """
    found: dict[int, list[Test]] = defaultdict(list)
    cell = con.execute('select city_id, "year" from figure limit 1').fetchall()
    if not cell:
        return found
    city_id, year = cell[0]
    of_cell = {"city_id": city_id, "year": year}
    # the tests on one step are one statement, so the step runs once and makes no unread column
    tests: dict[tuple[str, str], list[str]] = {}
    for number, one in enumerate(MEASURES):
        order = "asc" if one.is_at_most else "desc"
        never = f"and threshold < {_NEVER}" if one.kind == LOG else ""
        tests.setdefault((one.model, one.cte), []).append(
            f"(select {number} as number, observation_id, measured, threshold, note "
            f"from ({render_text(one.query, WORDS)}) {_OF_FIGURE} and threshold is not null "
            f"and measured is not null {never} qualify row_number() over "
            f"(partition by observation_id order by measured {order}, note) = 1)"
        )
    rows = []
    for step, queries in tests.items():
        rows += con.execute(_with_step(step, of_cell) + " union all ".join(queries)).fetchall()
    for number, observation_id, measured, threshold, note in sorted(rows, key=lambda row: row[:2]):
        one = MEASURES[number]
        is_beyond = measured >= threshold
        if one.is_at_most:
            is_beyond = measured <= threshold
        outcome = "passed"
        if is_beyond:
            outcome = "found" if (observation_id, one.rule) in flagged else "vetoed"
        found[observation_id].append(
            Test(
                one.rule,
                one.what,
                one.kind,
                one.is_at_most,
                float(measured),
                float(threshold),
                note,
                outcome,
            )
        )
    return found


def _with_step(step: tuple[str, str], of_cell: dict[str, int]) -> str:
    """Return the beginning of a query on a step of a model: the part of the step that bears on
    the cell, under the name of the step.
    """
    model, cte = step
    if not model:
        return ""
    rows = _FILTERS.get(step, _OF_FIGURE).format(**of_cell)
    sql = query_of(model, cte, f"select * from {cte} {rows}")
    if model in _NARROWED:
        table, condition = _NARROWED[model]
        sql = sql.replace(f'"{table}"', f'(from "{table}" where {condition.format(**of_cell)})')
    return f"with {cte} as ({sql}) "


def require_cell(con: duckdb.DuckDBPyConnection, where: tuple[int, int, str]) -> None:
    """Refuse a cell that no file delivers; the message names what is near it."""
    city_id, year, indicator_id = where
    if con.execute(_IS_CELL, list(where)).fetchone()[0]:
        return
    indicators = [name for (name,) in con.execute(_INDICATORS).fetchall()]
    if indicator_id not in indicators:
        raise Refused(
            f"indicator: expected an id of marts.dim_indicator; found {indicator_id or 'none'}"
            f"{_computed(con, where) or _near(indicator_id.lower(), indicators)}"
        )
    province = _of_province(con, where)
    if not con.execute(_IS_CITY, [city_id]).fetchone()[0]:
        hint = "which is no city"
        if city_id in read_province_names().values():
            hint = f"which is a province: {province or 'no file delivers this figure of it'}"
        raise Refused(
            f"city: expected a city of marts.dim_city, such as 330100; found {city_id}, {hint}"
        )
    years = con.execute(_YEARS, [city_id, indicator_id]).fetchone()[0]
    if years:
        hint = f"they deliver it for {years}"
    elif province:
        hint = f"it is a figure of the province: {province}"
    else:
        delivered = [name for (name,) in con.execute(_DELIVERED, [city_id, year]).fetchall()]
        hint = f"they deliver it for no year{_near(indicator_id, delivered)}"
    growth = growth_without_rate(con, where)
    if growth:
        hint += f". In marts.fct_city_year {growth}"
    raise Refused(f"no file of this publication delivers {named(where)}: {hint}")


def _computed(con: duckdb.DuckDBPyConnection, where: tuple[int, int, str]) -> str:
    """Return what a column of the city panel that is no indicator is, its value, and what to ask
    for; empty where there is no such column.
    """
    city_id, year, column = where
    found = con.execute(_COLUMN, [column]).fetchall()
    if not found:
        return ""
    data_type, comment = found[0]
    value = con.execute(
        f'select "{column}" from marts.fct_city_year where city_id = $1 and "year" = $2',
        [city_id, year],
    ).fetchall()
    said = f", a column of marts.fct_city_year: {comment}"
    if value and value[0][0] is not None:
        shown_value = f"{value[0][0]:.10g}" if data_type == "DOUBLE" else value[0][0]
        said += f"; {shown_value} in {year}"
    if made_of(column):
        said += f". Ask for what it is computed from: {', '.join(made_of(column))}"
    return said


def _of_province(con: duckdb.DuckDBPyConnection, where: tuple[int, int, str]) -> str:
    """Return the figures of all sources for the province of a city, or for a province; empty
    without any.
    """
    city_id, year, indicator_id = where
    rows = rows_of(con, _OF_PROVINCE, city_id // 10000 * 10000, year, indicator_id)
    return ", ".join(_said(row) for row in rows)


def _near(name: str, known: list[str]) -> str:
    """Return the ids that hold the name, or else are spelled like it, in parentheses."""
    near = [one for one in known if name in one]
    near = near or get_close_matches(name, known, n=3, cutoff=LEAST_LIKENESS)
    return f" (near: {', '.join(near[:5])})" if near else ""


def _said(row: dict[str, Any]) -> str:
    """Return a source, its figure, and what is to be known of it."""
    edition = f" {row['edition_year']}" if row["edition_year"] else ""
    state = row["quality_flag"]
    if row["quality_rule"]:
        state += f" by {row['quality_rule']}"
    if row["is_current"]:
        state = f"current, {state}"
    return f"{row['source_id']}{edition} {row['value']:.10g} ({state})"


def _figure(row: dict[str, Any], tests: list[Test], flags: list[dict[str, str]]) -> Figure:
    measured = {test.rule for test in tests if test.outcome == "found"}
    others = [
        Test(
            flag["rule"],
            "decided on more than this figure, such as its table or a run of years",
            "",
            False,
            None,
            None,
            "see the reason above",
            "found",
        )
        for flag in flags
        if flag["rule"] not in measured
    ]
    remarks = []
    if row["correction"]:
        remarks.append(f"corrected by hand: {row['correction']}")
    if (row["quality_flag"], row["quality_rule"]) != (row["flag_again"], row["rule_again"]):
        again = " ".join(filter(None, (row["flag_again"], row["rule_again"])))
        published = " ".join(filter(None, (row["quality_flag"], row["quality_rule"])))
        remarks.append(
            f"published is {published}; measured again here it is {again}, since "
            f"{row['quality_rule'] or 'the rule'} also reads other columns of all cities, which "
            "are not measured again"
        )
    facts = {name: row[name] for name in row if name not in ("flag_again", "rule_again")}
    return Figure(facts, tests + others, flags, "; ".join(remarks))


def _choice(own: list[dict[str, Any]]) -> str:
    """Return why the current figure comes before the next one."""
    current = next((row for row in own if row["is_current"]), None)
    usable = [row for row in own if row["quality_flag"] != "blocked"]
    if current is None:
        return "No figure is current: " + "; ".join(
            f"{row['source_id']} is {row['quality_flag']} ({row['quality_rule']})" for row in own
        )
    said = f"{current['value']:.10g} of {current['source_id']} is current: "
    others = [row for row in usable if row["observation_id"] != current["observation_id"]]
    if len(own) == 1:
        return said + "no other source delivers one"
    if not others:
        return said + "it is the only figure that no rule blocks"
    other = others[0]
    steps = [
        (
            current["quality_flag"] != "quarantined" and other["quality_flag"] == "quarantined",
            f"{other['source_id']} is quarantined ({other['quality_rule']})",
        ),
        (
            _priority(current) < _priority(other),
            f"its source has priority {_priority(current):g}, {other['source_id']} "
            f"{_priority(other):g}",
        ),
        (
            (current["edition_year"] or 0) > (other["edition_year"] or 0),
            f"its edition ({current['edition_year']}) is later than that of {other['source_id']} "
            f"({other['edition_year'] or 'none'})",
        ),
        (
            (current["n_run_years"] or 0) > (other["n_run_years"] or 0),
            f"{current['n_run_years']} consecutive years of its source, "
            f"{other['n_run_years'] or 0} of {other['source_id']}",
        ),
    ]
    reason = next(
        (sentence for holds, sentence in steps if holds), "the first by name of file and cell"
    )
    return said + reason


def _other_form(read: list[dict[str, Any]], indicator_id: str) -> str:
    """Return the current figures of the other forms of the quantity, such as the index of a
    rate.
    """
    said = ""
    for row in read:
        if row["is_current"] and row["indicator_id"] != indicator_id:
            said += f"; {row['indicator_id']} is {row['value']:.10g} of {row['source_id']}"
    return said


def _priority(row: dict[str, Any]) -> float:
    earned = row["earned_priority"]
    return row["priority"] if earned is None else earned
