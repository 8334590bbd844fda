"""Sums of coefficients and joint tests, alike for `Fit` and `Errors`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import ceil
from numbers import Real
from typing import TYPE_CHECKING, Any, TypedDict

import numpy as np

from ..inference.variances import at_least, f_p_value, hotelling_f, t_interval
from ..panel.panel_error import refused, require_among, require_mapping
from ..results import Estimate

if TYPE_CHECKING:
    import pandas as pd


class Wald(TypedDict):
    """Hotelling's statistic of a joint test, its two degrees of freedom, p and inference method."""

    statistic: float
    df1: float
    df2: float
    p_value: float
    vcov: str


def numbers_by_name(given: Any, what: str) -> dict[str, float]:
    """Return the numbers of a mapping, or of a pandas series with names as its labels.

    Raises
    ------
    PanelError
        If it is none, or a label of a series occurs twice.
    """
    numbers = given
    if getattr(getattr(given, "index", None), "is_unique", False):
        numbers = given.to_dict()
    require_mapping(numbers, what, (Real, Decimal), "numbers by coefficient")
    return {name: float(number) for name, number in numbers.items()}


def estimate_of(
    term: str, line: str, is_default: bool, value: float, variance: float, degrees: float
) -> Estimate:
    """Return a coefficient with its error, interval and p under one inference method."""
    i = t_interval(value, variance, degrees)
    numbers = (i.std_error, i.ci_low, i.ci_high, i.p_value)
    return Estimate(term, None, None, line, is_default, value, *numbers, 0, df=i.df)


@dataclass(frozen=True)
class Covariance:
    """Coefficients and their covariance under one inference method.

    Attributes
    ----------
    line : str
    terms : sequence of str, length K
    estimate : (K,) float array
    matrix : (K, K) float array
        As estimated.
    least : (K, K) float array or None
        What no variance is taken to be below: the covariance by pair for the dyadic one.
    degrees : (K,) float array
        Degrees of freedom; NaN where a coefficient has no error.
    """

    line: str
    terms: Sequence[str]
    estimate: np.ndarray
    matrix: np.ndarray
    least: np.ndarray | None
    degrees: np.ndarray

    def combine(self, weights: Mapping[str, float] | pd.Series) -> Estimate:
        """Return a weighted sum of coefficients, with the least degrees of freedom of its terms; it
        has no error if one of them has none.

        Raises
        ------
        PanelError
            If there is no such term, or no weight.
        """
        weight = self._rows([weights], "weights")
        if not np.isfinite(weight).all() or not weight.any():
            raise refused("weights", "numbers, not all of them 0", weights, "correct them")
        value, variance = float((weight @ self.estimate)[0]), float(self._of(weight)[0, 0])
        degrees = self._least_degrees(weight)
        return estimate_of("combined", self.line, False, value, variance, degrees)

    def wald(self, terms: Sequence[str | Mapping[str, float] | pd.Series]) -> Wald:
        """Return the joint test that coefficients, or weighted sums of them, are all zero.

        The statistic is Hotelling's: with q restrictions and df degrees of freedom of the error
        (the least of the terms), Wald's statistic times (df - q + 1) / (q df) against
        F(q, df - q + 1). For one restriction it is the square of t.

        Raises
        ------
        PanelError
            If there is no such term, if there are as many restrictions as degrees of freedom, or if
            they are not independent.
        """
        given: list[Any] = [terms]
        # a mapping is one sum, not its coefficients one by one
        is_one = isinstance(terms, str | Mapping) or hasattr(terms, "to_dict")
        if isinstance(terms, Iterable) and not is_one:
            given = list(terms)
        sums: list[Any] = []
        for one in given:
            if isinstance(one, str):
                sums.append({one: 1.0})
            else:
                sums.append(one)
        rows = self._rows(sums, "terms")
        df = self._least_degrees(rows)
        if not len(rows):
            raise refused("terms", "one term or more", terms, "name coefficients")
        if np.isnan(df):
            without = [
                term
                for term, weights, own in zip(self.terms, rows.T, self.degrees, strict=True)
                if weights.any() and np.isnan(own)
            ]
            expected = f"coefficients that have an error under {self.line}"
            raise refused("terms", expected, ", ".join(without), "leave them out")
        if len(rows) >= df + 1:
            degrees = "1 degree" if df == 1 else f"{df:.3g} degrees"
            expected = f"at most {ceil(df)} at once, as {self.line} has {degrees} of freedom"
            raise refused("terms", expected, len(rows), "test fewer at once")
        found = hotelling_f(rows @ self.estimate, self._of(rows), df)
        if found is None:
            expected = f"restrictions that are independent under {self.line}"
            raise refused("terms", expected, terms, "leave one out that others imply")
        statistic, df1, df2 = found
        p_value = f_p_value(statistic, df1, df2)
        return Wald(statistic=statistic, df1=df1, df2=df2, p_value=p_value, vcov=self.line)

    def _rows(self, sums: Sequence[Any], what: str) -> np.ndarray:
        """Return weights of sums of coefficients, (q, K)."""
        rows = np.zeros((len(sums), len(self.terms)))
        for row, given in zip(rows, sums, strict=True):
            weights = numbers_by_name(given, what)
            require_among(what, weights, self.terms)
            row[:] = [weights.get(term, 0.0) for term in self.terms]
        return rows

    def _of(self, rows: np.ndarray) -> np.ndarray:
        matrix = rows @ self.matrix @ rows.T
        if self.least is None:
            return matrix
        return at_least(matrix, rows @ self.least @ rows.T)

    def _least_degrees(self, rows: np.ndarray) -> float:
        used = self.degrees[(rows != 0).any(axis=0)]
        return float(used.min()) if len(used) else 1.0
