"""Refits without a province or a city against fits of the smaller panel, what a lost coefficient
does, and degrees of freedom by design against known distributions and unit shocks.
"""

import dataclasses
from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats

from estimation.engines.arrays import pair_statistics
from estimation.engines.heterogeneity_design import Heterogeneity, build_design, city_types
from estimation.engines.regressors import DESIGNS
from estimation.estimators import registry
from estimation.estimators.cohort_means import (
    fit_cells,
    jackknife_df_of_cells,
    sum_city_cells,
)
from estimation.estimators.doubly_robust import fit_doubly_robust
from estimation.estimators.fitted import sample_statistics
from estimation.estimators.group_time import comparable_sample
from estimation.estimators.two_way import fit_design, fit_least_squares
from estimation.fit_panel import ESTIMATORS, fit_panel
from estimation.influence.influence_fit import InfluenceFit
from estimation.influence.jackknife_df import design_df, equivalent_df, exceedance
from estimation.panel.fit_sample import build_sample
from estimation.panel.pair_panel import PairPanel
from estimation.results import NotEstimable
from tests.estimation.estimators.test_two_way import cells_of
from tests.estimation.panels import CASES, OFTEN, VARIANCE_ESTIMATORS, fitted, random_panel


def test_a_fit_gives_its_estimates_without_each_city_and_province():
    panel = random_panel(6)
    _, (own,) = fitted(panel, "twfe")
    parts = fit_panel(panel, permutations=0, keep_parts=True).parts
    for refits, of_part in ((own.cities, parts.without_city), (own.provinces, parts.without_block)):
        blocks, estimates = of_part["treated"]
        assert np.array_equal(blocks, refits.blocks)
        np.testing.assert_array_equal(estimates, refits.estimates[:, 0])


YEARS = np.arange(2010, 2018)
N_PROVINCES, CITIES_EACH, IN_PROVINCE = 12, 6, 0.3
PROVINCE = np.arange(N_PROVINCES * CITIES_EACH) // CITIES_EACH


def carried_by_one_province(design: str) -> PairPanel:
    """Eight pilots in eight provinces; shocks of cities and years have variance one, 30 % of it the
    province's.

    Either the pilots are tied to the cities of one other province alone, and never-treated cities
    to one another; or no pair is never treated, and the last four pilots sit in one other province.
    """
    rng, cohort = np.random.default_rng(3), np.zeros(len(PROVINCE), dtype=np.int64)
    i, j = np.triu_indices(len(PROVINCE), 1)
    cohort[np.arange(1, 9) * CITIES_EACH] = 2014 if design == "partners" else 2013
    if design == "controls":
        cohort[:4] = 2016
    treated = (cohort[i] > 0, cohort[j] > 0)
    kept = (PROVINCE[i] == 0) | ~(treated[0] | treated[1])
    kept = kept if design == "partners" else treated[0] != treated[1]
    i, j = i[kept], j[kept]
    of_province = rng.normal(size=(N_PROVINCES, len(YEARS)))[PROVINCE]
    own = rng.normal(size=of_province.shape)
    shocks = np.sqrt(IN_PROVINCE) * of_province + np.sqrt(1 - IN_PROVINCE) * own
    y = shocks[i] + shocks[j] + 0.5 * rng.normal(size=(len(i), len(YEARS)))
    return PairPanel(i, j, YEARS, y, cohort, PROVINCE)


@pytest.mark.parametrize("estimator", ["twfe", "borusyak", "callaway_santanna"])
@pytest.mark.parametrize("design", ["partners", "controls"])
def test_no_jackknife_where_one_province_carries_the_estimate(design, estimator):
    panel = carried_by_one_province(design)
    is_later = design == "controls" and estimator == "callaway_santanna"
    control_pairs = "not_yet_treated" if is_later else "never_treated"
    result = fit_panel(
        panel,
        estimator=estimator,
        control_pairs=control_pairs,
        vcov=VARIANCE_ESTIMATORS,
        permutations=49,
        shuffle="all",
    )
    lines = {e.vcov: e for e in result.estimates if e.term in ("treated", "att")}
    # pilots sit in eight provinces or nine, and without province 0 nothing is left to compare them
    # with
    assert lines["province_jackknife"].std_error is None
    assert lines["city"].std_error > 0
    if design == "controls" and estimator == "twfe":
        # the earlier pilots alone are of one cohort: year effects take the coefficient
        assert any("not identified without province 0" in text for text in result.warnings)
    assert [name for name, line in lines.items() if line.is_default] == ["permutation"]
    if design == "partners":
        cells = cells_of(build_sample(panel, (0,), None))
        assert np.isnan(fit_cells(cells, [estimator])[estimator].jackknife_variance()).all()
    assert any(
        "not identified without province 0" in text and "has in common" in text
        for text in result.warnings
    )


def test_a_cohort_that_one_province_holds_leaves_the_overall_effect_a_jackknife():
    """Its refit averages the cohorts that remain, so the deviation holds the lost cohort's own
    error.
    """
    panel = random_panel(8, n_cities=45, n_pilots=0)
    cohort = np.where(panel.province == 0, 2014, 0)
    cohort[np.arange(5, 45, 4)] = 2016
    panel = type(panel)(panel.city_i, panel.city_j, panel.years, panel.y, cohort, panel.province)
    for estimator in ("callaway_santanna", "borusyak"):
        result = fit_panel(
            panel, estimator=estimator, vcov=("city", "province_jackknife"), permutations=0
        )
        lines = {(e.vcov, e.event_time): e for e in result.estimates if e.term in ("att", "event")}
        assert lines["province_jackknife", None].std_error > 0
        # only the cohort of province 0 reaches event time 2: three pilots, and nothing without them
        assert lines["province_jackknife", 2].std_error is None


@pytest.mark.parametrize("n", [4, 11, 30])
def test_the_mean_of_equal_blocks_has_the_t_of_the_textbook(n: int) -> None:
    refits = np.array([np.where(np.arange(n) == r, 0, 1 / (n - 1)) for r in range(n)])
    assert design_df(np.full((n, 1, 1), 1 / n), 1 / n - refits[:, :, None, None])[
        0
    ] == pytest.approx(n - 1, rel=1e-9)


@pytest.mark.parametrize("ratio", [0.5, 2.0, 4.0])
def test_the_tail_of_one_shock_over_equal_others_is_that_of_a_t(ratio: float) -> None:
    assert exceedance(
        ratio, np.array([1.0, 0, 0, 0, 0]), np.array([0, 1, 1, 1, 1]) / 4
    ) == pytest.approx(2 * stats.t.sf(ratio, 4), rel=1e-7)


@pytest.mark.parametrize("seed", [0, 2])
def test_the_critical_value_cuts_off_five_per_cent_of_simulated_ratios(seed: int) -> None:
    """Few shocks make most of the error, and the estimate leans on it."""
    rng = np.random.default_rng(seed)
    weights, size = rng.normal(size=(12, 1, 1)), (1, 12, 1, 1)
    changes = rng.normal(size=(9, 12, 1, 1)) * rng.exponential(size=size) ** 2 + 0.5 * weights
    changes *= np.sqrt((weights**2).sum() / (8 / 9 * (changes**2).sum()))
    df = design_df(weights, changes)[0]
    shocks = rng.normal(size=(200_000, 12))
    error = np.sqrt(8 / 9 * ((shocks @ changes[:, :, 0, 0].T) ** 2).sum(axis=1))
    ratio = np.abs(shocks @ weights[:, 0, 0]) / error
    assert 1 < df < 8
    assert np.mean(ratio > stats.t.ppf(0.975, df)) == pytest.approx(0.05, abs=0.002)
    assert np.mean(ratio > stats.t.ppf(0.975, 8)) > 0.055


def test_no_more_than_the_number_of_blocks_less_one() -> None:
    # one block carries nothing of the estimate and all of the error: the true tail is thinner than
    # that of any t
    assert equivalent_df(1.0, np.zeros(3), np.diag([100.0, 1.0, 1.0])) == 2


def test_an_error_that_hardly_varies_with_the_estimate_has_almost_no_degrees_of_freedom() -> None:
    assert equivalent_df(1.0, np.zeros(3), np.diag([1e-7, 1e-9, 1e-9])) < 1
    assert np.isnan(equivalent_df(0.0, np.zeros(3), np.zeros((3, 3))))
    assert np.isnan(equivalent_df(1.0, np.full(3, np.nan), np.eye(3)))


def unit_outcomes(panel: PairPanel) -> np.ndarray:
    """An outcome for each city and year, one for the pairs of the city in that year, in the order
    of the panel's pairs; (N * T, P, T).
    """
    n, t = panel.n_cities, len(panel.years)
    y = np.zeros((n, t, panel.n_pairs, t))
    for i in range(n):
        for s in range(t):
            y[i, s, (panel.city_i == i) | (panel.city_j == i), s] = 1.0
    return np.where(np.isnan(panel.y[0]), np.nan, y).reshape(n * t, panel.n_pairs, t)


def without(panel: PairPanel, stays: np.ndarray) -> PairPanel:
    controls = None if panel.controls is None else panel.controls[:, stays]
    return panel.of_pairs(stays).with_controls(controls)


def stay_without(panel: PairPanel, name: int) -> np.ndarray:
    return (panel.province[panel.city_i] != name) & (panel.province[panel.city_j] != name)


def compare(
    fit: InfluenceFit, whole: dict[tuple, np.ndarray], refits: list[dict[tuple, np.ndarray]]
) -> None:
    """Degrees of freedom from weights that were found one shock at a time, for every term that no
    refit loses.
    """
    checked = 0
    for c, term in enumerate(fit.terms):
        if (
            all(term in weights for weights in refits)
            and np.isfinite(fit.provinces.estimates[:, c]).all()
        ):
            changes = np.array([whole[term] - weights[term] for weights in refits])
            expected = design_df(whole[term][:, :, None], changes[..., None])
            assert fit.provinces.df[c] == pytest.approx(expected[0], rel=1e-6), term
            checked += expected[0] < len(refits) - 1
    assert checked


SHAPES = {
    "balanced": {},
    "gaps": {"missing": 0.15},
    "controls": {"n_controls": 2},
    "gaps and controls": {"missing": 0.1, "n_controls": 1},
}


def by_estimator(name: str, **rules) -> Callable:
    return lambda panel, _: fitted(panel, name, **rules)[1]


def by_class(panel: PairPanel, _: np.ndarray) -> tuple[InfluenceFit, ...]:
    names = tuple(f"x{k}" for k in range(0 if panel.controls is None else len(panel.controls)))
    kind = (panel.city_i + panel.city_j) % 3
    moderation = Heterogeneity(
        "by class", pair_class=kind % 2, class_names=("a", "b"), year_block=kind
    )
    sample = build_sample(panel, tuple(range(panel.n_outcomes)), None)
    design = build_design(sample, moderation, city_types(sample, [moderation]))
    return fit_design(sample, sample_statistics(sample), design, names)[0]


def doubly_robust(panel: PairPanel, covariate: np.ndarray) -> tuple[InfluenceFit, ...]:
    sample = build_sample(panel, tuple(range(panel.n_outcomes)), None)
    return fit_doubly_robust(comparable_sample(sample), covariate[None])[0]


def weighted(panel: PairPanel, weight: np.ndarray) -> tuple[InfluenceFit, ...]:
    sample = build_sample(panel, tuple(range(panel.n_outcomes)), None)
    plain = pair_statistics(panel.y, None, sample.observed)
    values = dataclasses.replace(plain, values=plain.values * weight[:, None])
    return fit_least_squares(sample, values, DESIGNS["twfe"](sample.group_years, panel.years), ())


REFITTED = {name: by_estimator(name) for name in ESTIMATORS}
WITHOUT_CONTROLS = [name for name in ESTIMATORS if not registry.ESTIMATORS[name].takes_controls]
NOT_TAKEN = {
    **dict.fromkeys((*WITHOUT_CONTROLS, "against later pairs"), ("controls", "no controls")),
    "doubly robust": ("gaps", "every kept pair in every year"),
}
REFITTED |= {
    "against later pairs": by_estimator("callaway_santanna", control_pairs="not_yet_treated"),
    "by class": by_class,
    "doubly robust": doubly_robust,
}


@pytest.mark.parametrize("of", REFITTED)
@pytest.mark.parametrize("case", OFTEN)
def test_refits_equal_fits_of_the_smaller_panel(case, of):
    """Of cities too, but where they are approximate."""
    panel, fit_of = random_panel(6, n_cities=24, **CASES[case]), REFITTED[of]
    of_pair = np.random.default_rng(3).uniform(0.2, 3, panel.n_pairs)
    what, said = NOT_TAKEN.get(of, ("nothing", ""))
    if what in case:
        with pytest.raises(NotEstimable, match=said):
            fit_of(panel, of_pair)
        return
    (fit,) = fit_of(panel, of_pair)
    kinds = [(fit.provinces, panel.province), (fit.cities, panel.city_ids)]
    for refits, of_city in kinds[: 1 if of == "doubly robust" else 2]:
        for block in refits.blocks[:3]:
            dropped = (of_city[panel.city_i] == block) | (of_city[panel.city_j] == block)
            y = np.where(dropped[:, None], np.nan, panel.y)
            (smaller,) = fit_of(dataclasses.replace(panel, y=y, cohort=None), of_pair)
            expected = dict(zip(smaller.terms, smaller.estimate, strict=True))
            found = refits.estimates[refits.blocks == block][0]
            np.testing.assert_allclose(
                found, [expected.get(term, np.nan) for term in fit.terms], atol=1e-9
            )


SHOCKED = {
    **{
        f"{name}, {shape}": (by_estimator(name), shape, 4, 15, 6)
        for name in ESTIMATORS
        for shape in SHAPES
        if name not in WITHOUT_CONTROLS or "controls" not in shape
    },
    "by class": (by_class, "balanced", 6, 18, 6),
    "by class, gaps and controls": (by_class, "gaps and controls", 6, 18, 6),
    "doubly robust": (doubly_robust, "balanced", 4, 24, 9),
    "weighted": (weighted, "balanced", 4, 15, 6),
}


# gaps or controls alone are left to `make test-full`: they are there beside one another
ALONE = [
    name for name in SHOCKED if name.endswith((", gaps", ", controls")) and "callaway" not in name
]


@pytest.mark.parametrize(
    "case", [pytest.param(n, marks=pytest.mark.full if n in ALONE else ()) for n in SHOCKED]
)
def test_weights_are_those_found_by_fitting_every_unit_shock(case: str) -> None:
    """Weight (N, T) of each city's shock in each coefficient: the coefficient when that shock is
    all there is.
    """
    fit_of, shape, seed, n_cities, n_pilots = SHOCKED[case]
    settings = {"n_cities": n_cities, "n_pilots": n_pilots, "n_years": 5}
    panel = random_panel(seed, **settings, **SHAPES[shape])
    of_pair = np.random.default_rng(3).uniform(0.2, 3, panel.n_pairs)

    def shocks_of(one: PairPanel, given: np.ndarray) -> dict[tuple, np.ndarray]:
        # coefficients need no provinces, and refits without them are not looked at here
        shocks = dataclasses.replace(one, y=unit_outcomes(one), province=None)
        try:
            fits = fit_of(shocks, given)
        except NotEstimable:
            return {}
        weights = np.array([fit.estimate for fit in fits])
        weights = weights.reshape(one.n_cities, len(one.years), -1)
        return dict(zip(fits[0].terms, np.moveaxis(weights, -1, 0), strict=True))

    (fit,) = fit_of(panel, of_pair)
    rest = [
        shocks_of(without(panel, stays), of_pair[stays])
        for stays in (stay_without(panel, name) for name in fit.provinces.blocks)
    ]
    compare(fit, shocks_of(panel, of_pair), rest)


def test_cells_have_the_degrees_of_freedom_of_the_pairs() -> None:
    """With year effects of each pair of provinces; `study/test_run.py` compares p and intervals of
    cells with year effects alone.
    """
    panel = random_panel(4, n_cities=24, n_pilots=8)
    sample = build_sample(panel, (0,), None)
    cells, province = cells_of(sample), panel.province
    block_class = np.arange(len(cells.counts))
    ends = panel.city_i[sample.kept], panel.city_j[sample.kept]
    sums = sum_city_cells(cells, ends, province, block_class)
    of_pair = province[np.stack([panel.city_i, panel.city_j])]
    low, high = of_pair.min(axis=0), of_pair.max(axis=0)
    moderation = Heterogeneity("nested", year_block=low * 100 + high)
    design = build_design(sample, moderation, city_types(sample, [moderation]))
    expected = fit_design(sample, sample_statistics(sample), design, ())[0][0].provinces
    cell_fit = fit_cells(cells, ["twfe"], block_class)["twfe"]
    assert jackknife_df_of_cells(cell_fit, sums) == pytest.approx(expected.df[0], rel=1e-9)
    assert expected.df[0] < len(expected.blocks) - 1
