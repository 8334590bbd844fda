"""The strength of policy tools in the pilots' texts in place of treatment: each class and each tool
alone, the three classes jointly.

Strength is in units of its mean over the treated city-years of the sample: the coefficient is the
effect of a zone of average strength. Pilots without a text in force are left out, since what they
do is unknown. The permutation moves a pilot's whole record of texts with its admission.
"""

from __future__ import annotations

from .rules import TOOLS, WITHOUT_TEXTS
from .spec import specs_of, split_of

ANALYSIS = "policy_tools"
OUTCOME = "cm_growth_official"

STRENGTHS = {
    **{tool_class: (tool_class,) for tool_class in TOOLS},
    "joint": tuple(TOOLS),
    **{f"{tool_class}_{tool}": (tool,) for tool_class, tools in TOOLS.items() for tool in tools},
}
VARIANTS = {
    name: {"strength": strength, "excluded": (WITHOUT_TEXTS,)}
    for name, strength in STRENGTHS.items()
}

SPECS = specs_of(ANALYSIS, split_of(OUTCOME), VARIANTS)
