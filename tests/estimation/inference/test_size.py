"""How often the errors of a fit of all pairs reject where nothing happened."""

import numpy as np

from estimation.engines.all_pairs import sum_all_pairs
from estimation.engines.interface import Units
from estimation.fit import fit_summed
from estimation.options import Options

from .economies import YEARS, draw_economy

N_ECONOMIES, N_CITIES = 200, 120
LINES = ("conventional", "dyadic", "city", "province_jackknife")


def test_default_error_keeps_its_size_and_the_conventional_one_does_not():
    rejects = {"default": 0, "conventional": 0}
    estimates = []
    for seed in range(N_ECONOMIES):
        growth, cohort, province = draw_economy(seed, N_CITIES)
        units = Units(np.arange(N_CITIES), YEARS, cohort, province)
        fit = fit_summed(sum_all_pairs(growth, "cm", units), "twfe", Options(LINES, 0, seed=seed))
        for estimate in fit.estimates:
            if estimate.is_default:
                rejects["default"] += estimate.p_value < 0.05
                estimates.append(estimate.estimate)
            if estimate.vcov == "conventional":
                rejects["conventional"] += estimate.p_value < 0.05
    assert 0.02 <= rejects["default"] / N_ECONOMIES <= 0.09
    assert rejects["conventional"] / N_ECONOMIES > 0.25
    assert abs(np.mean(estimates)) < 4 * np.std(estimates) / np.sqrt(N_ECONOMIES)
