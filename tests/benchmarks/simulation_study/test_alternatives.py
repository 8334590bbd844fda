"""The degrees of freedom that were tried, against sums over listed pairs; intervals counted by
hand.
"""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.simulation_study.all_pairs import fit_of, sample_of
from benchmarks.simulation_study.alternatives import errors_of, missed, satterthwaite_df
from benchmarks.simulation_study.economies import YEARS, Setting, draw_economy

SMALL = Setting("small", "small economies", 14, province_share=0.3, convergence=0.3)


def listed_weights(cohort: np.ndarray) -> np.ndarray:
    """Weights of cities' shocks from a list of pairs: treatment demeaned by pair and by year, added
    to both cities.
    """
    pairs = [
        (i, j) for i in range(len(cohort)) for j in range(i) if cohort[i] == 0 or cohort[j] == 0
    ]
    first = np.array([max(cohort[i], cohort[j]) for i, j in pairs])
    treated = ((first[:, None] > 0) & (first[:, None] <= YEARS)).astype(float)
    treated = treated - treated.mean(axis=1, keepdims=True)
    treated = treated - treated.mean(axis=0)
    found = np.zeros((len(cohort), len(YEARS)))
    for (i, j), weight in zip(pairs, treated, strict=True):
        found[i] += weight
        found[j] += weight
    return found


def test_satterthwaite_is_that_of_sums_over_listed_pairs() -> None:
    economy = draw_economy(SMALL, 2)
    by_province = [
        (listed_weights(economy.cohort)[economy.province == name] ** 2).sum()
        for name in dict.fromkeys(economy.province.tolist())
    ]
    assert satterthwaite_df(economy.cohort, economy.province) == pytest.approx(
        sum(by_province) ** 2 / sum(v**2 for v in by_province)
    )


def test_satterthwaite_counts_equal_provinces() -> None:
    cohort = np.tile([2016, 0, 0], 12)
    assert satterthwaite_df(cohort, np.repeat(np.arange(12), 3)) == pytest.approx(12)


def test_errors_are_those_of_the_fit() -> None:
    economy = draw_economy(SMALL, 5)
    fit, without = (
        fit_of(sample_of(growth, YEARS, economy.cohort, economy.province))
        for growth in (economy.growth, economy.growth_without)
    )
    found = errors_of(economy)
    assert found[0] == pytest.approx(without.estimate[0])
    assert found[1] == pytest.approx(fit.provinces.variance(fit.estimate)[0])
    assert found[2:4] == (pytest.approx(fit.provinces.df[0]), len(fit.provinces.blocks) - 1)


def test_missed_intervals_are_counted() -> None:
    # t(10) at 97.5 % is 2.2281; without degrees of freedom nothing is missed
    assert (
        missed(np.array([2.2, -2.3, 9.0, 0.0]), np.ones(4), np.array([10.0, 10.0, 0.0, 10.0]))
        == 25.0
    )
