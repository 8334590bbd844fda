"""Cells of pairs: a pair's treatment depends on its two cities' cohorts alone, so all pairs of two
cohorts are one cell.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class PairCells:
    """The C cells of the chosen exposures.

    Attributes
    ----------
    groups : (C, 2) int array
        Groups of the two cities, the smaller first; group 0 is never treated.
    first, second : (C,) int arrays
        First treated year of the pair, and the year in which both are treated; 0 where there is
        none.
    n_groups : int
        With the never-treated one.
    """

    groups: np.ndarray
    first: np.ndarray
    second: np.ndarray
    n_groups: int

    @property
    def is_treated(self) -> np.ndarray:
        """Cells with a pilot; shape (C,) bool."""
        return self.first > 0

    @property
    def is_both(self) -> np.ndarray:
        """Cells of two pilots; shape (C,) bool."""
        return self.second > 0


def build_pair_cells(
    group_years: np.ndarray, years: np.ndarray, exposures: tuple[str, ...]
) -> PairCells:
    """Cells of the chosen exposures, pairs without a pilot first.

    Parameters
    ----------
    group_years : (G,) int array
    years : (T,) int array
    exposures : tuple of str
        Of none, one and both.
    """
    numbers = range(len(group_years) + 1)
    chosen = [
        pair
        for pair in itertools.combinations_with_replacement(numbers, 2)
        if _exposure(pair) in exposures
    ]
    groups = np.array(chosen, dtype=np.int64).reshape(-1, 2)
    cohort = np.concatenate([[0], group_years])[groups]
    first = np.where(
        groups[:, 0] > 0, cohort.min(axis=1, initial=years[-1] + 1), cohort.max(axis=1, initial=0)
    )
    second = np.where(groups[:, 0] > 0, cohort.max(axis=1, initial=0), 0)
    return PairCells(groups, first, second, len(numbers))


def _exposure(pair: tuple[int, int]) -> str:
    return ("none", "one", "both")[(pair[0] > 0) + (pair[1] > 0)]


def cell_counts(counts: np.ndarray, cells: PairCells) -> np.ndarray:
    """Pairs of each cell from the cities of each group; (R, G) to (R, C)."""
    a, b = cells.groups.T
    return np.where(a == b, counts[:, a] * (counts[:, a] - 1) / 2, counts[:, a] * counts[:, b])


def cell_sums(totals: np.ndarray, cells: PairCells) -> np.ndarray:
    """Sums over the pairs of each cell from sums over ordered pairs; (R, G, G, T) to (R, C, T)."""
    a, b = cells.groups.T
    return totals[:, a, b] * np.where(a == b, 0.5, 1.0)[None, :, None]
