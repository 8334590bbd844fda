"""Simulated economies for the tests of inference: zones of two years, provinces, one national
factor.
"""

import numpy as np

YEARS = np.arange(2010, 2020)
CITIES_BY_PROVINCE, CITIES_WITH_A_ZONE = 4, 0.22


def draw_economy(
    seed: int, n_cities: int, loadings: tuple[float, float] = (0.5, 0.5)
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return growth (N, T), first treated years (N,) and provinces (N,) without any effect;
    `loadings` are those of treated cities and of the others on the national factor.
    """
    rng = np.random.default_rng([seed, n_cities])
    province = np.arange(n_cities) // CITIES_BY_PROVINCE
    cohort = np.zeros(n_cities, dtype=np.int64)
    treated = rng.choice(n_cities, round(CITIES_WITH_A_ZONE * n_cities), replace=False)
    cohort[treated] = rng.permutation(np.where(np.arange(len(treated)) % 5 < 2, 2016, 2019))
    common = rng.normal(size=(province.max() + 1, len(YEARS)))[province]
    own = np.sqrt(0.3) * common + np.sqrt(0.7) * rng.normal(size=(n_cities, len(YEARS)))
    loading = np.where(cohort > 0, *loadings)[:, None]
    return loading * rng.normal(size=len(YEARS)) + own, cohort, province
