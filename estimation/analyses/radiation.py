"""Radiation or siphon: do cities near a pilot, or strongly tied to one, gain or lose level when it is admitted?

City level, not pairs: growth, and logs of employment, loans, foreign investment and investment per head. A never-pilot is exposed from the
first treated year of a pilot in its ring (or of its strongest tie) on. It is compared with the never-pilots of its own province that lie
farther from every pilot; pilots and cities of nearer rings are left out. So a row says what a ring gains beyond what lies farther out.
For comparison `own_admission`: the pilots themselves against the never-pilots of their province. Inference as `within_block`: province x
year effects, exposure permuted within provinces, 999 draws.
"""

from __future__ import annotations

from .mechanisms import CAPITAL_WINDOW
from .rules import EXPOSURE_RULES, RINGS_KM
from .spec import Spec

ANALYSIS = "radiation"
DRAWS = 999
# What the rows of estimates.estimate name as estimator.
ESTIMATOR = "within_block"

# Investment in fixed assets ends in 2017 in all files seen so far.
WINDOWS = {"ln_investment_per_head": CAPITAL_WINDOW}
OUTCOMES = ("growth_official", "ln_employed_per_head", "ln_credit_per_head", "ln_fdi_per_head", "ln_investment_per_head")

RINGS = tuple(f"near_pilot_{outer}" for outer in RINGS_KM)
VARIANTS = {
    rule: {"treatment_rule": rule, "excluded": ("pilots", *RINGS[: RINGS.index(rule) if rule in RINGS else 0])} for rule in EXPOSURE_RULES
}
VARIANTS |= {"own_admission": {}}

SPECS = tuple(
    Spec(
        spec_id=f"{ANALYSIS}.{outcome}.{variant}",
        analysis=ANALYSIS,
        outcome=outcome,
        tie_rule="all",
        window=WINDOWS.get(outcome),
        vcov=("permutation",),
        permutations=DRAWS,
        **changes,
    )
    for outcome in OUTCOMES
    for variant, changes in VARIANTS.items()
)
