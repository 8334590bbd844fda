"""Series beside growth, money and employment: investment, inventions, firms, students, networks,
budgets, night light. No I/O.

Three of them answer to admission, as the mechanisms of the study say: patents and new firms rise,
the investment share of a pilot comes closer to that of other cities. Night light and real output
follow growth, so they hold the effect on growth; the others do not.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from warehouse.ingest.simulation.economy import PlantedEffect

#: Students at colleges per head of population by administrative rank: provincial capitals hold most
#: of them.
STUDENTS_PER_HEAD = {4: 0.030, 3: 0.050, 2: 0.055, 1: 0.009}


def simulate_wider_series(
    *,
    growth_pct: np.ndarray,
    tables: dict[str, np.ndarray],
    shadow_gdp_cny_100m: np.ndarray,
    is_treated: np.ndarray,
    effect: PlantedEffect,
    roster: pd.DataFrame,
    rng: np.random.Generator,
) -> dict[str, np.ndarray]:
    """Draw them on top of a simulated economy.

    Parameters
    ----------
    growth_pct : ndarray, shape (n_cities, n_years)
        Real growth in log points times 100, with or without the effect.
    tables : dict of str to ndarray
        Of `simulate_levels`: gdp_nominal_cny_100m and population_resident_10k are read.
    shadow_gdp_cny_100m : ndarray, shape (n_cities, n_years)
        Nominal output without the effect, which what does not answer to admission follows.
    is_treated : ndarray of bool, shape (n_cities, n_years)
    effect : PlantedEffect
    roster : DataFrame
        Column admin_rank; one row per city in the order of the arrays.
    rng : numpy.random.Generator
        The same state gives the same shocks, whatever the growth.

    Returns
    -------
    dict of str to ndarray, each of shape (n_cities, n_years)
        By indicator id of the catalog, canonical units.
    """
    n_cities, n_years = growth_pct.shape
    gdp, people = tables["gdp_nominal_cny_100m"], tables["population_resident_10k"]

    def spread(sd: float, noise: float) -> np.ndarray:
        return np.exp(sd * rng.standard_normal(n_cities))[:, None] * np.exp(
            noise * rng.standard_normal((n_cities, n_years))
        )

    time = np.arange(n_years)
    real = gdp[:, :1] * np.exp(np.cumsum(growth_pct, axis=1) / 100.0 - growth_pct[:, :1] / 100.0)
    gap = (
        0.35
        * rng.standard_normal(n_cities)[:, None]
        * np.where(is_treated, 1.0 - effect.investment_convergence, 1.0)
    )
    inventive = (shadow_gdp_cny_100m / people) ** 0.5 * np.exp(0.12 * time)
    students = np.array([STUDENTS_PER_HEAD[int(rank)] for rank in roster["admin_rank"]])[:, None]
    expenditure = 0.17 * shadow_gdp_cny_100m * spread(0.25, 0.04)
    return {
        "gdp_real_cny_100m": real,
        "fixed_investment_cny_100m": 0.65 * gdp * np.exp(gap) * spread(0.0, 0.06),
        "patents_granted": np.rint(
            1.0
            + 0.8
            * people
            * inventive
            * spread(0.5, 0.12)
            * np.exp(effect.patents_rise * is_treated)
        ),
        "firms_new": np.rint(
            25.0
            * people
            * np.exp(0.07 * time)
            * spread(0.3, 0.10)
            * np.exp(effect.firms_rise * is_treated)
        ),
        "students_college_10k": students * people * (1.0 + 0.02 * time) * spread(0.5, 0.03),
        "internet_users_10k": 0.36
        * people
        / (1.0 + np.exp(2.2 - 0.28 * time))
        * spread(0.25, 0.03),
        "telecom_revenue_cny_100m": 0.02 * shadow_gdp_cny_100m * spread(0.2, 0.05),
        "fiscal_expenditure_cny_100m": expenditure,
        "fiscal_revenue_cny_100m": 0.55 * expenditure * spread(0.3, 0.05),
        "science_expenditure_cny_100m": 0.018 * expenditure * spread(0.6, 0.08),
        "night_lights_nw_cm2_sr": 20.0 * real**0.9 * spread(0.3, 0.05),
    }
