"""The headline: two-way fixed effects on both growth series, each with its exact split, under both
treatment rules and both tie rules.

The variant `gdp_tercile` is the headline with a stricter shuffle: as good as random only among a
province's cities of like size.
"""

from __future__ import annotations

from .spec import Spec, split_of

ANALYSIS = "baseline"
OUTCOMES = ("cm_growth_official", "cm_growth_deflated")
HEADLINE = "baseline.cm_growth_official.headline"

VARIANTS = {
    "headline": {},
    "calendar_year": {"treatment_rule": "calendar_year"},
    "all_pairs": {"tie_rule": "all"},
}

SPECS = tuple(
    Spec(spec_id=f"{ANALYSIS}.{part}.{variant}", analysis=ANALYSIS, outcome=part, **changes)
    for outcome in OUTCOMES
    for variant, changes in VARIANTS.items()
    for part in split_of(outcome)
) + tuple(
    Spec(
        spec_id=f"{ANALYSIS}.{outcome}.gdp_tercile",
        analysis=ANALYSIS,
        outcome=outcome,
        shuffle="province_gdp_tercile",
    )
    for outcome in OUTCOMES
)
