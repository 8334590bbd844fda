"""What a study reads: city, pair and synchronization marts as data frames."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import pandas as pd

from ..analyses.own_outcomes import INDICATORS
from ..analyses.rules import CONCEPTS, POLICIES, TIE_MEASURES, TREATMENT_RULES, WITHOUT_TEXTS
from ..analyses.series import SERIES
from ..analyses.spec import Spec
from ..defaults import TIE_FIRST_YEAR, TIE_LAST_YEAR
from ..measures.derived_series import INPUTS, add_derived_series
from .exposure import add_baseline, add_exposure

# The mean is taken on DECIMAL, so that it has the same bytes for any thread count.
CITIES = """
with means as (
    select city_id, sum(cast(gdp_nominal_cny_100m as decimal(28, 6))) / count(gdp_nominal_cny_100m)
        as gdp_mean_cny_100m
    from marts.fct_city_year where year between {tie_first_year} and {tie_last_year}
    group by city_id
)
select city_id, city_name_en, province_id, province_name_en, region, batch, {treated},
    cast(gdp_mean_cny_100m as double) as gdp_mean_cny_100m
from marts.dim_city left join means using (city_id) order by city_id
"""


@dataclass(frozen=True)
class Marts:
    """The marts a sample is built from, as data frames in order of their keys.

    `synchronization` is empty where there are too many pair-years to hold: outcomes are then made
    from `city_years`, sample by sample, and `years` is the study window. `city_years` serves
    outcomes on other windows too; `policy_zones` holds ``fct_policy_zone`` of the zones that treat
    their whole prefecture. `strengths` is the strength of each tool in a pilot city's texts by
    year: city_id, year, tool_class, tool, strength. `indicators` are the current values of
    `own_outcomes.INDICATORS`: city_id, year, indicator_id, source_id, value.

    Of simulated data, `without` holds the marts from the same shocks without the effect, of which
    outcomes and city series are used, and `planted` what was planted: city_id, year,
    own_variance_ratio and loading_rise, a row a treated city and year.
    """

    cities: pd.DataFrame
    pairs: pd.DataFrame
    synchronization: pd.DataFrame
    city_years: pd.DataFrame
    policy_zones: pd.DataFrame | None = None
    strengths: pd.DataFrame | None = None
    indicators: pd.DataFrame | None = None
    years: tuple[int, int] | None = None
    without: Marts | None = None
    planted: pd.DataFrame | None = None

    @property
    def study_window(self) -> tuple[int, int] | None:
        """First and last year of the pair-years; None where there are none."""
        if self.years is not None or self.synchronization.empty:
            return self.years
        found = self.synchronization["year"]
        return int(found.min()), int(found.max())


def read_marts(con: Any, specs: Sequence[Spec], *, pair_years: bool = True) -> Marts:
    """Read what the specs need, in order of keys.

    Parameters
    ----------
    con : duckdb connection
        With the schema ``marts`` of the build.
    specs : sequence of Spec
    pair_years : bool
        Whether to hold outcomes of pairs by year; False where there are too many, which then are
        made from series of cities.

    Returns
    -------
    Marts
        Outcome and control columns that the mart lacks are left out; their specs then end in
        ``not_run``.
    """
    outcomes = set(chain.from_iterable((spec.outcome, *spec.controls) for spec in specs))
    pairs = _read_columns(con, "fct_city_pair", ("city_i_id", "city_j_id"), set(TIE_MEASURES))
    keys, years = ("city_i_id", "city_j_id", "year"), None
    if pair_years:
        synchronization = _read_columns(
            con, "fct_pair_synchronization", keys, outcomes, where="is_study_window"
        )
        last_year = int(synchronization["year"].max()) if len(synchronization) else 0
    else:
        synchronization = pd.DataFrame(columns=list(keys))
        years = con.execute(
            "select min(year), max(year) from marts.fct_pair_synchronization where is_study_window"
        ).fetchone()
        last_year = years[1]
    doses = {"city_id", *(spec.dose for spec in specs if spec.dose)}
    columns = {series.column for series in SERIES.values() if series.column} | set(INPUTS)
    strengths = _read_strengths(con) if any(spec.strength for spec in specs) else None
    return Marts(
        cities=_mark_texts(add_exposure(_read_cities(con), pairs, last_year), strengths, last_year),
        pairs=pairs,
        synchronization=synchronization,
        city_years=add_derived_series(
            _read_columns(con, "fct_city_year", ("city_id", "year"), columns)
        ),
        policy_zones=_of_whole_prefectures(
            con, _read_columns(con, "fct_policy_zone", ("zone_name_zh", "year"), doses)
        ),
        strengths=strengths,
        indicators=_read_indicators(con),
        years=years,
    )


def read_claims(con: Any) -> pd.DataFrame:
    """``marts.dim_study_claim`` in the order in which claims are shown; `study.claims.build_claims`
    says which columns are used.
    """
    columns = {
        "claim_id",
        "claim_en",
        "claim_zh",
        "study_finding",
        "expected_direction",
        "uses_primary",
        "smallest_effect",
    }
    columns |= {"spec_id_study_form", "term_study_form", "spec_id", "term"}
    return _read_columns(con, "dim_study_claim", ("claim_no",), columns)


def _read_indicators(con: Any) -> pd.DataFrame:
    """Return current values of the indicators that own outcomes are made of."""
    keys = ("city_id", "year", "indicator_id")
    if not _columns_of(con, "fct_indicator_observation"):
        # the build without the effect holds only what outcomes are made of
        return pd.DataFrame(columns=[*keys, "source_id", "value"])
    marks = ", ".join("?" for _ in INDICATORS)
    query = (
        "select city_id, year, indicator_id, source_id, value from marts.fct_indicator_observation "
        f"where is_current and value is not null and indicator_id in ({marks}) "
        "order by city_id, year, indicator_id"
    )
    return con.execute(query, list(INDICATORS)).df()


def _read_strengths(con: Any) -> pd.DataFrame:
    """Strength of each tool by city and year; no row where there are no texts."""
    keys = ("city_id", "year", "tool_class", "tool")
    rows = _of_whole_prefectures(
        con, _read_columns(con, "fct_policy_tool", (*keys, "zone_name_zh"), {"strength"})
    )
    return rows.groupby(list(keys), as_index=False)["strength"].sum()


def _of_whole_prefectures(con: Any, zones: pd.DataFrame) -> pd.DataFrame:
    """Return rows of zones that treat their whole prefecture: the texts of a zone in a county-level
    city do not speak for it.
    """
    whole = _read_columns(con, "dim_pilot_zone", ("zone_name_zh",), {"is_whole_prefecture"})
    return zones[
        zones["zone_name_zh"].isin(
            whole.loc[whole["is_whole_prefecture"].astype(bool), "zone_name_zh"]
        )
    ]


def _mark_texts(
    cities: pd.DataFrame, strengths: pd.DataFrame | None, last_year: int
) -> pd.DataFrame:
    """Return the cities with the treated year of those that have no text in force by the window's
    last year; of none where there are no texts.
    """
    if strengths is None:
        return cities
    with_texts = strengths.loc[
        (strengths["year"] <= last_year) & (strengths["strength"] > 0), "city_id"
    ].unique()
    is_without = ~cities["city_id"].isin(with_texts) & (not strengths.empty)
    return cities.assign(
        **{f"treated_year_{WITHOUT_TEXTS}": cities["treated_year"].where(is_without)}
    )


def _read_cities(con: Any) -> pd.DataFrame:
    """Return cities with the first treated year under each rule, the batch of their zone, and the
    first year of each other programme that covers them.
    """
    treated = {rule.column for rule in TREATMENT_RULES.values()}
    cities = con.execute(
        CITIES.format(
            treated=", ".join(sorted(treated)),
            tie_first_year=TIE_FIRST_YEAR,
            tie_last_year=TIE_LAST_YEAR,
        )
    ).df()
    columns = {"treated_year", "covers_city", "is_verified"}
    policies = _read_columns(con, "dim_other_policy", ("policy", "city_id"), columns)
    covering = policies[policies["covers_city"].astype(bool)].groupby(["city_id", "policy"])
    place = {"index": cities["city_id"], "columns": list(POLICIES)}
    years = covering["treated_year"].min().unstack().reindex(**place)
    years = years.astype("Float64").astype("Int64")
    # every row that names the city
    verified = covering["is_verified"].min().unstack().reindex(**place).astype("boolean")
    columns = {"population_10k", "gdp_per_head_cny", "trade", "is_coastal"}
    concepts = {*CONCEPTS, *(f"{name}_basis" for name in CONCEPTS)}
    baseline = _read_columns(con, "dim_city_baseline", ("city_id",), columns | concepts)
    cities = add_baseline(cities, baseline)
    kept = [
        "city_id",
        *(
            name
            for name in sorted(concepts | {"is_coastal"})
            if name in baseline and name not in cities
        ),
    ]
    cities = cities.merge(baseline[kept], on="city_id", how="left")
    return cities.assign(
        **{f"policy_year_{policy}": years[policy].to_numpy() for policy in POLICIES},
        **{f"policy_is_verified_{policy}": verified[policy].array for policy in POLICIES},
    )


def _read_columns(
    con: Any, table: str, keys: tuple[str, ...], wanted: set[str], *, where: str = "true"
) -> pd.DataFrame:
    """Return keys and the wanted columns that the mart has, of the rows asked for in order of the
    keys; no row where there is no such mart.
    """
    found = _columns_of(con, table)
    if not found:
        # the build without the effect holds only what outcomes are made of
        return pd.DataFrame(columns=[*keys, *sorted(wanted)])
    columns = ", ".join([*keys, *(f'"{name}"' for name in sorted(found & wanted))])
    query = f"select {columns} from marts.{table} where {where} order by {', '.join(keys)}"
    return con.execute(query).df()


def _columns_of(con: Any, table: str) -> set[str]:
    """Return columns of a mart; none where there is no such mart."""
    described = con.execute(
        "select column_name from duckdb_columns() where schema_name = 'marts' and table_name = ?",
        [table],
    )
    return {name for (name,) in described.fetchall()}
