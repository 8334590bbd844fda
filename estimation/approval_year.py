"""The effect without the approval year of pilots approved in July to December: neither treated nor control, its base lies before it."""

from __future__ import annotations

from typing import Any

import numpy as np

from estimation.doses import rename_terms
from estimation.fit_moderated import Moderation, fit_moderations
from estimation.methods.panel_data import PairPanel
from estimation.methods.results import FitResult, NotEstimable


def fit_without_approval_year(panel: PairPanel, is_second_half: np.ndarray, **settings: Any) -> dict[tuple[str, int], FitResult]:
    """Two-way fixed effects in which the year before the first treated one has a coefficient of its own for second-half pilots.

    On a balanced panel that equals leaving the pair-years out: a coefficient for one cohort in one year takes them from all others.
    Under the permutation a city's whole record moves, with the half of the year of its approval.

    Parameters
    ----------
    panel : PairPanel
        Without controls; first treated years are those after the year of approval for second-half pilots.
    is_second_half : (N,) bool array
    settings
        vcov, permutations, seed, shuffle and tie_quantile of `estimation.fit.fit_outcomes`.

    Returns
    -------
    dict
        FitResult by ("twfe", outcome) with the terms ``treated`` and ``approval_year_<year>``.

    Raises
    ------
    NotEstimable
        If the two cannot be told apart, or no pilot was approved in the second half of a year of the panel.
    """
    cohort = np.where(panel.city_cohort > 0, panel.city_cohort, panel.years[-1] + 2)[:, None]
    treated = panel.years[None, :] >= cohort
    approval = (panel.years[None, :] == cohort - 1) & (is_second_half & (panel.city_cohort > 0))[:, None]
    if not approval.any():
        raise NotEstimable("no pilot of the sample was approved in July to December of a year of the window: the headline has no such year")
    # a coefficient of its own for each cohort: only then no year of one is compared with that of another
    years = np.flatnonzero(approval.any(axis=0))
    path = np.stack([treated, *(approval & (np.arange(len(panel.years)) == t) for t in years)], axis=2).astype(float)
    names = ("treated", *(f"approval_year_{panel.years[t]}" for t in years))
    moderation = Moderation(name="approval_year", city_path=path, path_names=names)
    results = {}
    for (_, outcome), result in fit_moderations(panel, [moderation], **settings).items():
        if isinstance(result, NotEstimable):
            raise result
        results["twfe", outcome] = rename_terms(result, {f"strength:{name}": name for name in names})
    return results
