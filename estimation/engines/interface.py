"""What every engine returns: sums of pair statistics by city and cell, from which coefficients,
influence, refits and variances follow without the pairs.

`arrays` adds listed pairs up, `all_pairs` the series of the units.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from scipy.sparse import csr_array

from .arrays import PairStatistics, bincount_columns


@dataclass(frozen=True)
class CitySums:
    """Sums of pair statistics by city and group, K rows in ascending order of both.

    Attributes
    ----------
    city, group : (K,) int arrays
    sums : (K, D) float array
    inside : (R, G, D) float array
        Over the pairs with both cities in a province.
    part_row, part_province : (L,) int arrays
        Row and partners' province, 0..R-1, of each part of a row, but for the city's own.
    parts : (L, d) float array
        The first d statistics of each part: those that hold no outcome.
    province : (N,) int array
    """

    city: np.ndarray
    group: np.ndarray
    sums: np.ndarray
    inside: np.ndarray
    part_row: np.ndarray
    part_province: np.ndarray
    parts: np.ndarray
    province: np.ndarray

    def weigh(self, provinces: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Return the first statistics of each city's rows times the weights (1 + R, G, d, T, C) of
        their groups, over all pairs and then over those without a city in each of R provinces; (1 +
        R, N, T, C).
        """
        n_samples, n_groups, d, *shape = weights.shape
        n_provinces, n_cities = len(self.inside), len(self.province)
        sample_without = np.full(n_provinces, -1)
        sample_without[provinces] = np.arange(1, n_samples)
        left = np.repeat(self.sums[None, :, :d], n_samples, axis=0)
        of_part, of_row = (
            sample_without[found] for found in (self.part_province, self.province[self.city])
        )
        goes = of_part > 0
        left[of_part[goes], self.part_row[goes]] -= self.parts[goes]
        goes = of_row > 0
        left[of_row[goes], goes] = 0.0
        # a row for each city, a column for each statistic of each group, sample after sample
        samples = np.arange(n_samples)[:, None]
        columns = (self.group[:, None] * d + np.arange(d)).ravel() + samples * n_groups * d
        starts = d * np.searchsorted(self.city, np.arange(n_cities))
        starts = np.append(starts + samples * len(self.city) * d, left.size)
        shape_of_rows = (n_samples * n_cities, n_samples * n_groups * d)
        rows = csr_array((left.ravel(), columns.ravel(), starts), shape_of_rows)
        found = rows @ weights.reshape(shape_of_rows[1], -1)
        return found.reshape(n_samples, n_cities, *shape)

    def kinds(self) -> tuple[CitySums, np.ndarray]:
        """Return sums of the first city of each kind, and how many cities (N,) are of it: those of
        one province whose first statistics are the same numbers in every row and part.
        """
        if self.parts.shape[1] > 1:
            # gaps and controls leave no two cities alike
            return self, np.ones(len(self.province))
        (n_provinces, n_groups), n = self.inside.shape[:2], len(self.province)
        # what a city has where: its rows, their parts, and its province
        city = np.concatenate([self.city, self.city[self.part_row], np.arange(n)])
        places = n_groups + self.group[self.part_row] * n_provinces + self.part_province
        last = n_groups * (n_provinces + 1)
        places = np.concatenate([self.group, places, np.full(n, last)])
        counts = np.concatenate([self.sums[:, 0], self.parts[:, 0], self.province])
        numbers = csr_array((counts, (city, places)), shape=(n, last + 1))
        # the same numbers have the same sum, but not the other way round
        guess = numbers @ np.sqrt(np.arange(2.0, last + 3))
        _, first, which = np.unique(guess, return_index=True, return_inverse=True)
        of_kind = first[which.reshape(-1)]
        is_other = (numbers != numbers[of_kind]).sum(axis=1) > 0
        of_kind[is_other] = np.flatnonzero(is_other)
        count = np.bincount(of_kind, minlength=n)
        chosen = np.flatnonzero(count)
        return self._of_cities(chosen), count[chosen].astype(float)

    def _of_cities(self, chosen: np.ndarray) -> CitySums:
        """Return the rows and parts of some cities alone."""
        is_chosen = np.zeros(len(self.province), dtype=bool)
        is_chosen[chosen] = True
        rows = is_chosen[self.city]
        parts = rows[self.part_row]
        new_city, new_row = np.cumsum(is_chosen) - 1, np.cumsum(rows) - 1
        return CitySums(
            new_city[self.city[rows]],
            self.group[rows],
            self.sums[rows],
            self.inside,
            new_row[self.part_row[parts]],
            self.part_province[parts],
            self.parts[parts],
            self.province[chosen],
        )


def sum_city_groups(
    values: np.ndarray,
    city_i: np.ndarray,
    city_j: np.ndarray,
    group: np.ndarray,
    province: np.ndarray,
    shape: tuple[int, int],
) -> CitySums:
    """Return sums of the statistics of pairs.

    Parameters
    ----------
    values : (P, D) float array
    city_i, city_j, group : (P,) int arrays
    province : (N,) int array
        0..R-1.
    shape : (G, d)

    Returns
    -------
    CitySums
    """
    n_groups, n_provinces = shape[0], int(province.max()) + 1
    n_keys = len(province) * n_groups * n_provinces
    keys = [
        (city * n_groups + group) * n_provinces + province[partner]
        for city, partner in ((city_i, city_j), (city_j, city_i))
    ]
    present = np.zeros(n_keys, dtype=bool)
    present[keys[0]] = present[keys[1]] = True
    found, place = np.flatnonzero(present), np.empty(n_keys, dtype=np.int32)
    place[found] = np.arange(len(found))
    parts = sum(bincount_columns(values, place[key], (1, len(found)))[0] for key in keys)
    row_key, partners = np.divmod(found, n_provinces)
    rows, part_row = np.unique(row_key, return_inverse=True)
    sums = np.add.reduceat(parts, np.searchsorted(row_key, rows), axis=0)
    city, group = np.divmod(rows, n_groups)
    # a pair inside a province stands with either of its cities
    own = province[city[part_row]]
    same = own == partners
    place = (own * n_groups + group[part_row])[same]
    inside = bincount_columns(parts[same], place, (n_provinces, n_groups)) / 2
    rest = part_row[~same], partners[~same], np.ascontiguousarray(parts[~same, : shape[1]])
    return CitySums(city, group, sums, inside, *rest, province)


@dataclass(frozen=True)
class SampleSums:
    """Sums of the kept pairs' statistics by block and group (a cell), from which every refit
    starts.

    Attributes
    ----------
    totals : (C, G, D) float array
    by_city : (N, C, G, D) float array
        Of the pairs that contain a city.
    cities : CitySums
        The same by the partners' provinces.
    """

    totals: np.ndarray
    by_city: np.ndarray
    cities: CitySums

    @classmethod
    def of(cls, cities: CitySums, shape: tuple[int, int]) -> SampleSums:
        """From sums by city, of C blocks and G groups."""
        by_city = np.zeros((len(cities.province), shape[0] * shape[1], cities.sums.shape[1]))
        by_city[cities.city, cities.group] = cities.sums
        by_city = by_city.reshape(-1, *shape, cities.sums.shape[1])
        # every pair stands with either of its cities
        return cls(by_city.sum(axis=0) / 2, by_city, cities)


@dataclass(frozen=True)
class Units:
    """The cities of a sample whose pairs are not listed; in the place of a `PairPanel`."""

    city_ids: np.ndarray
    years: np.ndarray
    city_cohort: np.ndarray
    province: np.ndarray | None = None
    pilots_known: bool = field(default=True, init=False)
    exposure: str = field(default="one", init=False)
    controls: None = field(default=None, init=False)
    weight: None = field(default=None, init=False)

    @property
    def n_cities(self) -> int:
        """Number of cities."""
        return len(self.city_cohort)


@dataclass(frozen=True)
class SummedSample:
    """All pairs of units in all years, added up without listing them; in the place of a
    `FitSample`.

    Attributes
    ----------
    panel : Units
    statistics : PairStatistics
        Basis and layout; its values are empty.
    sums : SampleSums
        By cohort group.
    group_years : (G,) int array
    city_group : (N,) int array
    squares : callable
        Weights (G + 1, D, R) of the statistics to the sums (R,) of squared influences.
    means_with_never : (N, T) float array
        Mean outcome of a city over its pairs with never-treated cities, up to a constant; NaN
        without one.
    n_always_treated : int
        Pairs treated in every year.
    size : float
        Largest absolute value of the outcome, at most 1.
    """

    panel: Units
    statistics: PairStatistics
    sums: SampleSums
    group_years: np.ndarray
    city_group: np.ndarray
    squares: Callable[[np.ndarray], np.ndarray]
    means_with_never: np.ndarray
    n_always_treated: int
    size: float
    outcomes: tuple[int, ...] = field(default=(0,), init=False)
    tie_quantile: None = field(default=None, init=False)
    n_partners: None = field(default=None, init=False)
    control_pairs: str = field(default="never_treated", init=False)
    n_single_year: int = field(default=0, init=False)
    is_balanced: bool = field(default=True, init=False)
    # a permutation needs pairs that are listed
    has_draws: bool = field(default=False, init=False)

    def size_of(self, outcome: int) -> float:
        """Return the size of the one outcome."""
        return self.size

    @property
    def n_groups(self) -> int:
        """Groups with the never-treated one."""
        return len(self.group_years) + 1

    @property
    def n_pairs(self) -> int:
        """Pairs of the sample."""
        return round(float(self.sums.totals[0, :, 0].sum()))

    @property
    def n_obs(self) -> int:
        """Pair-years of the sample."""
        return self.n_pairs * len(self.panel.years)

    @cached_property
    def holds_kept_pair(self) -> np.ndarray:
        """Cities that hold a pair; shape (N,) bool."""
        return self.sums.by_city[:, 0, :, 0].sum(axis=1) > 0.5

    @property
    def seen(self) -> np.ndarray:
        """The same, and those whose only pairs are of two pilots."""
        return self.holds_kept_pair | (self.panel.city_cohort > 0)

    @property
    def kept_groups(self) -> np.ndarray:
        """Groups of the pairs, ascending."""
        return np.flatnonzero(self.sums.totals[0, :, 0] > 0.5)

    @property
    def has_never_treated(self) -> bool:
        """Whether a pair is never treated."""
        return 0 in self.kept_groups

    def pilots_in_cells(self, in_cells: np.ndarray) -> np.ndarray:
        """Return whether a pilot has pairs of a group with cells (G, T, L) of each coefficient;
        shape (N, L) bool.
        """
        has_pairs = self.sums.by_city[:, 0, :, 0] > 0.5
        has_pairs[self.panel.city_cohort == 0] = False
        return has_pairs[:, 1:] @ in_cells[1:].any(axis=1)
