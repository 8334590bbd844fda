"""A simulated set of city economies: growth with and without a planted effect of admission. Numbers only, no I/O."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

#: National growth of the simulated economy, log points times 100; stylised after the mean of Chinese cities (slow-down from 2010,
#: dips 2009 and 2020).
NATIONAL_PATH_PCT = {
    2001: 9.0, 2002: 10.3, 2003: 11.4, 2004: 12.9, 2005: 12.8, 2006: 12.8, 2007: 13.7, 2008: 12.0, 2009: 10.9, 2010: 12.9, 2011: 12.0,
    2012: 10.8, 2013: 9.6, 2014: 8.0, 2015: 7.3, 2016: 6.7, 2017: 6.7, 2018: 6.5, 2019: 6.2, 2020: 2.8, 2021: 7.6, 2022: 3.3, 2023: 5.3,
}  # fmt: skip

#: Standard deviation of city growth net of city and year means, relative to its average (disturbed years around 2009 and 2016).
TURBULENCE = {
    2008: 1.2, 2009: 1.3, 2010: 1.25, 2011: 0.95, 2012: 0.75, 2013: 0.9, 2014: 0.9, 2015: 1.05, 2016: 1.35, 2017: 1.15, 2018: 1.0,
    2019: 0.8, 2020: 1.2,
}  # fmt: skip


@dataclass(frozen=True)
class EconomyParameters:
    """Parameters of `simulate_economies`; the defaults are calibrated (see there).

    Attributes
    ----------
    sd_city_mean : float
        Standard deviation over cities of mean growth, log points times 100.
    sd_trend_loading : float
        Standard deviation over cities of the loading on the national path (mean 1).
    median_cycle_sd, log_sd_cycle_sd : float
        Median and log standard deviation over cities of the cyclical component's standard deviation, log points times 100.
    common_share : float
        Share of the common cycle in a city's cyclical variance before admission.
    province_share, region_share : float
        Shares of the province and region factors in a city's own (not common) variance.
    persistence : float
        First-order autocorrelation of the common cycle and of the own components.
    """

    sd_city_mean: float = 1.4
    sd_trend_loading: float = 0.15
    median_cycle_sd: float = 1.7
    log_sd_cycle_sd: float = 0.55
    common_share: float = 0.35
    province_share: float = 0.30
    region_share: float = 0.03
    persistence: float = 0.3


@dataclass(frozen=True)
class SimulatedEconomy:
    """One simulated economy.

    Attributes
    ----------
    years : ndarray of int, shape (n_years,)
    growth_without_pct, growth_with_pct : ndarray of float, shape (n_cities, n_years)
        Real growth in log points times 100 without and with the effect of admission, from the same shocks.
    """

    years: np.ndarray
    growth_without_pct: np.ndarray
    growth_with_pct: np.ndarray


def _autoregressive(rng: np.random.Generator, n_series: int, n_years: int, persistence: float) -> np.ndarray:
    """Stationary first-order autoregressions of unit variance, shape (n_series, n_years)."""
    shocks = rng.standard_normal((n_series, n_years))
    series = np.empty_like(shocks)
    series[:, 0] = shocks[:, 0]
    scale = np.sqrt(1.0 - persistence**2)
    for t in range(1, n_years):
        series[:, t] = persistence * series[:, t - 1] + scale * shocks[:, t]
    return series


def simulate_economies(
    *,
    province: np.ndarray,
    region: np.ndarray,
    treated_year: np.ndarray,
    years: np.ndarray,
    effect: float,
    rng: np.random.Generator,
    parameters: EconomyParameters | None = None,
) -> SimulatedEconomy:
    """Simulate growth of all cities, with and without the effect, from the same shocks.

    Growth of city i in year t is ``mu_i + lambda_i m_t + s_t sigma_i (sqrt(a_it) f_t + sqrt(1 - a_it) u_it)``: m_t is the national path
    net of its mean, f_t the common cycle, and ``u_it = sqrt(k) r_region,t + sqrt(q) p_province,t + sqrt(1 - k - q) e_it`` the own part
    (all autoregressions of order one and unit variance). Without the effect a_it = a. With it, after admission, a pilot's common share is
    ``a + effect (1 - a)``: its loading on the common cycle rises and its own part shrinks so that the variance of its growth is unchanged
    in expectation. Co-movement of a pilot with never-pilots therefore rises; dispersion moves only by chance.

    Calibrated to real moments of published growth 2010-2019 (csmar_region, 171 cities, index cells put right / GDP index of the deflator
    file, 296 cities): mean over cities of the standard deviation within a city 3.23 / 2.77, mean correlation of two cities 0.72 / 0.75,
    correlation within provinces of z net of year means 0.37 / 0.29 (another province of the same region: 0.00 / 0.06), standard deviation
    net of city and year means 2.37 / 1.95, log standard deviation over cities of the standard deviation 0.46 / 0.42.

    Parameters
    ----------
    province, region : ndarray, shape (n_cities,)
        Labels of the province and region of each city.
    treated_year : ndarray of int, shape (n_cities,)
        First treated year, 0 for never.
    years : ndarray of int, shape (n_years,)
        Consecutive years, within 2001-2023.
    effect : float
        Share of the own variance that the common cycle takes over after admission, 0 to 1.
    rng : numpy.random.Generator
    parameters : EconomyParameters, optional

    Returns
    -------
    SimulatedEconomy

    Raises
    ------
    ValueError
        If `effect` is outside 0..1 or a year lies outside the national path.
    """
    p = parameters or EconomyParameters()
    if not 0.0 <= effect <= 1.0:
        raise ValueError(f"effect must lie between 0 and 1; found {effect}; give the share of a pilot's own variance to replace")
    unknown = [int(year) for year in years if int(year) not in NATIONAL_PATH_PCT]
    if unknown:
        raise ValueError(f"years must lie between 2001 and 2023; found {unknown}; choose a span inside the national path")
    n_cities, n_years = len(province), len(years)
    path = np.array([NATIONAL_PATH_PCT[int(year)] for year in years])
    turbulence = np.array([TURBULENCE.get(int(year), 1.0) for year in years])
    mean = path.mean() + p.sd_city_mean * rng.standard_normal(n_cities)
    loading = 1.0 + p.sd_trend_loading * rng.standard_normal(n_cities)
    cycle_sd = p.median_cycle_sd * np.exp(p.log_sd_cycle_sd * np.clip(rng.standard_normal(n_cities), -2.0, 2.0))
    common = _autoregressive(rng, 1, n_years, p.persistence)
    own = _own_component(province, region, n_years, rng, p)
    trend = mean[:, None] + loading[:, None] * (path - path.mean())
    scale = cycle_sd[:, None] * turbulence
    is_treated = (treated_year[:, None] > 0) & (years >= treated_year[:, None])
    share = np.where(is_treated, p.common_share + effect * (1.0 - p.common_share), p.common_share)
    without = trend + scale * (np.sqrt(p.common_share) * common + np.sqrt(1.0 - p.common_share) * own)
    treated = trend + scale * (np.sqrt(share) * common + np.sqrt(1.0 - share) * own)
    return SimulatedEconomy(years=np.asarray(years), growth_without_pct=without, growth_with_pct=np.where(is_treated, treated, without))


def _own_component(province: np.ndarray, region: np.ndarray, n_years: int, rng: np.random.Generator, p: EconomyParameters) -> np.ndarray:
    """Region, province and city part of the cycle, unit variance, shape (n_cities, n_years)."""
    regions, region_no = np.unique(region, return_inverse=True)
    provinces, province_no = np.unique(province, return_inverse=True)
    by_region = _autoregressive(rng, len(regions), n_years, p.persistence)[region_no]
    by_province = _autoregressive(rng, len(provinces), n_years, p.persistence)[province_no]
    by_city = _autoregressive(rng, len(province), n_years, p.persistence)
    rest = 1.0 - p.region_share - p.province_share
    return np.sqrt(p.region_share) * by_region + np.sqrt(p.province_share) * by_province + np.sqrt(rest) * by_city
