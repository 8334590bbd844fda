"""List the city series behind the outcomes: the column that holds each, and what a landing has to
deliver before it exists.

The warehouse pairs some of them (`synchronization_series()` in its macros); any of them can be
paired on another window from its column.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Series:
    """A city-year series.

    Attributes
    ----------
    name : str
        The last part of an outcome's name, after the measure.
    needs : str
        Indicators that a landing has to deliver, as words for the user.
    column : str or None
        In ``marts.fct_city_year`` or among the derived series of `measures.derived_series`; None
        for a series that exists on the study window alone.
    as_change : bool
        It enters as its change from the year before.
    """

    name: str
    needs: str
    column: str | None
    as_change: bool = False


_CYCLE = (
    "gdp_real_cny_100m, or growth together with gdp_nominal_cny_100m, for at least 8 years in a row"
)
_HEAD = "population_resident_10k (or population_registered_10k)"
_LABOUR = "employed_10k and gdp_nominal_cny_100m"
_CAPITAL = (
    "fixed_investment_cny_100m (at least 6 years), cpi_prev_year_100, employed_10k and "
    "gdp_nominal_cny_100m"
)
_VINTAGE = (
    "gdp_nominal_cny_100m from a source that does not pass into another vintage, and "
    "cpi_prev_year_100"
)

SERIES: dict[str, Series] = {
    series.name: series
    for series in (
        Series(
            "growth_official",
            "gdp_growth_official_pct, gdp_index_prev_year_100 or gdp_real_cny_100m",
            "growth_official_pct",
        ),
        Series("growth_index", "gdp_index_prev_year_100", "growth_index_pct"),
        Series(
            "growth_without_index_alone",
            "growth that was printed, that neighbouring years confirm or that comes from levels",
            "growth_without_index_alone_pct",
        ),
        Series(
            "growth_deflated", "gdp_nominal_cny_100m and cpi_prev_year_100", "growth_deflated_pct"
        ),
        Series("growth_deflated_one_vintage", _VINTAGE, "growth_deflated_one_vintage_pct"),
        Series(
            "growth_implicit_deflated",
            "gdp_nominal_cny_100m and a province's nominal and real GDP",
            "growth_implicit_deflated_pct",
        ),
        Series("hp", _CYCLE, "cycle_hp_pct"),
        Series("hp_100", _CYCLE, "cycle_hp_100_pct"),
        Series("hamilton", _CYCLE, "cycle_hamilton_pct"),
        Series("hamilton_pre", _CYCLE, None),
        Series("christiano_fitzgerald", _CYCLE, "cycle_christiano_fitzgerald_pct"),
        Series(
            "development_index",
            "the indicators that the catalog marks as components of the development index",
            "development_index",
            as_change=True,
        ),
        Series(
            "growth_employed", "employed_10k within one source and edition", "growth_employed_pct"
        ),
        Series("growth_wage", "wage_avg_cny within one source and edition", "growth_wage_pct"),
        Series(
            "growth_night_lights",
            "night_lights_nw_cm2_sr from 2013 on within one source and edition",
            "growth_night_lights_pct",
        ),
        Series("ln_wage", "wage_avg_cny", "ln_wage"),
        Series("ln_employed_per_head", f"employed_10k and {_HEAD}", "ln_employed_per_head"),
        Series(
            "ln_investment_per_head",
            f"fixed_investment_cny_100m and {_HEAD}",
            "ln_investment_per_head",
        ),
        Series("ln_credit_per_head", f"loans_cny_100m and {_HEAD}", "ln_credit_per_head"),
        Series("ln_fdi_per_head", f"fdi_usd_1m above zero and {_HEAD}", "ln_fdi_per_head"),
        Series("ln_patents_per_head", f"patents_granted and {_HEAD}", "ln_patents_per_head"),
        Series(
            "ln_firms_per_head", f"firms_new (or entities_new) and {_HEAD}", "ln_firms_per_head"
        ),
        Series("labour_allocation", _LABOUR, "labour_allocation"),
        Series("labour_misallocation", _LABOUR, "labour_misallocation"),
        Series("capital_allocation", _CAPITAL, "capital_allocation"),
        Series("capital_misallocation", _CAPITAL, "capital_misallocation"),
    )
}
