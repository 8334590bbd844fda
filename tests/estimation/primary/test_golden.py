"""Golden values of the primary test, by version of the statistic.

Next year's rule names `STATISTIC_VERSION`. Whoever changes a number of the test gives it a new
version and adds a row here; the row of an earlier version never changes.
"""

import pytest

from estimation.primary.fit import STATISTIC_VERSION, fit_primary

from .economies import draw_panel

NUMBERS = (
    "estimate",
    "ci_low",
    "ci_high",
    "p_value",
    "p_value_family",
    "minimum_detectable_effect",
)
#: Numbers of growth and of its cycle, then estimate and p of growth's two channels.
GOLDEN = {
    1: (
        (
            0.09302837513211236,
            -0.004024299159165842,
            0.18915938742017066,
            0.06,
            0.07,
            0.17513092340361378,
        ),
        (
            0.07402118752244798,
            -0.0014243342960393174,
            0.15107515920035736,
            0.0525,
            0.07,
            0.1704386189859888,
        ),
        (-0.3558998271826129, 0.1225, -0.2524618603894892, 0.17),
    )
}


def test_the_numbers_of_the_primary_test_are_those_of_its_version():
    growth, years, cohort, block = draw_panel(2026, calmer=0.5)
    found = fit_primary(growth, years, cohort, block, permutations=399, seed=1)
    of_growth, of_cycle, of_channels = GOLDEN[STATISTIC_VERSION]
    for result, golden in ((found, of_growth), (found.cycle, of_cycle)):
        numbers = [getattr(result, name) for name in NUMBERS]
        assert numbers == pytest.approx(list(golden), abs=1e-10)
    channels = [(one.estimate, one.p_value) for one in found.channels]
    assert [number for pair in channels for number in pair] == pytest.approx(list(of_channels))
