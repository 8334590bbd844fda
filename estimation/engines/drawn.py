"""Sums of pair statistics under reassigned admissions, by city and group, for many draws at a
time.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np

from ..panel.fit_sample import FitSample
from ..panel.pair_panel import number_provinces
from ..panel.partners import partner_order
from .arrays import PairStatistics, bincount_columns
from .records import BaseSums, DrawnPairs, RankedTies
from .regressors import Design


class DrawnSums(ABC):
    """Sums under any assignment, by slot: the pairs of a city in a block.

    Attributes
    ----------
    slot_city, slot_block : (S,) int64 arrays
    province : (N,) int array or None
        0..R-1; None where no sums without provinces are asked for.
    n_provinces, n_blocks, n_groups, n_values : int
        R (0 without provinces), C, G and D.
    """

    def __init__(
        self,
        slot_city: np.ndarray,
        slot_block: np.ndarray,
        province: np.ndarray | None,
        shape: tuple[int, int, int],
    ) -> None:
        self.slot_city, self.slot_block, self.province = slot_city, slot_block, province
        self.n_provinces = 0 if province is None else int(province.max()) + 1
        self.n_blocks, self.n_groups, self.n_values = shape

    @abstractmethod
    def of(self, labels: np.ndarray, weights: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
        """Sums by slot (B, S, G, D) and inside provinces (B, R, C, G, D) under labels (B, N); a
        pair counts the product of its cities' weights (B, N).
        """

    @property
    def size(self) -> int:
        """Numbers that a draw's sums have."""
        places = len(self.slot_city) + 2 * self.n_provinces * self.n_blocks
        return places * self.n_groups * self.n_values

    def zeros(self, n_draws: int) -> tuple[np.ndarray, np.ndarray]:
        """Both sums, empty."""
        inside = (n_draws, self.n_provinces, self.n_blocks, self.n_groups, self.n_values)
        by_slot = (n_draws, len(self.slot_city), self.n_groups, self.n_values)
        return np.zeros(by_slot), np.zeros(inside)

    def by_province(self, by_slot: np.ndarray) -> np.ndarray:
        """Sums (B, R, C, G, D) over the pairs of the cities of a province; R = 1 without them."""
        from . import loops  # importing numba takes as long as a small fit

        n_provinces, place = max(self.n_provinces, 1), self.slot_block
        if self.province is not None:
            place = self.province[self.slot_city] * self.n_blocks + place
        found = np.zeros((len(by_slot), n_provinces * self.n_blocks, *by_slot.shape[2:]))
        loops.add_up(by_slot, place, found)
        return found.reshape(len(by_slot), n_provinces, self.n_blocks, *by_slot.shape[2:])

    def without_provinces(
        self, totals: np.ndarray, by_province: np.ndarray, inside: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Sums (B, R, C, G, D) without each province, and whether it can go (B, R): it holds a pair
        and leaves a treated one.
        """
        deleted = totals[:, None] - (by_province - inside)
        holds = by_province[..., 0].sum(axis=(2, 3)) > 0.5
        return deleted, holds & (deleted[:, :, :, 1:, 0].sum(axis=(2, 3)) > 0.5)


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
            pairs.slot_city,
            pairs.slot_block,
            pairs.province if has_tests and panel.province is not None else None,
            (design.n_blocks, design.n_groups, statistics.layout.size),
        )
        kept = np.flatnonzero(sample.kept[order])
        start = 0 if sample.tie_quantile is None else int(kept[0]) if len(kept) else len(order)
        self.base = self._base(start)
        if not panel.pilots_known:
            self.group_of = np.full((panel.n_cities, panel.n_cities), -1)
            self.group_of[panel.city_i, panel.city_j] = sample.pair_group
            self.group_of[panel.city_j, panel.city_i] = sample.pair_group
        self.ties = None if sample.tie_quantile is None else self._ties(panel.tie[order])

    def of(self, labels: np.ndarray, weights: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
        """See `DrawnSums`."""
        from . import loops  # importing numba takes as long as a small fit

        pairs, sample = self.pairs, self.sample
        by_slot, inside = self.zeros(len(labels))
        kept = np.zeros((len(labels), 1), dtype=np.int64)
        if self.ties is not None:
            loops.first_kept(labels, self.ties, kept)
        is_plain = sample.panel.exposure == "one" and sample.n_partners is None
        is_plain &= sample.panel.pilots_known
        if is_plain and weights is None:
            loops.sum_moved(labels, kept[:, 0], pairs, self.base, by_slot, inside)
            return by_slot, inside
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
        loops.sum_pairs(group, weights, pairs, by_slot, inside)
        return by_slot, inside

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

    def _base(self, start: int) -> BaseSums:
        """Sums over all candidate pairs, those of two pilots too, from a rank on."""
        pairs, values = self.pairs, self.pairs.values[start:]
        shape = (len(self.slot_city), pairs.n_classes)
        by_slot = sum(
            bincount_columns(values, side * pairs.n_classes + pairs.pair_class[start:], shape)
            for side in pairs.slot_of[start:].T
        )
        i, j = pairs.province[pairs.first[start:]], pairs.province[pairs.second[start:]]
        same = (i == j) & (self.n_provinces > 0)
        place = (i * self.n_blocks + pairs.block[start:])[same]
        inside = bincount_columns(values[same], place, (self.n_provinces, self.n_blocks))
        return BaseSums(start, by_slot, inside)


def _drawn_pairs(
    sample: FitSample, design: Design, statistics: PairStatistics, order: np.ndarray
) -> DrawnPairs:
    panel = sample.panel
    first, second, zeros = panel.city_i[order], panel.city_j[order], np.zeros(len(order), int)
    rank_of = np.full((panel.n_cities, panel.n_cities), -1, dtype=np.int64)
    rank_of[first, second] = rank_of[second, first] = np.arange(len(order))
    block = zeros if design.block is None else design.block[order]
    slots, n_blocks = np.arange(panel.n_cities), design.n_blocks
    slot_of = np.stack([first, second], axis=1)
    if n_blocks > 1:
        slots, slot_of = np.unique(slot_of * n_blocks + block[:, None], return_inverse=True)
        slot_of = slot_of.reshape(-1, 2)
    return DrawnPairs(
        first,
        second,
        np.ascontiguousarray(statistics.values[order]),
        rank_of,
        number_provinces(panel.province, panel.n_cities),
        zeros if design.pair_class is None else design.pair_class[order],
        design.n_classes,
        block,
        np.ascontiguousarray(slot_of.astype(np.int64)),
        slots // n_blocks,
        slots % n_blocks,
    )
