"""How richly a pilot's policy texts are written, as a dose of its treatment: the effect at the mean
dose, and its slope over the dose.
"""

from __future__ import annotations

import numpy as np

from ..fit import DEFAULTS
from ..options import Options
from ..panel.pair_panel import PairPanel
from ..results import FitResult
from .city_paths import fit_city_paths, treated_path


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
    return fit_city_paths(panel, "dose", (treated_path(panel), dose), ("treated", "dose"), options)
