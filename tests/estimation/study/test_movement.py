"""How far the primary test's estimate moved, in the unit of docs/methods, section 14."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from estimation.analyses.primary import PRIMARY, cycle_id
from estimation.defaults import DRAWS_OF_CHECKS
from estimation.primary.city_panel import build_panel
from estimation.primary.contrast import treatment_contrast
from estimation.primary.fit import fit_primary
from estimation.primary.redeal import deal, draw_statistics
from estimation.study.movement import movement_rows
from tests.estimation.study.test_primary import STUDY, _longer, _marts


@pytest.fixture(scope="module")
def a_year_more():
    growth, years, cohort, block = _longer(11)
    return [(growth[:, :n], years[:n], cohort, block) for n in (10, 11)]


def primary_of(panel) -> pd.DataFrame:
    found = fit_primary(*panel, permutations=99, seed=1)
    rows = [(PRIMARY, found.last_year, found.estimate)]
    rows.append((cycle_id(PRIMARY), found.last_year, found.cycle.estimate))
    return pd.DataFrame(rows, columns=["spec_id", "last_year", "estimate"])


def test_a_move_is_divided_by_its_deviation_under_one_dealing(a_year_more):
    marts = [_marts(*panel) for panel in a_year_more]
    old, new = (primary_of(panel) for panel in a_year_more)
    rows = movement_rows(*marts, STUDY, old, new).set_index("spec_id")
    assert rows.index.tolist() == [PRIMARY, cycle_id(PRIMARY)]
    # a draw of admissions moves both windows alike
    drawn = []
    for panel in a_year_more:
        built = build_panel(*panel)
        y, contrast = built.measured(built.growth)[2], treatment_contrast(built)
        dealt = deal(built.block, DRAWS_OF_CHECKS, [1, 0])
        drawn.append(draw_statistics(y, contrast, built.label, built.block, dealt).estimate)
    deviation = np.std((drawn[1] - drawn[0])[1:], ddof=1)
    row = rows.loc[PRIMARY]
    assert (row["old_last_year"], row["last_year"]) == (2019, 2020)
    assert row["change"] == pytest.approx(new["estimate"][0] - old["estimate"][0])
    assert row["deviation"] == pytest.approx(deviation)
    assert row["change_in_deviations"] == pytest.approx(row["change"] / deviation)


def test_the_same_data_have_no_unit_and_a_window_that_lacks_says_why(a_year_more):
    marts, primary = _marts(*a_year_more[1]), primary_of(a_year_more[1])
    rows = movement_rows(marts, marts, STUDY, primary, primary)
    assert (rows["change"] == 0).all() and rows["change_in_deviations"].isna().all()
    without = dataclasses.replace(
        marts, city_years=marts.city_years.drop(columns="growth_official_pct")
    )
    rows = movement_rows(without, marts, STUDY, primary, primary)
    assert rows["deviation"].isna().all()
    assert rows["reason"].str.startswith("Not computed: needs the column").all()
