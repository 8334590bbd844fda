"""The result: inversion, size, power, bytes, and panels without a verdict."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from estimation.primary.city_panel import build_panel
from estimation.primary.contrast import LOADING, OWN_VARIANCE, PRIMARY, cm_contrast
from estimation.primary.effects import add_loading, scale_own
from estimation.primary.fit import fit_primary, primary_p
from estimation.primary.interval import effect_on_cm, invert, make_ready, statistics, undo
from estimation.primary.permutation import rank_p
from estimation.primary.power import minimum_detectable_effect, power_curve
from estimation.primary.statistics import gather

from .economies import YEARS, draw_panel


def _make(seed: int, draws: int = 199, **options):
    return make_ready(build_panel(*draw_panel(seed, **options)), draws, np.random.default_rng(seed))


def _t3(ready) -> float:
    """Two-way coefficient of `cm`."""
    design = ready.panel.design
    return gather(
        cm_contrast(ready.z, ready.m, design).terms, design, ready.places[:, :1], ready.labels
    ).estimate[0]


@pytest.mark.parametrize("kind", [PRIMARY, OWN_VARIANCE, LOADING])
def test_p_is_below_five_per_cent_exactly_where_zero_is_outside(kind):
    sides = set()
    for seed in range(40):
        found = invert(_make(seed, calmer=0.9 * (seed % 2)), kind)
        assert (found.p_value < 0.05) == (not found.low <= 0 <= found.high)
        assert found.low <= found.estimate <= found.high
        sides.add(found.p_value < 0.05)
    assert False in sides


def test_bounds_are_where_the_test_of_the_panel_without_the_effect_turns():
    ready = _make(5, draws=999)
    found = invert(ready, PRIMARY)
    for bound, inward in ((found.low, 0.02), (found.high, -0.02)):
        inside, outside = (
            rank_p(statistics(ready, PRIMARY, undo(ready, PRIMARY, bound + s), ready.places))
            for s in (inward, -inward)
        )
        assert inside >= 0.05 > outside
    assert statistics(ready, PRIMARY, undo(ready, PRIMARY, found.estimate), ready.places[:, :1])[
        0
    ] == pytest.approx(0, abs=1e-6)


def test_undoing_an_imposed_effect_gives_the_panel_back():
    ready = _make(2)
    z, panel = ready.z.copy(), ready.panel
    for c, treated in enumerate(panel.treated[1:], start=1):
        rows = panel.label == c
        z[rows] = scale_own(z[rows], ready.m[rows], np.sqrt(0.4), treated)
    back = undo(dataclasses.replace(ready, z=z), PRIMARY, -0.5 * np.log(0.4))
    np.testing.assert_allclose(back, ready.z, atol=1e-10)


def test_a_raised_loading_adds_the_detrended_cycle_in_treated_years():
    ready = _make(2)
    treated = ready.panel.treated[1]
    changed = add_loading(ready.z[:1], ready.m[:1], 0.3, treated, YEARS)[0]
    trend = np.polyval(np.polyfit(YEARS - 2014.5, ready.m[0], 1), YEARS - 2014.5)
    literal = ready.z[0] + 0.3 * (ready.m[0] - trend) * (YEARS >= 2014)
    np.testing.assert_allclose(changed, (literal - literal.mean()) / literal.std(), atol=1e-10)


def test_effect_on_cm_is_the_difference_of_two_fits_and_grows_with_the_effect():
    ready = _make(4)
    effects = [effect_on_cm(ready, PRIMARY, g) for g in np.linspace(-2, 2, 9)]
    assert effects[4] == pytest.approx(0, abs=1e-12)
    assert np.all(np.diff(effects) > 0)


def test_size_and_power_of_the_whole_test():
    null = [primary_p(*draw_panel(1000 + s), permutations=199) for s in range(300)]
    strong = [primary_p(*draw_panel(2000 + s, calmer=0.9), permutations=199) for s in range(60)]
    assert 0.02 <= np.mean(np.array(null) <= 0.05) <= 0.085
    assert np.mean(np.array(strong) <= 0.05) > 0.8


def test_interval_covers_what_calmer_shocks_do_to_cm():
    covered = []
    for seed in range(60):
        ready = _make(3000 + seed, calmer=0.6)
        without = _make(3000 + seed)
        found = invert(ready, PRIMARY)
        low, high = (effect_on_cm(ready, PRIMARY, g) for g in (found.low, found.high))
        covered.append(low <= _t3(ready) - _t3(without) <= high)
    assert np.mean(covered) >= 0.88


def test_fit_agrees_with_the_p_alone_and_has_the_same_bytes_each_time():
    arguments = draw_panel(7, calmer=0.6)
    first, second = (
        json.dumps(dataclasses.asdict(fit_primary(*arguments, permutations=499, seed=3)))
        for _ in range(2)
    )
    assert first == second
    assert json.loads(first)["p_value"] == primary_p(*arguments, permutations=499, seed=3)
    assert json.loads(first) != dataclasses.asdict(
        fit_primary(*arguments, permutations=499, seed=4)
    )


def test_units_order_of_cities_and_block_names_do_not_matter():
    growth, years, cohort, block = draw_panel(7, calmer=0.6)
    base = fit_primary(growth, years, cohort, block, permutations=199)
    names = np.array([f"province {b}" for b in block])
    changed = fit_primary(3 + 100 * growth[:, ::-1], years[::-1], cohort, names, permutations=199)
    assert changed.p_value == base.p_value
    assert changed.estimate == pytest.approx(base.estimate, rel=1e-9)


def test_result_names_what_was_used():
    growth, years, cohort, block = draw_panel(7)
    growth[5, 2] = np.nan
    growth[11] = 1.0
    found = fit_primary(
        growth, years, np.where(cohort == 2017, 2030, cohort), block, permutations=199
    )
    assert (found.n_cities, found.n_pilots, found.n_blocks) == (46, 8, 8)
    assert "1 cities without growth in every year are left out." in found.warnings
    assert any("never changes" in text for text in found.warnings)
    assert [part.channel for part in found.channels] == ["own_variance", "loading"]
    for part in found.channels:
        assert part.ci_low <= part.estimate <= part.ci_high
    assert found.channels[0].estimate > -1
    assert -1 <= found.implied_correlation.before <= 1


def test_calmer_own_shocks_raise_the_implied_correlation():
    found = fit_primary(*draw_panel(11, n_blocks=20, calmer=0.8), permutations=199)
    assert found.channels[0].estimate < 0
    assert found.implied_correlation.after > found.implied_correlation.before
    assert found.estimate > 0


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"block": np.zeros(48, dtype=int)}, "blocks hold both pilots and never-pilots"),
        (
            {"cohort": np.where(np.arange(48) % 16 == 0, 2014, 0)},
            "pilots have a never-pilot in their block",
        ),
        ({"cohort": np.where(np.arange(48) % 6 < 2, 2012, 0)}, "years before the first admission"),
        ({"cohort": np.zeros(48, dtype=int)}, "no city is admitted inside the window"),
        (
            {"cohort": np.where(np.arange(48) < 24, 2014, 0)},
            "blocks hold both pilots and never-pilots",
        ),
    ],
)
def test_a_panel_that_lacks_something_gets_no_verdict_and_is_told_why(change, said):
    growth, years, cohort, block = draw_panel(1)
    arguments = {"cohort": cohort, "block": block} | change
    found = fit_primary(growth, years, **arguments)
    assert (
        found.estimate,
        found.ci_low,
        found.ci_high,
        found.p_value,
        found.minimum_detectable_effect,
    ) == (None,) * 5
    assert found.channels == ()
    assert any(said in text and text.startswith("No verdict") for text in found.warnings)
    assert primary_p(growth, years, **arguments) is None
    assert power_curve(growth, years, **arguments) == []


def test_no_city_left_is_no_verdict():
    found = fit_primary(np.full((4, 5), np.nan), np.arange(5), np.array([3, 0, 0, 0]), np.zeros(4))
    assert found.n_cities == 0
    assert found.p_value is None


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((np.zeros(3), YEARS, np.zeros(3), np.zeros(3)), "growth has shape"),
        ((np.zeros((3, 10)), YEARS, np.zeros(2), np.zeros(3)), "cohort has shape"),
        ((np.zeros((3, 10)), YEARS, np.zeros(3), np.zeros(4)), "block has shape"),
        ((np.zeros((3, 10)), np.full(10, 2010), np.zeros(3), np.zeros(3)), "a year twice"),
        ((np.full((3, 10), np.inf), YEARS, np.zeros(3), np.zeros(3)), "infinite"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(arguments, said):
    with pytest.raises(ValueError, match=said):
        fit_primary(*arguments)


def test_too_few_permutations_are_refused():
    with pytest.raises(ValueError, match=r"no p below 0\.05"):
        fit_primary(*draw_panel(1), permutations=18)


def test_minimum_detectable_effect_is_found_in_about_four_of_five():
    arguments = draw_panel(21, n_blocks=16, per_block=8)
    ready = make_ready(build_panel(*arguments), 1999, np.random.default_rng(1))
    smallest = minimum_detectable_effect(ready)
    rows = power_curve(
        *arguments,
        imposed=("S-0", "S-30", "S-50", "S-60", "S-70", "S-80", "S-90"),
        draws=100,
        permutations=99,
    )
    effects, shares = [row.effect_on_cm for row in rows], [row.share_found for row in rows]
    assert effects[0] == pytest.approx(0, abs=1e-12)
    assert shares[0] <= 0.13
    assert np.all(np.diff(effects) > 0)
    assert 0.62 <= np.interp(smallest, effects, shares) <= 0.95


def test_effects_that_cannot_be_imposed_are_refused():
    with pytest.raises(ValueError, match="expected S- or L-"):
        power_curve(*draw_panel(1), imposed=("Q-10",))


def test_power_of_a_raised_loading_is_reported_with_its_own_effect():
    rows = power_curve(*draw_panel(3), imposed=("L-50",), draws=5, permutations=39)
    assert rows[0].imposed == "L-50"
    assert np.isfinite(rows[0].effect_on_cm)
