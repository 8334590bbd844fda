"""Find what the current figures of a cell enter: columns of the city panel, pair-years,
estimates.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

import duckdb

from warehouse.database import rows_of
from warehouse.ingest.place_names import read_seed

# the columns of a city's year that a figure of an indicator may become
_COLUMNS = """
select column_name from duckdb_columns()
where schema_name = 'marts' and table_name = 'fct_city_year' and data_type = 'DOUBLE'
order by column_index
"""
_GROWTH = """
select growth_official_pct, growth_official_basis, growth_official_evidence,
    growth_official_source_id, growth_deflated_pct, growth_deflated_source_id, cpi_prev_year_100
from marts.fct_city_year where city_id = $1 and "year" = $2
"""
# levels of a source and edition in a year and the year before, from which growth is computed
_LEVELS = """
select earlier."value" as earlier, later."value" as later
from marts.fct_indicator_observation as later
inner join marts.fct_indicator_observation as earlier
    on later.source_id = earlier.source_id and later.city_id = earlier.city_id
        and later.edition_year is not distinct from earlier.edition_year
        and later.indicator_id = earlier.indicator_id and later."year" = earlier."year" + 1
where later.city_id = $1 and later."year" = $2 and later.indicator_id = $3
    and later.source_id = $4 and later.place_level = 'city' and earlier.place_level = 'city'
    and later.quality_flag <> 'blocked' and earlier.quality_flag <> 'blocked'
    and later."value" > 0 and earlier."value" > 0
order by abs(100 * ln(later."value" / earlier."value") - $5)
limit 1
"""
_PAIR_YEARS = """
select count(column_name), count(column_name) filter (where "year" = $2)
from marts.fct_pair_synchronization
where city_i_id = $1 or city_j_id = $1
"""
# the years of either window, and whether the city is in it
_WINDOWS = """
select time_window, min("year") as first_year, max("year") as last_year,
    bool_or(city_id = $1) as has_city
from marts.fct_city_score
where series = 'growth_official' and time_window in ('newest', 'study')
group by time_window
order by time_window desc
"""
#: Of a window of `fct_city_score`: the column of pair-years, and what the window is.
_PAIR_COLUMNS = {
    "study": ("cm_growth_official", "the study's years"),
    "newest": ("cm_newest_growth_official", "the main test"),
}
#: What `growth_official_evidence` says.
_EVIDENCE = {
    "printed": "printed",
    "index_confirmed": "index_confirmed: the index repeats the printed rate in both years beside",
    "index_alone": "index_alone: no printed rate confirms it",
}
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
where contains(outcome, 'growth_official')
"""
# checks of the main test on a growth of a level, between two years
_CHECKS = """
select series, first_year, last_year, estimate, p_value from estimates.check
where "check" = 'series' and name = $1 and $2 <= last_year and $3 >= first_year
    and estimate is not null
order by series desc
"""
#: The growth that a level gives: the name of its series, whose column ends in `_pct`.
_GROWTH_OF_LEVEL = {
    "gdp_nominal_cny_100m": "growth_deflated",
    "employed_10k": "growth_employed",
    "wage_avg_cny": "growth_wage",
    "night_lights_nw_cm2_sr": "growth_night_lights",
}
#: Of such a series, the column with its source.
_SOURCE_OF_GROWTH = {"growth_deflated": "growth_deflated_source_id"}
#: Columns of the city panel with another name than their indicator: the column, its basis, and what
#: the basis is where the indicator is used.
_RENAMED = {
    "population_resident_10k": ("population_10k", "population_basis", "resident"),
    "population_registered_10k": ("population_10k", "population_basis", "registered"),
    "entities_new": ("firms_new", "firms_new_basis", "proxy:entities_new"),
}
#: Which form of growth an indicator gives, as `growth_official_basis` names it.
_BASIS = {
    "gdp_growth_official_pct": "rate",
    "gdp_index_prev_year_100": "index",
    "gdp_real_cny_100m": "level",
}
#: Other computed columns of the city panel, and the indicators that they are computed from.
_NOMINAL = ("gdp_nominal_cny_100m", "cpi_prev_year_100")
_CYCLE = ("gdp_real_cny_100m", "gdp_growth_official_pct", "gdp_index_prev_year_100", _NOMINAL[0])
_COMPUTED = {
    "growth_official_pct": tuple(_BASIS),
    "growth_index_pct": ("gdp_index_prev_year_100",),
    "growth_deflated_pct": _NOMINAL,
    "growth_implicit_deflated_pct": ("gdp_nominal_cny_100m", "gdp_real_cny_100m"),
    "growth_deflated_one_vintage_pct": _NOMINAL,
    "cycle_hp_pct": _CYCLE,
    "cycle_hp_100_pct": _CYCLE,
    "cycle_hamilton_pct": _CYCLE,
    "cycle_christiano_fitzgerald_pct": _CYCLE,
    "financial_development_ratio": ("loans_cny_100m", "deposits_cny_100m", _NOMINAL[0]),
}


@cache
def made_of(column: str) -> tuple[str, ...]:
    """Return the indicators that a column of the city panel is computed from; none where it is an
    indicator, or not computed.
    """
    found = list(_COMPUTED.get(column, ()))
    found += [name for name, (renamed, *_) in _RENAMED.items() if renamed == column != name]
    found += [name for name, series in _GROWTH_OF_LEVEL.items() if f"{series}_pct" == column]
    for row in read_seed("indicator_catalog"):
        is_of_concept = row["concept"] and column.rpartition("_")[0] == row["concept"]
        is_component = column == "development_index" and row["is_development_component"] == "true"
        if is_of_concept or is_component:
            found.append(row["indicator_id"])
        if is_of_concept and row["canonical_unit"] == "10k":
            found += made_of("population_10k")
    return tuple(dict.fromkeys(found))


def find_uses(
    con: duckdb.DuckDBPyConnection,
    where: tuple[int, int, str],
    current: list[dict[str, Any]],
    left_out: Mapping[str, Sequence[int]],
) -> Iterator[str]:
    """Yield a sentence for each use of the current figures of a cell.

    Parameters
    ----------
    con : duckdb connection
        To a publication.
    where : tuple
        City, year and indicator.
    current : list of dict
        The current figure of the cell, and that of the same quantity in its other form (a rate or
        an index).
    left_out : mapping
        Years that a check of the main test leaves out, by the last part of its `spec_id`.
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
            yield f"marts.fct_city_year.{indicator_id} of {year}: {value[0][0]:.10g}."
    if indicator_id in _RENAMED:
        is_used = True
        yield _use_of_renamed(con, where)
    series = _GROWTH_OF_LEVEL.get(indicator_id)
    if series is not None and f"{series}_pct" in names:
        for sentence in _uses_of_level(con, where, series):
            is_used = True
            yield sentence
    growth = rows_of(con, _GROWTH, city_id, year)
    if growth and any(row["indicator_id"] in _BASIS for row in current):
        is_used = True
        yield from _uses_of_growth(con, where, current, growth[0], left_out)
    named = ("growth_official_pct", f"{series}_pct", _RENAMED.get(indicator_id, ("",))[0])
    computed = [name for name in names if indicator_id in made_of(name) and name not in named]
    if computed:
        yield f"It may enter computed columns of marts.fct_city_year: {', '.join(computed)}."
    elif not is_used:
        yield (
            "marts.fct_indicator_observation as the current figure; no column of "
            "marts.fct_city_year uses it."
        )


def _use_of_renamed(con: duckdb.DuckDBPyConnection, where: tuple[int, int, str]) -> str:
    """Return the column of the city panel that the indicator may become, and what that column
    uses.
    """
    city_id, year, indicator_id = where
    column, basis_column, basis = _RENAMED[indicator_id]
    found = con.execute(
        f"select {column}, {basis_column} from marts.fct_city_year where city_id = $1 "
        f'and "year" = $2 and {column} is not null',
        [city_id, year],
    ).fetchall()
    if not found:
        return f"Not marts.fct_city_year.{column} of {year}, which is empty."
    value, used = found[0]
    said = f"marts.fct_city_year.{column} of {year}: {value:.10g}"
    if used == basis:
        return f"{said}."
    return f"Not {said}, whose {basis_column} is {used}."


def _uses_of_level(
    con: duckdb.DuckDBPyConnection, where: tuple[int, int, str], series: str
) -> Iterator[str]:
    """The growth to and from the year of a level, and the checks of the main test on it."""
    city_id, year, _ = where
    source_column = _SOURCE_OF_GROWTH.get(series, "null")
    growth = con.execute(
        f'select "year", "{series}_pct", {source_column} from marts.fct_city_year '
        f'where city_id = $1 and "year" in ($2, $2 + 1) and "{series}_pct" is not null '
        'order by "year"',
        [city_id, year],
    ).fetchall()
    for of, value, source_id in growth:
        source = "the best source with both years in one edition, which may be another one"
        if source_id is not None:
            source = f"{source_id}, the best source with both years in one edition"
        yield (
            f"marts.fct_city_year.{series}_pct of {of}: {value:.5g} log points times 100, by "
            f"{source}."
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
    left_out: Mapping[str, Sequence[int]],
) -> Iterator[str]:
    city_id, year, _ = where
    if growth["growth_official_pct"] is None:
        yield "Not the official growth of the year, which is not known."
        return
    said = f"growth of the year, {_official(con, where, growth)}."
    is_used = any(
        _BASIS.get(row["indicator_id"]) == growth["growth_official_basis"]
        and row["source_id"] == growth["growth_official_source_id"]
        for row in current
    )
    if not is_used:
        yield "Not the official " + said
        return
    yield "Official " + said
    windows = rows_of(con, _WINDOWS, city_id)
    yield from _pair_years(con, city_id, year, windows)
    in_window = {
        (row["first_year"], row["last_year"])
        for row in windows
        if row["has_city"] and row["first_year"] <= year <= row["last_year"]
    }
    for spec_id, first, last, estimate, p_value, verdict in con.execute(
        _PRIMARY, [year]
    ).fetchall():
        is_left_out = year in left_out.get(spec_id.rsplit(".", 1)[-1], ())
        if estimate is not None and (first, last) in in_window and not is_left_out:
            yield f"{spec_id} ({first}-{last}): {estimate:+.4f}, p {p_value:.3f}, {verdict}."


def _pair_years(
    con: duckdb.DuckDBPyConnection, city_id: int, year: int, windows: list[dict[str, Any]]
) -> Iterator[str]:
    """The pair-years of the city in the study's years and in those of the main test."""
    has_pairs = bool(con.execute(_HAS_PAIR_YEARS).fetchall()[0][0])
    if not has_pairs:
        yield "Pair-years are files of this publication and were not counted."
    for window in windows:
        column, meaning = _PAIR_COLUMNS[window["time_window"]]
        years = f"{window['first_year']}-{window['last_year']}"
        if not window["first_year"] <= year <= window["last_year"]:
            yield f"No pair-year of {column}, whose years are {years} ({meaning})."
            continue
        if not window["has_city"]:
            yield f"No pair-year of {column} ({meaning}, {years}): the city is not in its sample."
            continue
        if has_pairs:
            query = _PAIR_YEARS.replace("column_name", column)
            n_all, n_year = con.execute(query, [city_id, year]).fetchall()[0]
            yield (
                f"{n_year:,} pair-years of {year} directly, and through the mean and standard "
                f"deviation of the city all its {n_all:,} ({column}, {meaning}, {years})."
            )
        if window["time_window"] == "study":
            n_specs = con.execute(_ESTIMATES).fetchall()[0][0]
            yield (
                f"{n_specs:,} specifications of estimates.estimate whose outcome is of official "
                "growth."
            )


def growth_without_rate(con: duckdb.DuckDBPyConnection, where: tuple[int, int, str]) -> str | None:
    """Say what growth the city panel has in a year without a printed rate, and from what; None
    where the indicator is no growth or the panel has none.
    """
    city_id, year, indicator_id = where
    if _BASIS.get(indicator_id) not in ("rate", "index"):
        return None
    found = rows_of(con, _GROWTH, city_id, year)
    if not found:
        return None
    growth = found[0]
    said = []
    if growth["growth_official_pct"] is not None:
        said.append(f"official growth is {_official(con, where, growth)}")
    if growth["growth_deflated_pct"] is not None:
        source = growth["growth_deflated_source_id"]
        prices = growth["cpi_prev_year_100"]
        # growth of the level at current prices, which the deflated growth was computed from
        nominal = growth["growth_deflated_pct"] + 100 * math.log(prices / 100)
        level = "gdp_nominal_cny_100m"
        levels = _levels(con, (city_id, year, level), source, nominal)
        said.append(
            f"deflated growth is {_percent(growth['growth_deflated_pct'])}, from {level} of "
            f"{source} ({levels}) and cpi_prev_year_100 of the province ({prices:.10g})"
        )
    return "; ".join(said) or None


def _official(
    con: duckdb.DuckDBPyConnection, where: tuple[int, int, str], growth: dict[str, Any]
) -> str:
    """Official growth of a year, its basis and source."""
    city_id, year, _ = where
    basis, source = growth["growth_official_basis"], growth["growth_official_source_id"]
    evidence = _EVIDENCE.get(growth["growth_official_evidence"], "")
    if basis == "level":
        level = (city_id, year, "gdp_real_cny_100m")
        evidence = f"levels {_levels(con, level, source, growth['growth_official_pct'])}"
    return f"{_percent(growth['growth_official_pct'])}, from the {basis} of {source} ({evidence})"


def _percent(log_points: float) -> str:
    return f"{100 * math.expm1(log_points / 100):.4g} % ({log_points:.5g} log points)"


def _levels(
    con: duckdb.DuckDBPyConnection, where: tuple[int, int, str], source: str, log_change: float
) -> str:
    """Return the levels of a source in the year before and in the year that give the growth."""
    city_id, year, indicator_id = where
    levels = con.execute(_LEVELS, [city_id, year, indicator_id, source, log_change]).fetchall()
    if not levels:
        return f"of {year - 1} and {year}"
    earlier, later = levels[0]
    return f"{earlier:.10g} of {year - 1} and {later:.10g} of {year}"
