"""The result of a fit, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

# inference methods by their names in published tables, in the order of rows (docs/methods, section
# 7); `PUBLISHED` in api/words.py gives each its name in the library
INFERENCE_METHODS = ("conventional", "dyadic", "city", "province_jackknife", "permutation")
# (name, term or None, value): value is a number, the id of a city or province, or None
Diagnostic = tuple[str, str | None, float | int | str | None]


class NotEstimable(ValueError):
    """The panel holds nothing that identifies the coefficient; the message says what is missing and
    what to do.
    """


@dataclass(frozen=True)
class NotRun:
    """What replaces a result that cannot be computed.

    Attributes
    ----------
    reason : str
        What is missing, as a sentence for the user.
    """

    reason: str


@dataclass(frozen=True)
class Estimate:
    """One coefficient under one inference method; None where the method has no such number.

    `n_pilots` counts the treated units that help to identify the coefficient (0 where treatment is
    by pair), `draws` those behind the p of a permutation, `df` are the degrees of freedom of the t
    of interval and p.
    """

    term: str
    cohort_year: int | None
    event_time: int | None
    vcov: str
    is_default: bool
    estimate: float
    std_error: float | None
    ci_low: float | None
    ci_high: float | None
    p_value: float | None
    n_pilots: int
    draws: int | None = None
    df: float | None = None


@dataclass(frozen=True)
class FitParts:
    """What a fit's pictures are drawn from; each by the label of a coefficient.

    Attributes
    ----------
    draws : mapping of str to (B,) float array
        Estimates under reassigned admissions; empty where none were drawn.
    without_block, without_city : mapping of str to (ids (R,), estimates (R,))
        Estimates without each block or city; NaN where nothing identifies them any more.
    covariance : mapping of str to (C, C) float array
        Of the C coefficients, by inference method, as estimated: a dyadic one need not be positive
        semi-definite.
    """

    draws: Mapping[str, Any] = field(default_factory=dict)
    without_block: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)
    without_city: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)
    covariance: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class FitResult:
    """An estimator on one outcome.

    Attributes
    ----------
    estimator : str
    estimates : tuple of Estimate
    diagnostics : tuple of (name, term, value)
        value is a number, the id of a city or province, or None.
    warnings : tuple of str
        Whole sentences.
    n_obs, n_pairs, n_cities, n_pilots : int
        Pair-years, pairs, and the cities and pilots that hold a kept pair.
    n_treated_pairs : int or None
        Where treatment is by pair and no city of a pair is known to be the treated one.
    parts : FitParts or None
        Where they were asked for.
    no_draws : str
        Why there can be no permutation; empty where there can be one.
    """

    estimator: str
    estimates: tuple[Estimate, ...]
    diagnostics: tuple[Diagnostic, ...]
    warnings: tuple[str, ...]
    n_obs: int
    n_pairs: int
    n_cities: int
    n_pilots: int
    n_treated_pairs: int | None = None
    parts: FitParts | None = field(default=None, compare=False, repr=False)
    no_draws: str = field(default="", compare=False, repr=False)
