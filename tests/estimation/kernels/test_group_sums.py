"""Sums of one draw by each sample rule against literal loops over the pairs that the rule keeps."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from estimation.inference.permutation.assignments import draw_relabellings
from estimation.inference.permutation.kernel_inputs import (
    base_sums,
    n_provinces,
    pairs_by_rank,
    partners_of,
    tie_rule,
)
from estimation.kernels.city_weighted import sum_weighted
from estimation.kernels.group_sums import delete_province, empty_sums
from estimation.kernels.partner_rule import sum_partners
from estimation.kernels.tie_rule import apply_tie_rule, sum_above_threshold
from estimation.linear.pair_statistics import pair_statistics
from estimation.panel.pair_panel import PairPanel, build_sample
from tests.estimation.panels import random_panel

N_CITIES = 21
# name of the rule: quantile of ties, number of partners
RULES = {
    "every_pair": (None, None),
    "above_a_quantile": (0.4, None),
    "partners": (None, 3),
    "weighted": (None, None),
    "weighted_above_a_quantile": (0.4, None),
}


def panel_with(missing: float, *, provinces: bool) -> PairPanel:
    """21 cities, ties that are equal for many pairs, provinces of unequal size."""
    panel = random_panel(4, n_cities=N_CITIES, n_pilots=7, missing=missing, n_controls=1)
    province = np.random.default_rng(3).integers(0, 6, N_CITIES) if provinces else None
    return dataclasses.replace(panel, tie=np.round(2 * panel.tie) / 2, province=province)


def literal_sums(
    panel: PairPanel, kept: np.ndarray, label: np.ndarray, values: np.ndarray
) -> dict[str, np.ndarray]:
    """Pair by pair, into the group of the pilot or group 0; `without` are the totals without each
    province.
    """
    provinces = (
        np.zeros(N_CITIES, dtype=int)
        if panel.province is None
        else np.unique(panel.province, return_inverse=True)[1]
    )
    n_found = 0 if panel.province is None else provinces.max() + 1
    shape = (label.max() + 1, values.shape[1])
    found = {name: np.zeros((n_found, *shape)) for name in ("inside", "by_province", "without")}
    found |= {"by_city": np.zeros((N_CITIES, *shape)), "totals": np.zeros(shape)}
    for p in np.flatnonzero(kept):
        i, j = panel.city_i[p], panel.city_j[p]
        group = max(label[i], label[j])
        found["totals"][group] += values[p]
        for city in (i, j):
            found["by_city"][city, group] += values[p]
            if n_found:
                found["by_province"][provinces[city], group] += values[p]
        if n_found and provinces[i] == provinces[j]:
            found["inside"][provinces[i], group] += values[p]
        for r in range(n_found):
            if r not in (provinces[i], provinces[j]):
                found["without"][r, group] += values[p]
    return found


@pytest.mark.parametrize("provinces", [True, False])
@pytest.mark.parametrize("missing", [0.0, 0.3])
@pytest.mark.parametrize("rule", RULES)
def test_sums_of_a_draw_equal_a_literal_loop_over_the_kept_pairs(
    rule: str, missing: float, provinces: bool
) -> None:
    panel = panel_with(missing, provinces=provinces)
    sample = build_sample(panel, (0,), *RULES[rule])
    statistics = pair_statistics(panel.y, panel.controls, sample.observed)
    pairs, by_rank = pairs_by_rank(sample, statistics), tie_rule(sample)
    weight = np.random.default_rng(1).uniform(1, 2, N_CITIES)
    sums = empty_sums(N_CITIES, n_provinces(sample), sample.n_groups, pairs.values.shape[1])
    for label in draw_relabellings(sample.city_group, np.arange(N_CITIES) % 2, 6, 5):
        redrawn = dataclasses.replace(
            panel, city_cohort=np.concatenate([[0], sample.group_years])[label], cohort=None
        )
        kept, values = build_sample(redrawn, (0,), *RULES[rule]).kept, statistics.values
        if rule.startswith("weighted"):
            values = values * (weight[panel.city_i] * weight[panel.city_j])[:, None]
            sum_weighted(label, weight, pairs, by_rank, sums)
        elif rule == "partners":
            sum_partners(label, partners_of(sample), pairs, sums)
        else:
            sum_above_threshold(label, pairs, by_rank, base_sums(sample, pairs, by_rank), sums)
        expected = literal_sums(panel, kept, label, values)
        for name in ("by_city", "inside", "totals", "by_province"):
            np.testing.assert_allclose(getattr(sums, name), expected[name], atol=1e-10)
        for r in range(n_provinces(sample)):
            deleted = np.empty_like(sums.totals)
            assert delete_province(sums, r, deleted) == (expected["without"][r, 1:, 0].sum() > 0)
            np.testing.assert_allclose(deleted, expected["without"][r], atol=1e-10)


@pytest.mark.parametrize("quantile", [0.0, 0.3, 0.5, 0.99])
def test_the_first_kept_rank_is_the_first_above_the_quantile_of_pairs_with_at_most_one_pilot(
    quantile: float,
) -> None:
    panel = panel_with(0.0, provinces=True)
    sample = build_sample(panel, (0,), quantile)
    pairs, by_rank = (
        pairs_by_rank(sample, pair_statistics(panel.y, panel.controls, sample.observed)),
        tie_rule(sample),
    )
    for label in draw_relabellings(sample.city_group, np.zeros(N_CITIES), 20, 2):
        pilots, first_kept = apply_tie_rule(label, by_rank, pairs.rank_of)
        eligible = (label[panel.city_i] == 0) | (label[panel.city_j] == 0)
        np.testing.assert_array_equal(pilots, np.flatnonzero(label))
        assert (
            first_kept
            == (panel.tie <= np.quantile(panel.tie[eligible], quantile, method="lower")).sum()
        )
