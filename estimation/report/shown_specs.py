"""Name the specs that pages single out: the primary test, the baseline regression, the event study
and the fixed list of the ladder.
"""

from __future__ import annotations

from ..analyses.baseline import HEADLINE
from ..analyses.primary import PRIMARY

# the window of the published study, beside the newest
SECOND_WINDOW = "primary.cm_growth_official.study_window"
# the form of the published study, on our data
STUDY_FORM = "baseline.cm_growth_official.calendar_year"
DYNAMICS = "dynamics.cm_growth_official.headline"
# the specification of the curve that makes the choices of the baseline regression
HEADLINE_IN_CURVE = (
    "specification_curve.cm_growth_official."
    "study_window-second_half_next_year-strong-never_in_window-twfe-year"
)
OFFICIAL = "cm_growth_official"
# terms that are one overall effect
OVERALL = ("treated", "att")
# Fixed, not chosen by what they show: both declared windows and series of the primary test, the
# two-way form with each of its choices changed once, the estimator for staggered admission, and the
# sample without its largest province.
LADDER = (
    PRIMARY,
    SECOND_WINDOW,
    "primary.cm_growth_deflated.newest",
    HEADLINE,
    "baseline.cm_growth_official.all_pairs",
    STUDY_FORM,
    "baseline.cm_growth_deflated.headline",
    "robustness.cm_growth_official.callaway_santanna",
    "confounders.cm_growth_official.doubly_robust",
    "confounders.cm_growth_official.without_guangdong",
)
