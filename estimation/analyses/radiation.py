"""Radiation or siphon: do cities near a pilot, or strongly tied to one, gain or lose level when it
is admitted?

City level, not pairs: growth, and logs of employment, loans, foreign investment and investment per
head. A never-treated city is exposed from the first treated year of a pilot in its ring (or of its
strongest tie) on. It is compared with the never-treated cities of its own province that lie farther
from every pilot; pilots and cities of nearer rings are left out. So a row gives what a ring gains
beyond cities farther out. Inference: province x year effects; admissions permuted within provinces
and exposure computed anew in each draw (`primary.exposure`), 999 draws. For comparison
`own_admission`: the pilots themselves against the never-treated cities of their province,
`within_block`.

And does the cycle of a pilot lead that of its partners after admission (outcome ``lead_<series>``)?
Partners are never-treated cities of other provinces: all, those with a strong tie, or the ten
strongest. The two-sided filters of cycles would use later years, so growth alone is tested.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import chain, product
from typing import Any

from ..defaults import DRAWS_OF_CHECKS
from .mechanisms import CAPITAL_WINDOW
from .rules import EXPOSURE_RULES
from .spec import specs_of

ANALYSIS = "radiation"
# What the rows of estimates.estimate name as estimator.
ESTIMATOR, EXPOSURE_ESTIMATOR = "within_block", "recentred_exposure"

# Investment in fixed assets ends in 2017 in all files seen so far.
WINDOWS = {"ln_investment_per_head": CAPITAL_WINDOW}
OUTCOMES = (
    "growth_official",
    "ln_employed_per_head",
    "ln_credit_per_head",
    "ln_fdi_per_head",
    "ln_investment_per_head",
)

FIXED: dict[str, Any] = {"vcov": ("permutation",), "permutations": DRAWS_OF_CHECKS}
LEVELS = {"tie_rule": "all", **FIXED}
VARIANTS = {rule: {"treatment_rule": rule, **LEVELS} for rule in EXPOSURE_RULES}
VARIANTS |= {"own_admission": LEVELS}

# Outcomes that compare a city's cycle with its partners' a year later and earlier
# (`measures.cycle_lead`).
LEAD = "lead_"
LEAD_OUTCOMES = ("growth_official", "growth_deflated")
LEAD_TIES = ("all", "strong", "partners_10")
LEAD_WINDOWS = {"": None, "_2010_2021": (2010, 2021)}
LEADS = {
    f"{tie_rule}{ending}": {"tie_rule": tie_rule, "window": window, **FIXED}
    for (ending, window), tie_rule in product(LEAD_WINDOWS.items(), LEAD_TIES)
}

_BY_OUTCOME = chain.from_iterable(specs_of(ANALYSIS, [outcome], VARIANTS) for outcome in OUTCOMES)
LEVEL_SPECS = tuple(replace(spec, window=WINDOWS.get(spec.outcome)) for spec in _BY_OUTCOME)
LEAD_SPECS = tuple(
    chain.from_iterable(
        specs_of(ANALYSIS, [f"{LEAD}{outcome}"], LEADS) for outcome in LEAD_OUTCOMES
    )
)
SPECS = (*LEVEL_SPECS, *LEAD_SPECS)
