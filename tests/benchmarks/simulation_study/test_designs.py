"""Pseudo-pilots stand where a layout says, and a draw of a design is judged as its fit would be."""

import numpy as np
import pytest

from benchmarks.primary_test.designs import Panel
from benchmarks.simulation_study.economies import YEARS, Setting, draw_economy, pair_panel
from benchmarks.simulation_study.placebo import LAYOUTS
from benchmarks.simulation_study.selection import PERMUTATIONS, judge
from estimation.fit import fit_panel

ECONOMY = draw_economy(Setting("small", "", 90, province_share=0.3), 3)
PANEL = Panel(ECONOMY.growth, YEARS, ECONOMY.cohort, ECONOMY.province, np.zeros(90))


def _drawn(layout: str) -> list[np.ndarray]:
    return [LAYOUTS[layout][1](PANEL, np.random.default_rng(seed)) for seed in range(20)]


def test_layouts_admit_as_many_as_there_are() -> None:
    by_province = np.bincount(PANEL.block, PANEL.cohort > 0)
    for cohort in _drawn("at_random"):
        assert sorted(cohort) == sorted(PANEL.cohort)
    for cohort in _drawn("like_the_real_list"):
        assert (np.bincount(PANEL.block, cohort > 0) == by_province).all()
    assert any((cohort != PANEL.cohort).any() for cohort in _drawn("like_the_real_list"))


@pytest.mark.parametrize("layout", ["whole_provinces", "two_provinces"])
def test_provinces_are_admitted_whole(layout: str) -> None:
    size = np.bincount(PANEL.block)
    for cohort in _drawn(layout):
        admitted = np.flatnonzero(np.bincount(PANEL.block, cohort > 0))
        assert (np.bincount(PANEL.block, cohort > 0)[admitted] == size[admitted]).all()
        if layout == "two_provinces":
            assert len(admitted) == 2 and (size[admitted] >= 5).all()
        else:
            n_pilots = (PANEL.cohort > 0).sum()
            assert n_pilots <= (cohort > 0).sum() < n_pilots + size.max()


@pytest.mark.parametrize("seed", range(3))
def test_p_and_warning_are_those_of_the_fit(seed: int) -> None:
    economy = draw_economy(Setting("small", "", 90, province_share=0.6), seed)
    panel = Panel(economy.growth, YEARS, economy.cohort, economy.province, np.zeros(90))
    found = judge(panel, seed)
    fit = fit_panel(
        pair_panel([economy.growth], economy.province, economy.cohort),
        permutations=PERMUTATIONS,
        seed=seed,
    )
    of = {estimate.vcov: estimate.p_value for estimate in fit.estimates}
    default = next(estimate for estimate in fit.estimates if estimate.is_default)
    assert found["cm"] == pytest.approx(default.p_value)
    assert found["permutation"] == pytest.approx(of["permutation"])
    assert found["warns shared"] == any("too narrow" in text for text in fit.warnings)
    assert found["warns pilot_level"] == any("another kind" in text for text in fit.warnings)
