"""The headline under other rules of who is tied to whom: the curve over the threshold, other measures of the tie, the placebo on weak ties.

Each point takes 999 draws, not the headline's 9,999: the rule is retaken in every one of them, and a curve needs no third digit of p.
"""

from __future__ import annotations

from estimation.rules import TIE_RULES
from estimation.specs import Spec, split_of

ANALYSIS = "matching"
OUTCOME = "cm_growth_official"
DRAWS = 999
HEADLINE_RULES = ("strong", "all")

SPECS = tuple(
    Spec(spec_id=f"{ANALYSIS}.{part}.{rule}", analysis=ANALYSIS, outcome=part, tie_rule=rule, permutations=DRAWS)
    for rule in TIE_RULES
    for part in split_of(OUTCOME)
    if rule not in HEADLINE_RULES
)
