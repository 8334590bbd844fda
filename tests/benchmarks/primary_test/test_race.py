"""The race: layouts, selection, imposed effects, tables between marks, and that it never joins real
admissions to growth.
"""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.primary_test.__main__ import POWER_DESIGN, choice, replace_between
from benchmarks.primary_test.candidates import CANDIDATES, impute
from benchmarks.primary_test.coverage import coverage
from benchmarks.primary_test.designs import COHORT_SIZES, SELECTION, admit_layout, draw_selected
from benchmarks.primary_test.family import variants
from benchmarks.primary_test.layout import read_cities, read_layout, simulated_cities
from benchmarks.primary_test.race import IMPOSED, SERIES, Cell, cells, rejections
from estimation.primary.city_panel import build_panel
from estimation.primary.fit import fit_primary, measured
from estimation.primary.redeal import deal, rank_p
from tests.estimation.primary.economies import draw_panel


def test_layout_counts_the_list_by_province_and_cohort():
    counts = read_layout()
    by_year = {
        year: sum(n for (_, y), n in counts.items() if y == year)
        for year in (2015, 2016, 2019, 2020)
    }
    assert by_year == {2015: 1, 2016: 12, 2019: 21, 2020: 66}


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


def test_imputation_is_least_squares_on_untreated_cells_for_each_dealing():
    growth, years, cohort, block = draw_panel(3)
    # a block without never-pilots: its last years are not identified
    cohort[block == 7] = np.where(np.arange(6) % 2, 2014, 2017)
    panel = build_panel(growth, years, cohort, block)
    y, dealt = measured(panel, panel.growth)[2], deal(panel.block, 20, [1, 0])
    for d, found in enumerate(impute(panel, y, dealt)[:3]):
        treated = panel.treated[panel.label[dealt[d]]] > 0
        weights, rest = np.zeros(y.shape), np.zeros(y.shape)
        for k in range(8):
            rows = np.flatnonzero(panel.block == k)
            x = np.column_stack(
                [
                    np.kron(np.eye(6), np.ones((10, 1))),
                    np.kron(np.ones((6, 1)), np.eye(10)),
                ]
            )
            is_treated = treated[rows].ravel()
            used = x[~is_treated]
            inverse = np.linalg.pinv(used)
            known = is_treated & (np.abs(x @ inverse @ used - x).max(axis=1) < 1e-9)
            weight = known.astype(float)
            weight[~is_treated] -= x[known].sum(axis=0) @ inverse
            weights[rows] = weight.reshape(6, 10)
            values = y[rows].ravel()
            rest[rows] = (values - x @ (inverse @ values[~is_treated])).reshape(6, 10)
        weights /= weights[treated].sum()
        b = (weights * rest * treated).sum()
        scores = (weights * (rest - b * treated)).sum(axis=1)
        error = (scores**2).sum() + (np.bincount(panel.block, scores) ** 2).sum()
        assert found == pytest.approx(b / np.sqrt(error / 2))


def test_designs_run_without_a_panel_and_whole_provinces_get_no_verdict():
    chosen = {cell.name: cell for cell in cells(None)}
    assert set(chosen) == set(SELECTION)
    counts = rejections(chosen["calmer"], range(3), seed=1)
    assert set(counts) == {f"{s}, {n}" for s in SERIES for n in CANDIDATES} | {"no verdict"}
    assert rejections(chosen["whole_provinces"], range(2), seed=1)["no verdict"] == 2


def test_variants_of_one_window_are_those_of_the_fit_and_intervals_hold_what_they_estimate():
    growth, years, cohort, block = draw_panel(3)
    years = years + 2010 - years[0]
    found = variants(growth, years, cohort, block, 199)
    result = fit_primary(growth, years, cohort, block, permutations=199)
    assert rank_p(found[2019, "growth", "two-way"]) == result.p_value
    assert rank_p(found[2019, "cycle", "two-way"]) == result.cycle.p_value
    bare = coverage({cell.name: cell for cell in cells(None)}["calmer"], "", range(3), 1)
    assert np.abs(bare[:, 0]).max() < 1e-12


@pytest.mark.parametrize(
    ("worst", "chosen"), [({}, "weighted scores"), ({"weighted scores": 300}, "two-way")]
)
def test_the_rule_takes_the_most_power_of_those_whose_size_holds(worst, chosen):
    """Of 2,000 draws 100 reject; 300 are too many for a size of 5 %."""
    layout = [Cell(POWER_DESIGN, kind, 0, None) for kind in ("", *IMPOSED)]
    counts = {}
    for cell in layout:
        for power, name in enumerate(reversed(CANDIDATES)):
            for series in SERIES:
                key, size = f"{series}, {name}", worst.get(name, 100)
                row = counts.setdefault(cell.name, {"no verdict": 0})
                better = 1800 - 100 * (power if name == "weighted scores" else 5 - power)
                row[key] = better if cell.imposed else size
                row[f"draws, {key}"] = 2000
    assert choice(counts, layout).endswith(f"The rule chooses: **{chosen}**.")


def test_a_table_replaces_what_stands_between_its_marks_alone():
    page = "before\n<!-- race: begin -->\nold\n<!-- race: end -->\nafter\n"
    assert (
        replace_between(page, "race", "new")
        == "before\n<!-- race: begin -->\n\nnew\n\n<!-- race: end -->\nafter\n"
    )
    with pytest.raises(ValueError, match="once each"):
        replace_between(page, "primary test", "new")
