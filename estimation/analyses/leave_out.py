"""The baseline regression without one cohort of pilots at a time, and which specs get a table of
estimates without each city and province.

The table (`leave_out_city`, `leave_out_province` in estimates.diagnostic, the id as term) deletes
and refits; a spec here draws the sample anew: without the cohort's cities the median of ties moves
as well.
"""

from __future__ import annotations

from .spec import specs_of, split_of

ANALYSIS = "leave_out"
OUTCOME = "cm_growth_official"
# First treated years inside the study window.
COHORTS = (2015, 2016, 2019)

PARTS = (*split_of("cm_growth_official"), *split_of("cm_growth_deflated"))
TABLES = tuple(f"baseline.{part}.headline" for part in PARTS)

VARIANTS = {f"without_cohort_{year}": {"excluded": (f"cohort_{year}",)} for year in COHORTS}

SPECS = specs_of(ANALYSIS, split_of(OUTCOME), VARIANTS)
