"""Studentised permutation of admission over all pairs: labels move, so cohort sizes, regressors and
their weights stay the same.

A draw therefore needs one pass over the cities instead of one over the pairs (docs/methods,
sections 7 and 11).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..inference.permutation.assignments import draw_or_enumerate
from ..inference.permutation.draws import critical_value, permutation_p_value, run_in_chunks
from ..kernels.records import AllPairsDesign, QuadraticForm
from ..results import NotEstimable
from .cells import build_pair_cells, cell_counts
from .fit import CityPanel
from .models import LeastSquares, event_study_model, twfe_model
from .sums import GAP, OUTCOMES, QUADRATIC, centre

DRAWN = {"twfe": twfe_model, "event_study": event_study_model}


@dataclass(frozen=True)
class PairDraws:
    """Estimates under reassigned admissions over all pairs.

    Attributes
    ----------
    terms : tuple of (term, cohort_year, event_time), length K
    coefficient, statistic : (B, K) float arrays
        Estimate b, and abs(b) over the square root of the summed squared city scores.
    is_enumeration : bool
        Every relabelling once, the real one among them, instead of random draws.
    """

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
    """Refit under reassigned admissions; pairs with no or one pseudo-pilot count, as in the study's
    sample.

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
            f"expected an estimator of {', '.join(DRAWN)} and an outcome of "
            f"{', '.join(OUTCOMES)}; found {estimator}, {outcome}"
        )
    model, design = _design(panel, estimator)
    labels, is_enumeration = draw_or_enumerate(panel.group, _strata(panel, strata), n_draws, seed)
    coefficient, statistic = (
        np.empty((len(labels), len(model.terms))),
        np.empty((len(labels), len(model.terms))),
    )
    run = _compiled_draws(centre(panel.values, outcome), outcome, design)
    run_in_chunks(len(labels), lambda part: run(labels[part], coefficient[part], statistic[part]))
    return PairDraws(model.terms, coefficient, statistic, is_enumeration)


def _strata(panel: CityPanel, strata: np.ndarray | None) -> np.ndarray:
    """Positions of the strata (N,): those given, else the provinces, else one."""
    if strata is None:
        strata = np.zeros(len(panel.group)) if panel.province is None else panel.province
    return np.unique(strata, return_inverse=True)[1].reshape(-1)


def _design(panel: CityPanel, estimator: str) -> tuple[LeastSquares, AllPairsDesign]:
    """The least-squares model over cells, and what of it every draw needs."""
    cells = build_pair_cells(panel.group_years, panel.years, ("none", "one"))
    counts = np.bincount(panel.group, minlength=cells.n_groups).astype(np.float64)
    pairs = cell_counts(counts[None], cells)
    model = DRAWN[estimator](cells, panel.years, panel.group_years)
    solved = model.solve(pairs, np.zeros((1, *model.x.shape[:2])))
    if len(model.identified(solved, pairs[0], estimator)) < len(model.terms) or not model.terms:
        raise NotEstimable(
            f"{estimator}: needs pilots and cities without a zone among these, found groups of "
            f"{counts.tolist()} cities"
        )
    weights = np.ascontiguousarray(np.einsum("ctk,kl->ctl", solved.regressors, solved.inverse))
    return model, AllPairsDesign(
        weights, np.ascontiguousarray(solved.regressors), counts, float(pairs.sum())
    )


def _compiled_draws(
    values: np.ndarray, outcome: str, design: AllPairsDesign
) -> Callable[[np.ndarray, np.ndarray, np.ndarray], None]:
    """A function that fills coefficients and statistics (B, K) for labels (B, N); values (N, T)."""
    from ..kernels import all_pairs  # importing numba takes as long as a small fit

    if outcome == GAP:
        order = np.ascontiguousarray(np.argsort(values, axis=0, kind="stable").T)
        return lambda labels, b, t: all_pairs.run_gaps(labels, values, order, design, b, t)
    totals = np.stack([values.sum(axis=0), (values**2).sum(axis=0)])
    own = np.einsum("it,gtk->igk", values**2, design.weights)
    form = QuadraticForm(*QUADRATIC[outcome])
    return lambda labels, b, t: all_pairs.run_quadratic(
        labels, values, totals, own, form, design, b, t
    )
