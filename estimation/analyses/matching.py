"""The headline under other rules of who is tied to whom: the curve over the threshold, other
measures of the tie, the placebo on weak ties, the strongest partners of each city, and never-pilots
weighted to be like the pilots before any zone (entropy balancing).

The rule is retaken in every draw.
"""

from __future__ import annotations

from .rules import TIE_RULES
from .spec import Spec, split_of

ANALYSIS = "matching"
OUTCOME = "cm_growth_official"
HEADLINE_RULES = ("strong", "all")

# Size, income and coast of 2010-2014; trade is left out, too many cities lack it.
BALANCED_ON = ("baseline_ln_population", "baseline_ln_gdp_per_head", "baseline_coastal")

SPECS = (
    *(
        Spec(
            spec_id=f"{ANALYSIS}.{part}.{rule}",
            analysis=ANALYSIS,
            outcome=part,
            tie_rule=rule,
        )
        for rule in TIE_RULES
        for part in split_of(OUTCOME)
        if rule not in HEADLINE_RULES
    ),
    *(
        Spec(
            spec_id=f"{ANALYSIS}.{part}.entropy_balanced",
            analysis=ANALYSIS,
            outcome=part,
            estimator="entropy_balanced",
            controls=BALANCED_ON,
        )
        for part in split_of(OUTCOME)
    ),
)
