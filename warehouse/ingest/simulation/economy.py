"""A simulated set of city economies: growth with and without a planted effect of admission, through
both channels. Numbers only, no I/O.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

#: National growth, log points times 100: stylised after the mean over Chinese cities (slow-down
#: from 2010, dips 2009 and 2020).
NATIONAL_PATH_PCT = {
    2001: 9.0,
    2002: 10.3,
    2003: 11.4,
    2004: 12.9,
    2005: 12.8,
    2006: 12.8,
    2007: 13.7,
    2008: 12.0,
    2009: 10.9,
    2010: 12.9,
    2011: 12.0,
    2012: 10.8,
    2013: 9.6,
    2014: 8.0,
    2015: 7.3,
    2016: 6.7,
    2017: 6.7,
    2018: 6.5,
    2019: 6.2,
    2020: 2.8,
    2021: 7.6,
    2022: 3.3,
    2023: 5.3,
}

#: The common cycle around that path, in standard deviations; made up; below zero on average in
#: 2016-2019.
COMMON_CYCLE = {
    2001: -0.5,
    2002: 0.3,
    2003: 0.4,
    2004: 1.2,
    2005: 0.2,
    2006: 0.6,
    2007: 1.3,
    2008: -0.4,
    2009: -1.6,
    2010: 1.1,
    2011: 0.5,
    2012: -0.9,
    2013: 0.6,
    2014: -0.7,
    2015: -0.9,
    2016: -1.3,
    2017: 0.8,
    2018: 0.3,
    2019: -1.0,
    2020: -1.8,
    2021: 1.5,
    2022: -0.8,
    2023: 0.5,
}

#: Standard deviation of city growth net of city and year means over its average, 2010-2019 as
#: measured, 1 where not named.
TURBULENCE = {
    2008: 1.2,
    2009: 1.3,
    2010: 1.25,
    2011: 0.95,
    2012: 0.65,
    2013: 0.75,
    2014: 0.8,
    2015: 1.1,
    2016: 1.35,
    2017: 1.3,
    2018: 1.15,
    2019: 0.8,
    2020: 1.2,
}


#: Of the trend under national growth, for yearly data (Ravn and Uhlig 2002).
TREND_SMOOTHNESS = 6.25


# Parameters of `simulate_economies`, calibrated (see there); log points times 100 where they are of
# growth.
#: Standard deviation over cities of mean growth.
SD_CITY_MEAN = 1.4
#: Standard deviation over cities of the loading on the national path (mean 1).
SD_TREND_LOADING = 0.10
#: Loading on the common cycle before admission.
CYCLE_LOADING = 0.65
#: Median and log standard deviation over cities of the own part's standard deviation.
MEDIAN_OWN_SD, LOG_SD_OWN_SD = 1.5, 0.65
#: Shares of the province and region factors in the variance of the own part.
PROVINCE_SHARE, REGION_SHARE = 0.38, 0.03
#: First-order autocorrelation of the factors of the own part.
PERSISTENCE = 0.35


@dataclass(frozen=True)
class PlantedEffect:
    """What admission does to a pilot, by channel and by mechanism; the defaults are those of the
    default landing.

    Chosen once, by the rule in docs/methods, section 17.2, never by the result of the shipped seed.

    Attributes
    ----------
    own_variance_fall : float
        Share by which the variance of a pilot's own shocks falls in a zone of average demand tools;
        0 to below 1.
    loading_rise : float
        Rise of a pilot's loading on the national cycle, on which cities load 1 on average; not
        below 0.
    tools_share : float
        Share of the fall (on the log scale) that comes with the demand tools of the zone's plan,
        the rest with admission itself; 0 to 1.
    patents_rise, firms_rise : float
        Rise of patents granted and of newly registered firms, log points over 100.
    investment_convergence : float
        Share by which the gap (in logs) of a pilot's investment share to the mean of cities closes;
        0 to 1.
    """

    own_variance_fall: float = 0.6
    loading_rise: float = 0.2
    tools_share: float = 0.5
    patents_rise: float = 0.2
    firms_rise: float = 0.15
    investment_convergence: float = 0.5


@dataclass(frozen=True)
class SimulatedEconomy:
    """One simulated economy; every array has shape (n_cities, n_years).

    Attributes
    ----------
    years : ndarray of int, shape (n_years,)
    growth_without_pct, growth_with_pct : ndarray of float
        Real growth in log points times 100 without and with the effect of admission, from the same
        shocks.
    is_treated : ndarray of bool
    own_variance_ratio : ndarray of float
        Variance of own shocks with the effect over that without it; 1 where not treated.
    loading_rise : ndarray of float
        Rise of the loading on the national cycle; 0 where not treated.
    loading_part_pct : ndarray of float
        What it adds to growth.
    """

    years: np.ndarray
    growth_without_pct: np.ndarray
    growth_with_pct: np.ndarray
    is_treated: np.ndarray
    own_variance_ratio: np.ndarray
    loading_rise: np.ndarray
    loading_part_pct: np.ndarray


def simulate_economies(
    *,
    province: np.ndarray,
    region: np.ndarray,
    treated_year: np.ndarray,
    years: np.ndarray,
    effect: PlantedEffect,
    rng: np.random.Generator,
    intensity: np.ndarray | None = None,
) -> SimulatedEconomy:
    """Simulate growth of all cities, with and without the effect, from the same shocks.

    Growth of city i in year t is ``mu_i + lambda_i m_t + b c_t + d_it n_t + s_t sigma_i w_it
    u_it``: m_t is the national path net of its mean, c_t the common cycle, n_t the national cycle
    (`national_cycle_pct`), s_t the year's turbulence and ``u_it = sqrt(k) r_region,t + sqrt(q)
    p_province,t + sqrt(1 - k - q) e_it`` the own part (autoregressions of order one and unit
    variance). Without the effect d_it = 0 and w_it = 1. With it, from admission on, d_it is
    `loading_rise` and, with a the tools' share and k_i the intensity of the zone's demand tools,
    ``w_it^2 = (1 - own_variance_fall) ** (1 - a + a k_i)``.

    Calibrated to real moments of published growth 2010-2019 (csmar_region, 171 cities, index cells
    put right / GDP index of the deflator file, 296 cities; in brackets simulated): mean over cities
    of the standard deviation within a city 3.23 / 2.77 (3.2), mean correlation of two cities 0.72 /
    0.75 (0.72), correlation within provinces of z net of year means 0.44 / 0.35 (0.34), its
    covariance as a share of the variance 0.37 / 0.29 (0.28), standard deviation net of city and
    year means 2.37 / 1.95 (2.0).

    Parameters
    ----------
    province, region : ndarray, shape (n_cities,)
        Labels of the province and region of each city.
    treated_year : ndarray of int, shape (n_cities,)
        First treated year, 0 for never.
    years : ndarray of int, shape (n_years,)
        Consecutive years, within 2001-2023.
    effect : PlantedEffect
    rng : numpy.random.Generator
    intensity : ndarray of float, shape (n_cities,), optional
        Intensity of the tools that work, not below 0, about 1 on average over pilots; of others it
        is not read.

    Returns
    -------
    SimulatedEconomy
    """
    common, own = (
        _common_part(len(province), years, rng),
        _own_part(province, region, years, rng),
    )
    without = common + CYCLE_LOADING * np.array([COMMON_CYCLE[int(year)] for year in years]) + own
    is_treated = (treated_year[:, None] > 0) & (years >= treated_year[:, None])
    exponent = (
        np.ones(len(province))
        if intensity is None
        else 1.0 - effect.tools_share + effect.tools_share * intensity
    )
    ratio = np.where(is_treated, (1.0 - effect.own_variance_fall) ** exponent[:, None], 1.0)
    rise = np.where(is_treated, effect.loading_rise, 0.0)
    louder = rise * national_cycle_pct(years)
    growth = np.where(is_treated, without + louder + (np.sqrt(ratio) - 1.0) * own, without)
    return SimulatedEconomy(np.asarray(years), without, growth, is_treated, ratio, rise, louder)


def national_cycle_pct(years: np.ndarray) -> np.ndarray:
    """National growth less its Hodrick-Prescott trend over all years of the path, log points times
    100, shape (n_years,).
    """
    known = np.array(sorted(NATIONAL_PATH_PCT))
    growth = np.array(
        [NATIONAL_PATH_PCT[year] + CYCLE_LOADING * COMMON_CYCLE[year] for year in known.tolist()]
    )
    bends = np.diff(np.eye(len(known)), 2, axis=0)
    cycle = growth - np.linalg.solve(
        np.eye(len(known)) + TREND_SMOOTHNESS * np.einsum("kt,ks->ts", bends, bends), growth
    )
    return cycle[np.searchsorted(known, years)]


def _common_part(n_cities: int, years: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """City means and the national path with its loadings, shape (n_cities, n_years)."""
    path = np.array([NATIONAL_PATH_PCT[int(year)] for year in years])
    mean = path.mean() + SD_CITY_MEAN * rng.standard_normal(n_cities)
    loading = 1.0 + SD_TREND_LOADING * rng.standard_normal(n_cities)
    return mean[:, None] + loading[:, None] * (path - path.mean())


def _own_part(
    province: np.ndarray,
    region: np.ndarray,
    years: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    """Region, province and city part of the cycle, log points times 100, shape (n_cities,
    n_years).
    """
    n_cities, n_years = len(province), len(years)
    regions, region_no = np.unique(region, return_inverse=True)
    provinces, province_no = np.unique(province, return_inverse=True)
    by_region = _autoregressive(rng, len(regions), n_years)[region_no]
    by_province = _autoregressive(rng, len(provinces), n_years)[province_no]
    by_city = _autoregressive(rng, n_cities, n_years)
    rest = 1.0 - REGION_SHARE - PROVINCE_SHARE
    unit = (
        np.sqrt(REGION_SHARE) * by_region
        + np.sqrt(PROVINCE_SHARE) * by_province
        + np.sqrt(rest) * by_city
    )
    # beyond two standard deviations a city would shrink and double from year to year
    own_sd = MEDIAN_OWN_SD * np.exp(
        LOG_SD_OWN_SD * np.clip(rng.standard_normal(n_cities), -2.0, 2.0)
    )
    return own_sd[:, None] * np.array([TURBULENCE.get(int(year), 1.0) for year in years]) * unit


def _autoregressive(rng: np.random.Generator, n_series: int, n_years: int) -> np.ndarray:
    """Stationary first-order autoregressions of unit variance, shape (n_series, n_years)."""
    shocks = rng.standard_normal((n_series, n_years))
    series = np.empty_like(shocks)
    series[:, 0] = shocks[:, 0]
    scale = np.sqrt(1.0 - PERSISTENCE**2)
    for t in range(1, n_years):
        series[:, t] = PERSISTENCE * series[:, t - 1] + scale * shocks[:, t]
    return series
