"""Studentised permutation of admission over all pairs: labels move, so cohort sizes, regressors and their weights stay the same.

A draw therefore needs one pass over the cities instead of one over the pairs (docs/methods, sections 7 and 11).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..inference.permutation.assignments import count_relabellings, draw_relabellings, enumerate_relabellings
from ..inference.permutation.two_way import critical_value, permutation_p_value, run_in_chunks
from ..results import NotEstimable
from .cells import build_pair_cells, cell_counts
from .fit import CityPanel
from .models import LeastSquares, event_study_model, twfe_model
from .sums import GAP, OUTCOMES, QUADRATIC, centre

DRAWN = {"twfe": twfe_model, "event_study": event_study_model}


@dataclass(frozen=True)
class PairDraws:
    """Draws of K coefficients; the statistic is abs(b) over the square root of the summed squared city scores."""

    terms: tuple[tuple[str, int | None, int | None], ...]
    coefficient: np.ndarray
    statistic: np.ndarray
    is_enumeration: bool

    def p_value(self, column: int, observed: float) -> float:
        """Share of assignments at least as extreme as ``observed``."""
        return permutation_p_value(observed, self.statistic[:, column], self.is_enumeration)

    def critical_value(self, column: int) -> float:
        """The statistic's 95 % quantile as docs/methods, section 7 defines it."""
        return critical_value(self.statistic[:, column], self.is_enumeration)


def permute_all_pairs(
    panel: CityPanel,
    *,
    outcome: str = "cm",
    estimator: str = "twfe",
    strata: np.ndarray | None = None,
    n_draws: int = 9999,
    seed: int = 1,
) -> PairDraws:
    """Refit under reassigned admissions; pairs with no or one pseudo-pilot count, as in the study's sample.

    Parameters
    ----------
    panel : CityPanel
    outcome : str
        Of `OUTCOMES`.
    estimator : str
        `twfe` or `event_study`.
    strata : (N,) array, optional
        Labels move only within a stratum; default the panel's provinces, else all cities.
    n_draws, seed : int
        All relabellings are enumerated instead where there are fewer.

    Returns
    -------
    PairDraws

    Raises
    ------
    NotEstimable
        A coefficient is not identified.
    ValueError
        An argument is not one of those named.
    """
    if estimator not in DRAWN or outcome not in OUTCOMES:
        raise ValueError(
            f"expected an estimator of {', '.join(DRAWN)} and an outcome of {', '.join(OUTCOMES)}; found {estimator}, {outcome}"
        )
    group = panel.group
    model, design = _design(panel, estimator)
    strata = _strata(panel, strata)
    is_enumeration = count_relabellings(group, strata) < n_draws
    labels = enumerate_relabellings(group, strata) if is_enumeration else draw_relabellings(group, strata, n_draws, seed)
    labels = np.ascontiguousarray(labels)
    coefficient, statistic = np.empty((len(labels), len(model.terms))), np.empty((len(labels), len(model.terms)))
    run = _kernel(centre(panel.values, outcome), outcome, design)
    run_in_chunks(len(labels), lambda part: run(labels[part], coefficient[part], statistic[part]))
    return PairDraws(model.terms, coefficient, statistic, is_enumeration)


def _strata(panel: CityPanel, strata: np.ndarray | None) -> np.ndarray:
    if strata is None:
        strata = np.zeros(len(panel.group)) if panel.province is None else panel.province
    return np.unique(strata, return_inverse=True)[1].reshape(-1)


def _design(panel: CityPanel, estimator: str) -> tuple[LeastSquares, tuple]:
    cells = build_pair_cells(panel.group_years, panel.years, ("none", "one"))
    counts = np.bincount(panel.group, minlength=cells.n_groups).astype(np.float64)
    pairs = cell_counts(counts[None], cells)
    model = DRAWN[estimator](cells, panel.years, panel.group_years)
    solved = model.solve(pairs, np.zeros((1, *model.x.shape[:2])))
    if len(model.identified(solved, pairs[0], estimator)) < len(model.terms) or not model.terms:
        raise NotEstimable(f"{estimator}: needs pilots and cities without a zone among these, found groups of {counts.tolist()} cities")
    weights = np.ascontiguousarray(np.einsum("ctk,kl->ctl", solved.regressors, solved.inverse))
    return model, (weights, np.ascontiguousarray(solved.regressors), counts, float(pairs.sum()))


def _kernel(values: np.ndarray, outcome: str, design: tuple):
    from ..kernels import all_pairs  # importing numba takes as long as a small fit

    if outcome == GAP:
        order = np.ascontiguousarray(np.argsort(values, axis=0, kind="stable").T)
        return lambda labels, b, t: all_pairs.run_gaps(labels, values, order, design, b, t)
    totals = np.stack([values.sum(axis=0), (values**2).sum(axis=0)])
    own = np.einsum("it,gtk->igk", values**2, design[0])
    return lambda labels, b, t: all_pairs.run_quadratic(labels, values, totals, own, QUADRATIC[outcome], design, b, t)
