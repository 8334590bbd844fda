"""Sums of pair statistics under reassigned admissions, by city and group, for many draws at a
time.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable

import numpy as np

from ..panel.fit_sample import FitSample
from ..panel.pair_panel import number_provinces
from ..panel.partners import partner_order
from .arrays import PairStatistics
from .moved import move_pairs
from .records import DrawnPairs, RankedTies
from .regressors import Design


class SumsOfDraws(ABC):
    """Sums of B draws.

    Attributes
    ----------
    by_province : (B, R, C, G, D) float array
        Over the pairs of the cities of a province; R = 1 without provinces.
    inside : (B, R, C, G, D) float array
        Over the pairs with both cities in a province; R = 0 where they are not asked for.
    """

    def __init__(self, by_province: np.ndarray, inside: np.ndarray) -> None:
        self.by_province, self.inside = by_province, inside

    @property
    def totals(self) -> np.ndarray:
        """Sums (B, C, G, D) over all pairs: each stands with either of its cities."""
        return self.by_province.sum(axis=1) / 2

    def without_provinces(self) -> tuple[np.ndarray, np.ndarray]:
        """Sums (B, R, C, G, D) without each province, and whether it can go (B, R): it holds a pair
        and leaves a treated one.
        """
        deleted = self.totals[:, None] - (self.by_province - self.inside)
        holds = self.by_province[..., 0].sum(axis=(2, 3)) > 0.5
        return deleted, holds & (deleted[:, :, :, 1:, 0].sum(axis=(2, 3)) > 0.5)

    @abstractmethod
    def squares(self, weights: np.ndarray, columns: np.ndarray, ends: np.ndarray) -> np.ndarray:
        """Sums (B, L) of the squared influence of each city's pairs.

        Parameters
        ----------
        weights : (B, C, G, d, L) float array
            Of the d statistics of an outcome in each coefficient.
        columns : (M, d) int array
            Where the statistics of each outcome lie among the D.
        ends : (M + 1,) int array
            Where the coefficients of each outcome begin and end among the L.
        """


class LoopSums(SumsOfDraws):
    """By a compiled loop over what is given."""

    def __init__(
        self, by_province: np.ndarray, inside: np.ndarray, score: Callable, given: tuple
    ) -> None:
        super().__init__(by_province, inside)
        self.score, self.given = score, given

    def squares(self, weights: np.ndarray, columns: np.ndarray, ends: np.ndarray) -> np.ndarray:
        """See `SumsOfDraws`."""
        found = np.zeros((len(weights), weights.shape[-1]))
        # by fours; those behind the last count nothing
        fours = np.pad(columns, ((0, 0), (0, -columns.shape[1] % 4)))
        if found.size:
            self.score(*self.given, weights, fours, ends, found)
        return found


class DrawnSums(ABC):
    """Sums under any assignment.

    Attributes
    ----------
    province : (N,) int array
        0..R-1; all 0 where no sums by province are asked for.
    n_provinces : int
        R; 0 without.
    shape : (C, G, D)
    """

    def __init__(
        self, province: np.ndarray, has_provinces: bool, shape: tuple[int, int, int]
    ) -> None:
        self.province = province if has_provinces else np.zeros_like(province)
        self.n_provinces = int(province.max()) + 1 if has_provinces else 0
        self.shape = shape

    @abstractmethod
    def of(self, labels: np.ndarray, weights: np.ndarray | None) -> SumsOfDraws:
        """Sums under labels (B, N); a pair counts the product of its cities' weights (B, N)."""

    @property
    @abstractmethod
    def size(self) -> int:
        """Numbers that a draw holds, roughly."""

    def zeros(self, n_draws: int) -> tuple[np.ndarray, np.ndarray]:
        """Room for sums by province and inside provinces."""
        return tuple(
            np.zeros((n_draws, n, *self.shape))
            for n in (max(self.n_provinces, 1), self.n_provinces)
        )


class PairDraws(DrawnSums):
    """Sums of a sample's listed pairs under any assignment; the sample rule is applied anew."""

    def __init__(
        self, sample: FitSample, design: Design, statistics: PairStatistics, has_tests: bool
    ) -> None:
        panel, self.sample = sample.panel, sample
        order = np.flatnonzero(sample.candidate)
        if sample.tie_quantile is not None:
            order = order[np.argsort(panel.tie[order], kind="stable")]
        self.pairs = pairs = _drawn_pairs(sample, design, statistics, order)
        super().__init__(
            number_provinces(panel.province, panel.n_cities),
            has_tests and panel.province is not None,
            (design.n_blocks, design.n_groups, statistics.layout.size),
        )
        self.n_terms = len(design.terms)
        kept = np.flatnonzero(sample.kept[order])
        start = 0 if sample.tie_quantile is None else int(kept[0]) if len(kept) else len(order)
        is_plain = panel.exposure == "one" and sample.n_partners is None and panel.pilots_known
        self.moved = move_pairs(pairs, start, self.province, design.n_blocks) if is_plain else None
        if not panel.pilots_known:
            self.group_of = np.full((panel.n_cities, panel.n_cities), -1)
            self.group_of[panel.city_i, panel.city_j] = sample.pair_group
            self.group_of[panel.city_j, panel.city_i] = sample.pair_group
        self.ties = None if sample.tie_quantile is None else self._ties(panel.tie[order])

    def of(self, labels: np.ndarray, weights: np.ndarray | None) -> SumsOfDraws:
        """See `DrawnSums`."""
        from . import loops  # importing numba takes as long as a small fit

        pairs, sample = self.pairs, self.sample
        kept = np.zeros((len(labels), 1), dtype=np.int64)
        if self.ties is not None:
            loops.first_kept(labels, self.ties, kept)
        if self.moved is not None and weights is None:
            given = labels, kept[:, 0], pairs, self.moved
            sums = self.zeros(len(labels))
            sums[0][:, :, :, 0] = self.moved.all_pairs
            loops.sum_moved(*given, *sums)
            return LoopSums(*sums, _score_moved, given)
        a, b = labels[:, pairs.first], labels[:, pairs.second]
        # groups ascend with their years, so the later of two admissions is the larger label
        group, is_both = np.maximum(a, b), (a > 0) & (b > 0)
        if not sample.panel.pilots_known:
            # labels are cities here: a pair is treated as that of the two whose places its own take
            group = self.group_of[a, b]
        elif sample.panel.exposure == "both":
            group[~is_both] = 0
        else:
            group[is_both | (np.arange(group.shape[1]) < kept)] = -1
        if sample.n_partners is not None:
            group[~self._partners(labels)] = -1
        weights = np.ones(labels.shape) if weights is None else weights
        group[np.isnan(weights[:, 0])] = -1
        given, sums = (group, weights, pairs), self.zeros(len(labels))
        loops.sum_pairs(*given, self.province, *sums)
        return LoopSums(*sums, loops.score_pairs, given)

    @property
    def size(self) -> int:
        """See `DrawnSums`."""
        sums = (2 * self.n_provinces + self.n_terms) * math.prod(self.shape)
        return sums + (len(self.pairs.first) if self.moved is None else 0)

    def _partners(self, labels: np.ndarray) -> np.ndarray:
        """Pairs (B, P) in which one city is among the other's strongest never-pilot partners."""
        panel, pairs = self.sample.panel, self.pairs
        tie = np.where(self.sample.candidate, panel.tie, np.nan)
        partners = partner_order(tie, panel.city_i, panel.city_j, panel.n_cities)
        city = np.arange(len(partners))[:, None]
        found = np.zeros((len(labels), len(pairs.first)), dtype=bool)
        for draw, label in enumerate(labels):
            never = (partners >= 0) & (label[partners] == 0)
            chosen = never & (np.cumsum(never, axis=1) <= self.sample.n_partners)
            found[draw, pairs.rank_of[city, partners][chosen]] = True
        return found

    def _ties(self, tie: np.ndarray) -> RankedTies:
        return RankedTies(
            self.pairs.rank_of[None],
            np.searchsorted(tie, tie, side="right")[None],
            np.array([len(tie)]),
            np.zeros(1, dtype=np.int64),
            np.array([float(self.sample.tie_quantile)]),
        )


def _score_moved(*given: np.ndarray) -> None:
    """`loops.score_moved`, which reads only the statistics of outcomes with a coefficient."""
    from . import loops

    (*pairs, weights, columns, ends, squares) = given
    used = np.unique(columns[np.diff(ends) > 0])
    first = np.flatnonzero(np.diff(used, prepend=-2) > 1)
    runs = np.stack([used[first], used[np.append(first[1:], len(used)) - 1] + 1], axis=1)
    loops.score_moved(*pairs, runs, weights, columns, ends, squares)


def _drawn_pairs(
    sample: FitSample, design: Design, statistics: PairStatistics, order: np.ndarray
) -> DrawnPairs:
    panel = sample.panel
    first, second, zeros = panel.city_i[order], panel.city_j[order], np.zeros(len(order), int)
    rank_of = np.full((panel.n_cities, panel.n_cities), -1, dtype=np.int64)
    rank_of[first, second] = rank_of[second, first] = np.arange(len(order))
    return DrawnPairs(
        first,
        second,
        np.ascontiguousarray(statistics.values[order]),
        rank_of,
        zeros if design.pair_class is None else design.pair_class[order],
        design.n_classes,
        zeros if design.block is None else design.block[order],
    )
