"""A fitted estimator as its influence values by pair: the form that every variance estimator reads.

An estimator gives an `InfluenceFit` for each outcome.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..engines.regressors import Term
from .jackknife import Refits


@dataclass(frozen=True)
class InfluenceFit:
    """Coefficients of one outcome with everything that inference needs; C coefficients, treatment
    first, then controls.

    Attributes
    ----------
    terms : tuple of (term, cohort_year, event_time), length C
    labels : tuple of str, length C
        Texts for diagnostics.
    columns : (C,) int array
        Positions in the refits and draws; -1 for controls, which are not permuted.
    estimate : (C,) float array
    psi : (P_kept, C) float array or None
        Total influence of each kept pair: estimate - truth is about the sum over pairs. None where
        pairs are not listed.
    city_sums : (N, C) float array
        Sum of psi over the pairs that contain a city.
    n_pilots, n_pilot_provinces : (C,) int arrays
        Pilots that help to identify a coefficient, and their provinces (0 without codes).
    n_treated : (C,) float array
        What stands for the number of treated cities in degrees of freedom; see `TreatedCounts`.
    provinces : Refits or None
        Coefficients without each province.
    cities : Refits
        Coefficients without each city.
    cohort_means : (pairs (G + 1,), means (G + 1, T)), optional
        Kept pairs and mean outcomes less pair means by cohort group, where every kept pair has
        every year.
    squares : (C,) float array, optional
        Sum of squared influences; from `psi` where it is given.
    """

    terms: tuple[Term, ...]
    labels: tuple[str, ...]
    columns: np.ndarray
    estimate: np.ndarray
    psi: np.ndarray | None
    city_sums: np.ndarray
    n_pilots: np.ndarray
    n_pilot_provinces: np.ndarray
    n_treated: np.ndarray
    provinces: Refits | None
    cities: Refits
    cohort_means: tuple[np.ndarray, np.ndarray] | None = None
    squares: np.ndarray | None = None

    def __post_init__(self) -> None:
        """Squares follow from the influence where it is listed."""
        if self.squares is None:
            object.__setattr__(self, "squares", (self.psi**2).sum(axis=0))


def sum_by_city(
    psi: np.ndarray, city_i: np.ndarray, city_j: np.ndarray, n_cities: int
) -> np.ndarray:
    """Return the sum of the influence values of the pairs that contain each city.

    Parameters
    ----------
    psi : (P, C) float array
    city_i, city_j : (P,) int arrays
    n_cities : int

    Returns
    -------
    (N, C) float array
    """
    sums = [
        np.bincount(city_i, column, n_cities) + np.bincount(city_j, column, n_cities)
        for column in psi.T
    ]
    return np.stack(sums, axis=1)
