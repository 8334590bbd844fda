"""Refits without a province or a city, of every estimator, against fits of the smaller panel."""

import dataclasses

import numpy as np
import pytest

from estimation.engines.arrays import pair_statistics
from estimation.engines.regressors import DESIGNS
from estimation.estimators.group_time import comparable_sample, fit_group_time
from estimation.estimators.two_way import fit_least_squares
from estimation.fit import ESTIMATORS
from estimation.influence.influence_fit import InfluenceFit
from estimation.panel.fit_sample import build_sample
from estimation.panel.pair_panel import PairPanel
from estimation.results import NotEstimable
from tests.estimation.panels import CASES, random_panel


def fitted(panel: PairPanel, estimator: str, control_pairs: str = "never_treated") -> InfluenceFit:
    """The fit of one outcome without what stands around it."""
    sample = build_sample(panel, (0,), None, control_pairs=control_pairs)
    if estimator not in DESIGNS:
        return fit_group_time(comparable_sample(sample), estimator)[0]
    statistics = pair_statistics(panel.y, panel.controls, sample.observed)
    names = tuple(f"x{k}" for k in range(statistics.layout.n_controls))
    design = DESIGNS[estimator](sample.group_years, panel.years)
    return fit_least_squares(sample, statistics, design, names)[0]


@pytest.mark.parametrize("estimator", [*ESTIMATORS, "against later pairs"])
@pytest.mark.parametrize("case", CASES)
def test_refits_equal_fits_of_the_smaller_panel(case, estimator):
    given = (estimator,)
    if estimator == "against later pairs":
        given = ("callaway_santanna", "not_yet_treated")
    panel = random_panel(6, **CASES[case])
    if given[0] == "callaway_santanna" and "controls" in case:
        with pytest.raises(NotEstimable, match="takes no controls"):
            fitted(panel, *given)
        return
    fit = fitted(panel, *given)
    for refits, of_city in ((fit.provinces, panel.province), (fit.cities, panel.city_ids)):
        for block in refits.blocks[:3]:
            dropped = (of_city[panel.city_i] == block) | (of_city[panel.city_j] == block)
            y = np.where(dropped[:, None], np.nan, panel.y)
            smaller = fitted(dataclasses.replace(panel, y=y, cohort=None), *given)
            expected = dict(zip(smaller.terms, smaller.estimate, strict=True))
            found = refits.estimates[refits.blocks == block][0]
            np.testing.assert_allclose(
                found, [expected.get(term, np.nan) for term in fit.terms], atol=1e-9
            )
