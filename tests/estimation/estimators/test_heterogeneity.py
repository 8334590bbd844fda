"""Moderated effects and year effects by class, and leaving the approval year of second-half pilots
out: against dummies written out and literal refits.
"""

import dataclasses

import numpy as np
import pytest

from estimation.engines.heterogeneity_design import build_design, city_types
from estimation.estimators.fitted import sample_statistics
from estimation.estimators.two_way import LeastSquaresDraws, fit_design
from estimation.fit_panel import fit_outcomes
from estimation.inference.permutation.assignments import draw_relabellings
from estimation.inference.permutation.permute import permute
from estimation.options import Options
from estimation.panel.fit_sample import build_sample
from estimation.results import NotEstimable
from estimation.study.heterogeneity import (
    Heterogeneity,
    fit_heterogeneity,
    fit_without_approval_year,
)
from tests.estimation.panels import (
    VARIANCE_ESTIMATORS,
    assert_draw_is_fit,
    diagnostic_of,
    estimates_of,
    of_pair_dummies,
    random_panel,
    treated_years,
)

DATA = {
    "balanced": {},
    "gaps_and_controls": {"missing": 0.1, "n_controls": 2},
    "many_gaps": {"missing": 0.3},
}


def _classes(panel):
    return (panel.city_i + panel.city_j) % 3


def _region_pairs(panel):
    region = np.arange(panel.n_cities) % 3
    first, second = region[panel.city_i], region[panel.city_j]
    return np.minimum(first, second) * 3 + np.maximum(first, second)


def _strength(panel):
    generator = np.random.default_rng(8)
    level = (
        generator.random((panel.n_cities, 1, 2)) + 0.1 * np.arange(len(panel.years))[None, :, None]
    )
    treated = (panel.city_cohort[:, None] > 0) & (panel.years[None] >= panel.city_cohort[:, None])
    return level * treated[:, :, None]


def _moderations(panel):
    gap = np.random.default_rng(6).normal(size=panel.n_pairs)
    holes = np.where(np.arange(panel.n_pairs) % 7 == 0, np.nan, gap)
    return {
        "plain": Heterogeneity("plain"),
        "classes": Heterogeneity(
            "classes", pair_class=_classes(panel), class_names=("a", "b", "c")
        ),
        "classes_own_years": Heterogeneity(
            "classes_own_years",
            pair_class=_classes(panel),
            class_names=("a", "b", "c"),
            year_block=_classes(panel),
        ),
        "gap": Heterogeneity("gap", gap=gap),
        "gap_with_holes": Heterogeneity("gap_with_holes", gap=holes),
        "region_pairs": Heterogeneity("region_pairs", year_block=_region_pairs(panel)),
        "events": Heterogeneity("events", estimator="event_study", year_block=_region_pairs(panel)),
        "strength": Heterogeneity("strength", city_path=_strength(panel), path_names=("u", "v")),
        "strength_by_class": Heterogeneity(
            "strength_by_class",
            city_path=_strength(panel),
            path_names=("u", "v"),
            pair_class=_classes(panel) % 2,
            class_names=("a", "b"),
        ),
    }


def _regressors(panel, moderation):
    """Treatment regressors by the definition, one (P, T) array a coefficient."""
    if moderation.city_path is not None:
        pilot = np.where(panel.city_cohort[panel.city_i] > 0, panel.city_i, panel.city_j)
        one = ((panel.city_cohort[panel.city_i] > 0) ^ (panel.city_cohort[panel.city_j] > 0))[
            :, None
        ]
        paths = [
            moderation.city_path[pilot, :, s] * one for s in range(moderation.city_path.shape[2])
        ]
    elif moderation.estimator == "event_study":
        event = np.where(panel.cohort[:, None] > 0, panel.years[None] - panel.cohort[:, None], -1)
        paths = [(event == e).astype(float) for e in np.unique(event) if e != -1]
    else:
        paths = [treated_years(panel).astype(float)]
    if moderation.pair_class is not None:
        loads = [
            (moderation.pair_class == k).astype(float) for k in range(len(moderation.class_names))
        ]
    elif moderation.gap is not None:
        known = np.isfinite(moderation.gap)
        loads = [known.astype(float), np.where(known, moderation.gap, 0.0)] + (
            [] if known.all() else [(~known).astype(float)]
        )
    else:
        loads = [np.ones(panel.n_pairs)]
    return [path * load[:, None] for load in loads for path in paths]


def _by_dummies(panel, kept, moderation):
    """Coefficients and errors by pair of ordinary least squares with a dummy for every pair and
    every year of every block.
    """
    x, block = _regressors(panel, moderation), moderation.year_block
    estimate, psi = of_pair_dummies(panel, kept[:, None], x, block=block)
    return estimate, np.sqrt((psi**2).sum(axis=0))


def _fit(panel, moderation, tie_quantile=None):
    sample = build_sample(panel, tuple(range(panel.n_outcomes)), tie_quantile)
    types = city_types(sample, (moderation,))
    design = build_design(sample, moderation, types)
    names = () if panel.controls is None else tuple(f"x{k}" for k in range(len(panel.controls)))
    fits, missed = fit_design(sample, sample_statistics(sample, design.loading), design, names)
    assert missed == ()
    return sample, design, fits


@pytest.mark.parametrize("name", list(_moderations(random_panel(1))))
@pytest.mark.parametrize("data", DATA)
def test_coefficients_against_dummies(data, name):
    panel = random_panel(5, n_cities=15, n_pilots=5, **DATA[data])
    moderation = _moderations(panel)[name]
    sample, design, fits = _fit(panel, moderation, tie_quantile=0.3)
    expected, errors = _by_dummies(panel, sample.kept, moderation)
    np.testing.assert_allclose(fits[0].estimate[: len(expected)], expected, atol=1e-9)
    by_pair = np.sqrt((fits[0].psi[:, : len(expected)] ** 2).sum(axis=0))
    np.testing.assert_allclose(by_pair, errors, rtol=1e-6)
    # differences are differences
    for row, (term, _, _) in zip(design.contrasts, design.terms, strict=True):
        if term.startswith("difference:"):
            at = design.terms.index((term, None, None))
            np.testing.assert_allclose(fits[0].estimate[at], row @ expected, atol=1e-9)
    # influence values of a least-squares fit add up to zero over the pairs
    np.testing.assert_allclose(fits[0].psi.sum(axis=0), 0, atol=1e-10)


def test_more_than_three_classes_are_each_compared_with_the_last():
    panel = random_panel(5, n_cities=15, n_pilots=5)
    kind = (panel.city_i + panel.city_j) % 4
    _, design, _ = _fit(panel, Heterogeneity("four", pair_class=kind, class_names=tuple("abcd")))
    names = [term for term, _, _ in design.terms if term.startswith("difference:")]
    assert names == ["difference:a-d", "difference:b-d", "difference:c-d"]


NUMBERS = ("estimate", "std_error", "ci_low", "ci_high", "p_value", "n_pilots")


@pytest.mark.parametrize("estimator", ["twfe", "event_study"])
@pytest.mark.parametrize("data", DATA)
def test_without_moderation_every_line_is_that_of_the_plain_fit(data, estimator):
    panel = random_panel(3, n_cities=33, n_pilots=9, **DATA[data])
    names = () if panel.controls is None else ("x0", "x1")
    arguments = {
        "vcov": VARIANCE_ESTIMATORS,
        "permutations": 60,
        "tie_quantile": 0.5,
        "control_names": names,
    }
    plain = fit_outcomes(panel, estimators=(estimator,), **arguments)[estimator, 0]
    result = fit_heterogeneity(panel, [Heterogeneity("plain", estimator=estimator)], **arguments)[
        "plain", 0
    ]
    lines = VARIANCE_ESTIMATORS if data == "balanced" else VARIANCE_ESTIMATORS[:-1]
    for line in lines:
        expected, found = estimates_of(plain, line), estimates_of(result, line)
        assert expected.keys() == found.keys()
        for key, row in expected.items():
            both = [[getattr(one, name) for name in NUMBERS] for one in (found[key], row)]
            np.testing.assert_allclose(*np.array(both, dtype=float), rtol=1e-6, atol=1e-9)
    if data != "balanced":
        assert any("permutation is left out" in warning for warning in result.warnings)


OF_COHORTS = ("classes", "classes_own_years", "region_pairs", "events")


@pytest.mark.parametrize(
    ("tie_quantile", "names"), [(None, None), (0.4, None), (None, OF_COHORTS), (0.4, OF_COHORTS)]
)
def test_draws_are_literal_refits(tie_quantile, names):
    # whole records move: admission year, path of strengths; the pair keeps class, gap and block;
    # without paths all pilots of a cohort are of one type
    panel = random_panel(1, n_cities=30, n_pilots=9, n_outcomes=2)
    of_name = _moderations(panel)
    moderations = tuple(of_name[name] for name in names or of_name)
    sample = build_sample(panel, (0, 1), tie_quantile)
    types = city_types(sample, moderations)
    designs = tuple(build_design(sample, m, types) for m in moderations)
    tested = {d.name: d.tests for d in designs}
    tested["events"] = {"leads": tested["events"]["leads"][2:]}
    strata = np.arange(30) % 2
    models = {
        d.name: LeastSquaresDraws(sample_statistics(sample, d.loading), d, tested[d.name])
        for d in designs
    }
    settings = Options(permutations=4, seed=11)
    draws = {name: permute(sample, model, strata, settings) for name, model in models.items()}
    labels = draw_relabellings(types.city_type, strata, 4, 11)
    strength, years = _strength(panel), panel.years
    for b in range(4):
        source = types.example[labels[b]]
        cohort = np.where(labels[b] > 0, panel.city_cohort[source], 0)
        moved = np.where((labels[b] > 0)[:, None, None], strength[source], 0.0)
        redrawn = dataclasses.replace(panel, city_cohort=cohort, cohort=None)
        assert (moved[cohort == 0] == 0).all() and len(years) == moved.shape[1]
        for moderation, design in zip(moderations, designs, strict=True):
            path = None if moderation.city_path is None else moved
            _, _, fits = _fit(
                redrawn, dataclasses.replace(moderation, city_path=path), tie_quantile
            )
            for m, fit in enumerate(fits):
                assert_draw_is_fit(draws[design.name][m], b, fit, tested[design.name])


def test_joint_tests_and_differences_by_their_definition():
    panel = random_panel(2, n_cities=39, n_pilots=12)
    moderation = _moderations(panel)["classes"]
    result = fit_heterogeneity(panel, [moderation], vcov=("province_jackknife",), permutations=0)[
        "classes", 0
    ]
    _, _, (fit,) = _fit(panel, moderation)
    n = len(fit.provinces.blocks)
    for name, matrix in (("zero", np.eye(3)), ("equal", np.array([[1, 0, -1], [0, 1, -1]]))):
        theta = matrix @ fit.estimate[:3]
        deviation = (fit.provinces.estimates[:, :3] - fit.estimate[:3]) @ matrix.T
        covariance = (n - 1) / n * deviation.T @ deviation
        k = len(theta)
        expected = theta @ np.linalg.solve(covariance, theta) * (n - k) / (k * (n - 1))
        np.testing.assert_allclose(diagnostic_of(result, f"joint_{name}_f"), expected, rtol=1e-8)
        assert diagnostic_of(result, f"joint_{name}_df2") == n - k
    rows = estimates_of(result, "province_jackknife")
    # the first contrast of those that are equal
    assert rows["difference:a-c", None].std_error == pytest.approx(np.sqrt(covariance[0, 0]))


def _without_approval_year(panel, late: np.ndarray) -> tuple[float, float]:
    """Dummies written out on the pair-years without those of the approval year; the estimate and
    its error clustered by pair.
    """
    kept = build_sample(panel, (0,), 0.3).kept
    pilot = np.where(panel.city_cohort[panel.city_i] > 0, panel.city_i, panel.city_j)
    half_years = panel.years == np.where(late[pilot], panel.cohort - 1, 0)[:, None]
    (b,), psi = of_pair_dummies(panel, kept[:, None] & ~half_years, [treated_years(panel)])
    return b, np.sqrt((psi**2).sum())


def test_equals_leaving_the_pair_years_out() -> None:
    """Coefficient, conventional error, and the mean over reassignments in which the half-year moves
    with the admission.
    """
    panel = random_panel(7, n_cities=24, n_pilots=9)
    late = np.zeros(24, dtype=bool)
    late[np.flatnonzero(panel.city_cohort > 0)[::2]] = True
    settings = {
        "vcov": ("conventional", "permutation"),
        "permutations": 12,
        "seed": 3,
        "shuffle": "all",
        "tie_quantile": 0.3,
    }
    result = fit_without_approval_year(panel, late, Options(**settings))["twfe", 0]
    b, error = _without_approval_year(panel, late)
    row = estimates_of(result, "conventional")["treated", None]
    assert row.estimate == pytest.approx(b, abs=1e-10)
    assert row.std_error == pytest.approx(error, rel=1e-9)
    assert {e.term for e in result.estimates} == {
        "treated",
        "approval_year_2012",
        "approval_year_2013",
        "approval_year_2015",
    }
    records = panel.city_cohort * 10 + late
    kinds, label = np.unique(records, return_inverse=True)
    drawn = []
    for labels in draw_relabellings(label, np.zeros(24, dtype=int), 12, 3):
        moved = kinds[labels]
        drawn.append(
            _without_approval_year(
                dataclasses.replace(panel, city_cohort=moved // 10, cohort=None), moved % 10 == 1
            )[0]
        )
    assert diagnostic_of(result, "permutation_mean_estimate", "treated") == pytest.approx(
        np.mean(drawn), abs=1e-9
    )


def test_without_second_half_pilots_there_is_no_such_year() -> None:
    panel = random_panel(7, n_cities=18)
    with pytest.raises(NotEstimable, match="July to December"):
        fit_without_approval_year(panel, np.zeros(18, dtype=bool), Options(permutations=0))


def test_pilots_of_one_cohort_that_differ_by_half_year_can_trade_places() -> None:
    panel = random_panel(7, n_cities=24, n_pilots=9)
    two = np.flatnonzero(panel.city_cohort == panel.city_cohort.max())[:2]
    late = np.arange(24) == two[0]
    strata = np.isin(np.arange(24), two)
    options = Options(("permutation",), 9, shuffle=strata)
    result = fit_without_approval_year(panel, late, options)["twfe", 0]
    assert len(two) == 2 and diagnostic_of(result, "permutation_fixed_pilots") == 0
