"""A fitted estimator as its influence values by pair: the form that every variance estimator reads.

An estimator gives an `InfluenceFit` for each outcome.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..engines.interface import SummedSample
from ..engines.regressors import Design, Term
from ..engines.solve import with_loadings
from ..panel.fit_sample import FitSample
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
        Pilots observed in the cells of a coefficient, and their provinces (0 without codes).
    provinces : Refits or None
        Coefficients without each province.
    cities : Refits
        Coefficients without each city.
    cohort_means : (pairs (G + 1,), means (G + 1, T)), optional
        Kept pairs and mean outcomes less pair means by cohort group, where every kept pair has
        every year.
    squares : (C,) float array, optional
        Sum of squared influences; from `psi` where it is given.
    cohorts : tuple of arrays, length C, optional
        First treated years in the cells of each coefficient; None: all that are observed then.
    """

    terms: tuple[Term, ...]
    labels: tuple[str, ...]
    columns: np.ndarray
    estimate: np.ndarray
    psi: np.ndarray | None
    city_sums: np.ndarray
    n_pilots: np.ndarray
    n_pilot_provinces: np.ndarray
    provinces: Refits | None
    cities: Refits
    cohort_means: tuple[np.ndarray, np.ndarray] | None = None
    squares: np.ndarray | None = None
    cohorts: tuple[np.ndarray, ...] | None = None

    def __post_init__(self) -> None:
        """Squares follow from the influence where it is listed."""
        if self.squares is None:
            object.__setattr__(self, "squares", (self.psi**2).sum(axis=0))


def pilots_in_cells(sample: FitSample | SummedSample, design: Design) -> np.ndarray:
    """Whether a pilot is observed in the cells of each coefficient, in a kept pair; shape (N, L)
    bool.
    """
    if isinstance(sample, SummedSample):
        return sample.pilots_in_cells(design)
    panel = sample.panel
    treated = np.flatnonzero(sample.kept & (sample.pair_group > 0))
    i, j = panel.city_i[treated], panel.city_j[treated]
    in_cells = (with_loadings(design.x) != 0).any(axis=0)
    n_groups, n_years, _ = in_cells.shape
    result = np.zeros((panel.n_cities, in_cells.shape[2]), dtype=bool)
    sides = ((np.where(panel.city_cohort[i] > 0, i, j)),) if panel.exposure == "one" else (i, j)
    group = design.cells(sample.pair_group, panel.city_i, panel.city_j)[treated] % n_groups
    observed = sample.observed[treated]
    for pilot in sides:
        # years in which a pilot is observed in a pair of its group
        seen = np.zeros((panel.n_cities * n_groups, n_years), dtype=bool)
        place = pilot * n_groups + group
        for t in range(n_years):
            seen[place[observed[:, t]], t] = True
        for g in np.unique(group):
            result |= seen[g::n_groups] @ in_cells[g]
    return result


def count_provinces(sample: FitSample, pilots: np.ndarray) -> np.ndarray:
    """Provinces of the pilots of each coefficient, given as (N, C) bool; shape (C,), zero without
    codes.
    """
    if sample.panel.province is None:
        return np.zeros(pilots.shape[1], dtype=np.int64)
    return np.array(
        [len(np.unique(sample.panel.province[column])) for column in pilots.T], dtype=np.int64
    )


def sum_by_city(
    psi: np.ndarray, city_i: np.ndarray, city_j: np.ndarray, n_cities: int
) -> np.ndarray:
    """Sum of the influence values of the pairs that contain each city.

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
