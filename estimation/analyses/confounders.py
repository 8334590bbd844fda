"""The baseline regression with other pilot programmes of the same years as controls, and without
the cities they cover; without Guangdong; and against never-treated cities that were alike before
any zone, by the doubly robust estimator on size, openness and coast of 2010-2014.

A control counts how many of a pair's two cities the programme covers in the year (0, 1 or 2). In a
draw covariates stay with their pair and are partialled out again. marts.dim_other_policy says
which entries of a programme's list were verified.
"""

from __future__ import annotations

from .rules import POLICIES
from .spec import specs_of, split_of

ANALYSIS = "confounders"
OUTCOME = "cm_growth_official"

VARIANTS = {
    "given_all_policies": {"controls": tuple(f"policy_{policy}" for policy in POLICIES)},
    **{f"given_{policy}": {"controls": (f"policy_{policy}",)} for policy in POLICIES},
    **{f"without_{policy}": {"excluded": (f"policy_{policy}",)} for policy in POLICIES},
    "without_guangdong": {"excluded": ("province_440000",)},
    "doubly_robust": {
        "estimator": "doubly_robust",
        "controls": (
            "baseline_ln_population",
            "baseline_ln_gdp_per_head",
            "baseline_ln_trade",
            "baseline_coastal",
        ),
    },
}

SPECS = specs_of(ANALYSIS, split_of(OUTCOME), VARIANTS)
