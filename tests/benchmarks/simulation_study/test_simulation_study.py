"""The simulation study counts what it says: shares against hand-made rows, draws that do not depend
on how they are cut into chunks, layouts of pseudo-pilots, draws judged as their fit would be, and a
default line that keeps its size.
"""

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.draws import CHUNK, in_processes
from benchmarks.primary_test.designs import Panel
from benchmarks.simulation_study import summary
from benchmarks.simulation_study.economies import (
    YEARS,
    Economy,
    Setting,
    draw_economy,
    pair_panel,
)
from benchmarks.simulation_study.grid import LINES, ROBUST, Cell
from benchmarks.simulation_study.placebo import LAYOUTS
from benchmarks.simulation_study.run import (
    closed_form_rows,
    draw_chunk,
    draw_rows,
    fit_rows,
)
from benchmarks.simulation_study.selection import PERMUTATIONS, WARNINGS, judge
from benchmarks.simulation_study.summary import line_rows, rejection
from estimation.fit import fit_panel
from estimation.panel.pair_panel import PairPanel
from warehouse.ingest.simulation.cities import choose_cities, first_treated_years
from warehouse.ingest.simulation.economy import NO_EFFECT, simulate_economies

SMALL = Setting("small", "small economies", 24, province_share=0.3)


def test_economies_have_the_moments_of_their_setting() -> None:
    setting = Setting("check", "", 60, province_share=0.3, loadings=(1.0, 0.3), persistence=0.5)
    growth = np.stack([draw_economy(setting, seed).growth for seed in range(300)])
    pilots = np.stack([draw_economy(setting, seed).cohort > 0 for seed in range(300)])
    assert np.var(growth[pilots]) == pytest.approx(2.0, rel=0.08)
    assert np.var(growth[~pilots]) == pytest.approx(1.09, rel=0.08)
    lagged = np.corrcoef(growth[:, :, 1:].ravel(), growth[:, :, :-1].ravel())[0, 1]
    assert lagged == pytest.approx(0.5, abs=0.03)


def test_draws_do_not_depend_on_chunks_or_processes() -> None:
    cell = Cell(SMALL, "twfe", CHUNK + 3)
    draw = partial(draw_chunk, cell)
    both = in_processes(draw, range(cell.n_draws))
    pd.testing.assert_frame_equal(both, in_processes(draw, range(cell.n_draws), processes=2))
    one = pd.DataFrame(draw_rows(cell, draw_economy(SMALL, CHUNK + 1), CHUNK + 1))
    pd.testing.assert_frame_equal(one, both[both["seed"] == CHUNK + 1].reset_index(drop=True))


@pytest.mark.parametrize(
    "setting",
    [replace(SMALL, convergence=0.3), replace(SMALL, n_pilots=3), replace(SMALL, n_cities=50)],
)
def test_closed_form_gives_the_rows_of_the_fit(setting: Setting) -> None:
    """The study's fast way and the estimator that ships agree on every number and on which line is
    the default.
    """
    economy = draw_economy(setting, 5)
    panel = pair_panel([economy.growth], economy.province, economy.cohort)
    expected = pd.DataFrame(fit_rows(panel, "twfe", (*LINES, "permutation"), 99, 5)).sort_values(
        "vcov", ignore_index=True
    )
    found = pd.DataFrame(closed_form_rows(economy, 5, 99)).sort_values("vcov", ignore_index=True)
    pd.testing.assert_frame_equal(
        found[list(expected)], expected, check_dtype=False, rtol=1e-9, atol=1e-12
    )


def test_shares_are_counted_by_hand() -> None:
    rows = pd.DataFrame(
        {
            "seed": [0, 0, 1, 1, 2, 2],
            "term": "treated",
            "vcov": ["province_jackknife", "permutation"] * 3,
            "is_default": [True, False] * 3,
            "estimate": [0.0, 0.0, 1.0, 1.0, 2.0, 2.0],
            "ci_low": [-1.0, -2.0, 0.5, -0.5, 0.5, 0.6],
            "ci_high": [1.0, 2.0, 1.5, 2.5, 3.5, 3.4],
            "p_value": [0.9, 0.8, 0.01, 0.20, 0.02, 0.03],
            "truth": 1.2,
        }
    )
    default = summary.line_rows(rows, "default")
    assert summary.rejection(default) == pytest.approx(2 / 3)
    assert summary.rejection(default.assign(p_value=[0.01, None, 0.2])) == 0.5
    assert summary.coverage(default) == pytest.approx(2 / 3)
    assert summary.power(default, 1.5) == 1.0
    assert summary.power(default, -1.0) == pytest.approx(0.0)


def test_the_table_of_designs_counts_the_tests_that_had_a_verdict(tmp_path: Path) -> None:
    draws = pd.DataFrame({name: [0.01, 0.2, None, 0.03] for name in summary.SELECTION_COLUMNS})
    for warning in WARNINGS:
        draws[f"warns {warning}"] = [True, False, True, True]
    draws.to_csv(tmp_path / "selection_calmer.csv")
    designs = {name: (name, draw_economy) for name in ("calmer", "not run")}
    head, row = summary.selection_table(tmp_path, designs)
    assert len(head) == len(row) and row[0] == "calmer"
    assert set(row[1:]) == {"66.7", "75.0"}


def test_the_jackknife_beside_the_default_has_the_degrees_of_freedom_of_provinces_less_one() -> (
    None
):
    """Quantiles of t from a printed table: 2.262 with 9 degrees of freedom, 2.045 with 29."""
    rows = pd.DataFrame(
        {
            "term": "treated",
            "vcov": "province_jackknife",
            "estimate": 2.2,
            "std_error": 1.0,
            "n_provinces": [10, 30],
        }
    )
    found = summary.line_rows(rows, "provinces")
    assert found["ci_high"].tolist() == pytest.approx([2.2 + 2.262, 2.2 + 2.045], abs=1e-3)
    assert (found["p_value"] < 0.05).tolist() == [False, True]


def _effect(economy: Economy) -> PairPanel:
    """The difference that admission makes to `cm` of every pair: an estimator on it gives its own
    truth in this sample.
    """
    panel = pair_panel([economy.growth, economy.growth_without], economy.province, economy.cohort)
    return replace(panel, y=panel.y[:1] - panel.y[1:], cohort=None)


@pytest.mark.parametrize("estimator", ["twfe", *ROBUST[1:]])
def test_the_truth_is_what_the_estimator_finds_on_the_effects_themselves(estimator: str) -> None:
    setting = replace(SMALL, convergence=0.3, cohorts=((2010, 0.2), (2015, 0.3), (2018, 0.5)))
    economy = draw_economy(setting, 4)
    fit = fit_panel(_effect(economy), estimator=estimator, vcov=(), permutations=0)
    own = next(e.estimate for e in fit.estimates if e.term in ("treated", "att"))
    rows = draw_rows(Cell(setting, estimator, 1), economy, 4)
    assert [row["truth"] for row in rows] == pytest.approx([own] * len(rows), rel=1e-9)


def test_rows_of_a_fit_hold_its_joint_test_of_leads_and_no_single_cells() -> None:
    economy = draw_economy(SMALL, 2)
    panel = pair_panel([economy.growth], economy.province, economy.cohort)
    fit = fit_panel(panel, estimator="callaway_santanna", vcov=LINES, permutations=0)
    rows = pd.DataFrame(fit_rows(panel, "callaway_santanna", LINES, 0, 2))
    assert set(rows["term"]) == {"att", "event", "leads"}
    expected = next(value for name, _, value in fit.diagnostics if name == "joint_leads_p")
    assert rows.loc[rows["term"] == "leads", "p_value"].tolist() == [expected]


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


SEEDS = Path(__file__).parents[3] / "warehouse" / "seeds"

STUDY_YEARS, N_ECONOMIES, N_CITIES = np.arange(2010, 2020), 200, 120


def test_default_line_keeps_its_size() -> None:
    """200 economies of the simulated landing's kind, planted effect zero: the default rejects 2 to
    9 % at nominal 5 %.
    """
    zones = pd.read_csv(SEEDS / "pilot_zones.csv")
    cities = choose_cities(pd.read_csv(SEEDS / "city_roster.csv"), zones, N_CITIES, 2003, 2021)
    province, cohort = (
        cities["province_id"].to_numpy(),
        first_treated_years(cities["city_id"].to_numpy(), zones),
    )
    cohort = np.where(cohort <= STUDY_YEARS[-1], cohort, 0)
    region, cell = (
        cities["region"].to_numpy(),
        Cell(Setting("landing", "", N_CITIES), "twfe", N_ECONOMIES),
    )

    def rows_of(seed: int) -> list[dict]:
        rng = np.random.default_rng(seed)
        made = simulate_economies(
            province=province,
            region=region,
            treated_year=cohort,
            years=STUDY_YEARS,
            effect=NO_EFFECT,
            rng=rng,
        )
        return draw_rows(
            cell, Economy(made.growth_with_pct, made.growth_without_pct, province, cohort), seed
        )

    draws = pd.DataFrame([row for seed in range(1, N_ECONOMIES + 1) for row in rows_of(seed)])
    shares = {
        line: rejection(line_rows(draws, line))
        for line in ("default", "conventional", "dyadic", "city")
    }
    assert 0.02 <= shares["default"] <= 0.09
    assert shares["conventional"] > 0.25
    estimates = line_rows(draws, "default")["estimate"]
    assert abs(estimates.mean()) < 4 * estimates.std() / np.sqrt(N_ECONOMIES)
