"""The baseline regression under other tie rules: the curve over the threshold, other measures of
the tie, the placebo on weak ties, the strongest partners of each city, and never-treated cities
weighted to be like the pilots before any zone (entropy balancing).

Every draw applies the rule again.
"""

from __future__ import annotations

from typing import Any

from .rules import TIE_RULES
from .spec import specs_of, split_of

ANALYSIS = "matching"
OUTCOME = "cm_growth_official"
HEADLINE_RULES = ("strong", "all")

# Size, income and coast of 2010-2014; trade is left out, too many cities lack it.
BALANCED_ON = ("baseline_ln_population", "baseline_ln_gdp_per_head", "baseline_coastal")

VARIANTS: dict[str, dict[str, Any]] = {
    **{rule: {"tie_rule": rule} for rule in TIE_RULES if rule not in HEADLINE_RULES},
    "entropy_balanced": {"estimator": "entropy_balanced", "controls": BALANCED_ON},
}

SPECS = specs_of(ANALYSIS, split_of(OUTCOME), VARIANTS)
