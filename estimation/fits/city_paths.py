"""Fit regressors that a pilot brings along as its own path over the years, each coefficient under
its own name.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from ..options import Options
from ..panel.pair_panel import PairPanel
from ..results import FitResult, NotEstimable, NotRun
from .heterogeneity import Heterogeneity, fit_heterogeneity


def treated_path(panel: PairPanel) -> np.ndarray:
    """Whether a city has been admitted by a year of the panel; shape (N, T) bool."""
    return (panel.city_cohort > 0)[:, None] & (panel.years[None, :] >= panel.city_cohort[:, None])


def fit_city_paths(
    panel: PairPanel,
    name: str,
    paths: Sequence[np.ndarray],
    terms: Sequence[str],
    options: Options,
) -> dict[tuple[str, int], FitResult]:
    """Two-way fixed effects on paths that move with a city's admission under the permutation.

    Parameters
    ----------
    panel : PairPanel
        Without controls.
    name : str
        Of the moderation, for messages.
    paths : sequence of (N, T) arrays
    terms : sequence of str
        Name of each path's coefficient.
    options : Options

    Returns
    -------
    dict
        FitResult by ("twfe", outcome).

    Raises
    ------
    NotEstimable
        If the coefficients cannot be told apart.
    """
    moderation = Heterogeneity(
        name=name, city_path=np.stack(paths, axis=2).astype(float), path_names=tuple(terms)
    )
    results = {}
    for (_, outcome), result in fit_heterogeneity(panel, [moderation], options=options).items():
        if isinstance(result, NotRun):
            raise NotEstimable(result.reason)
        results["twfe", outcome] = _with_own_names(
            result, {f"strength:{term}": term for term in terms}
        )
    return results


def _with_own_names(result: FitResult, terms: dict[str, str]) -> FitResult:
    """Terms by their own names, without the differences between them, which mean nothing here, and
    their tests.
    """
    estimates = tuple(
        dataclasses.replace(e, term=terms[e.term]) for e in result.estimates if e.term in terms
    )
    diagnostics = tuple(
        (name, terms.get(term, term), value)
        for name, term, value in result.diagnostics
        if not name.startswith("joint_") and not (term or "").startswith("difference:")
    )
    warnings = tuple(
        _plain(text, terms) for text in result.warnings if not text.startswith("difference:")
    )
    return dataclasses.replace(
        result, estimates=estimates, diagnostics=diagnostics, warnings=warnings
    )


def _plain(text: str, terms: dict[str, str]) -> str:
    for term, name in terms.items():
        text = text.replace(term, name)
    return text
