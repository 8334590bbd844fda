"""The baseline regression by class of city pair: regions and coast, human capital, financial
development and information infrastructure.

Each concept of 2010-2014 both as classes (both, one, none of the two cities above the median) and
as a continuous gap. Differences between classes are rows of their own and tested jointly; p values
are corrected within families (`study.multiplicity`). `own_years` lets each class have its own year
effects.
"""

from __future__ import annotations

from .rules import MODERATORS
from .spec import specs_of, split_of

ANALYSIS = "heterogeneity"
OUTCOMES = ("cm_growth_official", "cm_growth_deflated")
OWN_YEARS = tuple(name for name, moderator in MODERATORS.items() if moderator.kind != "gap")

VARIANTS = {name: {"moderator": name} for name in MODERATORS}
WITH_OWN_YEARS = {
    f"{name}_own_years": {"moderator": name, "effects": ("pair", "class_year")}
    for name in OWN_YEARS
}

SPECS = (
    *specs_of(ANALYSIS, split_of(OUTCOMES[0]), VARIANTS),
    *specs_of(ANALYSIS, OUTCOMES[1:], VARIANTS),
    *specs_of(ANALYSIS, OUTCOMES[:1], WITH_OWN_YEARS),
)
