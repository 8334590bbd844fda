"""`Inputs`, which `fit` hands to every estimator, and `Fitted`, which every estimator returns."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from ..engines.arrays import PairStatistics, pair_statistics
from ..engines.interface import SummedSample
from ..influence.draw_model import DrawModel
from ..influence.influence_fit import InfluenceFit
from ..options import Options
from ..panel.fit_sample import FitSample
from ..results import Diagnostic


@dataclass(frozen=True)
class Inputs:
    """What estimators that are fitted on one sample share.

    Attributes
    ----------
    sample : FitSample
    control_names : tuple of str
        One for each control of the panel.
    covariates : (N, J) float array or None
        Characteristics of the cities before any treatment.
    covariate_names : tuple of str, length J
    options : Options
    only : collection of (estimator, outcome), optional
        Results that are wanted; None: all.
    """

    sample: FitSample | SummedSample
    control_names: tuple[str, ...] = ()
    covariates: Any = None
    covariate_names: tuple[str, ...] = ()
    options: Options = field(default_factory=Options)
    only: Collection[tuple[str, int]] | None = None

    def asks(self, estimator: str, outcome: int) -> bool:
        """Return whether a result is wanted."""
        return self.only is None or (estimator, outcome) in self.only

    @cached_property
    def statistics(self) -> PairStatistics:
        """Return the statistics of all pairs of the panel, computed once for all estimators and
        draws.
        """
        if isinstance(self.sample, SummedSample):
            return self.sample.statistics
        return sample_statistics(self.sample)


def sample_statistics(sample: FitSample, loading: np.ndarray | None = None) -> PairStatistics:
    """Return the statistics of all pairs of a sample's panel; `loading` as in `pair_statistics`."""
    panel, outcomes = sample.panel, sample.outcomes
    y = panel.y if len(outcomes) == panel.n_outcomes else panel.y[list(outcomes)]
    return pair_statistics(y, panel.controls, sample.observed, panel.weight, loading)


@dataclass(frozen=True)
class Fitted:
    """An estimator on one sample.

    Attributes
    ----------
    sample : FitSample
        The pairs that the estimator used: those given, or fewer.
    fits : tuple of InfluenceFit
        One for each outcome of the sample.
    draws : DrawModel or None
        Fits the draws of a permutation; None where there is no permutation.
    city_weights : callable or None
        Turns labels (B, N) of reassigned cities into weights (B, N), where each draw has its own
        weights.
    tests : dict of str to int arrays
        Terms of each joint test; that of the leads is added by `fit`.
    estimator : str
        Row of the registry, where the fit is stored under another name (heterogeneity); empty:
        its name is that row.
    diagnostics : tuple of Diagnostic or None
        What this estimator alone reports. None: `fit` adds the weights of two-way comparisons
        where the registry says `uses_always_treated`.
    warnings : tuple of str
    """

    sample: FitSample
    fits: tuple[InfluenceFit, ...]
    draws: DrawModel | None = None
    city_weights: Callable[[np.ndarray], np.ndarray] | None = None
    tests: Mapping[str, np.ndarray] = field(default_factory=dict)
    estimator: str = ""
    diagnostics: tuple[Diagnostic, ...] | None = None
    warnings: tuple[str, ...] = ()
