"""The filters against statsmodels, literal formulas and properties that hold for any series."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from statsmodels.tsa.filters.cf_filter import cffilter
from statsmodels.tsa.filters.hp_filter import hpfilter

from estimation.measures import cycles

LENGTHS = [8, 9, 15, 31]


def random_walk(length: int, seed: int = 7) -> np.ndarray:
    return 5 + np.cumsum(np.random.default_rng(seed).normal(0.08, 0.03, length))


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("smoothing", [6.25, 100.0])
def test_hodrick_prescott_equals_statsmodels_and_the_normal_equations(length, smoothing):
    y = random_walk(length)
    difference = np.diff(np.eye(length), n=2, axis=0)
    literal = y - np.linalg.inv(np.eye(length) + smoothing * difference.T @ difference) @ y
    assert_allclose(cycles.cycle_hodrick_prescott(y, smoothing), literal, atol=1e-11)
    assert_allclose(
        cycles.cycle_hodrick_prescott(y, smoothing), hpfilter(y, smoothing)[0], atol=1e-9
    )


@pytest.mark.parametrize("length", LENGTHS)
def test_christiano_fitzgerald_equals_statsmodels(length):
    y = random_walk(length)
    assert_allclose(
        cycles.cycle_christiano_fitzgerald(y), cffilter(y, low=2, high=8, drift=True)[0], atol=1e-11
    )


@pytest.mark.parametrize("length", LENGTHS)
def test_hamilton_equals_least_squares(length):
    y = random_walk(length)
    design = np.column_stack([np.ones(length - 2), y[:-2]])
    residual = y[2:] - design @ np.linalg.lstsq(design, y[2:], rcond=None)[0]
    component = cycles.cycle_hamilton(y)
    assert np.isnan(component[:2]).all()
    assert_allclose(component[2:], residual, atol=1e-11)


def test_hamilton_with_coefficients_from_some_targets_forecasts_all():
    y = random_walk(20)
    in_fit = np.arange(20) < 14
    design = np.column_stack([np.ones(18), y[:-2]])
    coefficients = np.linalg.lstsq(design[:12], y[2:14], rcond=None)[0]
    assert_allclose(cycles.cycle_hamilton(y, in_fit)[2:], y[2:] - design @ coefficients, atol=1e-11)


def test_runs_are_filtered_by_themselves_and_short_ones_not_at_all():
    first, second, short = random_walk(9, 1), random_walk(12, 2), random_walk(7, 3)
    keys = np.repeat([[1, 0], [1, 9], [2, 0]], [9, 12, 7], axis=0)
    years = np.concatenate([np.arange(2000, 2009), np.arange(2010, 2022), np.arange(2000, 2007)])
    found = cycles.filter_runs(keys, np.concatenate([first, second, short]), years)
    assert_allclose(
        found["hp"][:21],
        np.concatenate(
            [cycles.cycle_hodrick_prescott(first), cycles.cycle_hodrick_prescott(second)]
        ),
    )
    assert_allclose(found["hamilton"][9:21], cycles.cycle_hamilton(second))
    assert all(np.isnan(values[21:]).all() for values in found.values())


@pytest.mark.parametrize(("first_year", "has_pre"), [(2003, True), (2004, False)])
def test_coefficients_before_admission_need_ten_targets(first_year, has_pre):
    years = np.arange(first_year, 2022)
    y = random_walk(years.size)
    found = cycles.filter_runs(np.zeros((years.size, 1)), y, years)["hamilton_pre"]
    assert np.isfinite(found[2:]).all() == has_pre
    if has_pre:
        assert_allclose(found[2:], cycles.cycle_hamilton(y, in_fit=years < 2015)[2:])


def test_no_city_gives_no_component():
    assert all(
        values.size == 0
        for values in cycles.filter_runs(np.empty((0, 2)), np.empty(0), np.empty(0)).values()
    )
