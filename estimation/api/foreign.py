"""Scores, bread and rows of fits of other packages."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from ..panel.panel_error import PanelError
from ..panel.panel_table import listed
from ..results import FitResult
from .fit_rows import FitRows, named_values

OTHERS = "a fit whose errors follow from its scores by row"
NOT_ZERO = "its scores do not add up to zero; fit again without penalty or restriction"
KNOWN = "a fit of pyfixest (feols, fepois, feglm), statsmodels or linearmodels"
# why the scores by row of a model, or method, do not give its errors
NOT_SERVED = {
    "BetweenOLS": "it averages the rows of an entity; fit the averages by PooledOLS",
    "did2s": "its errors come from two stages; cs.fit has the estimator gardner",
    "FamaMacBeth": "it averages estimates by period; fit PooledOLS or PanelOLS",
    "FeolsCompressed": "its rows are compressed; fit again with use_compression=False",
    "GEE": "it weights rows by their correlations; a GLM of the same family is taken",
    "GLSAR": "it weights rows by their correlations; fit OLS",
    "HurdleCountModel": "its scores are not in the order of the rows; fit its two parts apart",
    "MLEModel": "its rows are a series, which a filter relates; fit OLS",
    "MixedLM": "it weights rows by their correlations; fit OLS",
    "PenalizedMixin": "its fit is regularized; fit again without a penalty",
    "QuantReg": "the scores of quantiles have no derivative; fit a mean",
    "Quantreg": "the scores of quantiles have no derivative; fit a mean",
    "RecursiveLS": "it is a filter; fit OLS",
}
# models of statsmodels that number the outcomes 0, 1, 2, ..., whatever they are
NUMBERS_OUTCOMES = ("MNLogit", "OrderedModel")
# how far estimates may be from where the scores add up to zero, in standard errors
NEAR_ZERO = 0.01
# from this distance on it is said
NOTED = 1e-4
# of a standard error: how far apart scores are compared for their derivative
STEP = 0.01
# how far two slopes may differ
SAME_SLOPE = 1e-3
# the least eigenvalue of an information with a diagonal of 1
SINGULAR = 1e-13


class FitNotServed(PanelError, TypeError):
    """A fit whose errors do not follow from its scores, or no fit at all."""


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
        Net of effects, times the root of the row's weight; only their sizes matter.
    outcome : str
    rows : FitRows
    estimator : str
        What the package calls it.
    effects : tuple of str
        Fixed effects, by name.
    r2 : float or None
        Fixed effects included.
    notes : tuple of str
        What keeps its numbers from being exact.
    """

    terms: tuple[str, ...]
    estimate: np.ndarray
    scores: np.ndarray
    bread: np.ndarray
    regressors: np.ndarray
    outcome: str
    rows: FitRows
    estimator: str
    effects: tuple[str, ...] = ()
    r2: float | None = None
    notes: tuple[str, ...] = ()


def read_scores(fit: Any) -> Scores:
    """Return the scores of a fit.

    Raises
    ------
    FitNotServed
        If it is of no kind that is known, or of one whose errors do not follow from its scores.
    PanelError
        If it keeps no scores, or they do not add up to zero.
    """
    _refuse_several_and_own(fit)
    package = type(fit).__module__.split(".")[0]
    if package == "pyfixest" and hasattr(fit, "_beta_hat"):
        model, read = fit, _of_pyfixest
    elif package == "statsmodels" and hasattr(fit, "model"):
        model, read = fit.model, _of_statsmodels
    elif package == "linearmodels" and hasattr(fit, "params"):
        model, read = fit.model, _of_linearmodels
    elif package in ("statsmodels", "linearmodels") and hasattr(fit, "fit"):
        raise _not_served(fit, KNOWN, "give what its fit() returns")
    else:
        raise _not_served(fit, KNOWN, "give what the package's fit returns")
    names = [kind.__name__ for kind in type(model).__mro__]
    for name in (*names, getattr(fit, "_method", "")):
        if name in NOT_SERVED:
            raise _not_served(name, OTHERS, NOT_SERVED[name])
    try:
        found = read(fit)
    except NotImplementedError as lack:
        raise _not_served(model, f"{KNOWN} with scores by row and their derivative") from lack
    off = np.abs(found.bread @ found.scores.sum(axis=0))
    error = np.sqrt(((found.scores @ found.bread.T) ** 2).sum(axis=0))
    # the second part is rounding, where a fit leaves no residuals
    is_near = off <= NEAR_ZERO * error + 1e-12 * np.abs(found.estimate).max()
    if not is_near.all():
        term = int(np.argmin(is_near))
        expected = f"scores that add up to zero for {found.terms[term]}"
        size = f"a sum that moves it by {off[term]:.2g}, with a standard error of {error[term]:.2g}"
        remedy = "give a fit that has converged, without a penalty or a restriction"
        raise PanelError("fit", None, None, expected, size, remedy)
    if not _has_converged(fit):
        raise PanelError(
            "fit",
            None,
            None,
            "a fit that has converged",
            "one that reports that it has not",
            "fit again with more iterations or another method",
        )
    # a fit that leaves no residuals has no errors
    distance = np.divide(off, error, out=np.zeros(len(off)), where=error > off / NEAR_ZERO)
    term = int(np.argmax(distance))
    if distance[term] > NOTED:
        stopped = (
            f"{found.terms[term]}: the fit stopped {distance[term]:.2g} standard errors from where "
            "its scores add up to zero, so its errors have few digits. Centre regressors that are "
            "nearly collinear, or fit again to a smaller tolerance."
        )
        return replace(found, notes=(*found.notes, stopped))
    return found


def _has_converged(fit: Any) -> bool:
    """Return what the fit reports of itself; one that is solved in one step reports nothing."""
    # those of maximum likelihood of statsmodels report it in a dictionary
    reports = getattr(fit, "mle_retvals", None)
    if isinstance(reports, dict) and "converged" in reports:
        return bool(reports["converged"])
    # pyfixest stops at its largest number of iterations without a word
    return bool(getattr(fit, "converged", True) and getattr(fit, "convergence", True))


def _refuse_several_and_own(fit: Any) -> None:
    """Refuse several fits, and one of `cs.fit`, which has its errors."""
    if hasattr(fit, "fetch_model"):
        raise FitNotServed("fit", None, None, "one fit", "several", "give fit.fetch_model(0)")
    if isinstance(fit, list | tuple):
        raise FitNotServed("fit", None, None, "one fit", "several", "give one of them")
    if isinstance(fit, FitResult):
        remedy = "its errors are in its tidy(), by the methods that cs.fit is given as vcov="
        raise FitNotServed("fit", None, None, KNOWN, "one of cs.fit", remedy)


def _not_served(fit: Any, expected: str, why: str = "fit another model") -> FitNotServed:
    """Return the error of a fit, or of the name of what it was made by."""
    found = fit
    if not isinstance(fit, str):
        found = f"{type(fit).__module__}.{type(fit).__name__}"
    return FitNotServed("fit", None, None, expected, found, why)


def _of_pyfixest(fit: Any) -> Scores:
    if not np.size(getattr(fit, "_scores", ())):
        if not fit._coefnames:
            raise PanelError("fit", None, None, "a coefficient", "effects alone", "add a regressor")
        raise PanelError(
            "fit", None, None, "scores by row", "a fit that keeps none", "fit again with lean=False"
        )
    scores, regressors = fit._scores, fit._X
    if fit._is_iv:
        projection = fit._tZZinv @ fit._tZX
        scores, regressors = scores @ projection, fit._Z @ projection
    return Scores(
        terms=tuple(fit._coefnames),
        estimate=np.asarray(fit._beta_hat).reshape(-1),
        scores=scores,
        bread=_bread(regressors),
        regressors=regressors,
        outcome=str(fit._depvar),
        rows=_rows_of_pyfixest(fit),
        estimator=str(fit._method),
        effects=tuple(name.strip() for name in (fit._fixef or "").split("+") if name.strip()),
        r2=_number(getattr(fit, "_r2", None)),
    )


def _rows_of_pyfixest(fit: Any) -> FitRows:
    """It numbers the rows of its frame anew, and drops blanks, then rows that are separated. The
    frame that it keeps is compared with another one.
    """
    dropped = [*fit._na_index, *fit.na_index]
    n_given = len(fit._scores) + len(dropped)
    places = pd.RangeIndex(n_given).difference(dropped)
    outcome = fit._Y_untransformed.loc[places]
    left_side = fit._model_spec.second_stage.lhs

    def outcome_in(frame: pd.DataFrame) -> pd.DataFrame:
        again = frame.reset_index(drop=True)
        found = left_side.get_model_matrix(again, context=fit._context, na_action="drop")
        return pd.DataFrame(found).reindex(again.index)

    frame = getattr(fit, "_data", None)
    if frame is not None:
        # it adds, or overwrites, a column for each interaction of effects
        crossed = [name.strip() for name in (fit._fixef or "").split("+") if "^" in name]
        frame = frame.drop(columns=[name.replace("^", "_") for name in crossed])
    return FitRows(
        labels=places,
        n_given=n_given,
        values=outcome,
        values_in=outcome_in,
        frame=frame,
        is_renumbered=True,
    )


def _of_statsmodels(fit: Any) -> Scores:
    model, estimate = fit.model, np.asarray(fit.params)
    kinds = " ".join(kind.__name__ for kind in type(fit).__mro__)
    if hasattr(fit, "constraints"):
        raise _not_served("fit_constrained", OTHERS, NOT_ZERO)
    if getattr(fit, "regularized", False) or "Regularized" in kinds or "L1" in kinds:
        raise _not_served("fit_regularized", OTHERS, NOT_ZERO)
    if type(model).__module__.endswith("sandbox.regression.gmm"):
        name = f"{type(model).__name__} of statsmodels"
        remedy = "it keeps regressors as they were; fit it by linearmodels or pyfixest"
        raise _not_served(name, OTHERS, remedy)
    sigma: Any = getattr(model, "sigma", None)
    if np.ndim(sigma) == 2 and np.count_nonzero(sigma) > np.count_nonzero(np.diag(sigma)):
        raise _not_served("GLS with covariances", OTHERS, "it weights rows by them; fit OLS")
    terms = tuple(model.data.param_names)
    notes: tuple[str, ...] = ()
    regressors: Any = getattr(model, "exog", None)
    if estimate.shape != np.shape(regressors)[1:]:
        if not hasattr(model, "score_obs"):
            raise _not_served(model, f"{KNOWN} with scores by row")
        if estimate.ndim == 2:
            # of MNLogit: a column for each outcome but the first
            others = [model._ynames_map[k] for k in range(1, estimate.shape[1] + 1)]
            terms = tuple(f"{term}[{other}]" for other, term in product(others, terms))
            estimate = estimate.reshape(-1, order="F")
        scores = np.asarray(model.score_obs(estimate))
        bread = _inverse(_information(model, estimate, scores))
        # without a weight that each regressor has by design, what the scores weigh stands for it
        regressors = scores
    elif hasattr(model, "score_obs"):
        scores = np.asarray(model.score_obs(estimate))
        bread = _inverse(-np.asarray(model.hessian(estimate)))
        size = model.hessian_factor(estimate) if hasattr(model, "hessian_factor") else np.ones(1)
        regressors = model.exog * np.sqrt(np.broadcast_to(np.abs(size), len(model.exog)))[:, None]
        # the same matrix, with more digits
        if len(size) == len(scores) and (np.all(size >= 0) or np.all(size <= 0)):
            bread = _bread(regressors)
    elif hasattr(model, "wexog"):
        scores = model.wexog * np.asarray(fit.wresid)[:, None]
        regressors = model.wexog
        bread, notes = _bread_of_least_squares(fit, terms)
    else:
        remedy = "fit another model, or this one again without remove_data()"
        raise _not_served(model, f"{KNOWN} with scores by row", remedy)
    return Scores(
        terms=terms,
        estimate=estimate,
        scores=scores,
        bread=bread,
        regressors=regressors,
        outcome=str(model.endog_names),
        rows=_rows_of_statsmodels(model),
        estimator=type(model).__name__,
        r2=_number(getattr(fit, "rsquared", None)),
        notes=notes,
    )


def _bread_of_least_squares(fit: Any, terms: tuple[str, ...]) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return the bread, and a note if there are coefficients that can change without a change of
    what is fitted: then it is the generalized inverse that the estimates come from.
    """
    regressors = fit.model.wexog
    length = np.sqrt((regressors**2).sum(axis=0))
    scaled = regressors / np.where(length > 0, length, 1)
    # statsmodels takes columns of very different lengths for collinear ones
    _, sizes, directions = np.linalg.svd(np.linalg.qr(scaled, mode="r"))
    parts = np.abs(directions[sizes < SINGULAR * sizes[0]]).max(axis=0, initial=0.0)
    free = [term for term, part in zip(terms, parts, strict=True) if part > SAME_SLOPE]
    if not free:
        return _bread(regressors), ()
    note = f"{listed(free)}: collinear, so estimates and errors are of one of many solutions."
    return np.asarray(fit.normalized_cov_params), (note,)


def _information(model: Any, estimate: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Return minus the derivative of the summed scores, (K, K): the Hessian of the model if it
    agrees with central differences, else these.

    That of `ZeroInflatedPoisson` does not, between its two parts (statsmodels 0.15).
    """

    def total(values: np.ndarray) -> np.ndarray:
        return np.asarray(model.score_obs(values)).sum(axis=0)

    # a small part of a standard error
    steps = STEP / np.sqrt((scores**2).sum(axis=0))
    slopes = []
    for apart in (1, 2):
        moves = np.diag(apart * steps)
        rows = [total(estimate - move) - total(estimate + move) for move in moves]
        slopes.append(np.array(rows) / (2 * apart * steps[:, None]))
    near, far = slopes
    found = (4 * near - far) / 3
    # where the likelihood is flat the two have nothing in common
    size = SAME_SLOPE * np.abs(found).max(axis=0)
    found[np.abs(near - far) > size] = np.nan
    analytic = -np.asarray(model.hessian(estimate))
    if (np.abs(analytic - found) <= size).all():
        return analytic
    return (found + found.T) / 2


def _inverse(information: np.ndarray) -> np.ndarray:
    """Return the inverse of (K, K), if it is positive definite."""
    size = np.sqrt(np.diag(information))
    scaled = information / np.outer(size, size)
    if not np.isfinite(scaled).all() or np.linalg.eigvalsh(scaled)[0] < SINGULAR:
        found = "a likelihood that is flat there, or has no maximum"
        remedy = "leave out regressors that others explain, and start from other values"
        raise PanelError("fit", None, None, "estimates that are determined", found, remedy)
    return np.linalg.inv(scaled) / np.outer(size, size)


def _rows_of_statsmodels(model: Any) -> FitRows:
    """Its formula makes outcome and regressors from the frame again; else they are columns."""
    data, n_rows = model.data, len(model.exog)
    # parameters of an inflation stand before those of the regressors, a dispersion behind them
    n_before = getattr(model, "k_inflate", 0)
    names = model.exog_names[n_before : n_before + model.exog.shape[1]]
    values = pd.DataFrame(model.exog, columns=names)
    outcomes = [model.endog_names]
    if isinstance(model.endog_names, str):
        outcome = model.endog
        if type(model).__name__ in NUMBERS_OUTCOMES:
            outcome = np.asarray(data.orig_endog)
        if outcome.size == n_rows:
            # a category in a formula is kept as dummies, which the frame does not have
            values[outcomes] = outcome.reshape(-1, 1)
    else:
        # successes and failures, or a yes and a no
        outcomes = model.endog_names
        values[outcomes] = np.asarray(data.orig_endog, dtype=float)

    given_names: list[Any] = []
    for side in (data.orig_endog, data.orig_exog):
        given_names.extend(getattr(side, "columns", [getattr(side, "name", None)]))

    def values_in(frame: pd.DataFrame) -> pd.DataFrame:
        frame = frame.reset_index(drop=True)
        found = named_values(values, frame)
        # a column by a name that statsmodels made up is another one if it lacks values of the fit
        for name in found.columns.difference(given_names):
            if not values[name].isin(found[name]).all():
                found = found.drop(columns=name)
        if hasattr(data, "model_spec"):
            from statsmodels.formula._manager import FormulaManager

            manager = FormulaManager()
            parts = [found, manager.get_matrices(data.model_spec, frame)]
            is_compared = set(outcomes) <= set(values.columns)
            if is_compared and not set(outcomes) <= set(frame.columns):
                left = data.formula.split("~")[0]
                functions = {**vars(np), "np": np, "pd": pd}
                parts.append(manager.get_matrices(f"0 + {left}", frame, functions))
            found = pd.concat(parts, axis=1)
            found = found.loc[:, found.columns.isin(values.columns) & ~found.columns.duplicated()]
        return found

    given, labels = data.orig_exog, None
    # a frame of regressors that was given may have been sorted since, and its labels with it
    if isinstance(given, pd.DataFrame | pd.Series):
        as_given = given.to_numpy(float).reshape(-1)
        if np.array_equal(as_given, model.exog.reshape(-1)):
            labels = given.index
    if labels is None:
        return FitRows(
            labels=pd.RangeIndex(n_rows), n_given=n_rows, values=values, values_in=values_in
        )
    frame = getattr(data, "frame", None)
    return FitRows(labels=labels, n_given=None, values=values, values_in=values_in, frame=frame)


def _of_linearmodels(fit: Any) -> Scores:
    estimator: Any = getattr(getattr(fit, "_deferred_cov", None), "__self__", None)
    if estimator is None:
        estimator = getattr(fit, "_cov_estimator", None)
    kind = type(estimator).__name__
    # of the k-class only ordinary (0) and two-stage (1) least squares have these scores
    if not hasattr(estimator, "eps") or "GMM" in kind or getattr(fit, "_kappa", 1) not in {0, 1}:
        raise _not_served(getattr(fit, "model", fit), f"{KNOWN} by least squares")
    regressors = estimator._x if hasattr(estimator, "_x") else estimator.x
    if hasattr(estimator, "z"):
        regressors = estimator.z @ np.linalg.lstsq(estimator.z, regressors, rcond=None)[0]
    rows = _rows_of_linearmodels(fit)
    effects = [name for name in ("entity", "time") if getattr(fit.model, f"{name}_effects", False)]
    other = getattr(fit.model, "_other_effect_cats", None)
    absorbed = getattr(fit.model, "_absorb", getattr(other, "dataframe", None))
    if absorbed is not None:
        effects += [str(name) for name in getattr(absorbed, "columns", ["absorbed"])]
    if getattr(fit.model, "_interactions", None) is not None:
        effects.append("interactions")
    r2 = fit.rsquared
    # that of a panel leaves its effects out
    if hasattr(fit, "rsquared_inclusive"):
        r2 = fit.rsquared_inclusive
    return Scores(
        terms=tuple(map(str, fit.params.index)),
        estimate=fit.params.to_numpy(),
        scores=regressors * np.asarray(estimator.eps).reshape(-1, 1),
        bread=_bread(regressors),
        regressors=regressors,
        outcome=str(rows.values.columns[0]),
        rows=rows,
        estimator=type(fit.model).__name__,
        effects=tuple(effects),
        r2=_number(r2),
    )


def _bread(regressors: np.ndarray) -> np.ndarray:
    """Return the inverse of X'X, with the digits that its square root has."""
    root = np.linalg.inv(np.linalg.qr(regressors, mode="r"))
    return root @ root.T


def _number(value: Any) -> float | None:
    """Return a measure of fit, where the package gives one."""
    return float(value) if value is not None and np.isfinite(value) else None


def _rows_of_linearmodels(fit: Any) -> FitRows:
    """It keeps labels, outcome and regressors, never the frame."""
    kept = [getattr(fit.model, name, None) for name in ("dependent", "exog", "endog")]
    frames = [getattr(part, "dataframe", getattr(part, "pandas", None)) for part in kept]
    # a model without endogenous regressors has a frame for them, without columns or labels
    frames = [frame for frame in frames if frame is not None and len(frame.columns)]
    values = pd.concat(frames, axis=1)
    if len(values) != len(fit.resids):
        values = values.loc[fit.resids.index]
    values_in = partial(named_values, values)
    return FitRows(labels=fit.resids.index, n_given=None, values=values, values_in=values_in)
