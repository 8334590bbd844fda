"""The simulation study counts what it says: shares against hand-made rows, draws that do not depend
on how they are cut into chunks.
"""

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.draws import CHUNK, in_processes
from benchmarks.simulation_study import summary
from benchmarks.simulation_study.economies import (
    Economy,
    Setting,
    draw_economy,
    pair_panel,
)
from benchmarks.simulation_study.grid import LINES, ROBUST, Cell
from benchmarks.simulation_study.run import (
    closed_form_rows,
    draw_chunk,
    draw_rows,
    fit_rows,
)
from benchmarks.simulation_study.selection import WARNINGS
from estimation.fit import fit_panel
from estimation.panel.pair_panel import PairPanel

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
