"""The baseline regression: two-way fixed effects on both growth series, each with its exact split,
under both treatment rules and both tie rules.

The variant `gdp_tercile` permutes admissions only among cities of one province and similar size.
"""

from __future__ import annotations

from .spec import specs_of, split_of

ANALYSIS = "baseline"
OUTCOMES = ("cm_growth_official", "cm_growth_deflated")
HEADLINE = "baseline.cm_growth_official.headline"

VARIANTS = {
    "headline": {},
    "calendar_year": {"treatment_rule": "calendar_year"},
    "all_pairs": {"tie_rule": "all"},
}

SPECS = (
    *specs_of(ANALYSIS, split_of(OUTCOMES[0]), VARIANTS),
    *specs_of(ANALYSIS, split_of(OUTCOMES[1]), VARIANTS),
    *specs_of(ANALYSIS, OUTCOMES, {"gdp_tercile": {"shuffle": "province_gdp_tercile"}}),
)
