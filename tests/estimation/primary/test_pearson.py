"""Pearson's correlation before and after admission, by a literal loop."""

import numpy as np
import pytest

from estimation.primary.city_panel import build_panel
from estimation.primary.contrast import treatment_contrast
from estimation.primary.pearson import pearson_before_after

from .economies import draw_panel


def test_pearson_equals_a_loop_over_pairs():
    growth, years, cohort, block = draw_panel(7)
    panel = build_panel(growth, years, np.where(cohort == 2014, 2015, cohort), block)
    weight = treatment_contrast(panel).weight[panel.block, panel.label]
    found = pearson_before_after(panel, panel.growth, weight)
    # ten years: only those admitted in 2015 have five on both sides
    pilots = np.flatnonzero(panel.label == 1)
    assert panel.cohorts.tolist() == [2015, 2017]
    for part, value in ((years < 2015, found[0]), (years >= 2015, found[1])):
        means, shares = [], []
        for i in pilots:
            others = (panel.label == 0) & (panel.block != panel.block[i])
            pairs = [
                np.corrcoef(panel.growth[i, part], panel.growth[j, part])[0, 1]
                for j in np.flatnonzero(others)
            ]
            means.append(np.mean(pairs))
            shares.append(weight[i, years >= 2015].sum())
        assert value == pytest.approx(np.average(means, weights=shares), abs=1e-12)


def test_with_fewer_than_five_years_on_a_side_there_is_none():
    growth, years, cohort, block = draw_panel(7)
    panel = build_panel(growth, years, cohort, block)
    weight = treatment_contrast(panel).weight[panel.block, panel.label]
    assert pearson_before_after(panel, panel.growth, weight) == (None, None)
