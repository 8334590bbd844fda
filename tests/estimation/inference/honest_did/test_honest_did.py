"""Sensitivity to trends against the R package's published example, and by hand."""

import dataclasses

import numpy as np
import pytest
from scipy.stats import foldnorm, norm
from scipy.stats import t as student

from estimation.estimators.registry import ESTIMATORS, names
from estimation.fit_panel import fit_panel
from estimation.inference.honest_did.relative_magnitudes import (
    breakdown,
    holds_zero,
    least_favourable,
    relative_magnitudes,
)
from estimation.inference.honest_did.smoothness import smoothness_path
from tests.estimation.panels import diagnostic_of, estimates_of, random_panel
from tests.estimation.parity import agrees

# Benzarti and Carloni (2019), the example of Rambachan and Roth (2023): four leads and the first
# effect of BCdata_EventStudy in the R package HonestDiD, and the sets its createSensitivityResults
# functions give
PUBLISHED = np.array([0.006696351804, 0.02934503369, -0.006472972222, 0.0730149895, 0.1959611177])
PUBLISHED_COVARIANCE = np.array(
    [
        [0.0008428358124, 0.0004768686777, 0.0002618051076, 0.0002354220342, 0.0001676371467],
        [0.0004768686777, 0.0006425420288, 0.0003987425007, 0.0002435515198, 0.0002201960306],
        [0.0002618051076, 0.0003987425007, 0.0005229949602, 0.000211768609, 0.0001840722252],
        [0.0002354220342, 0.0002435515198, 0.000211768609, 0.0003089595411, 0.0001197866077],
        [0.0001676371467, 0.0002201960306, 0.0001840722252, 0.0001197866077, 0.000359970436],
    ]
)
PUBLISHED_SMOOTHNESS = {
    0.0: (0.1314113160, 0.2161696482),
    0.01: (0.1549652671, 0.2703845303),
    0.02: (0.1773010879, 0.3159564682),
    0.03: (0.1894044644, 0.3485477500),
    0.1: (0.1194440002, 0.4185082143),
    0.2: (0.0194440002, 0.5185082143),
}
PUBLISHED_RELATIVE = {
    0.5: (0.1181294858, 0.2715838660),
    1.0: (0.0672312508, 0.3186837253),
    1.5: (0.0132943151, 0.3695819603),
}
# the R package tries 1,000 effects within 20 standard errors of zero
GRID_STEP = 40 * 0.000359970436**0.5 / 999
KNOWN = float("inf")


def _random_case(seed, n_leads):
    generator = np.random.default_rng(seed)
    root = generator.normal(size=(n_leads + 1, n_leads + 3))
    covariance = np.einsum("ak,bk->ab", root, root) / 50
    return generator.normal(size=n_leads + 1) * 0.3, covariance


@pytest.mark.parametrize("bound", PUBLISHED_SMOOTHNESS)
def test_smoothness_is_the_published_interval(bound):
    """The R package simulates its folded normal quantile, which moves half-lengths by 0.1 %, and
    the flat optimum's centre by more.
    """
    low, high = smoothness_path(PUBLISHED, PUBLISHED_COVARIANCE).interval(bound, KNOWN)
    published = PUBLISHED_SMOOTHNESS[bound]
    agrees(
        "Honest DiD, smoothness: length of the interval",
        "R's HonestDiD, printed example",
        high - low,
        published[1] - published[0],
        rel=2e-3,
        why="R simulates the folded normal quantile",
    )
    assert (low, high) == pytest.approx(published, abs=1e-3)


@pytest.mark.parametrize("bound", PUBLISHED_RELATIVE)
def test_relative_magnitudes_are_the_published_set(bound):
    found = relative_magnitudes(PUBLISHED, PUBLISHED_COVARIANCE, KNOWN, bound)
    agrees(
        "Honest DiD, relative magnitudes: ends of the interval",
        "R's HonestDiD, printed example",
        found,
        PUBLISHED_RELATIVE[bound],
        abs=GRID_STEP,
        why="R tries effects on a grid; the tolerance is its step",
    )


def test_one_lead_by_hand():
    theta, covariance = np.array([0.1, 2.0]), np.array([[0.09, 0.02], [0.02, 0.16]])
    # slope from -2 to -1 is -0.1: extrapolated, the trend stands at -0.1 (-0.3) at event time 0 (2)
    for horizon, centre, variance, curve in (
        (0, 2.1, 0.16 + 0.09 + 0.04, 1),
        (2, 2.3, 0.16 + 9 * 0.09 + 6 * 0.02, 6),
    ):
        error = variance**0.5
        half = error * foldnorm.ppf(0.95, 0.5 * curve / error)
        found = smoothness_path(theta, covariance, horizon).interval(0.5, KNOWN)
        assert found == pytest.approx((centre - half, centre + half))
        half = error * student.ppf(0.975, 25)
        assert smoothness_path(theta, covariance, horizon).interval(0.0, 25) == pytest.approx(
            (centre - half, centre + half)
        )


def test_an_estimated_covariance_widens_by_what_is_chosen():
    """At bound 0 generalised least squares of a straight trend and the effect; one contrast of the
    leads is chosen.
    """
    theta, covariance = _random_case(2, 2)
    design, inverse = np.array([[-2.0, 0], [-1, 0], [1, 1]]), np.linalg.inv(covariance)
    variance = np.linalg.inv(design.T @ inverse @ design)
    centre = (variance @ design.T @ inverse @ theta)[1]
    half = student.ppf(0.975, 19) * (variance[1, 1] * 20 / 18) ** 0.5
    found = smoothness_path(theta, covariance).interval(0.0, 20)
    assert found == pytest.approx((centre - half, centre + half))


def test_rounding_of_the_covariance_moves_no_interval():
    """A coefficient that leaves the path is zero there: what rounding left of it must not count as
    chosen, for each choice costs a degree of freedom.
    """
    for seed in range(40):
        generator = np.random.default_rng(seed)
        root, theta = generator.normal(size=(25, 9)), generator.normal(size=9)
        covariance = np.einsum("ki,kj->ij", root, root) / 24 + 0.5
        rounding = 1e-15 * generator.normal(size=9)
        near = covariance * (1 + rounding[:, None] + rounding)
        first, second = (smoothness_path(theta, c).interval(0.0, 20) for c in (covariance, near))
        np.testing.assert_allclose(first, second, atol=1e-9)


def test_least_favourable_value_by_simulation():
    for correlation in (-1.0, -0.5, 0.0, 0.9):
        found = least_favourable(np.array([correlation]))[0]
        draws = np.random.default_rng(2).multivariate_normal(
            [0, 0], [[1, correlation], [correlation, 1]], size=400_000, tol=1e-6
        )
        assert (draws.max(axis=1) > found).mean() == pytest.approx(
            0.005, abs=4 * (0.005 / 400_000) ** 0.5
        )
    assert least_favourable(np.array([1.0]))[0] == pytest.approx(norm.ppf(0.995))


def test_without_a_trend_relative_magnitudes_are_the_t_interval():
    theta, covariance = _random_case(5, 4)
    half = student.ppf(0.975, 25) * covariance[-1, -1] ** 0.5
    assert relative_magnitudes(theta, covariance, 25, 0.0) == pytest.approx(
        (theta[-1] - half, theta[-1] + half), abs=1e-9
    )


def test_breakdown_is_where_the_set_reaches_zero():
    found = breakdown(
        lambda bound: not holds_zero(PUBLISHED, PUBLISHED_COVARIANCE, KNOWN, bound), 0.125
    )
    assert 1.5 < found < 2  # between the published sets that leave zero out and hold it
    assert relative_magnitudes(PUBLISHED, PUBLISHED_COVARIANCE, KNOWN, found)[0] == pytest.approx(
        0, abs=1e-6
    )
    assert breakdown(lambda _: False, 1.0) == 0.0
    assert breakdown(lambda _: True, 1.0) == float("inf")
    assert breakdown(lambda bound: bound < 0.3, 1.0) == pytest.approx(0.3)
    assert breakdown(lambda bound: bound < 300, 1.0) == pytest.approx(300)


def test_diagnostics_of_an_event_study():
    result = fit_panel(
        random_panel(3, n_cities=60, n_pilots=24),
        estimator="event_study",
        vcov=("province_jackknife",),
        permutations=0,
    )
    line = estimates_of(result, "province_jackknife")
    for (term, event_time), estimate in line.items():
        if term != "event" or event_time < 0:
            continue
        label = f"event[{event_time}]"
        narrow, wide = (
            [
                diagnostic_of(result, f"honest_relative_magnitudes_{end}_{bound}", label)
                for end in ("low", "high")
            ]
            for bound in ("0.5", "2")
        )
        assert wide[0] < narrow[0] < estimate.ci_low < estimate.ci_high < narrow[1] < wide[1]
        breaks = diagnostic_of(result, "breakdown_relative_magnitudes", label)
        assert (breaks == 0) == (estimate.ci_low <= 0 <= estimate.ci_high)
        straight = [
            diagnostic_of(result, f"honest_smoothness_{end}_0_se", label) for end in ("low", "high")
        ]
        assert (diagnostic_of(result, "breakdown_smoothness", label) == 0) == (
            straight[0] <= 0 <= straight[1]
        )


@pytest.mark.parametrize("step", [1, 2])
@pytest.mark.parametrize("estimator", names("on_any_panel"))
def test_only_leads_from_the_last_period_before_treatment_get_sets(estimator, step):
    # Callaway-Sant'Anna's lead of two periods before, relative to the period before that, got sets
    # where periods come in steps of two
    panel = random_panel(4, n_cities=60, n_pilots=20)
    years = 2000 + step * np.arange(len(panel.years))
    cohort = np.where(panel.city_cohort > 0, 2000 + 2 * step, 0)
    panel = dataclasses.replace(panel, years=years, city_cohort=cohort, cohort=None)
    reference = -step if ESTIMATORS[estimator].has_reference else -1
    result = fit_panel(panel, estimator=estimator, permutations=0, reference=reference)
    has_sets = any(name == "breakdown_smoothness" for name, _, _ in result.diagnostics)
    assert has_sets == (ESTIMATORS[estimator].leads_from_last and step == 1)
