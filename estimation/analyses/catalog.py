"""Every analysis of the study and its specs, in the order in which they are run."""

from __future__ import annotations

from dataclasses import replace

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


# the headlines with their exact parts make all draws, whatever these say
HEADLINE = tuple(
    f"baseline.{part}.headline"
    for outcome in (robustness.OUTCOME, "cm_growth_deflated")
    for part in split_of(outcome)
)


def all_specs() -> tuple[Spec, ...]:
    """Every spec of the analyses, in their order."""
    every = (spec for analysis in ANALYSES for spec in analysis.SPECS)
    return tuple(replace(spec, enough=None) if spec.spec_id in HEADLINE else spec for spec in every)


def primary_specs() -> tuple[Spec, ...]:
    """Windows and series of the primary test, in its order."""
    return primary.SPECS


def curve_specs() -> tuple[Spec, ...]:
    """Every spec of the specification curve, in its order."""
    return specification_curve.SPECS


def radiation_specs() -> tuple[Spec, ...]:
    """Every spec of city-level outcomes, in its order."""
    return radiation.SPECS
