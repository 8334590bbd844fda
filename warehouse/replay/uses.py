"""What the current figures of a cell enter: columns of the city panel, pair-years, estimates."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import duckdb

from warehouse.build_database import rows_of

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
#: Which form of growth an indicator gives, as `growth_official_basis` names it.
_BASIS = {
    "gdp_growth_official_pct": "rate",
    "gdp_index_prev_year_100": "index",
    "gdp_real_cny_100m": "level",
}


def find_uses(
    con: duckdb.DuckDBPyConnection, where: tuple[int, int, str], current: list[dict[str, Any]]
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
            yield (
                f"{n_specs:,} specifications of estimates.estimate whose outcome is of official "
                "growth."
            )
        else:
            yield f"No pair-year: the study's years have no {year}."
    for spec_id, first, last, estimate, p_value, verdict in con.execute(
        _PRIMARY, [year]
    ).fetchall():
        if estimate is not None:
            yield f"{spec_id} ({first}-{last}): {estimate:+.4f}, p {p_value:.3f}, {verdict}."
