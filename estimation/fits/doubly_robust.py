"""Fit the doubly robust estimator on a city-pair panel; every coefficient gets its lines of inference but the permutation."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from ..estimators.doubly_robust import fit_doubly_robust
from ..estimators.group_time import comparable_sample
from ..fit import check_sample, result_of, strata_of
from ..panel.pair_panel import PairPanel, build_sample, group_outcomes
from ..results import FitResult, NotEstimable

ESTIMATOR = "doubly_robust"
NO_DRAWS = "The line permutation is left out: a draw of doubly_robust would fit the propensity of every cohort anew."
# a never-treated pair with more than this propensity stands for as many pairs as all others of its kind
HIGH_PROPENSITY = 0.9


def fit_outcomes_doubly_robust(
    panel: PairPanel, *, control_names: Sequence[str], vcov: Sequence[str] | None = None, tie_quantile: float | None = None
) -> dict[tuple[str, int], FitResult]:
    """Fit the estimator on all outcomes of a panel, its controls as covariates fixed in time.

    Parameters
    ----------
    panel : PairPanel
        Its controls of the first year are the covariates: give such as do not vary.
    control_names : sequence of str
        One a control.
    vcov : sequence of str, optional
        As in `estimation.fit.fit_outcomes`; the permutation is not offered.
    tie_quantile : float, optional

    Returns
    -------
    dict
        FitResult by (``doubly_robust``, outcome), with the overlap of each cohort as diagnostics.

    Raises
    ------
    NotEstimable
        If the panel has no controls, or nothing is left to compare.
    """
    if panel.controls is None or len(control_names) != len(panel.controls):
        raise NotEstimable("doubly_robust needs at least one control, fixed in time, with its name")
    results = {}
    covariates = panel.controls[:, :, 0]
    for outcomes in group_outcomes(panel):
        sample = comparable_sample(build_sample(panel, outcomes, tie_quantile))
        sample = dataclasses.replace(sample, kept=sample.kept & np.isfinite(covariates).all(axis=0))
        check_sample(sample)
        fits, overlap = fit_doubly_robust(sample, covariates)
        extra = [("largest_propensity_of_never", year, value) for year, value in overlap.items()]
        warnings = [NO_DRAWS] if vcov is None or "permutation" in vcov else []
        warnings += [
            f"Cohort {year}: a never-treated pair has the propensity {value:.2f} of being in it; the comparison leans on few pairs."
            for year, value in overlap.items()
            if value > HIGH_PROPENSITY
        ]
        lines = None if vcov is None else [name for name in vcov if name != "permutation"]
        for m, outcome in enumerate(outcomes):
            arguments = (sample, ESTIMATOR, outcome, fits[m], None, strata_of(sample, "province"), lines)
            results[ESTIMATOR, outcome] = result_of(*arguments, extra=extra, warnings=warnings)
    return results
