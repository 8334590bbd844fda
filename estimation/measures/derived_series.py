"""City series made from several columns of `marts.fct_city_year`: factor allocation, returns, money
and patents a head, and growth without the years that rest on an index alone.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from .misallocation import accumulate_capital, allocate, estimate_elasticities

# Columns of marts.fct_city_year that the derived series are made of.
INPUTS = (
    "employed_10k",
    "wage_avg_cny",
    "gdp_nominal_cny_100m",
    "gdp_real_cny_100m",
    "fixed_investment_cny_100m",
    "cpi_prev_year_100",
    "population_10k",
    "loans_cny_100m",
    "fdi_usd_1m",
    "patents_granted",
    "firms_new",
    "growth_official_pct",
    "growth_official_evidence",
)
# Logarithms of a column, or of a column per head.
LOGS = {"ln_wage": ("wage_avg_cny", None)}
LOGS |= {
    f"ln_{name}_per_head": (column, "population_10k")
    for name, column in (
        ("employed", "employed_10k"),
        ("investment", "fixed_investment_cny_100m"),
        ("credit", "loans_cny_100m"),
        ("fdi", "fdi_usd_1m"),
        ("patents", "patents_granted"),
        ("firms", "firms_new"),
    )
}
DERIVED = (
    *LOGS,
    "growth_without_index_alone_pct",
    "labour_allocation",
    "labour_misallocation",
    "capital_allocation",
    "capital_misallocation",
)


def add_derived_series(city_years: pd.DataFrame) -> pd.DataFrame:
    """Return the frame with every series of `DERIVED` that its columns allow.

    Parameters
    ----------
    city_years : DataFrame
        ``marts.fct_city_year``: city_id, year and those of `INPUTS` that the mart has, one row per
        city and year.

    Returns
    -------
    DataFrame
        Logarithms in natural units; ``*_allocation`` is ln gamma, ``*_misallocation`` is abs(tau).
        ``growth_without_index_alone_pct`` is official growth in log points times 100, NaN in a year
        whose evidence is ``index_alone``. A series whose inputs lack is NaN. Labour is allocated
        with the elasticity 1 less that of capital; without capital all cities share one elasticity,
        which cancels.
    """
    rows = city_years.reset_index(drop=True)
    frame = rows.reindex(columns=list(dict.fromkeys([*rows.columns, *INPUTS])))
    made = {name: _log_ratio(frame, column, divisor) for name, (column, divisor) in LOGS.items()}
    made["growth_without_index_alone_pct"] = _without_index_alone(rows, frame)
    made |= _allocations(frame)
    return rows.assign(**made)


def _without_index_alone(rows: pd.DataFrame, frame: pd.DataFrame) -> np.ndarray:
    growth = frame["growth_official_pct"].to_numpy(dtype=float, na_value=np.nan)
    # a table that does not state the evidence cannot show that a year rests on more than an index
    if "growth_official_evidence" not in rows:
        return np.full(len(frame), np.nan)
    is_alone = frame["growth_official_evidence"].eq("index_alone").to_numpy(dtype=bool)
    return np.where(is_alone, np.nan, growth)


def _log_ratio(frame: pd.DataFrame, column: str, divisor: str | None) -> np.ndarray:
    values = frame[column].to_numpy(dtype=float, na_value=np.nan)
    base = (
        np.ones(len(frame))
        if divisor is None
        else frame[divisor].to_numpy(dtype=float, na_value=np.nan)
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = values / base
        return np.where(ratio > 0, np.log(ratio), np.nan)


def _allocations(frame: pd.DataFrame) -> dict[str, np.ndarray]:
    """Labour and capital by city and year, as columns of the frame."""
    cities, row = np.unique(frame["city_id"].to_numpy(dtype=np.int64), return_inverse=True)
    first = int(frame["year"].min()) if len(frame) else 0
    column = frame["year"].to_numpy(dtype=np.int64) - first
    shape = (cities.size, int(column.max()) + 1 if len(frame) else 0)

    def wide(name: str) -> np.ndarray:
        table = np.full(shape, np.nan)
        table[row, column] = frame[name].to_numpy(dtype=float, na_value=np.nan)
        return table

    labour, output = wide("employed_10k"), wide("gdp_nominal_cny_100m")
    capital = accumulate_capital(
        _real(wide("fixed_investment_cny_100m"), wide("cpi_prev_year_100"))
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        of_capital = estimate_elasticities(
            wide("gdp_real_cny_100m") / labour, capital / labour, cities // 10000
        )
    found = {
        "labour": allocate(labour, output, 1 - of_capital),
        "capital": allocate(capital, output, of_capital),
    }
    made = {}
    for factor, gamma in found.items():
        with np.errstate(divide="ignore", invalid="ignore"):
            made[f"{factor}_allocation"] = np.log(gamma)[row, column]
        # the wedge tau
        made[f"{factor}_misallocation"] = np.abs(1 / gamma - 1)[row, column]
    return made


def _real(nominal: np.ndarray, price_index: np.ndarray) -> np.ndarray:
    """Return values at the prices of the first year, by a chain of indices (previous year = 100)
    with no gap from a city's first value on.
    """
    chain = np.cumprod(
        np.where(np.isfinite(price_index[:, 1:]), price_index[:, 1:] / 100, np.nan), axis=1
    )
    level = (
        np.concatenate([np.ones((len(nominal), 1)), chain], axis=1) if nominal.shape[1] else nominal
    )
    return nominal / level
