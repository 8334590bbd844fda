"""Every analysis of the study and its specs, in the order in which they are run."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain

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
from .spec import Spec
from .without_p import why_no_p

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


# Rows that conclusions rest on make all draws: the baselines, their named variants, and the claims
# of the study (`warehouse/seeds/study_claims.csv`).
DECISIVE = {
    f"baseline.{robustness.OUTCOME}.headline",
    "baseline.cm_growth_deflated.headline",
    *(f"robustness.{robustness.OUTCOME}.{variant}" for variant in robustness.RULES),
    "heterogeneity.cm_growth_official.same_region",
    "heterogeneity.cm_growth_official.coastal",
    "heterogeneity.cm_growth_official.human_capital",
    "heterogeneity.cm_growth_official.financial_development",
    "heterogeneity.cm_growth_official.infrastructure",
    "mechanisms.cm_growth_official.by_measures",
    "mechanisms.neg_abs_gap_ln_patents_per_head.headline",
    "mechanisms.neg_abs_gap_capital_allocation.window_2010_2017",
    "mechanisms.neg_abs_gap_labour_allocation.headline",
    "policy_tools.cm_growth_official.supply",
    "policy_tools.cm_growth_official.environment",
    "policy_tools.cm_growth_official.demand",
}


def all_specs() -> tuple[Spec, ...]:
    """Return every spec of the analyses, in their order."""
    specs = chain.from_iterable(analysis.SPECS for analysis in ANALYSES)
    return tuple(map(_with_enough, specs))


def _with_enough(spec: Spec) -> Spec:
    if why_no_p(spec.outcome):
        return replace(spec, enough=0)
    return replace(spec, enough=None) if spec.spec_id in DECISIVE else spec


def every_spec() -> tuple[Spec, ...]:
    """Those of the analyses, of the specification curve, of city-level outcomes and of the primary
    test: all that a refresh estimates.
    """
    return (*all_specs(), *specification_curve.SPECS, *radiation.SPECS, *primary.SPECS)
