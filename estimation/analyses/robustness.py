"""The baseline regression by other estimators, other dates of treatment, other windows, other
controls and other measures of synchronization.

Borusyak, Jaravel and Spiess, Gardner and ETWFE have one point estimate on a balanced panel,
Sun-Abraham and Callaway-Sant'Anna agree after admission: in a specification curve equal estimators
count once.
"""

from __future__ import annotations

from ..estimators.registry import names
from .spec import specs_of, split_of

ANALYSIS = "robustness"
OUTCOME = "cm_growth_official"

RULES = {
    "not_yet_treated": {"estimator": "callaway_santanna", "control_pairs": "not_yet_treated"},
    "approval_year_dropped": {"treatment_rule": "approval_year_dropped"},
    "any_zone": {"treatment_rule": "any_zone"},
    "any_zone_calendar_year": {"treatment_rule": "any_zone_calendar_year"},
    "a_year_earlier": {"treatment_rule": "a_year_earlier"},
    "late_left_out": {"control_group": "late_left_out"},
    "never_at_all": {"control_group": "never_at_all"},
    "window_2005_2019": {"window": (2005, 2019)},
    "window_2010_2021": {"window": (2010, 2021)},
    "window_2012_2019": {"window": (2012, 2019)},
}
# The mart's pair measures, and series that the mart does not pair.
OTHER_OUTCOMES = (
    "cm_bounded_growth_official",
    "neg_abs_gap_growth_official",
    "neg_abs_residual_growth_official",
    "cm_growth_implicit_deflated",
    "cm_growth_deflated_one_vintage",
    "cm_hp",
    "cm_hp_100",
    "cm_hamilton",
    "cm_christiano_fitzgerald",
    "cm_pre_growth_official",
    "cm_hamilton_pre",
    "rolling_corr_growth_official",
    "rolling_fisher_z_growth_official",
)

SPECS = (
    *specs_of(
        ANALYSIS,
        split_of(OUTCOME),
        {name: {"estimator": name} for name in names("family", "group_time")},
    ),
    *specs_of(ANALYSIS, split_of(OUTCOME), RULES),
    *specs_of(ANALYSIS, OTHER_OUTCOMES, {"twfe": {}}),
)
