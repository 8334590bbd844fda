"""`cs.vcov`: standard errors that allow for units shared by pairs, for a fit of pyfixest,
statsmodels or linearmodels.

Any estimator that solves sum of scores = 0 has the variance bread x meat x bread; only the meat
knows which rows may be related. Sources: Fafchamps and Gubert 2007; Aronow, Samii and Assenova
2015 (the meat); Cameron, Gelbach and Miller 2011 (its repair).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Literal

import numpy as np
import pandas as pd

from ..defaults import LEVEL
from ..inference.variances import with_diagonal
from ..influence.dyadic_df import dyadic_df
from ..panel.columns import as_frame, columns_of
from ..panel.panel_error import PanelError, require_among, require_names, require_number
from ..panel.panel_table import listed
from ..results import Estimate
from .dyads import Dyads, number_dyads
from .foreign import Scores, read_scores
from .joint import Covariance, Wald, estimate_of
from .result import TIDY
from .text import wrapped
from .words import ForMaketables, SharedLine, interval_at, require_line

LINES = ("dyadic", "unit", "pair")
# a variance by pair below this share of that by row is rounding: scores of each pair add up to zero
ROUNDING = 1e-10
# scores below this share of what the coefficients explain are rounding: nothing is left to explain
EXACT = 1e-12


class Errors(ForMaketables, pd.DataFrame):
    """Errors of a fit: a pandas frame with columns `term, estimate, std_error, ci_low, ci_high,
    p_value, vcov, df`, one row a coefficient and inference method.

    Attributes
    ----------
    notes : tuple of str
        What was done that a reader should know, such as a repair.
    outcome : str
    estimator : str
        What the package calls it.
    effects : tuple of str
        Fixed effects of the fit, by name.
    r2 : float or None
    n_obs, n_pairs, n_units : int
    degrees : dict of str to (K,) float array
        Degrees of freedom of each coefficient, by line.
    """

    notes: tuple[str, ...]
    outcome: str
    estimator: str
    effects: tuple[str, ...]
    _estimates: tuple[Estimate, ...]
    r2: float | None
    n_obs: int
    n_pairs: int
    n_units: int
    degrees: dict[str, np.ndarray]
    _matrices: dict[str, pd.DataFrame]
    _plain: dict[str, np.ndarray]
    _by_pair: np.ndarray
    # attributes of a frame that are no columns
    _metadata: ClassVar = list(__annotations__)

    @property
    def _constructor(self) -> type:
        # a part of it is a plain frame: its matrices would belong to other rows
        return pd.DataFrame

    @property
    def estimates(self) -> tuple[Estimate, ...]:
        """The rows as they were computed.

        Raises
        ------
        PanelError
            If the frame was changed since.
        """
        computed = as_frame(columns_of(self._estimates, TIDY))
        if not self.tidy().reindex(columns=list(TIDY)).equals(computed):
            remedy = "call cs.vcov again, and change a copy (tidy()); labels= names coefficients"
            raise PanelError("errors", None, None, "rows of cs.vcov", "changed ones", remedy)
        return self._estimates

    def matrix(self, vcov: str = "dyadic") -> pd.DataFrame:
        """Return the covariance matrix of the coefficients under one inference method.

        Raises
        ------
        PanelError
            If that inference method was not asked for.
        """
        return self._matrices[require_line(vcov, self._matrices)].copy()

    def combine(
        self, weights: Mapping[str, float] | pd.Series, vcov: str | None = None
    ) -> pd.DataFrame:
        """Return a weighted sum of coefficients, such as the mean of cohort by year effects.

        Parameters
        ----------
        weights : mapping of str to float, or pandas series
            By term.
        vcov : str, optional
            The inference method; None: all.

        Returns
        -------
        frame
            The same columns, one row an inference method; the degrees of freedom are the least of
            those of the terms.

        Raises
        ------
        PanelError
            If there is no such term or inference method.
        """
        rows = [self._covariance(line).combine(weights) for line in self._asked(vcov)]
        return as_frame(columns_of(rows, self.columns))

    def wald(
        self, terms: Sequence[str | Mapping[str, float] | pd.Series], vcov: str | None = None
    ) -> Wald:
        """Return the joint test that coefficients, or weighted sums of them, are all zero.

        Parameters
        ----------
        terms : sequence of str, or of mappings or series
            Terms, or weights by term of sums of them.
        vcov : str, optional
            The inference method; None: the first.

        Returns
        -------
        dict
            `statistic, df1, df2, p_value, vcov`: an F, of Hotelling's T squared.

        Raises
        ------
        PanelError
            If there is no such term or line, or if the restrictions are too many for its degrees of
            freedom or not independent.
        """
        line = self.estimates[0].vcov if vcov is None else require_line(vcov, self._matrices)
        return self._covariance(line).wald(terms)

    def confint(self, vcov: str | None = None, level: float = 1 - LEVEL) -> pd.DataFrame:
        """Return intervals of one inference method or all, at a level: a frame with columns `term,
        ci_low, ci_high, vcov`.
        """
        lines = self._asked(vcov)
        rows = [(e.term, *interval_at(e, level), e.vcov) for e in self.estimates if e.vcov in lines]
        return pd.DataFrame(rows, columns=["term", "ci_low", "ci_high", "vcov"])

    def _asked(self, vcov: str | None) -> list[str]:
        return list(self._matrices) if vcov is None else [require_line(vcov, self._matrices)]

    def _covariance(self, line: str) -> Covariance:
        own = [e for e in self.estimates if e.vcov == line]
        return Covariance(
            line,
            [e.term for e in own],
            np.array([e.estimate for e in own]),
            self._plain[line],
            self._by_pair if line == "dyadic" else None,
            self.degrees[line],
        )

    def tidy(self) -> pd.DataFrame:
        """Return the rows as a plain pandas frame."""
        return pd.DataFrame(self)

    def __repr__(self) -> str:
        with pd.option_context("display.max_columns", None, "display.width", None):
            return "\n".join([super().__repr__(), *wrapped(self.notes)])

    def summary(self) -> str:
        """Return rows, sample and notes as a text."""
        size = f"{self.n_obs:,} rows, {self.n_pairs:,} pairs, {self.n_units:,} units"
        return "\n".join([self.tidy().round(4).to_string(index=False), size, *wrapped(self.notes)])

    def _shown(self) -> list[Estimate]:
        return [e for e in self.estimates if e.vcov == self.estimates[0].vcov]

    def _dyadic_variances(self) -> dict[str, float]:
        """Return the dyadic variances by term as they were computed, if they were asked for."""
        if "dyadic" not in self._plain:
            return {}
        terms = self._matrices["dyadic"].index
        return dict(zip(terms, np.diag(self._plain["dyadic"]), strict=True))

    @property
    def __maketables_fixef_string__(self) -> str | None:
        return "+".join(self.effects) or None


def vcov(
    fit: Any,
    unit: Sequence[Any],
    *,
    vcov: SharedLine | Sequence[SharedLine] = ("dyadic", "unit", "pair"),
    data: Any = None,
    directed: bool = False,
    df: float | None = None,
    kinds: Literal[1, 2] | None = None,
) -> Errors:
    """Return errors of somebody else's fit on pairs, from its scores: no refit, no draws.

    Parameters
    ----------
    fit : fit of pyfixest, statsmodels or linearmodels
        ``feols`` (also with instruments), ``fepois``, ``feglm``, with effects of any dimension;
        ``OLS``, ``WLS``, ``GLM``, ``Logit``, ``Poisson``, ``NegativeBinomial``, ``MNLogit``,
        ``OrderedModel`` and others with scores by row; ``PanelOLS``, ``PooledOLS``,
        ``RandomEffects``, ``FirstDifferenceOLS``, ``IV2SLS``, ``AbsorbingLS``. Refused by name are
        ``did2s``, quantile regressions, ``fit_regularized``, ``fit_constrained``, ``GLS`` with
        covariances, ``GLSAR``, ``GEE``, ``MixedLM``, ``HurdleCountModel``, ``FamaMacBeth``,
        ``BetweenOLS`` and ``IV2SLS`` of statsmodels: their errors do not follow from such scores.
    unit : (str, str) or two arrays
        Columns of the two units of a row's pair in the fit's data; or their values. Values of a
        pandas series, of the rows that the fit used or of all rows of the frame that it keeps, are
        matched by label, which must not occur twice; those of an array are taken in the order of
        the rows that the fit used, and refused if they are a column of the frame that the fit keeps
        in another order. As pyfixest drops labels, a series must be a column of the data
        that its fit keeps, of the same name and ids.
        A unit with itself (trade at home) is a pair, too: its rows may be related to every row of
        the unit, and count once in the unit's sum.
    vcov : str or sequence of str
        Of ``dyadic``: two rows may be related where their pairs share a unit, one row in the
        other's opposite direction counted once; ``unit``: the same, unit by unit, never negative
        and so at least as wide on average; ``pair``: only within a pair, the contrast.
    data : frame of pandas or polars, optional
        Where the fit does not keep its data: the frame it was fitted on, in any order that its
        index tells. Its rows are matched by label, or by place where the fit numbers them anew as
        pyfixest does, and must have the outcome, regressors and other columns that the fit keeps.
        Rows that all of this does not tell apart, but that have different units, are taken by place
        if the index is in ascending order and the frame has all columns that the fit keeps, by
        their names; else they are refused. The frame that a fit keeps may have been sorted since.
        A fit of pyfixest with ``store_data=False`` takes arrays alone.
    directed : bool
        Whether ``pair`` keeps the two directions of a pair apart.
    df : float, optional
        Degrees of freedom of ``dyadic`` and ``unit``. None: by design (Notes).
    kinds : {1, 2}, optional
        2 where the two units of a row are of different kinds, such as a bank and a firm: bank 5
        and firm 5 are then two units. 1: the same id is the same unit on both sides. None: 2 where
        one side is text and the other is not, and no id of one side looks like one of the other
        (`notes` says so); else 1. Two columns of numbers are never taken for two kinds: say 2.

    Returns
    -------
    Errors
        A frame; `matrix` gives the covariance matrix.

    Raises
    ------
    PanelError
        If the fit is of no kind that is known, or of one that is refused by name (these are a
        TypeError, too), if it keeps no scores, if they do not add up to zero, if it reports that it
        has not converged, if its rows cannot be matched with units, or if ids are of two types,
        such as numbers and text.

    Notes
    -----
    Meat of ``dyadic``: the sum over units of (sum of the unit's scores)^2 less the sum over pairs
    of (sum of the pair's scores)^2, so that two rows count once, whether they share one unit or
    two. No factor for small samples, as in R's dyadRobust; ``unit`` leaves the second sum out and
    has the factor N / (N - 1) of N units; `cs.fit` has it for treated and other units apart. An
    estimate of the dyadic variance can come out near zero or below it by chance: its error,
    interval and p are never those of less than the variance by pair (the larger of the two, as
    MacKinnon, Nielsen and Webb 2024 advise for two-way clusters), and so are those of `combine` and
    `wald`. The diagonal of `matrix` holds the squares of these errors; if it is not positive
    semi-definite the negative eigenvalues of its correlations are set to 0. `notes` says where
    either was done. A coefficient has no error where the scores of every pair add up to zero, as
    they do where only one pair is treated.

    The bread is that of the package: of a probit, statsmodels takes the observed second derivative
    and pyfixest the expected one, so the errors differ as the packages' own clustered ones do.
    That of ``OrderedModel`` is numerical, as is that of ``ZeroInflatedPoisson``, whose Hessian is
    wrong in statsmodels.

    Degrees of freedom by design are Satterthwaite's, less one; docs/methods, section 7.2, has the
    formula. Models of statsmodels with parameters beside those of the regressors, or several of
    each (``NegativeBinomial``, ``MNLogit``), have squared scores in place of regressors there. With
    n treated of many units they are near n - 1, with equally weighted pairs of N units near N / 4.
    In the simulations of docs/evidence/gravity.md they hold the size that N - 1 does not.

    Examples
    --------
    >>> import pyfixest as pf
    >>> pairs = cs.data.euro()
    >>> pairs["euro"] = (pairs["year"] >= 1999) & pairs["euro_a"].notna() & pairs["euro_b"].notna()
    >>> fit = pf.feols("cm ~ euro | iso_a^iso_b + year", pairs.astype({"euro": float}))
    >>> errors = cs.vcov(fit, unit=("iso_a", "iso_b"))
    >>> dict(zip(errors["vcov"], errors["std_error"].round(3)))
    {'dyadic': 0.094, 'unit': 0.104, 'pair': 0.04}
    """
    lines = list(dict.fromkeys(require_names(vcov, "vcov")))
    _require_options(lines, df, kinds, directed=directed)
    of_pair = "by undirected pair" if directed else "by pair"
    found = read_scores(fit)
    dyads, notes = number_dyads(*found.rows.units(unit, data), directed=directed, kinds=kinds)
    if not dyads.pair.any():
        raise PanelError(
            "unit",
            None,
            None,
            "two pairs of units or more",
            "one",
            "an error between pairs needs more of them",
        )
    terms, notes = np.array(found.terms), [*found.notes, *notes]
    # how far each row moves the coefficients: squares of these keep the digits that regressors
    # which are nearly collinear leave
    moves = found.scores @ found.bread.T
    plain = {line: _variance(line, moves, dyads) for line in lines}
    by_pair = _variance("pair", moves, replace(dyads, cluster=dyads.pair))
    is_exact = _is_exact(found)
    is_zero = is_exact | (np.diag(by_pair) < ROUNDING * (moves**2).sum(axis=0))
    for matrix in (*plain.values(), by_pair):
        matrix[is_zero] = matrix[:, is_zero] = 0
    if is_zero.any():
        why = "the scores of every pair add up to zero, as they do where only one pair is treated"
        if is_exact.any():
            why = "the fit leaves no residuals"
        notes.append(f"{listed(terms[is_zero].tolist())}: no error, because {why}.")
    # a sum with a coefficient that has no error has none, either
    by_design = np.where(is_zero, np.nan, _degrees(found, dyads) if df is None else df)
    matrices, degrees, rows = {}, {}, []
    for line in lines:
        variances, degrees[line] = np.diag(plain[line]), by_design
        if line == "pair":
            degrees[line] = np.where(is_zero, np.nan, dyads.cluster.max())
        if line == "dyadic":
            is_low = variances < np.diag(by_pair)
            variances = np.maximum(variances, np.diag(by_pair))
            if is_low.any():
                why = "as it does by chance"
                if dyads.share_one_unit:
                    why = "as all pairs share one unit"
                notes.append(
                    f"dyadic: the variance of {listed(terms[is_low].tolist())} came out below that "
                    f"{of_pair}, {why}: the error {of_pair} is shown."
                )
        matrix, n_negative = with_diagonal(plain[line], variances)
        if n_negative:
            were = "was" if n_negative == 1 else "were"
            notes.append(
                f"{line}: {n_negative} of {len(matrix)} eigenvalues {were} negative: `matrix` has "
                "0 there."
            )
        shown = np.where(is_zero | is_zero[:, None], np.nan, matrix)
        matrices[line] = pd.DataFrame(shown, found.terms, found.terms)
        rows += [
            estimate_of(term, line, line == lines[0], *map(float, numbers))
            for term, *numbers in zip(
                found.terms, found.estimate, variances, degrees[line], strict=True
            )
        ]
    errors = Errors(as_frame(columns_of(rows, TIDY)))
    errors._matrices, errors._plain, errors._by_pair = matrices, plain, by_pair
    errors.degrees = degrees
    errors._estimates, errors.notes, errors.outcome = tuple(rows), tuple(notes), found.outcome
    errors.estimator, errors.effects, errors.r2 = found.estimator, found.effects, found.r2
    errors.n_obs, errors.n_pairs = len(found.scores), int(dyads.pair.max()) + 1
    errors.n_units = dyads.n_units
    return errors


def _require_options(
    lines: Sequence[str], df: float | None, kinds: int | None, *, directed: bool
) -> None:
    require_among("vcov", lines, LINES, "some")
    if df is not None:
        require_number(df, "df")
    require_among("kinds", [kinds], (1, 2, None))
    require_among("directed", [directed], (False, True))


def _variance(line: str, moves: np.ndarray, dyads: Dyads) -> np.ndarray:
    """Return the covariance (K, K), of how far each row moves the coefficients (n, K)."""
    if line == "pair":
        sums = _sums(moves, dyads.cluster)
        return sums.T @ sums
    # a pair of a unit with itself stands once in the unit's sum
    apart = dyads.first != dyads.second
    by_unit = _sums(moves, dyads.first, dyads.n_units)
    by_unit += _sums(moves[apart], dyads.second[apart], dyads.n_units)
    if line == "unit":
        return by_unit.T @ by_unit * (dyads.n_units / (dyads.n_units - 1))
    by_pair = _sums(moves[apart], dyads.pair[apart])
    return by_unit.T @ by_unit - by_pair.T @ by_pair


def _is_exact(found: Scores) -> np.ndarray:
    """Return whether scores are rounding beside what the coefficients explain, (K,)."""
    explained = found.regressors.T**2 @ (found.regressors @ found.estimate) ** 2
    return (found.scores**2).sum(axis=0) <= EXACT**2 * explained


def _sums(values: np.ndarray, group: np.ndarray, size: int = 0) -> np.ndarray:
    return np.stack([np.bincount(group, column, size) for column in values.T], axis=1)


def _degrees(found: Scores, dyads: Dyads) -> np.ndarray:
    weight = _sums((found.regressors @ found.bread.T) ** 2, dyads.pair)
    first, second = (np.zeros(len(weight), dtype=np.int64) for _ in range(2))
    first[dyads.pair], second[dyads.pair] = dyads.first, dyads.second
    return dyadic_df(weight, first, second, dyads.n_units)
