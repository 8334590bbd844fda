"""Effects of regressors that a pilot brings along as its own path over the years: the dose of its
policy texts, and the approval year of pilots approved in July to December.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..engines.heterogeneity_design import Heterogeneity
from ..fit import DEFAULTS
from ..options import Options
from ..panel.pair_panel import PairPanel
from ..results import FitResult, NotEstimable, NotRun
from .heterogeneity_fit import fit_heterogeneity


def fit_dose(
    panel: PairPanel, dose: np.ndarray, options: Options = DEFAULTS
) -> dict[tuple[str, int], FitResult]:
    """Two-way fixed effects of treatment and of treatment times dose, for every outcome of a panel.

    Parameters
    ----------
    panel : PairPanel
    dose : (N, T) float array
        As `build_dose` gives it; under the permutation a city's whole record of admission and dose
        moves.
    options : Options

    Returns
    -------
    dict
        FitResult by ("twfe", outcome) with the terms ``treated`` (at the mean dose) and ``dose`` (a
        standard deviation more).

    Raises
    ------
    NotEstimable
        If the two cannot be told apart.
    """
    return _fit_city_paths(panel, (_treated_path(panel), dose), ("treated", "dose"), options)


def fit_without_approval_year(
    panel: PairPanel, is_second_half: np.ndarray, options: Options = DEFAULTS
) -> dict[tuple[str, int], FitResult]:
    """Two-way fixed effects in which the year before the first treated one has a coefficient of its
    own for second-half pilots: it is neither treated nor control, its base lies before it.

    On a balanced panel that equals leaving the pair-years out: a coefficient for one cohort in one
    year takes them from all others. Under the permutation a city's whole record moves, with the
    half of the year of its approval.

    Parameters
    ----------
    panel : PairPanel
        Without controls; first treated years are those after the year of approval for second-half
        pilots.
    is_second_half : (N,) bool array
    options : Options

    Returns
    -------
    dict
        FitResult by ("twfe", outcome) with the terms ``treated`` and ``approval_year_<year>``.

    Raises
    ------
    NotEstimable
        If the two cannot be told apart, or no pilot was approved in the second half of a year of
        the panel.
    """
    is_pilot = panel.city_cohort > 0
    approval = (panel.years[None, :] == panel.city_cohort[:, None] - 1) & (
        is_second_half & is_pilot
    )[:, None]
    if not approval.any():
        raise NotEstimable(
            "no pilot of the sample was approved in July to December of a year of the window: the "
            "headline has no such year"
        )
    # a coefficient of its own for each cohort: only then no year of one is compared with that of
    # another
    years = np.flatnonzero(approval.any(axis=0))
    paths = (_treated_path(panel), *(approval & (np.arange(len(panel.years)) == t) for t in years))
    terms = ("treated", *(f"approval_year_{panel.years[t]}" for t in years))
    return _fit_city_paths(panel, paths, terms, options)


def _treated_path(panel: PairPanel) -> np.ndarray:
    """Whether a city has been admitted by a year of the panel; shape (N, T) bool."""
    return (panel.city_cohort > 0)[:, None] & (panel.years[None, :] >= panel.city_cohort[:, None])


def _fit_city_paths(
    panel: PairPanel,
    paths: Sequence[np.ndarray],
    terms: tuple[str, ...],
    options: Options,
) -> dict[tuple[str, int], FitResult]:
    """Two-way fixed effects on paths (N, T) that move with a city's admission under the
    permutation, each coefficient under its own name.
    """
    path = np.stack(paths, axis=2).astype(float)
    moderation = Heterogeneity("twfe", city_path=path, path_names=terms, are_strengths=False)
    results = fit_heterogeneity(panel, [moderation], options=options)
    for result in results.values():
        if isinstance(result, NotRun):
            raise NotEstimable(result.reason)
    return results
