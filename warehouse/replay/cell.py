"""Why a cell of a publication is as it is: its delivered figures, what each rule measures of them,
which one is current, and what it enters.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from difflib import get_close_matches
from typing import Any

import duckdb

from warehouse.build_database import rows_of
from warehouse.corrections import cells_of, named, shown
from warehouse.errors import Refused
from warehouse.replay.measures import Measured, measure
from warehouse.replay.replay import replay

FIGURES = """
create or replace temp table figure as
select observation_id, city_id, "year" from int_observations_graded
where city_id = $1 and "year" = $2 and place_level = 'city'
    and list_contains((select list(distinct indicator_id) from own_indicators), indicator_id)
"""
# of the letters of two ids
LEAST_LIKENESS = 0.5
_IS_CELL = """
select count(*) from marts.fct_indicator_observation
where city_id = $1 and "year" = $2 and indicator_id = $3 and place_level = 'city'
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
_DELIVERED = """
select distinct indicator_id from marts.fct_indicator_observation
where city_id = $1 and "year" = $2 and place_level = 'city'
order by indicator_id
"""
_READ = """
select
    judged.observation_id, judged.indicator_id, judged.source_id, judged.edition_year,
    judged.file_name, judged.sheet_name, judged.cell_ref, judged.raw_text, judged."value",
    judged.unit, limits.rule_kind = 'rate' as is_rate, judged.value_delivered,
    judged.unit_delivered, judged.priority,
    runs.earned_priority, runs.n_run_years, published.is_current, published.quality_flag,
    published.quality_rule, published.quality_detail, published.proposed_value,
    judged.quality_flag as flag_again, judged.quality_rule as rule_again
from int_observations_graded as judged
inner join figure on judged.observation_id = figure.observation_id
inner join marts.fct_indicator_observation as published
    on judged.source_id = published.source_id and judged.file_name = published.file_name
        and judged.edition_year is not distinct from published.edition_year
        and judged.place_level = published.place_level and judged.city_id = published.city_id
        and judged."year" = published."year" and judged.indicator_id = published.indicator_id
inner join int_indicator_limits as limits on judged.indicator_id = limits.indicator_id
left join int_source_runs as runs
    on judged.source_id = runs.source_id and judged.indicator_id = runs.indicator_id
        and judged.city_id = runs.city_id and judged."year" = runs."year"
        and judged.place_level = runs.place_level
order by judged.indicator_id, published.is_current desc, judged.choice_rank
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
# the columns of a city's year that a figure of an indicator may become
_COLUMNS = """
select column_name from duckdb_columns()
where schema_name = 'marts' and table_name = 'fct_city_year' and data_type = 'DOUBLE'
order by column_index
"""
_GROWTH = """
select growth_official_pct, growth_official_basis, growth_official_evidence,
    growth_official_source_id
from marts.fct_city_year where city_id = $1 and "year" = $2
"""
_PAIR_YEARS = """
select count(*), count(*) filter (where "year" = $2)
from marts.fct_pair_synchronization
where (city_i_id = $1 or city_j_id = $1) and cm_growth_official is not null
"""
_HAS_PAIR_YEARS = """
select count(*) from duckdb_tables()
where schema_name = 'marts' and table_name = 'fct_pair_synchronization'
"""
_PRIMARY = """
select spec_id, first_year, last_year, estimate, p_value, verdict from estimates.primary
where contains(outcome, 'growth_official') and $1 between first_year and last_year
order by spec_id
"""
_ESTIMATES = """
select count(distinct spec_id) from estimates.estimate
where outcome = 'cm_growth_official' or contains(outcome, 'growth_official')
"""
# checks of the main test on a growth of a level, between two years
_CHECKS = """
select series, first_year, last_year, estimate, p_value from estimates.check
where "check" = 'series' and name = $1 and $2 <= last_year and $3 >= first_year
    and estimate is not null
order by series desc
"""
#: Columns of a flag that are shown.
_FLAG = ("rule", "grade", "detail")
#: The growth that a level gives: the name of its series, whose column ends in `_pct`.
_GROWTH_OF_LEVEL = {
    "gdp_nominal_cny_100m": "growth_deflated",
    "employed_10k": "growth_employed",
    "wage_avg_cny": "growth_wage",
    "night_lights_nw_cm2_sr": "growth_night_lights",
}
#: Which form of growth an indicator gives, as `growth_official_basis` names it.
_BASIS = {
    "gdp_growth_official_pct": "rate",
    "gdp_index_prev_year_100": "index",
    "gdp_real_cny_100m": "level",
}


@dataclass(frozen=True)
class Test:
    """A rule's test on a figure: what was measured, beside the threshold, and what came of it.

    `outcome` is 'passed', 'found' or 'vetoed' (beyond the threshold, and yet no flag: another
    condition of the rule does not hold).
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
    """A delivered figure with its cell, how it was judged, and every test on it."""

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
        Who says what of the indicator, in one line.
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

    def as_dict(self) -> dict[str, Any]:
        """The explanation as JSON writes it."""
        return asdict(self)


def explain(con: duckdb.DuckDBPyConnection, where: tuple[int, int, str]) -> Explanation:
    """Explain a cell.

    Parameters
    ----------
    con : duckdb.DuckDBPyConnection
        As of `replay`.
    where : tuple
        City, year and indicator.

    Raises
    ------
    Refused
        If the publication holds no such cell.
    """
    require_cell(con, where)
    city_id, year, indicator_id = where
    replay(con, where)
    con.execute(FIGURES, [city_id, year])
    read = rows_of(con, _READ)
    tests, flags = measure(con), rows_of(con, _FLAGS)
    figures = [_figure(row, tests, flags) for row in read]
    own = [row for row in read if row["indicator_id"] == indicator_id]
    name = con.execute(
        "select city_name_zh || ' ' || city_name_en from marts.dim_city where city_id = $1",
        [city_id],
    ).fetchall()
    city = f"{city_id} {name[0][0] if name else ''}".strip()
    uses = list(_uses(con, where, [row for row in read if row["is_current"]]))
    return Explanation(
        city,
        indicator_id,
        year,
        figures,
        _choice(own) + _other_form(read, indicator_id),
        uses,
        sources=", ".join(_said(row) for row in own),
        delivered=[shown(cell) for cell in cells_of(con, where)],
    )


def require_cell(con: duckdb.DuckDBPyConnection, where: tuple[int, int, str]) -> None:
    """Refuse a cell that no file delivers; the message names what is near it."""
    city_id, year, indicator_id = where
    if con.execute(_IS_CELL, list(where)).fetchone()[0]:
        return
    indicators = [name for (name,) in con.execute(_INDICATORS).fetchall()]
    if indicator_id not in indicators:
        raise Refused(
            f"indicator: expected an id of marts.dim_indicator; found {indicator_id or 'none'}"
            f"{_near(indicator_id, indicators)}"
        )
    if not con.execute(_IS_CITY, [city_id]).fetchone()[0]:
        raise Refused(
            "city: expected a city of marts.dim_city, such as 330100; found "
            f"{city_id}, which is no city"
        )
    years = con.execute(_YEARS, [city_id, indicator_id]).fetchone()[0]
    if years:
        hint = f"they deliver it for {years}"
    else:
        delivered = [name for (name,) in con.execute(_DELIVERED, [city_id, year]).fetchall()]
        hint = f"they deliver it for no year{_near(indicator_id, delivered)}"
    raise Refused(f"no file of this publication delivers {named(where)}: {hint}")


def _near(name: str, known: list[str]) -> str:
    """The ids that hold the name, or else are spelled like it, in parentheses."""
    near = [one for one in known if name in one]
    near = near or get_close_matches(name, known, n=3, cutoff=LEAST_LIKENESS)
    return f" (near: {', '.join(near[:5])})" if near else ""


def _said(row: dict[str, Any]) -> str:
    """A source, its figure, and what is to be known of it."""
    edition = f" {row['edition_year']}" if row["edition_year"] else ""
    state = row["quality_flag"]
    if row["quality_rule"]:
        state += f" by {row['quality_rule']}"
    if row["is_current"]:
        state = f"current, {state}"
    return f"{row['source_id']}{edition} {row['value']:.6g} ({state})"


def _figure(row: dict[str, Any], tests: list[Measured], flags: list[dict[str, Any]]) -> Figure:
    mine = [flag for flag in flags if flag["observation_id"] == row["observation_id"]]
    found = {flag["rule"] for flag in mine}
    judged = [
        Test(
            one.rule,
            one.what,
            one.kind,
            one.is_at_most,
            one.measured,
            one.threshold,
            one.note,
            _outcome(one, found),
        )
        for one in tests
        if one.observation_id == row["observation_id"]
    ]
    measured = {one.rule for one in judged if one.outcome == "found"}
    judged += [
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
        for flag in mine
        if flag["rule"] not in measured
    ]
    remark = ""
    if (row["quality_flag"], row["quality_rule"]) != (row["flag_again"], row["rule_again"]):
        again = " ".join(filter(None, (row["flag_again"], row["rule_again"])))
        published = " ".join(filter(None, (row["quality_flag"], row["quality_rule"])))
        remark = (
            f"published is {published}; measured again here it is {again}, since "
            f"{row['quality_rule'] or 'the rule'} also reads other columns of all cities, which "
            "are not measured again"
        )
    facts = {name: row[name] for name in row if name not in ("flag_again", "rule_again")}
    flags = []
    for flag in mine:
        flags.append({name: flag[name] for name in _FLAG})
    return Figure(facts, judged, flags, remark)


def is_beyond(test: Measured | Test) -> bool:
    """Whether what was measured is on the side of the threshold where the rule may flag it."""
    if test.is_at_most:
        return test.measured <= test.threshold
    return test.measured >= test.threshold


def _outcome(test: Measured, found: set[str]) -> str:
    if not is_beyond(test):
        return "passed"
    if test.rule in found:
        return "found"
    return "vetoed"


def _choice(own: list[dict[str, Any]]) -> str:
    """Why the current figure comes before the next one."""
    current = next((row for row in own if row["is_current"]), None)
    usable = [row for row in own if row["quality_flag"] != "blocked"]
    if current is None:
        return "No figure is current: " + "; ".join(
            f"{row['source_id']} is {row['quality_flag']} ({row['quality_rule']})" for row in own
        )
    said = f"{current['value']:g} of {current['source_id']} is current: "
    others = [row for row in usable if row["observation_id"] != current["observation_id"]]
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
    """The current figures of the other forms of the quantity, such as the index of a rate."""
    said = ""
    for row in read:
        if row["is_current"] and row["indicator_id"] != indicator_id:
            said += f"; {row['indicator_id']} is {row['value']:g} of {row['source_id']}"
    return said


def _priority(row: dict[str, Any]) -> float:
    earned = row["earned_priority"]
    return row["priority"] if earned is None else earned


def _uses(
    con: duckdb.DuckDBPyConnection, where: tuple[int, int, str], current: list[dict[str, Any]]
) -> Iterator[str]:
    """What the current figures of the cell enter, those of the other form of its quantity among
    them.
    """
    city_id, year, indicator_id = where
    if not current:
        yield "Nothing: no figure of the cell is current."
        return
    is_used = False
    names = [name for (name,) in con.execute(_COLUMNS).fetchall()]
    if indicator_id in names:
        value = con.execute(
            f'select "{indicator_id}" from marts.fct_city_year where city_id = $1 and "year" = $2',
            [city_id, year],
        ).fetchall()
        if value and value[0][0] is not None:
            is_used = True
            yield f"marts.fct_city_year.{indicator_id} of {year}: {value[0][0]:g}."
    series = _GROWTH_OF_LEVEL.get(indicator_id)
    if series is not None and f"{series}_pct" in names:
        for sentence in _uses_of_level(con, where, series):
            is_used = True
            yield sentence
    growth = rows_of(con, _GROWTH, city_id, year)
    if growth and any(row["indicator_id"] in _BASIS for row in current):
        is_used = True
        yield from _uses_of_growth(con, where, current, growth[0])
    if not is_used:
        yield (
            "marts.fct_indicator_observation as the current figure; no column of "
            "marts.fct_city_year has its name."
        )


def _uses_of_level(
    con: duckdb.DuckDBPyConnection, where: tuple[int, int, str], series: str
) -> Iterator[str]:
    """The growth to and from the year of a level, and the checks of the main test on it."""
    city_id, year, _ = where
    growth = con.execute(
        f'select "year", "{series}_pct" from marts.fct_city_year where city_id = $1 '
        f'and "year" in ($2, $2 + 1) and "{series}_pct" is not null order by "year"',
        [city_id, year],
    ).fetchall()
    for of, value in growth:
        yield (
            f"marts.fct_city_year.{series}_pct of {of}: {value:.5g} log points times 100, by the "
            "best source with both years in one edition, which may be another one."
        )
    if not growth:
        return
    for form, first, last, estimate, p_value in con.execute(
        _CHECKS, [series, growth[0][0], growth[-1][0]]
    ).fetchall():
        yield (
            f"estimates.check, {series} ({form}, {first}-{last}): {estimate:+.4f}, p "
            f"{p_value:.3f}; the verdict does not depend on it."
        )


def _uses_of_growth(
    con: duckdb.DuckDBPyConnection,
    where: tuple[int, int, str],
    current: list[dict[str, Any]],
    growth: dict[str, Any],
) -> Iterator[str]:
    city_id, year, _ = where
    if growth["growth_official_pct"] is None:
        yield "Not the official growth of the year, which is not known."
        return
    said = (
        f"growth of the year, {100 * math.expm1(growth['growth_official_pct'] / 100):.4g} % "
        f"({growth['growth_official_pct']:.5g} log points), from the "
        f"{growth['growth_official_basis']} of {growth['growth_official_source_id']} "
        f"({growth['growth_official_evidence']})."
    )
    is_used = any(
        _BASIS.get(row["indicator_id"]) == growth["growth_official_basis"]
        and row["source_id"] == growth["growth_official_source_id"]
        for row in current
    )
    if not is_used:
        yield "Not the official " + said
        return
    yield "Official " + said
    if not con.execute(_HAS_PAIR_YEARS).fetchall()[0][0]:
        yield "Pair-years are files of this publication and were not counted."
    else:
        n_all, n_year = con.execute(_PAIR_YEARS, [city_id, year]).fetchall()[0]
        if n_year:
            yield (
                f"{n_year:,} pair-years of {year} directly, and through the mean and standard "
                f"deviation of the city all its {n_all:,} (cm_growth_official)."
            )
            n_specs = con.execute(_ESTIMATES).fetchall()[0][0]
            yield f"{n_specs:,} specifications of estimates.estimate whose outcome is that."
        else:
            yield f"No pair-year: the study's years have no {year}."
    for spec_id, first, last, estimate, p_value, verdict in con.execute(
        _PRIMARY, [year]
    ).fetchall():
        if estimate is not None:
            yield f"{spec_id} ({first}-{last}): {estimate:+.4f}, p {p_value:.3f}, {verdict}."
