"""Treatment regressors of an estimator by group of pairs and year."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from ..panel.panel_error import plural
from ..panel.panel_table import listed
from ..results import NotEstimable

Term = tuple[str, int | None, int | None]


def term_label(term: Term) -> str:
    """Return the text of a term for diagnostics and messages."""
    inside = ",".join(str(part) for part in term[1:] if part is not None)
    return f"{term[0]}[{inside}]" if inside else term[0]


@dataclass(frozen=True)
class Design:
    """Regressors that depend on a pair only through its group, and on numbers of the pair that
    multiply them.

    Attributes
    ----------
    name : str
        Of the fit; that of its estimator unless effects differ.
    estimator : str
    terms : tuple of (term, cohort_year, event_time), length C
    x : (G, T, L) or (V, G, T, L) float array
        Value of each regressor for a pair of group g in year t, for each of V loadings; group 0 is
        never treated.
    contrasts : (C, L) float array, optional
        Each term as a sum of coefficients; None: they are the coefficients.
    tests : dict of str to int arrays
        Terms that a joint test sets to zero.
    city_type : (N,) int array, optional
        What a permutation moves between cities, 0 = never treated; None: the cohort group.
    pair_class : (P,) int array, optional
        A pair of a pilot of type k is of group 1 + (k - 1) n_classes + its class.
    n_classes : int
    loading : (P, V) float array, optional
        Numbers of a pair; the first is 1.
    block : (P,) int array, optional
        Pairs with the same value, 0..B-1, share their year effects; None: all do.
    """

    name: str
    estimator: str
    terms: tuple[Term, ...]
    x: np.ndarray
    contrasts: np.ndarray | None = None
    tests: dict[str, np.ndarray] = field(default_factory=dict)
    city_type: np.ndarray | None = None
    pair_class: np.ndarray | None = None
    n_classes: int = 1
    loading: np.ndarray | None = None
    block: np.ndarray | None = None

    @property
    def labels(self) -> tuple[str, ...]:
        """One text per term, for diagnostics and messages."""
        return tuple(map(term_label, self.terms))

    @cached_property
    def combine(self) -> np.ndarray:
        """Terms as sums of coefficients; (C, L)."""
        return np.eye(self.x.shape[-1]) if self.contrasts is None else self.contrasts

    @property
    def n_groups(self) -> int:
        """G."""
        return self.x.shape[-3]

    @property
    def n_blocks(self) -> int:
        """Blocks of pairs with year effects of their own."""
        return 1 if self.block is None else int(self.block.max()) + 1

    def cells(self, pair_group: np.ndarray, city_i: np.ndarray, city_j: np.ndarray) -> np.ndarray:
        """Return the block times G plus group of each pair (P,), from the cohort groups of pairs
        (-1 for two pilots, who stay out).
        """
        group = pair_group
        if self.city_type is not None:
            kind = np.maximum(self.city_type[city_i], self.city_type[city_j])
            own = 0 if self.pair_class is None else self.pair_class
            group = np.where(pair_group > 0, 1 + (kind - 1) * self.n_classes + own, pair_group)
        return group if self.block is None else self.block * self.n_groups + group


def twfe_design(group_years: np.ndarray, years: np.ndarray) -> Design:
    """Return one coefficient: the pair is treated from its cohort year on.

    Parameters
    ----------
    group_years : (G,) int array
    years : (T,) int array

    Returns
    -------
    Design
        x has shape (G + 1, T, 1).
    """
    treated = np.zeros((len(group_years) + 1, len(years), 1))
    treated[1:, :, 0] = years[None, :] >= group_years[:, None]
    return Design("twfe", "twfe", (("treated", None, None),), treated)


def event_study_design(
    group_years: np.ndarray,
    years: np.ndarray,
    reference: int = -1,
    binning: tuple[int, int] | None = None,
) -> Design:
    """Return leads and lags of admission, one event time omitted, ends binned only if asked.

    Parameters
    ----------
    group_years : (G,) int array
    years : (T,) int array
    reference : int
        The event time that is omitted.
    binning : (int, int), optional
        First and last event time; those beyond are counted to them.

    Returns
    -------
    Design
        One coefficient for every event time some cohort reaches in these years.

    Raises
    ------
    NotEstimable
        If no cohort reaches the reference, or it lies outside the bins.
    """
    event_time = years[None, :] - group_years[:, None]
    if binning is not None:
        event_time = np.clip(event_time, *binning)
    reached = np.unique(event_time)
    # a panel whose pairs are all treated from its first year on is refused by the estimator
    if reference not in reached and (reference != -1 or reached[0] < 0):
        when = "before" if reference < 0 else "after"
        periods = plural(abs(reference), "periods", "period")
        on_this_side = reached[(reached < 0) == (reference < 0)]
        nearest = sorted(on_this_side.tolist(), key=lambda e: abs(e - reference))
        raise NotEstimable(
            f"event_study: no row is {abs(reference)} {periods} {when} treatment: choose a "
            f"reference from the event times that occur, such as {listed(nearest)}"
        )
    found = tuple(int(e) for e in reached if e != reference)
    x = np.zeros((len(group_years) + 1, len(years), len(found)))
    for k, e in enumerate(found):
        x[1:, :, k] = event_time == e
    terms = tuple(("event", None, e) for e in found)
    return Design("event_study", "event_study", terms, x)


DESIGNS: dict[str, Callable[..., Design]] = {"twfe": twfe_design, "event_study": event_study_design}
