"""The simulation study counts what it says: shares against hand-made rows, draws that do not depend
on how they are cut into chunks.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.simulation_study import summary
from benchmarks.simulation_study.__main__ import TABLES, write_tables
from benchmarks.simulation_study.economies import (
    YEARS,
    Setting,
    draw_economy,
    effect_panel,
    pair_panel,
    provinces,
)
from benchmarks.simulation_study.grid import LINES, ROBUST, Cell, cells
from benchmarks.simulation_study.placebo import assigner
from benchmarks.simulation_study.run import (
    CHUNK,
    closed_form_rows,
    draw_cell,
    draw_rows,
    fit_rows,
    run_cells,
)
from benchmarks.simulation_study.truth import expected_effect
from estimation.fit import fit_panel

SMALL = Setting("small", "small economies", 24, province_share=0.3)


def test_economies_have_the_moments_of_their_setting() -> None:
    setting = Setting("check", "", 60, province_share=0.3, loadings=(1.0, 0.3), persistence=0.5)
    growth = np.stack([draw_economy(setting, seed).growth for seed in range(300)])
    pilots = np.stack([draw_economy(setting, seed).cohort > 0 for seed in range(300)])
    assert np.var(growth[pilots]) == pytest.approx(2.0, rel=0.08)
    assert np.var(growth[~pilots]) == pytest.approx(1.09, rel=0.08)
    lagged = np.corrcoef(growth[:, :, 1:].ravel(), growth[:, :, :-1].ravel())[0, 1]
    assert lagged == pytest.approx(0.5, abs=0.03)


def test_layouts_and_cohorts() -> None:
    whole = replace(SMALL, layout="whole_provinces", n_pilots=6)
    for seed in range(20):
        economy = draw_economy(whole, seed)
        by_province = pd.Series(economy.cohort > 0).groupby(economy.province).agg(["min", "max"])
        assert (by_province["min"] == by_province["max"]).all()
        assert (economy.cohort > 0).sum() >= 6
    single = draw_economy(
        replace(SMALL, n_pilots=7, cohorts=((2015, 0.0), (2016, 0.5), (2019, 0.5))), 1
    ).cohort
    assert [(single == year).sum() for year in (2015, 2016, 2019)] == [1, 3, 3]
    assert len(provinces(254)) == 254 and provinces(254).max() + 1 >= 27


def test_effect_is_zero_before_admission_and_without_convergence() -> None:
    assert not np.any(effect_panel(draw_economy(SMALL, 3)).y)
    economy = draw_economy(replace(SMALL, convergence=0.3), 3)
    before = (economy.cohort[:, None] == 0) | (YEARS[None, :] < economy.cohort[:, None])
    assert np.array_equal(economy.growth[before], economy.growth_without[before])
    assert not np.allclose(economy.growth, economy.growth_without)


def test_draws_do_not_depend_on_chunks_or_processes() -> None:
    cell = Cell(SMALL, "twfe", CHUNK + 3)
    pd.testing.assert_frame_equal(draw_cell(cell), draw_cell(cell, processes=2))
    one = pd.DataFrame(draw_rows(cell, draw_economy(SMALL, CHUNK + 1), CHUNK + 1))
    both = draw_cell(cell)
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
            "expected": 0.2,
        }
    )
    default = summary.line_rows(rows, "default")
    assert summary.rejection(default) == (pytest.approx(2 / 3), 3)
    assert summary.both_reject(rows) == (pytest.approx(1 / 3), 3)
    alone = rows[rows["vcov"] == "permutation"].assign(is_default=True)
    assert summary.both_reject(alone)[1] == 0  # one line is not both
    assert summary.coverage(default) == (pytest.approx(1 / 3), 3)
    assert summary.coverage(default, "truth") == (pytest.approx(2 / 3), 3)
    assert summary.power(default, 1.5) == 1.0
    assert summary.power(default, -1.0) == pytest.approx(0.0)


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


@pytest.mark.parametrize("estimator", ["twfe", *ROBUST[1:]])
def test_the_expected_effect_is_the_mean_of_what_the_estimator_finds_on_redrawn_effects(
    estimator: str,
) -> None:
    setting = replace(SMALL, convergence=0.3, cohorts=((2010, 0.2), (2015, 0.3), (2018, 0.5)))
    found = []
    for redraw in (1, 2):
        fit = fit_panel(
            effect_panel(draw_economy(setting, 4, redraw)),
            estimator=estimator,
            vcov=(),
            permutations=0,
        )
        found.append(next(e.estimate for e in fit.estimates if e.term in ("treated", "att")))
    assert expected_effect(setting, 4, estimator, n_redraws=2) == pytest.approx(
        np.mean(found), rel=1e-9
    )
    rows = draw_rows(Cell(setting, estimator, 1), draw_economy(setting, 4), 4)
    own = (
        fit_panel(
            effect_panel(draw_economy(setting, 4)), estimator=estimator, vcov=(), permutations=0
        )
        .estimates[0]
        .estimate
    )
    assert [row["truth"] for row in rows] == pytest.approx([own] * len(rows), rel=1e-9)


def test_a_redraw_keeps_pilots_and_the_national_factor() -> None:
    alone = replace(SMALL, province_share=0.0, convergence=1.0)
    one, other = draw_economy(alone, 3), draw_economy(alone, 3, redraw=1)
    assert np.array_equal(one.cohort, other.cohort) and not np.allclose(
        one.growth_without, other.growth_without
    )
    # after admission nothing but the factor is left of a pilot
    treated = (one.cohort[:, None] > 0) & (one.cohort[:, None] <= YEARS)
    assert treated.any() and one.growth[treated] == pytest.approx(other.growth[treated])


def test_a_cell_is_run_once_and_again_when_its_setting_changes(tmp_path: Path) -> None:
    said: list[str] = []
    cell = Cell(SMALL, "twfe", 20)
    run_cells([cell], tmp_path, say=said.append)
    first = (tmp_path / f"{cell.name}.csv").read_bytes()
    run_cells([cell], tmp_path, say=said.append)
    assert len(said) == 1
    run_cells([replace(cell, n_draws=21)], tmp_path, say=said.append)
    assert len(said) == 2 and (tmp_path / f"{cell.name}.csv").read_bytes() != first


def test_a_table_is_written_once_all_its_cells_are_there(tmp_path: Path) -> None:
    page = tmp_path / "simulation-study.md"
    text = "".join(f"<!-- {mark}: begin -->\nold {mark}\n<!-- {mark}: end -->\n" for mark in TABLES)
    page.write_text(text, encoding="utf-8")
    two_way = [cell for cell in cells(0.001) if cell.estimator == "twfe"]
    run_cells([cell for cell in two_way if cell.setting.n_cities == 60], tmp_path)
    write_tables(tmp_path, page)
    assert page.read_text(encoding="utf-8") == text
    for cell in two_way:  # other sizes are not drawn here: their files stand in
        path = tmp_path / f"{cell.name}.csv"
        if not path.exists():
            path.write_bytes((tmp_path / f"{cell.setting.name}_60_twfe.csv").read_bytes())
    write_tables(tmp_path, page)
    written = page.read_text(encoding="utf-8")
    assert "old two-way" not in written and "old estimators" in written
    row = next(line for line in written.splitlines() if line.startswith("| independent"))
    shares = row.split(" | ")[1].split(", ")
    assert len(shares) == 3 and len(set(shares)) == 1


def test_placebo_layouts_keep_the_numbers_they_promise() -> None:
    province = np.repeat(np.arange(6), 5)
    cohort = np.zeros(30, dtype=np.int64)
    cohort[[0, 1, 7, 12]] = [2016, 2019, 2019, 2016]
    for seed in range(10):
        rng = np.random.default_rng(seed)
        alike = assigner("like_the_real_list", province, cohort)(rng)
        assert np.array_equal(
            np.bincount(province[alike > 0], minlength=6),
            np.bincount(province[cohort > 0], minlength=6),
        )
        assert sorted(assigner("at_random", province, cohort)(rng)) == sorted(cohort)
        whole = assigner("whole_provinces", province, cohort)(rng)
        assert {np.count_nonzero(whole[province == code]) for code in range(6)} == {0, 5}
        two = assigner("two_provinces", province, cohort)(rng)
        assert sorted(np.count_nonzero(two[province == code]) for code in range(6)) == [
            0,
            0,
            0,
            0,
            5,
            5,
        ]
        assert set(two) <= {0, 2016, 2019}
