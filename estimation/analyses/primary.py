"""The primary test, as data: its declared windows and series, and the placebos that are read beside
it.

Declared on 2026-11-25, before the test met the real admissions (docs/evidence/primary-test.md): the
study window is the first, 2010-2021 the second. Of the pilots of the second window many are first
treated in 2020, the year of the pandemic.

Beside them stand variants that a referee asks for (`CHECKS`, added on 2026-11-26): treated from the
calendar year of the announcement, treated a year earlier, and the second window without 2020. The
verdict does not follow them.
"""

from __future__ import annotations

from .rules import RINGS_KM
from .spec import Spec

ANALYSIS = "primary"
SERIES = ("growth_official", "growth_deflated")
# the one that the verdict on page one follows
PRIMARY = "primary.cm_growth_official.study_window"
SECOND_WINDOW = (2010, 2021)
# series whose power curve is drawn: one, since a curve costs some hundred tests
POWER_SERIES = "growth_official"
IMPOSED = ("S-30", "S-60", "S-80", "L-50")
# Years by which admissions are moved back; the windows that result end before the first zone.
PLACEBO_SHIFTS = tuple(range(3, 11))
LAST_YEAR_BEFORE_ZONES = 2014
# Never-pilots dated by a pilot near or tied to them: the admission of another city should not move
# them.
PLACEBO_EXPOSURES = (*(f"near_pilot_{outer}" for outer in RINGS_KM), "tied_to_pilot")

DECLARED = tuple(
    Spec(
        f"{ANALYSIS}.cm_{series}.{variant}", ANALYSIS, f"cm_{series}", tie_rule="all", window=window
    )
    for series in SERIES
    for variant, window in (("study_window", None), ("to_2021", SECOND_WINDOW))
)
CHECKS = tuple(
    Spec(
        f"{ANALYSIS}.cm_growth_official.{variant}",
        ANALYSIS,
        "cm_growth_official",
        tie_rule="all",
        permutations=999,
        **changes,
    )
    for variant, changes in {
        "announcement": {"treatment_rule": "calendar_year"},
        "a_year_earlier": {"treatment_rule": "a_year_earlier"},
        "to_2021_without_2020": {"window": SECOND_WINDOW},
    }.items()
)
# Years of the window that a check leaves out.
LEFT_OUT = {"primary.cm_growth_official.to_2021_without_2020": (2020,)}
SPECS = (*DECLARED, *CHECKS)
