"""Event studies of the headline: leads and lags against the year before admission, with the split,
under both treatment rules.
"""

from __future__ import annotations

from .spec import Spec, split_of

ANALYSIS = "dynamics"
OUTCOMES = ("cm_growth_official", "cm_growth_deflated")

VARIANTS = {
    "headline": {},
    "calendar_year": {"treatment_rule": "calendar_year"},
}

SPECS = tuple(
    Spec(
        spec_id=f"{ANALYSIS}.{part}.{variant}",
        analysis=ANALYSIS,
        outcome=part,
        estimator="event_study",
        **changes,
    )
    for outcome in OUTCOMES
    for variant, changes in VARIANTS.items()
    for part in split_of(outcome)
)
