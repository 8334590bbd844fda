"""The primary test, as data: its windows, which are rules, its series, and the checks that are read
beside it.

Every window is tested in growth and in its cycle, one family; the cycle's rows have ids of their
own (`cycle_id`). The verdict follows the growth of the newest window; the checks do not change it.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..defaults import (
    DRAWS,
    DRAWS_OF_CHECKS,
    FIRST_ADMISSION_YEAR,
    STUDY_FIRST_YEAR,
    STUDY_LAST_YEAR,
)
from .rules import RINGS_KM
from .spec import Spec, specs_of

ANALYSIS = "primary"
SERIES = ("growth_official", "growth_deflated")
NEWEST, STUDY_WINDOW = "newest", "study_window"
# the one that the verdict on page one follows
PRIMARY = f"{ANALYSIS}.cm_growth_official.{NEWEST}"
# The newest window begins here and ends in the last year that at least `LEAST_SHARE` of the cities
# with growth in the base year have.
FIRST_YEAR = STUDY_FIRST_YEAR
BASE_YEAR = STUDY_LAST_YEAR
# series whose power curve is drawn: one, since a curve costs some hundred tests
POWER_SERIES = "growth_official"
# Years by which admissions are moved back; the windows that result end before the first zone.
PLACEBO_SHIFTS = tuple(range(3, 11))
LAST_YEAR_BEFORE_ZONES = FIRST_ADMISSION_YEAR - 1
# Never-treated cities dated by a pilot near or tied to them: the admission of another city should
# not move them.
PLACEBO_EXPOSURES = (*(f"near_pilot_{outer}" for outer in RINGS_KM), "tied_to_pilot")

FIXED = {"tie_rule": "all", "permutations": DRAWS}
DECLARED = specs_of(
    ANALYSIS, [f"cm_{series}" for series in SERIES], {NEWEST: FIXED, STUDY_WINDOW: FIXED}
)
# Years of the newest window that a check leaves out.
LEFT_OUT = {"without_2020": (2020,), "without_2020_to_2022": (2020, 2021, 2022)}
# Where the weight lies (study/weight.py): a zone's first years against its later ones, and years
# before, in and after the pandemic.
FIRST_AGES, PANDEMIC = 2, LEFT_OUT["without_2020_to_2022"]
OF_CHECKS = {"tie_rule": "all", "permutations": DRAWS_OF_CHECKS}
CHECKS = specs_of(
    ANALYSIS,
    ["cm_growth_official"],
    {
        "announcement": {"treatment_rule": "calendar_year", **OF_CHECKS},
        "a_year_earlier": {"treatment_rule": "a_year_earlier", **OF_CHECKS},
        "without_2020": OF_CHECKS,
        "without_2020_to_2022": OF_CHECKS,
    },
)


@dataclass(frozen=True)
class Adjusted:
    """The statistic that the next window is promised beside the committed one.

    Attributes
    ----------
    name, series : str
    covariates : tuple of str
        Of each city, in the words of the rule.
    years_before : int
        Years before the window over which product is averaged.
    statistic, dealing : str
    committed_on : str
        Day of the commit of the choice.
    """

    name: str
    series: str
    covariates: tuple[str, ...]
    years_before: int
    statistic: str
    dealing: str
    committed_on: str


# Chosen by the rule of docs/methods, section 18.12.
ADJUSTED = Adjusted(
    name="adjusted",
    series="growth_official",
    covariates=(
        "log product, mean of the three years before the window",
        "its square",
        "whether the city is on the coast",
    ),
    years_before=3,
    statistic="the larger abs(b/e) of the measure and of the measure with gaps capped",
    dealing="fitted",
    committed_on="2026-11-30",
)
# Beside the headline, by kind and name: growth from the index alone, which one source delivers for
# all cities and years, and official growth without the city-years that rest on an index alone;
# controls of one kind alone; other series, deflated or not made from reported product. Growth of
# light begins in 2014, with a newer sensor: too late for the first batches.
OTHERS = (
    ("evidence", "index_alone", "growth_index", {}),
    ("evidence", "without_index_alone", "growth_without_index_alone", {}),
    ("controls", "never_admitted", "growth_official", {"control_group": "never_at_all"}),
    ("controls", "admitted_later", "growth_official", {"excluded": ("never_admitted",)}),
    ("series", "growth_deflated", "growth_deflated", {}),
    ("series", "growth_employed", "growth_employed", {}),
    ("series", "growth_wage", "growth_wage", {}),
    (
        "series",
        "growth_night_lights",
        "growth_night_lights",
        {"excluded": ("batch_1", "batch_2")},
    ),
)
# Each batch and province is left out in turn, too (study/primary_checks.py).
BESIDE = (
    *(("years" if spec.variant in LEFT_OUT else "dates", spec.variant, spec) for spec in CHECKS),
    *(
        (kind, name, Spec(f"{ANALYSIS}.cm_{series}.{NEWEST}", ANALYSIS, f"cm_{series}", **changes))
        for kind, name, series, changes in OTHERS
    ),
)
SPECS = (*DECLARED, *CHECKS)


def cycle_id(spec_id: str) -> str:
    """Id of the row of a window's cycle."""
    analysis, outcome, variant = spec_id.split(".")
    return f"{analysis}.{outcome}_cycle.{variant}"
