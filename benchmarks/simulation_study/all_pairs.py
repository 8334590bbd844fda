"""Two-way fits of all pairs by the engine that needs no list of pairs, and the rows of a fit."""

from __future__ import annotations

import numpy as np

from estimation.engines.all_pairs import sum_all_pairs
from estimation.engines.interface import SummedSample, Units
from estimation.engines.regressors import twfe_design
from estimation.estimators.two_way import fit_least_squares
from estimation.fit import fit_summed
from estimation.influence.influence_fit import InfluenceFit
from estimation.options import Options
from estimation.results import VARIANCE_ESTIMATORS, FitResult

NAMES = (
    *("term", "event_time", "vcov", "is_default", "estimate"),
    *("std_error", "ci_low", "ci_high", "p_value"),
)


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
    return rows_of_fit(fit_summed(sample, "twfe", Options(lines, permutations, seed=seed)), seed)


def rows_of_fit(fit: FitResult, seed: int) -> list[dict]:
    """Rows of estimates but single cells, and one of the joint test of the leads."""
    diagnostics = {name: value for name, _, value in fit.diagnostics}
    rows = [
        {
            "seed": seed,
            **{name: getattr(estimate, name) for name in NAMES},
            "n_provinces": diagnostics["jackknife_n_provinces"],
        }
        for estimate in fit.estimates
        if estimate.term != "group_time"
    ]
    if "joint_leads_p" in diagnostics:
        p = diagnostics["joint_leads_p"]
        rows.append({"seed": seed, "term": "leads", "vcov": "province_jackknife", "p_value": p})
    return rows
