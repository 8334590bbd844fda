"""How many treated cities identify a coefficient: what its degrees of freedom rest on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..engines.interface import SummedSample
from ..engines.regressors import Design
from ..engines.solve import with_loadings
from ..panel.fit_sample import FitSample
from .dyadic_df import dyadic_df


@dataclass(frozen=True)
class TreatedCounts:
    """Treated cities behind each of L coefficients and, last, behind any of them.

    Attributes
    ----------
    pilots, provinces : (L + 1,) int arrays
        Pilots that help to identify the coefficient, and their provinces (0 without codes).
    effective : (L + 1,) float array
        What stands for the number of treated cities in degrees of freedom: the pilots, or, where
        treatment is by pair, how many cities treated one by one the pairs that help to identify the
        coefficient weigh as much as (`dyadic_df` plus one).
    """

    pilots: np.ndarray
    provinces: np.ndarray
    effective: np.ndarray

    def fewest(self, combine: np.ndarray) -> TreatedCounts:
        """Return the counts of terms that combine (C, L + 1) the coefficients: the fewest among
        those of a term.
        """

        def of_terms(count: np.ndarray) -> np.ndarray:
            return np.array([count[row != 0].min() for row in combine], dtype=count.dtype)

        return TreatedCounts(
            of_terms(self.pilots), of_terms(self.provinces), of_terms(self.effective)
        )


def count_treated(
    sample: FitSample | SummedSample, design: Design, compared: np.ndarray | None = None
) -> TreatedCounts:
    """Count the treated cities that help to identify each coefficient.

    A city does if one of its kept pairs is observed in a cell of the coefficient and in a year that
    the cell is compared with. A city whose pairs are observed after its admission alone tells
    nothing of the effect and must not count for degrees of freedom.

    Parameters
    ----------
    sample : FitSample or SummedSample
    design : Design
    compared : (G, T, T) bool array, optional
        The years that the cell of a group and a year is compared with, as `compared_years` gives
        them; None: those in which the group has no regressor.
    """
    in_cells = (with_loadings(design.x) != 0).any(axis=0)
    in_cells = np.dstack([in_cells, np.any(in_cells, axis=2)])
    if compared is None:
        compared = np.repeat(~in_cells[:, None, :, -1], in_cells.shape[1], axis=1)
    if isinstance(sample, SummedSample):
        pilots = sample.pilots_in_cells(in_cells & compared.any(axis=2, keepdims=True))
        effective = pilots.sum(axis=0).astype(float)
    else:
        i, j = sample.panel.city_i, sample.panel.city_j
        group = design.cells(sample.pair_group, i, j) % len(in_cells)
        pairs = _identifying_pairs(sample, group, in_cells, compared)
        pilots = _pilots_of(sample, pairs)
        effective = pilots.sum(axis=0).astype(float)
        if not sample.panel.pilots_known:
            for c in np.flatnonzero(pairs.any(axis=0)):
                found = pairs[:, c]
                ones = np.ones((int(found.sum()), 1))
                effective[c] = 1 + dyadic_df(ones, i[found], j[found], sample.panel.n_cities)[0]
    count, province = pilots.sum(axis=0), sample.panel.province
    provinces = np.zeros_like(count)
    if province is not None:
        provinces = np.array([len(np.unique(province[held])) for held in pilots.T])
    return TreatedCounts(count, provinces, effective)


def _identifying_pairs(
    sample: FitSample, group: np.ndarray, in_cells: np.ndarray, compared: np.ndarray
) -> np.ndarray:
    """Return whether a kept pair of a treated group (P,) is observed in the cells (G, T, L) of each
    coefficient and in a year that they are compared with (G, T, T); shape (P, L) bool.
    """
    found = np.zeros((len(group), in_cells.shape[2]), dtype=bool)
    treated = sample.kept & (sample.pair_group > 0)
    for g in np.unique(group[treated]):
        pairs = np.flatnonzero(treated & (group == g))
        observed = sample.observed[pairs]
        for t in np.flatnonzero(in_cells[g].any(axis=1)):
            both = observed[:, t] & observed[:, compared[g, t]].any(axis=1)
            found[pairs[both]] |= in_cells[g, t]
    return found


def _pilots_of(sample: FitSample, pairs: np.ndarray) -> np.ndarray:
    """Return whether a pilot holds one of the pairs (P, L) of each coefficient; shape (N, L) bool.
    Where a pair is treated by one of its cities, that is its pilot; else both are.
    """
    panel = sample.panel
    is_first = panel.city_cohort[panel.city_i] > 0
    found = np.zeros((panel.n_cities, pairs.shape[1]), dtype=bool)
    for c in range(pairs.shape[1]):
        chosen = pairs[:, c]
        i, j = panel.city_i[chosen], panel.city_j[chosen]
        if panel.exposure == "one":
            found[np.where(is_first[chosen], i, j), c] = True
        else:
            found[i, c] = found[j, c] = True
    return found
