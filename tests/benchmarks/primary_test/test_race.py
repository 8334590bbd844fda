"""The race: layouts, selection, imposed effects, tables between marks, and that it never joins real
admissions to growth.
"""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm

from benchmarks.primary_test.__main__ import shipped_table
from benchmarks.primary_test.designs import (
    COHORT_SIZES,
    SELECTION,
    admit_layout,
    draw_selected,
    impose,
)
from benchmarks.primary_test.layout import read_cities, read_layout, simulated_cities
from benchmarks.primary_test.race import cells, rejections


def test_pseudo_admissions_keep_the_numbers_and_move_from_city_to_city():
    province, counts = read_cities().province_id, read_layout()
    first, second = (
        admit_layout(province, counts, 2019, np.random.default_rng(seed)) for seed in (1, 2)
    )
    for cohort in (first, second):
        assert {
            (p, y): int(((province == p) & (cohort == y)).sum()) for p, y in counts if y <= 2019
        } == {key: n for key, n in counts.items() if key[1] <= 2019}
        assert (cohort > 0).sum() == sum(COHORT_SIZES)
    assert ((first > 0) & (second > 0)).mean() < 0.05


@pytest.mark.parametrize("name", SELECTION)
def test_selected_designs_are_reproducible_and_select(name):
    cities = simulated_cities()
    panel, again = (draw_selected(name, cities, np.random.default_rng(3)) for _ in range(2))
    np.testing.assert_array_equal(panel.growth, again.growth)
    pilots = panel.cohort > 0
    assert pilots.sum() >= sum(COHORT_SIZES)
    if SELECTION[name][1] > 0:
        assert panel.size[pilots].mean() > 1
    if name == "coast":
        assert cities.coastal[pilots].all()
    if name == "late_entry":
        assert np.isnan(panel.growth).any(axis=1).sum() == len(pilots) // 5
    if name == "whole_provinces":
        assert all(len(set(pilots[panel.block == b].tolist())) == 1 for b in np.unique(panel.block))


@pytest.mark.parametrize(("kind", "factor"), [("S-60", np.sqrt(0.4)), ("W-60", np.sqrt(0.4))])
def test_imposed_calm_scales_own_shocks_by_the_regression_it_names(kind, factor):
    panel = draw_selected("calmer", simulated_cities(), np.random.default_rng(1))
    changed = impose(panel, kind)
    pilot = int(np.flatnonzero(panel.cohort == 2016)[0])
    f = panel.growth[(panel.cohort == 0) & (panel.block != panel.block[pilot])].mean(axis=0)
    after = panel.years >= 2016
    fitted = ~after if kind[0] == "S" else np.full(10, True)
    line = (
        sm.OLS(panel.growth[pilot, fitted], sm.add_constant(f[fitted]))
        .fit()
        .predict(sm.add_constant(f))
    )
    expected = np.where(after, line + factor * (panel.growth[pilot] - line), panel.growth[pilot])
    np.testing.assert_allclose(changed.growth[pilot], expected, atol=1e-10)
    np.testing.assert_array_equal(
        changed.growth[panel.cohort == 0], panel.growth[panel.cohort == 0]
    )


def test_simulated_designs_run_without_a_panel_and_whole_provinces_get_no_verdict():
    chosen = {cell.name: cell for cell in cells(None)}
    assert set(chosen) == set(SELECTION)
    shares = rejections(chosen["calmer"], draws=3, permutations=39, seed=1, every=False)
    assert {"t3", "contrast_3", "channel loading", "warning calming"} <= set(shares)
    assert rejections(chosen["whole_provinces"], draws=2, permutations=39, seed=1) == {}
    assert "| whole_provinces | no verdict |" in shipped_table(
        {"calmer": shares, "whole_provinces": {}}, 3
    )
