"""Any outcome of pairs by means over never-pilot partners: the primary test for `cm`, an additive
interval, bad input.
"""

from __future__ import annotations

import numpy as np
import pytest

from estimation.primary.measure import standardise
from estimation.primary.pair_means import partner_means
from estimation.primary.within_block import fit_within_block

from .economies import draw_panel


def _pairs(seed: int, **options):
    growth, years, cohort, block = draw_panel(seed, **options)
    z = standardise(growth)
    i, j = np.triu_indices(len(z), 1)
    return partner_means(1 - (z[i] - z[j]) ** 2 / 2, i, j, cohort == 0), z, years, cohort, block


def test_partner_means_equal_a_literal_loop_with_gaps():
    rng = np.random.default_rng(1)
    y = rng.normal(size=(10, 3))
    y[rng.random(y.shape) < 0.3] = np.nan
    i, j = np.triu_indices(5, 1)
    never = np.array([True, False, True, True, False])
    found = partner_means(y, i, j, never)
    for city in range(5):
        for t in range(3):
            values = [
                y[p, t]
                for p in range(10)
                if city in (i[p], j[p]) and never[i[p] + j[p] - city] and np.isfinite(y[p, t])
            ]
            np.testing.assert_allclose(found[city, t], np.mean(values) if values else np.nan)


def test_a_shift_of_treated_years_moves_estimate_and_interval_by_as_much():
    means, _, years, cohort, block = _pairs(3)
    treated = (cohort[:, None] > 0) & (years[None, :] >= cohort[:, None])
    base, moved = (
        fit_within_block(x, years, cohort, block, permutations=199)
        for x in (means, means + 0.25 * treated)
    )
    assert moved.std_error == pytest.approx(base.std_error)
    for name in ("estimate", "ci_low", "ci_high"):
        assert getattr(moved, name) == pytest.approx(getattr(base, name) + 0.25, abs=1e-9)


def test_without_verdict_the_reason_stands_in_the_warnings_and_with_one_who_says_nothing():
    means, _, years, cohort, block = _pairs(5)
    alone = np.where(block == 7, 2014, cohort)
    found = fit_within_block(means, years, alone, block, permutations=20)
    assert any(text.startswith("6 of 20 pilots have no city") for text in found.warnings)
    found = fit_within_block(means, years, cohort, np.zeros(len(means)))
    assert found.p_value is None
    assert found.warnings[0].startswith("No verdict")
    with pytest.raises(ValueError, match=r"no p below 0\.05"):
        fit_within_block(means, years, cohort, np.zeros(len(means)), permutations=5)
