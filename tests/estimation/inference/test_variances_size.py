"""Rejection rates over panels without any effect: the lines of inference do what docs/methods says
of them.
"""

import itertools

import numpy as np

from estimation.fit import fit_outcomes
from estimation.panel.pair_panel import PairPanel

N_PANELS, N_CITIES, N_PILOTS = 200, 40, 12


def test_only_the_conventional_line_rejects_far_too_often():
    generator = np.random.default_rng(2026)
    z = generator.normal(size=(N_PANELS, N_CITIES, 8))
    z = (z - z.mean(axis=2, keepdims=True)) / z.std(axis=2, keepdims=True)
    first, second = np.array(list(itertools.combinations(range(N_CITIES), 2))).T
    # outcomes of one call share the permutation pass; pilots are as good as random, so one
    # assignment serves all panels
    y = 1 - (z[:, first] - z[:, second]) ** 2 / 2
    cohort = np.zeros(N_CITIES, dtype=int)
    cohort[:N_PILOTS] = np.resize([2013, 2015], N_PILOTS)
    panel = PairPanel(first, second, np.arange(2010, 2018), y, cohort)
    lines = ("conventional", "dyadic", "city", "permutation")
    results = fit_outcomes(panel, estimators=("twfe",), vcov=lines, permutations=199)
    rejected = dict.fromkeys(lines, 0)
    for result in results.values():
        for estimate in result.estimates:
            rejected[estimate.vcov] += estimate.p_value is not None and estimate.p_value <= 0.05
    shares = {name: count / N_PANELS for name, count in rejected.items()}
    print(shares)
    assert shares["conventional"] > 0.3
    # three standard errors of a share of 5 % over 200 panels are 4.6 points
    assert 0.005 <= shares["dyadic"] <= 0.12
    assert 0.005 <= shares["city"] <= 0.1
    assert 0.01 <= shares["permutation"] <= 0.1
