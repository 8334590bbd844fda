"""Sensitivity to trends: hand-checked sets, the breakdown value by its definition, and coverage under the trend each bound allows."""

import numpy as np
import pytest
from scipy.stats import t as student

from estimation.methods.sensitivity import breakdown, relative_magnitudes, smoothness

THETA = np.array([0.3, 0.1, 2.0])
COVARIANCE = np.array([[0.04, 0.01, 0.0], [0.01, 0.09, 0.02], [0.0, 0.02, 0.16]])
DF = 25


def test_sets_by_hand():
    q = student.ppf(0.975, DF)
    np.testing.assert_allclose(relative_magnitudes(THETA, COVARIANCE, DF, 0.0), [2 - q * 0.4, 2 + q * 0.4])
    # changes before admission: 0.1 - 0.3 and 0 - 0.1; with bound 2 the effect is 2 -+ 0.4 or 2 -+ 0.2
    first = np.sqrt(0.16 + 4 * (0.04 + 0.09 - 0.02) + 2 * 2 * 0.02), np.sqrt(0.16 + 4 * (0.04 + 0.09 - 0.02) - 2 * 2 * 0.02)
    second = np.sqrt(0.16 + 4 * 0.09 - 2 * 2 * 0.02), np.sqrt(0.16 + 4 * 0.09 + 2 * 2 * 0.02)
    ends = [(1.6, first[0]), (2.4, first[1]), (1.8, second[0]), (2.2, second[1])]
    expected = min(c - q * s for c, s in ends), max(c + q * s for c, s in ends)
    np.testing.assert_allclose(relative_magnitudes(THETA, COVARIANCE, DF, 2.0), expected)
    # slope from -2 to -1 is -0.1: by extrapolation the trend stands at -0.1 a year later
    error = np.sqrt(0.16 + 0.09 + 2 * 0.02)
    np.testing.assert_allclose(smoothness(THETA, COVARIANCE, DF, 0.5), [2.1 - q * error - 0.5, 2.1 + q * error + 0.5])
    error = np.sqrt(0.16 + 9 * 0.09 + 6 * 0.02)
    np.testing.assert_allclose(smoothness(THETA, COVARIANCE, DF, 0.5, 2), [2.3 - q * error - 3, 2.3 + q * error + 3])


@pytest.mark.parametrize("limits", [relative_magnitudes, smoothness])
def test_breakdown_is_where_the_set_reaches_zero(limits):
    found = breakdown(limits, THETA, COVARIANCE, DF)
    assert 0 < found < 100
    assert limits(THETA, COVARIANCE, DF, found)[0] == pytest.approx(0, abs=1e-9)
    assert breakdown(limits, np.array([0.3, 0.1, 0.1]), COVARIANCE, DF) == 0.0


@pytest.mark.parametrize(
    ("limits", "bound", "trend"), [(relative_magnitudes, 1.0, (-0.6, -0.3, 0.3)), (smoothness, 0.2, (-0.5, -0.3, 0.5))]
)
def test_coverage_at_the_edge_of_the_bound(limits, bound, trend):
    generator = np.random.default_rng(1)
    draws = generator.multivariate_normal(np.array(trend), COVARIANCE / 4, size=2000)
    sets = np.array([limits(theta, COVARIANCE / 4, 1e6, bound) for theta in draws])
    # the effect is zero: what the estimates show is trend alone
    assert ((sets[:, 0] <= 0) & (sets[:, 1] >= 0)).mean() > 0.94
