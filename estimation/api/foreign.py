"""Scores and bread of fits of other packages, by row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..panel.panel_error import PanelError

KNOWN = "a fit of pyfixest (feols, fepois, feglm), statsmodels or linearmodels"


@dataclass(frozen=True)
class Scores:
    """A fit as what any variance of it is made of; n rows, K coefficients.

    Attributes
    ----------
    terms : tuple of str, length K
    estimate : (K,) float array
    scores : (n, K) float array
        They add up to zero.
    bread : (K, K) float array
        estimate - truth is about bread times the sum of the scores.
    regressors : (n, K) float array
        Net of effects and weighted as in the scores; only their sizes matter.
    outcome : str
    frame : pandas frame or None
        The rows that were used, where the fit keeps them.
    rows : array or None
        Labels of these rows in the frame that was fitted.
    """

    terms: tuple[str, ...]
    estimate: np.ndarray
    scores: np.ndarray
    bread: np.ndarray
    regressors: np.ndarray
    outcome: str
    frame: Any = field(default=None, repr=False)
    rows: Any = field(default=None, repr=False)

    def units(self, unit: Sequence[Any], data: Any = None) -> tuple[np.ndarray, np.ndarray]:
        """The two units of each row, (n,) each."""
        n_rows, frame = len(self.scores), self.frame if data is None else data
        if len(unit) != 2:
            expected = "two names of columns, or two arrays"
            raise PanelError("unit", None, None, expected, repr(unit), "give unit=(first, second)")
        if not all(isinstance(name, str) for name in unit):
            sides = tuple(np.asarray(side) for side in unit)
        elif frame is None:
            found, remedy = "a fit without its data", "give data=, the frame it was fitted on"
            raise PanelError("fit", None, None, f"the columns {unit}", found, remedy)
        else:
            absent = [name for name in unit if name not in frame.columns]
            if absent:
                remedy = "name others, or give data="
                found = f"only {', '.join(map(str, frame.columns))}"
                raise PanelError("data", None, absent[0], "it in the fit's data", found, remedy)
            if len(frame) != n_rows and self.rows is not None and frame.index.is_unique:
                frame = frame.reindex(self.rows)
            sides = tuple(frame[name].to_numpy() for name in unit)
        for side in sides:
            if len(side) != n_rows:
                expected = f"a unit for each of the {n_rows:,} rows that the fit used"
                remedy = "give the rows that were used, without those that were dropped"
                raise PanelError("unit", None, None, expected, f"{len(side):,}", remedy)
        return sides


def read_scores(fit: Any) -> Scores:
    """The scores of a fit.

    Raises
    ------
    TypeError
        If it is of no kind that is known.
    PanelError
        If it keeps no scores.
    """
    package = type(fit).__module__.split(".")[0]
    if package == "pyfixest" and hasattr(fit, "_beta_hat"):
        return _of_pyfixest(fit)
    if package == "statsmodels" and hasattr(fit, "model"):
        return _of_statsmodels(fit)
    if package == "linearmodels" and hasattr(fit, "params"):
        return _of_linearmodels(fit)
    raise TypeError(f"cs.vcov takes {KNOWN}, found {type(fit).__module__}.{type(fit).__name__}")


def _of_pyfixest(fit: Any) -> Scores:
    if not np.size(getattr(fit, "_scores", ())):
        remedy = "fit again with lean=False"
        raise PanelError("fit", None, None, "scores by row", "a fit that keeps none", remedy)
    scores, regressors = fit._scores, fit._X
    if fit._is_iv:
        projection = fit._tZZinv @ fit._tZX
        scores, regressors = scores @ projection, fit._Z @ projection
    frame = fit._data if len(fit._data) else None
    return Scores(
        tuple(fit._coefnames),
        np.asarray(fit._beta_hat).reshape(-1),
        scores,
        np.linalg.inv(regressors.T @ regressors),
        regressors,
        str(fit._depvar),
        frame,
        None if frame is None else frame.index,
    )


def _of_statsmodels(fit: Any) -> Scores:
    model, estimate = fit.model, np.asarray(fit.params)
    if hasattr(model, "score_obs"):
        scores = np.asarray(model.score_obs(estimate))
        bread = -np.linalg.inv(model.hessian(estimate))
        size = np.abs(model.hessian_factor(estimate)) if hasattr(model, "hessian_factor") else 1.0
        regressors = model.exog * np.sqrt(np.broadcast_to(size, len(model.exog)))[:, None]
    elif hasattr(model, "wexog"):
        scores = model.wexog * np.asarray(fit.wresid)[:, None]
        bread = np.asarray(fit.normalized_cov_params)
        regressors = model.wexog
    else:
        raise TypeError(f"cs.vcov takes {KNOWN} with scores by row, found {type(model).__name__}")
    if estimate.ndim != 1 or scores.shape[1] != len(estimate):
        raise TypeError(f"cs.vcov takes fits with one equation, found {type(model).__name__}")
    frame = getattr(model.data, "frame", None)
    names = (tuple(model.data.param_names), estimate)
    rows = model.data.row_labels
    return Scores(*names, scores, bread, regressors, str(model.endog_names), frame, rows)


def _of_linearmodels(fit: Any) -> Scores:
    estimator = getattr(getattr(fit, "_deferred_cov", None), "__self__", None)
    if estimator is None:
        estimator = getattr(fit, "_cov_estimator", None)
    kind = type(estimator).__name__
    # of the k-class only ordinary (0) and two-stage (1) least squares have these scores
    if not hasattr(estimator, "eps") or "GMM" in kind or getattr(fit, "_kappa", 1) not in {0, 1}:
        raise TypeError(f"cs.vcov takes {KNOWN} by least squares, found {type(fit).__name__}")
    regressors = estimator._x if hasattr(estimator, "_x") else estimator.x
    if hasattr(estimator, "z"):
        regressors = estimator.z @ np.linalg.lstsq(estimator.z, regressors, rcond=None)[0]
    return Scores(
        tuple(map(str, fit.params.index)),
        fit.params.to_numpy(),
        regressors * np.asarray(estimator.eps).reshape(-1, 1),
        np.linalg.inv(regressors.T @ regressors),
        regressors,
        _name_of(fit.model.dependent),
        None,
        fit.resids.index,
    )


def _name_of(dependent: Any) -> str:
    names = getattr(dependent, "vars", None) or getattr(dependent, "cols", None)
    return str(names[0])
