"""The compiled loops of the race are the library's statistic, and the rule of choice its words."""

import numpy as np
import pandas as pd

from benchmarks.primary_test import adjusted
from estimation.primary.adjusted import draw_adjusted, within_block_basis
from estimation.primary.city_panel import build_panel
from estimation.primary.fitted_order import deal_in_order, fit_order
from tests.estimation.primary.economies import draw_panel


def test_compiled_draws_decide_as_the_library_does():
    same = []
    for seed in range(12):
        growth, years, cohort, block = draw_panel(seed, calmer=0.5)
        panel = build_panel(growth, years, cohort, block)
        size = np.random.default_rng([7, seed]).normal(size=len(cohort))
        x = adjusted.covariates_of(size, panel.block % 3 == 0)
        score, basis = fit_order(panel, x), within_block_basis(x, panel.block)
        measures = [panel.measured(panel.growth, capped=one)[2] for one in (False, True)]
        compiled = adjusted.decided(panel, measures, basis, score, seed)
        dealt = deal_in_order(panel, score, 1999, seed)
        plain, capped = (
            np.abs(one.statistic())
            for one in draw_adjusted(measures, panel, basis, dealt, has_effects=False)
        )
        for place, sizes in enumerate((plain, np.maximum(plain, capped))):
            p = (sizes >= sizes[0]).mean()
            # far from 5 % both say the same, whatever their draws
            if p < 0.015 or p > 0.12:
                same.append(compiled[place] == (p <= 0.05))
    assert len(same) > 12 and all(same)


def test_sizes_are_rejected_by_holm_over_cells_and_series():
    cells = pd.DataFrame({"kind": "null", "count": [200, 230, 260], "n": 4000})
    cells["cell"], cells["noise"], cells["series"] = ["near", "further", "far"], "", "growth"
    # 230 of 4,000 has p 0.032 alone, and 0.064 as the second of three
    assert adjusted.sizes_rejected(cells) == {("far", "", "growth")}
