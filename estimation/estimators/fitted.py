"""What `fit` hands to every estimator, and what every estimator hands back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..influence.influence_fit import InfluenceFit
from ..linear.pair_statistics import PairStatistics, pair_statistics
from ..linear.treatment_regressors import Design
from ..panel.pair_panel import FitSample
from ..results import Diagnostic


@dataclass(frozen=True)
class Inputs:
    """What estimators of one sample share.

    Attributes
    ----------
    sample : FitSample
    control_names : tuple of str
        One for each control of the panel.
    covariates : (N, J) float array or None
        Of the cities, from before any treatment.
    covariate_names : tuple of str, length J
    reference : int
        Event time that an event study leaves out.
    binning : (int, int) or None
        First and last event time of an event study; those beyond are counted to them.
    """

    sample: FitSample
    control_names: tuple[str, ...] = ()
    covariates: np.ndarray | None = None
    covariate_names: tuple[str, ...] = ()
    reference: int = -1
    binning: tuple[int, int] | None = None

    @cached_property
    def statistics(self) -> PairStatistics:
        """Statistics of all pairs of the panel, made once for all estimators and draws."""
        panel, outcomes = self.sample.panel, self.sample.outcomes
        y = panel.y if len(outcomes) == panel.n_outcomes else panel.y[list(outcomes)]
        return pair_statistics(y, panel.controls, self.sample.observed, panel.weight)


@dataclass(frozen=True)
class Fitted:
    """An estimator on one sample.

    Attributes
    ----------
    sample : FitSample
        The pairs that the estimator used: those given, or fewer.
    fits : tuple of InfluenceFit
        One for each outcome of the sample.
    design : Design or None
        Regressors of the draws, for estimators whose draws are least squares.
    city_weights : callable or None
        Labels (B, N) of reassigned cities to their weights (B, N), where each draw has weights of
        its own.
    diagnostics : tuple of Diagnostic or None
        Of this estimator; None lets `fit` add those of a two-way fit.
    warnings : tuple of str
    """

    sample: FitSample
    fits: tuple[InfluenceFit, ...]
    design: Design | None = None
    city_weights: Callable[[np.ndarray], np.ndarray] | None = None
    diagnostics: tuple[Diagnostic, ...] | None = None
    warnings: tuple[str, ...] = ()
