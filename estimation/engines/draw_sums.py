"""Sum pair statistics by city and group under reassigned admissions, many draws at a time."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from ..panel.fit_sample import FitSample
from ..panel.pair_panel import number_provinces
from ..panel.partners import partner_order
from .arrays import PairStatistics
from .draw_order import move_pairs
from .records import DrawnPairs, RankedTies
from .regressors import Design


class SumsOfDraws:
    """Sums of B draws.

    Attributes
    ----------
    by_city : (B, len(used), U, N) float array
        Over the pairs of a city in each cell.
    used : int array
        Which of the D statistics are summed.
    cells : (U, 2) int array
        Block and group of each cell.
    shape : (C, G, D)
    inside : (B, R, C, G, D) float array
        Over the pairs with both cities in a province; R = 0 where they are not asked for.
    province : (N,) int array
        0..R-1.
    """

    def __init__(
        self,
        by_city: np.ndarray,
        used: np.ndarray,
        cells: np.ndarray,
        shape: tuple[int, int, int],
        inside: np.ndarray,
        province: np.ndarray,
    ) -> None:
        self.by_city, self.used, self.cells, self.shape = by_city, used, cells, shape
        self.inside, self.province = inside, province

    @cached_property
    def totals(self) -> np.ndarray:
        """Sums (B, C, G, D) over all pairs: each stands with either of its cities."""
        return self._in_shape(self.by_city.sum(axis=3).swapaxes(1, 2)) / 2

    def without_provinces(self) -> tuple[np.ndarray, np.ndarray]:
        """Return sums (B, R, C, G, D) without each province, and whether it can go (B, R): it holds
        a pair and leaves a treated one.
        """
        member = np.eye(self.inside.shape[1])[self.province]
        n_draws, n_used, n_cells, n_cities = self.by_city.shape
        by_province = self.by_city.reshape(n_draws, -1, n_cities) @ member
        by_province = by_province.reshape(n_draws, n_used, n_cells, -1)
        by_province = self._in_shape(by_province.transpose(0, 3, 2, 1))
        deleted = self.totals[:, None] - (by_province - self.inside)
        holds = by_province[..., 0].sum(axis=(2, 3)) > 0.5
        return deleted, holds & (deleted[:, :, :, 1:, 0].sum(axis=(2, 3)) > 0.5)

    def squares(self, weights: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """Return sums (B, L) of the squared influence of each city's pairs, from weights (B, C, G,
        d, L) of the d statistics in these columns of the D.
        """
        block, group = self.cells.T
        own = weights[:, block, group].transpose(0, 3, 2, 1)
        (n_draws, n_terms), n_cities = own.shape[:2], self.by_city.shape[3]
        scores, place = 0.0, np.searchsorted(self.used, columns)
        # statistics that stand side by side need no copy
        for run in np.split(np.arange(len(place)), np.flatnonzero(np.diff(place) != 1) + 1):
            given = self.by_city[:, place[run[0]] : place[run[-1]] + 1]
            flat = given.reshape(n_draws, -1, n_cities)
            scores = scores + own[:, :, run].reshape(n_draws, n_terms, -1) @ flat
        return np.einsum("bln,bln->bl", scores, scores)

    def _in_shape(self, of_cells: np.ndarray) -> np.ndarray:
        """Return sums (..., C, G, D) from those (..., U, len(used)) of cells; zero where not
        used.
        """
        found = np.zeros((*of_cells.shape[:-2], *self.shape))
        block, group = self.cells.T[:, :, None]
        found[..., block, group, self.used] = of_cells
        return found


class PairDraws:
    """Sums of a sample's listed pairs under any assignment; the sample rule is applied anew.

    Attributes
    ----------
    province : (N,) int array
        0..R-1; all 0 where no sums by province are asked for.
    n_provinces : int
        R; 0 without.
    shape : (C, G, D)
    cells : (U, 2) int array
        Block and group of the cells that have pairs.
    """

    def __init__(
        self,
        sample: FitSample,
        design: Design,
        statistics: PairStatistics,
        has_tests: bool,
        is_weighted: bool,
    ) -> None:
        panel, self.sample = sample.panel, sample
        order = np.flatnonzero(sample.candidate)
        if sample.tie_quantile is not None:
            order = order[np.argsort(panel.tie[order], kind="stable")]
        self.pairs = pairs = _drawn_pairs(sample, design, statistics, order)
        self.province = np.zeros(panel.n_cities, dtype=np.int64)
        self.n_provinces = 0
        if has_tests and panel.province is not None:
            self.province = number_provinces(panel.province, panel.n_cities)
            self.n_provinces = int(self.province.max()) + 1
        self.shape = (design.n_blocks, design.n_groups, statistics.layout.size)
        self.cells = np.stack(np.indices(self.shape[:2]), axis=-1).reshape(-1, 2)
        kept = np.flatnonzero(sample.kept[order])
        start = 0 if sample.tie_quantile is None else int(kept[0]) if len(kept) else len(order)
        self.moved, self.order = None, np.arange(panel.n_cities)
        is_plain = panel.exposure == "one" and sample.n_partners is None and panel.pilots_known
        if is_plain and not is_weighted:
            n_types = (design.n_groups - 1) // design.n_classes
            self.moved, self.cells, self.order = move_pairs(pairs, start, self.province, n_types)
        if not panel.pilots_known:
            self.group_of = np.full((panel.n_cities, panel.n_cities), -1)
            self.group_of[panel.city_i, panel.city_j] = sample.pair_group
            self.group_of[panel.city_j, panel.city_i] = sample.pair_group
        self.ties = None if sample.tie_quantile is None else self._ties(panel.tie[order])

    def of(
        self,
        labels: np.ndarray,
        weights: np.ndarray | None,
        used: np.ndarray,
        is_tested: bool = True,
    ) -> SumsOfDraws:
        """Return sums of the used ones of the D statistics under labels (B, N), inside provinces
        only where a test is drawn; a pair counts the product of its cities' weights (B, N).
        """
        from . import loops  # importing numba takes as long as a small fit

        pairs, sample = self.pairs, self.sample
        kept = np.zeros((len(labels), 1), dtype=np.int64)
        if self.ties is not None:
            loops.first_kept(labels, self.ties, kept)
        by_city = np.zeros((len(labels), len(used), len(self.cells), len(self.province)))
        inside = np.zeros((len(labels), self.n_provinces * is_tested, *self.shape))
        province = self.province[self.order]
        sums = SumsOfDraws(by_city, used, self.cells, self.shape, inside, province)
        if self.moved is not None:
            loops.sum_moved(labels, kept[:, 0], used, pairs, self.moved, by_city)
            if inside.shape[1]:
                loops.sum_inside(labels, kept[:, 0], pairs, self.moved, self.province, inside)
            return sums
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
        in_cells = by_city.reshape(len(labels), len(used), *self.shape[:2], -1)
        loops.sum_pairs(group, weights, used, pairs, self.province, in_cells, inside)
        return sums

    def size_of(self, n_used: int) -> int:
        """Return numbers that a draw of so many statistics holds, roughly."""
        n_pairs = len(self.pairs.first) if self.moved is None else 0
        return n_used * len(self.cells) * len(self.province) + n_pairs

    def _partners(self, labels: np.ndarray) -> np.ndarray:
        """Return pairs (B, P) in which one city is among the other's strongest never-treated
        partners.
        """
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
