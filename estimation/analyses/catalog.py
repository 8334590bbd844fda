"""Every analysis of the study and its specs, in the order in which they are run."""

from __future__ import annotations

from dataclasses import replace

from ..options import DRAWS
from . import (
    baseline,
    confounders,
    dynamics,
    heterogeneity,
    leave_out,
    matching,
    mechanisms,
    policy_tools,
    primary,
    radiation,
    robustness,
    specification_curve,
    spillovers,
    study_form,
)
from .spec import Spec, split_of

ANALYSES = (
    baseline,
    dynamics,
    matching,
    robustness,
    mechanisms,
    heterogeneity,
    policy_tools,
    confounders,
    spillovers,
    leave_out,
    study_form,
)


# rows that conclusions rest on: the headline makes all draws, the claims of the study and the named
# variants of the headline (by analysis and variant) may make as many
HEADLINE = ("baseline", "headline")
DECISIVE = {
    *(("robustness", variant) for variant in robustness.RULES),
    *(("policy_tools", variant) for variant in ("supply", "environment", "demand")),
    *(
        ("heterogeneity", variant)
        for variant in (
            "same_region",
            "coastal",
            "human_capital",
            "financial_development",
            "infrastructure",
        )
    ),
    ("mechanisms", "by_measures"),
    ("mechanisms", "headline"),
    ("mechanisms", "window_2010_2017"),
}


def all_specs() -> tuple[Spec, ...]:
    """Every spec of the analyses, in their order."""
    return tuple(_with_draws(spec) for analysis in ANALYSES for spec in analysis.SPECS)


def _with_draws(spec: Spec) -> Spec:
    row = spec.analysis, spec.variant
    if spec.permutations == 0 or row not in {HEADLINE, *DECISIVE}:
        return spec
    is_all = row == HEADLINE and spec.outcome in split_of(robustness.OUTCOME)
    return replace(spec, permutations=DRAWS, enough=None if is_all else spec.enough)


def primary_specs() -> tuple[Spec, ...]:
    """Windows and series of the primary test, in its order."""
    return primary.SPECS


def curve_specs() -> tuple[Spec, ...]:
    """Every spec of the specification curve, in its order."""
    return specification_curve.SPECS


def radiation_specs() -> tuple[Spec, ...]:
    """Every spec of city-level outcomes, in its order."""
    return radiation.SPECS
