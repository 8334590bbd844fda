"""Event studies on the sample of the baseline regression: leads and lags against the year before
admission, with the split, under both treatment rules.
"""

from __future__ import annotations

from .spec import specs_of, split_of

ANALYSIS = "dynamics"
OUTCOMES = ("cm_growth_official", "cm_growth_deflated")

VARIANTS = {
    "headline": {"estimator": "event_study"},
    "calendar_year": {"estimator": "event_study", "treatment_rule": "calendar_year"},
}

SPECS = (
    *specs_of(ANALYSIS, split_of(OUTCOMES[0]), VARIANTS),
    *specs_of(ANALYSIS, split_of(OUTCOMES[1]), VARIANTS),
)
