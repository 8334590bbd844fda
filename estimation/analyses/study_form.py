"""The study's claims in the study's own form: approval counts from its calendar year, strong ties,
clustered by pair.

`estimates.claim` sets these rows beside the honest ones. The net effect in this form is
`baseline.cm_growth_official.calendar_year`. Clustered by pair is the `vcov` ``conventional``; the
standard error by city and the province jackknife are reported too. No permutation: the verdict on
the study's form needs none; the analyses `heterogeneity`, `mechanisms` and `policy_tools` permute.
"""

from __future__ import annotations

from typing import Any

from .mechanisms import CAPITAL_WINDOW, DOSES
from .rules import TOOLS, WITHOUT_TEXTS
from .spec import specs_of, split_of

ANALYSIS = "study_form"
OUTCOME = "cm_growth_official"

# By whom the effect differs: region (across regions, coast), human capital, financial development,
# information infrastructure.
DIFFERS = ("same_region", "coastal", "human_capital", "financial_development", "infrastructure")
MECHANISMS = ("neg_abs_gap_ln_patents_per_head", "neg_abs_gap_labour_allocation")
CAPITAL = "neg_abs_gap_capital_allocation"
# Dose of leading demonstration: how many measures the texts of the pilot's zone hold.
DEMONSTRATION = "measures"


FORM: dict[str, Any] = {
    "treatment_rule": "calendar_year",
    "vcov": ("conventional", "city", "province_jackknife"),
    "permutations": 0,
}
PARTS = split_of(OUTCOME)
OF_CAPITAL = {
    f"window_{CAPITAL_WINDOW[0]}_{CAPITAL_WINDOW[1]}": {"window": CAPITAL_WINDOW, **FORM},
}
BY_DOSE = {f"by_{DEMONSTRATION}": {"dose": DOSES[DEMONSTRATION], **FORM}}
BY_TOOLS = {name: {"strength": (name,), "excluded": (WITHOUT_TEXTS,), **FORM} for name in TOOLS}

SPECS = (
    *specs_of(ANALYSIS, PARTS, {name: {"moderator": name, **FORM} for name in DIFFERS}),
    *specs_of(ANALYSIS, PARTS, BY_DOSE),
    *specs_of(ANALYSIS, MECHANISMS, {"calendar_year": FORM}),
    *specs_of(ANALYSIS, [CAPITAL], OF_CAPITAL),
    *specs_of(ANALYSIS, PARTS, BY_TOOLS),
)
