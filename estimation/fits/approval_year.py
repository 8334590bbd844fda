"""The effect without the approval year of pilots approved in July to December: neither treated nor
control, its base lies before it.
"""

from __future__ import annotations

import numpy as np

from ..fit import DEFAULTS
from ..options import Options
from ..panel.pair_panel import PairPanel
from ..results import FitResult, NotEstimable
from .city_paths import fit_city_paths, treated_path


def fit_without_approval_year(
    panel: PairPanel, is_second_half: np.ndarray, options: Options = DEFAULTS
) -> dict[tuple[str, int], FitResult]:
    """Two-way fixed effects in which the year before the first treated one has a coefficient of its
    own for second-half pilots.

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
    paths = (treated_path(panel), *(approval & (np.arange(len(panel.years)) == t) for t in years))
    terms = ("treated", *(f"approval_year_{panel.years[t]}" for t in years))
    return fit_city_paths(panel, "approval_year", paths, terms, options)
