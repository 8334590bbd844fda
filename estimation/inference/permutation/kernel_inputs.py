"""A sample as the compiled loops of `kernels` take it: pairs in order of tie, the rule of ties, and
sums to start a draw from.
"""

from __future__ import annotations

import numpy as np

from ...kernels.records import BaseSums, DrawResults, Pairs, Partners, TieRule
from ...linear.pair_statistics import PairStatistics
from ...panel.pair_panel import FitSample
from ...panel.partners import partner_order


def order_by_tie(sample: FitSample) -> np.ndarray:
    """Candidate pairs in ascending order of tie, in the panel's order where no quantile of ties is
    used; (number of candidates,).
    """
    candidates = np.flatnonzero(sample.candidate)
    return (
        candidates
        if sample.tie_quantile is None
        else candidates[np.argsort(sample.panel.tie[candidates], kind="stable")]
    )


def pairs_by_rank(sample: FitSample, statistics: PairStatistics) -> Pairs:
    """Candidate pairs in the order of `order_by_tie`, with their statistics."""
    panel, order = sample.panel, order_by_tie(sample)
    first, second = panel.city_i[order], panel.city_j[order]
    rank_of = np.full((panel.n_cities, panel.n_cities), -1, dtype=np.int64)
    rank_of[first, second] = rank_of[second, first] = np.arange(len(order))
    province = np.zeros(panel.n_cities, dtype=np.int64)
    if panel.province is not None:
        province = np.unique(panel.province, return_inverse=True)[1].reshape(-1).astype(np.int64)
    return Pairs(first, second, np.ascontiguousarray(statistics.values[order]), rank_of, province)


def n_provinces(sample: FitSample) -> int:
    """Provinces of the panel; 0 where they are not known."""
    return 0 if sample.panel.province is None else len(np.unique(sample.panel.province))


def tie_rule(sample: FitSample) -> TieRule:
    """The sample's rule of ties by rank; keeps every pair where the sample has none."""
    order = order_by_tie(sample)
    if sample.tie_quantile is None:
        return TieRule(False, 0.0, np.zeros(len(order), dtype=np.int64), 0)
    tie, kept = sample.panel.tie[order], np.flatnonzero(sample.kept[order])
    base_first = int(kept[0]) if len(kept) else len(order)
    return TieRule(
        True, float(sample.tie_quantile), np.searchsorted(tie, tie, side="right"), base_first
    )


def partners_of(sample: FitSample) -> Partners:
    """The sample's rule of strongest partners."""
    panel = sample.panel
    tie = np.where(sample.candidate, panel.tie, np.nan)
    return Partners(
        partner_order(tie, panel.city_i, panel.city_j, panel.n_cities), int(sample.n_partners)
    )


def base_sums(sample: FitSample, pairs: Pairs, rule: TieRule) -> BaseSums:
    """Sums over all candidate pairs, those of two pilots too, from the first rank on that the real
    assignment keeps.
    """
    n_cities, n_values = len(pairs.province), pairs.values.shape[1]
    by_city, inside = np.zeros((n_cities, n_values)), np.zeros((n_provinces(sample), n_values))
    kept, i, j = (
        pairs.values[rule.base_first :],
        pairs.first[rule.base_first :],
        pairs.second[rule.base_first :],
    )
    np.add.at(by_city, i, kept)
    np.add.at(by_city, j, kept)
    if len(inside):
        same = pairs.province[i] == pairs.province[j]
        np.add.at(inside, pairs.province[i][same], kept[same])
    return BaseSums(by_city, inside)


def empty_results(
    shape: tuple[int, ...], n_coefficients: int, joint_shape: tuple[int, ...]
) -> DrawResults:
    """`DrawResults` of NaN: coefficient and statistic (*shape, n_coefficients), joint of
    joint_shape.
    """
    return DrawResults(
        np.full((*shape, n_coefficients), np.nan),
        np.full((*shape, n_coefficients), np.nan),
        np.full(joint_shape, np.nan),
    )


def part_of(results: DrawResults, part: slice) -> DrawResults:
    """The results of some draws."""
    return DrawResults(results.coefficient[part], results.statistic[part], results.joint[part])
