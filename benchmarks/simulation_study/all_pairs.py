"""Two-way fits of all pairs of an economy's cities by the engine that needs no list of pairs."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np

from estimation.engines.all_pairs import sum_all_pairs
from estimation.engines.interface import SummedSample, Units
from estimation.engines.regressors import twfe_design
from estimation.estimators.two_way import fit_least_squares
from estimation.fit import fit_summed
from estimation.influence.influence_fit import InfluenceFit
from estimation.options import Options
from estimation.results import VARIANCE_ESTIMATORS


def sample_of(
    growth: np.ndarray,
    years: np.ndarray,
    cohort: np.ndarray,
    province: np.ndarray | None = None,
    measure: str = "cm",
) -> SummedSample:
    """All pairs with at most one pilot; growth (N, T), cohort and province (N,)."""
    return sum_all_pairs(growth, measure, Units(np.arange(len(growth)), years, cohort, province))


def fit_of(sample: SummedSample) -> InfluenceFit:
    """Its two-way fit."""
    design = twfe_design(sample.group_years, sample.panel.years)
    return fit_least_squares(sample, sample.statistics, design, ())[0]


def rows_of(sample: SummedSample, seed: int, permutations: int) -> list[dict]:
    """Every line of its two-way fit as rows."""
    lines = VARIANCE_ESTIMATORS if permutations else VARIANCE_ESTIMATORS[:-1]
    found = fit_summed(sample, "twfe", Options(lines, permutations, seed=seed))
    n_provinces = next(
        value for name, _, value in found.diagnostics if name == "jackknife_n_provinces"
    )
    names = ("term", "event_time", "vcov", "is_default", "estimate")
    names = (*names, "std_error", "ci_low", "ci_high", "p_value")
    rows = [{name: asdict(estimate)[name] for name in names} for estimate in found.estimates]
    return [{"seed": seed, **row, "n_provinces": n_provinces} for row in rows]
