"""The result of the primary test and of within_block: interval and p, power, what does not change
it, and panels without a verdict.
"""

import dataclasses
import json
from importlib import import_module

import numpy as np
import pytest
import statsmodels.api as sm

from estimation.primary.channels import loading_draws
from estimation.primary.city_panel import build_panel
from estimation.primary.contrast import treatment_contrast
from estimation.primary.detectable import detectable, impose, power_curve
from estimation.primary.fit_primary import fit_primary
from estimation.primary.interval import find_interval
from estimation.primary.measure import cycle, standardise
from estimation.primary.p_values import family_p, rank_p
from estimation.primary.pair_means import partner_means
from estimation.primary.permutation import Draws, draw_statistics, permute_in_blocks
from estimation.primary.within_block import fit_within_block

from .economies import YEARS, draw_panel, draws_of, within_blocks


def _draws(seed: int, permutations: int = 199, **options):
    given = draw_panel(seed, **options)
    return draws_of(given, permute_in_blocks(given[3], permutations, [seed, 0]))


def _verdict(found) -> tuple:
    names = ("n_cities", "n_pilots", "p_value", "p_value_family", "verdict")
    return tuple(getattr(found, name) for name in names)


def test_the_interval_ends_exactly_where_the_test_begins_to_reject():
    sides = set()
    for seed in range(40):
        draws = _draws(seed, calmer=0.9 * (seed % 2))
        (low, high, again), error = find_interval(draws), draws.error[0, 0] ** 0.5
        p = rank_p(draws.statistic())
        assert (p < 0.05) == (not low <= 0 <= high) and not again
        for bound, outward in ((low, -1e-6), (high, 1e-6)):
            assert rank_p(draws.statistic(bound - outward * error)) >= 0.05
            assert rank_p(draws.statistic(bound + outward * error)) < 0.05
        sides.add(p < 0.05)
    assert sides == {True, False}


def test_effects_that_are_accepted_again_beyond_the_interval_are_told():
    """A draw that moves twice with the effect counts where |1 - 2d| >= |d|: to 1/3, and from 1."""
    estimate, carried = np.append(0.0, np.ones(39)), np.append(1.0, np.full(39, 2.0))
    low, high, again = find_interval(Draws(estimate, carried, np.tile([1.0, 0, 0], (40, 1)), True))
    assert (low, high, again) == (None, pytest.approx(1 / 3), True)


def test_where_admissions_can_be_dealt_in_few_ways_the_sides_are_missing_with_their_reason():
    growth, years, _, _ = draw_panel(1)
    # twelve ways to permute them: one in twelve draws equals the real admissions
    block = np.array([0, 0, 1, 1, 2, 2, 2, *range(3, 6)])
    cohort = np.where(np.isin(np.arange(10), (0, 2, 4, 5)), 2014, 0)
    found = fit_primary(growth[:10], years, cohort, block, permutations=199)
    assert found.p_value > 0.05 and found.estimate is not None
    assert (found.ci_low, found.ci_high, found.minimum_detectable_effect) == (None, None, None)
    assert "no lower end" in found.reason and "no upper end" in found.reason
    assert found.verdict == "not_found_could_not_have_been"


def test_family_is_the_step_down_of_the_largest_statistic():
    statistics = np.array([[3.0, 1, 1, 4, 1], [2.0, 2.5, 1, 1, 2]])
    # the largest against the larger of both in each draw, the second against its own draws
    assert family_p(statistics) == [2 / 5, 3 / 5]
    assert family_p(statistics[::-1]) == [3 / 5, 2 / 5]
    # and not below the first, however rare it is among its own
    assert family_p(np.array([[3.0, 4, 4, 4, 1], [2.0, 1, 1, 1, 1]])) == [4 / 5, 4 / 5]
    found = fit_primary(*draw_panel(7, calmer=0.9), permutations=199)
    for one in (found, found.cycle):
        assert one.p_value_family >= one.p_value
        assert (one.verdict == "found") == (one.p_value_family < 0.05)


@pytest.mark.parametrize(("worth", "could"), [(9.0, "could"), (0.0, "could_not")])
def test_not_found_says_whether_a_change_worth_finding_could_have_been(worth, could, monkeypatch):
    monkeypatch.setattr(import_module("estimation.primary.fit_primary"), "WORTH_FINDING", worth)
    found = fit_primary(*draw_panel(1), permutations=99)
    assert found.p_value_family > 0.05 and found.verdict == f"not_found_{could}_have_been"


def test_the_smallest_detectable_change_is_exact_by_its_rank():
    """99 draws of 0.1, 0.2, ..., 9.9 with an error of 1: a rise that is added to each is found in
    80 of 100 from 7.6 on. A critical value one rank lower or higher would give 7.5 or 7.7.
    """
    estimate = np.arange(100) / 10
    carried = np.append(1.0, np.zeros(99))
    draws = Draws(estimate, carried, np.tile([1.0, 0, 0], (100, 1)), True)
    assert detectable(draws, np.zeros(100), 1) == pytest.approx(7.6)


@pytest.mark.parametrize("sign", [1, -1])
def test_the_smallest_detectable_change_is_found_in_four_of_five(sign):
    panel = build_panel(*draw_panel(21, n_blocks=16, per_block=8))
    contrast = treatment_contrast(panel)
    y = panel.measured(panel.growth)[2]
    place = panel.label, panel.block
    draws = draw_statistics(y, contrast, *place, permute_in_blocks(panel.block, 1999, [1, 0]))
    bare = draw_statistics(
        y, contrast, *place, permute_in_blocks(panel.block, 1999, [1, 0]), has_effects=False
    )
    assert np.array_equal(bare.statistic(), draws.statistic())
    size = sign * detectable(draws, np.zeros(2000), sign)
    # the other series of the family raises what must be passed
    assert detectable(draws, np.full(2000, 5.0), sign) > 1.2 * abs(size)
    freed = y - draws.estimate[0] * panel.treated[panel.label]
    found = 0
    for d, permuted in enumerate(permute_in_blocks(panel.block, 200, [2, 0])[1:]):
        label = panel.label[permuted]
        again = permute_in_blocks(panel.block, 199, [3, d])
        changed = freed + size * panel.treated[label]
        statistic = draw_statistics(changed, contrast, label, panel.block, again).statistic()
        found += statistic[0] * sign > 0 and rank_p(statistic) < 0.05
    assert 0.72 <= found / 200 <= 0.88


def test_the_result_has_the_same_bytes_each_time_and_other_ones_with_another_seed():
    arguments = draw_panel(7, calmer=0.6)
    first, second, other = (
        json.dumps(dataclasses.asdict(fit_primary(*arguments, permutations=499, seed=seed)))
        for seed in (3, 3, 4)
    )
    assert first == second != other


@pytest.mark.parametrize("factor", [1e-12, 1.0, 1e12])
def test_units_and_block_names_do_not_matter(factor):
    growth, years, cohort, block = draw_panel(7, calmer=0.6)
    growth[5], growth[11] = 3.0, 4.0
    base = fit_primary(growth, years, cohort, block, permutations=199)
    names = np.array([f"province {b}" for b in block])
    changed = fit_primary(factor * growth, years, cohort, names, permutations=199)
    assert base.n_cities == 46
    assert _verdict(changed) == _verdict(base)
    assert changed.estimate == pytest.approx(base.estimate, rel=1e-9)


@pytest.mark.parametrize(
    "change",
    [
        lambda growth, _: np.tile(growth[:1], (len(growth), 1)),
        lambda growth, years: 8 + np.arange(len(growth))[:, None] * (years - 2010.0),
        lambda growth, _: np.full_like(growth, np.nan),
    ],
    ids=["identical", "lines", "no city left"],
)
def test_growth_without_variation_between_cities_has_no_verdict(change):
    growth, years, cohort, block = draw_panel(7)
    found = fit_primary(change(growth, years), years, cohort, block, permutations=99)
    assert (found.verdict, found.estimate, found.p_value) == ("not_identified", None, None)
    assert found.reason.startswith("No verdict")


def test_result_names_what_was_used():
    growth, years, cohort, block = draw_panel(7)
    growth[5, 2] = np.nan
    growth[11] = 1.0
    found = fit_primary(
        growth, years, np.where(cohort == 2017, 2030, cohort), block, permutations=199
    )
    assert (found.n_cities, found.n_pilots, found.n_blocks) == (46, 8, 8)
    assert any(text.startswith("1 city without growth in every year is") for text in found.warnings)
    assert any("never changes" in text for text in found.warnings)
    for one in (found, found.cycle):
        assert [part.channel for part in one.channels] == ["own_variance", "loading"]
        for part in one.channels:
            assert part.ci_low <= part.estimate <= part.ci_high
            assert (part.p_value < 0.05) == (not part.ci_low <= 0 <= part.ci_high)


def test_the_loading_is_least_squares_and_its_error_that_of_the_pilots_mean_path():
    panel = build_panel(*draw_panel(5))
    z, m, _ = panel.measured(panel.growth)
    permuted = permute_in_blocks(panel.block, 20, [1, 0])
    found = loading_draws(panel, z, m, permuted)
    wave = cycle(m, panel.years)
    own_wave = [wave * (np.arange(len(z)) == city)[:, None] for city in range(len(z))]
    means = np.array([z[panel.block == b].mean(axis=0) for b in panel.block])
    for d in (0, 3):
        treated = panel.treated[panel.label[permuted[d]]]
        (b,), _ = within_blocks(z, [treated * wave], panel.block, own_wave)
        assert found.estimate[d] == pytest.approx(b, abs=1e-9)
        pilots = panel.label[permuted[d]] > 0
        path = (z - means)[pilots].mean(axis=0)
        regressors = sm.add_constant(
            np.column_stack([wave[pilots].mean(axis=0), (wave * treated)[pilots].mean(axis=0)])
        )
        assert found.error[d, 0] == pytest.approx(sm.OLS(path, regressors).fit().mse_resid)


def test_too_few_permutations_are_refused():
    with pytest.raises(ValueError, match=r"no p below 0\.05"):
        fit_primary(*draw_panel(1), permutations=18)


def test_imposed_effects_scale_own_shocks_and_loadings_of_treated_years():
    panel = build_panel(*draw_panel(2))
    z, m, _ = panel.measured(panel.growth)
    treated, before = panel.treated[panel.label[:1]], panel.treated[1] == 0
    line = sm.OLS(z[0, before], sm.add_constant(m[0, before])).fit().predict(sm.add_constant(m[0]))
    calmer = np.where(before, z[0], line + np.sqrt(0.4) * (z[0] - line))
    wave = cycle(m[:1], YEARS)[0]
    own = np.polyfit(wave[before], cycle(z[:1], YEARS)[0, before], 1)[0]
    louder = z[0] + 0.5 * own * wave * treated[0]
    for name, literal in (("S-60", calmer), ("L+50", louder)):
        changed = impose(z[:1], m[:1], YEARS, treated, name)[0]
        np.testing.assert_allclose(changed, (literal - literal.mean()) / literal.std(), atol=1e-10)


def test_power_rises_with_the_effect_in_both_series():
    imposed = ("S-0", "S-50", "S-90")
    rows = power_curve(
        *draw_panel(21, n_blocks=16, per_block=8), imposed=imposed, draws=60, permutations=99
    )
    assert [(row["series"], row["imposed"]) for row in rows] == [
        (series, name) for series in ("growth", "cycle") for name in imposed
    ]
    for part in (rows[:3], rows[3:]):
        effects, shares = (
            [row["effect_on_cm"] for row in part],
            [row["share_found"] for row in part],
        )
        assert effects[0] == pytest.approx(0, abs=1e-12)
        assert shares[0] <= 0.15 and np.all(np.diff(effects) > 0) and shares[2] > 0.6


def _pairs(seed: int):
    growth, years, cohort, block = draw_panel(seed)
    z = standardise(growth)
    i, j = np.triu_indices(len(z), 1)
    return partner_means(1 - (z[i] - z[j]) ** 2 / 2, i, j, cohort == 0), years, cohort, block


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
    means, years, cohort, block = _pairs(3)
    treated = (cohort[:, None] > 0) & (years[None, :] >= cohort[:, None])
    base, moved = (
        fit_within_block(x, years, cohort, block, permutations=199)
        for x in (means, means + 0.25 * treated)
    )
    assert moved.std_error == pytest.approx(base.std_error)
    for name in ("estimate", "ci_low", "ci_high"):
        assert getattr(moved, name) == pytest.approx(getattr(base, name) + 0.25, abs=1e-9)


def test_without_verdict_the_reason_stands_in_the_warnings_and_with_one_who_says_nothing():
    means, years, cohort, block = _pairs(5)
    alone = np.where(block == 7, 2014, cohort)
    found = fit_within_block(means, years, alone, block, permutations=20)
    assert any(text.startswith("6 of 20 pilots have no city") for text in found.warnings)
    found = fit_within_block(means, years, cohort, np.zeros(len(means)))
    assert found.p_value is None
    assert found.warnings[0].startswith("No verdict")
