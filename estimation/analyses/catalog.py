"""Every analysis of the study and its specs, in the order in which they are run."""

from __future__ import annotations

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
    robustness,
    specification_curve,
    spillovers,
)
from .spec import Spec

ANALYSES = (baseline, dynamics, matching, robustness, mechanisms, heterogeneity, policy_tools, confounders, spillovers, leave_out)


def all_specs() -> tuple[Spec, ...]:
    """Every spec of the analyses, in their order."""
    return tuple(spec for analysis in ANALYSES for spec in analysis.SPECS)


def primary_specs() -> tuple[Spec, ...]:
    """Windows and series of the primary test, in its order."""
    return primary.SPECS


def curve_specs() -> tuple[Spec, ...]:
    """Every spec of the specification curve, in its order."""
    return specification_curve.SPECS
