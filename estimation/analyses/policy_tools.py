"""The strength of policy tools in the pilots' texts in place of treatment: each class and each tool
alone, the three classes jointly.

Strength is in units of its mean over the treated city-years of the sample: the coefficient is the
effect of a zone of average strength. Pilots without a text in force are left out, since what they
do is unknown. The permutation moves a pilot's whole record of texts with its admission.
"""

from __future__ import annotations

from .rules import TOOLS, WITHOUT_TEXTS
from .spec import Spec, split_of

ANALYSIS = "policy_tools"
OUTCOME = "cm_growth_official"

VARIANTS = {
    **{tool_class: (tool_class,) for tool_class in TOOLS},
    "joint": tuple(TOOLS),
    **{f"{tool_class}_{tool}": (tool,) for tool_class, tools in TOOLS.items() for tool in tools},
}

SPECS = tuple(
    Spec(
        f"{ANALYSIS}.{part}.{variant}",
        ANALYSIS,
        part,
        strength=strength,
        excluded=(WITHOUT_TEXTS,),
    )
    for variant, strength in VARIANTS.items()
    for part in split_of(OUTCOME)
)
