"""Cells of cohort and year, the terms they aggregate to, and the weights of the aggregation
(docs/methods, section 6).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .regressors import Design, Term


@dataclass(frozen=True)
class Cells:
    """Group-time effects of an estimator, K cells.

    Attributes
    ----------
    group, year : (K,) int arrays
        Cohort group (1..G) and position of the year.
    base : (K,) int array
        Position of the year the cell is compared with; -1 where the estimator has no single one.
    event_time : (K,) int array
        Calendar year minus cohort year.
    """

    group: np.ndarray
    year: np.ndarray
    base: np.ndarray
    event_time: np.ndarray

    def __len__(self) -> int:
        return len(self.group)

    def take(self, chosen: np.ndarray) -> Cells:
        """Return the chosen cells."""
        return Cells(
            self.group[chosen], self.year[chosen], self.base[chosen], self.event_time[chosen]
        )


def build_cells(group_years: np.ndarray, years: np.ndarray, rule: str) -> Cells:
    """Return the cells that an estimator compares; a cohort without a year before its admission
    has none.

    Parameters
    ----------
    group_years : (G,) int array
    years : (T,) int array
    rule : str
        ``varying``: every year but the first, against the last year before admission from admission
        on, against the year before otherwise (Callaway and Sant'Anna 2021). ``fixed``: every year
        but the last before admission, against that (Sun and Abraham 2021). ``treated``: the years
        from admission on.
    """
    rows = []
    for g, start in enumerate(group_years.tolist(), start=1):
        last_before = int((years < start).sum()) - 1
        if last_before < 0:
            continue
        for t, year in enumerate(years.tolist()):
            base = last_before
            if rule == "varying":
                is_cell = t > 0
                if year < start:
                    base = t - 1
            elif rule == "fixed":
                is_cell = t != last_before
            else:
                is_cell = year >= start
                base = -1
            if is_cell:
                rows.append((g, t, base, year - start))
    columns = np.array(rows, dtype=np.int64).reshape(-1, 4).T
    return Cells(*columns)


def compared_years(cells: Cells, group_years: np.ndarray, years: np.ndarray) -> np.ndarray:
    """Return the years that each cell is compared with: its base, or all years before admission
    where the estimator has no single one; shape (G + 1, T, T) bool, False where there is no cell.
    """
    found = np.zeros((len(group_years) + 1, len(years), len(years)), dtype=bool)
    for group, year, base in zip(cells.group, cells.year, cells.base, strict=True):
        if base < 0:
            found[group, year] = years < group_years[group - 1]
        else:
            found[group, year, base] = True
    return found


def comparison_groups(
    cells: Cells, group_years: np.ndarray, years: np.ndarray, control_pairs: str
) -> np.ndarray:
    """Return whether the pairs of a group are compared with a cell's cohort; shape (K, G + 1) bool.

    Parameters
    ----------
    cells : Cells
        Of the rule ``varying`` or ``fixed``.
    group_years : (G,) int array
    years : (T,) int array
    control_pairs : str
        ``never_treated``: group 0 alone. ``not_yet_treated``: also every other cohort that is still
        untreated in the later of the cell's two years.
    """
    found = np.zeros((len(cells), len(group_years) + 1), dtype=bool)
    found[:, 0] = True
    if control_pairs == "not_yet_treated":
        later = years[np.maximum(cells.year, cells.base)]
        found[:, 1:] = group_years[None] > later[:, None]
        found[np.arange(len(cells)), cells.group] = False
    return found


def cell_terms(cells: Cells, group_years: np.ndarray, with_cells: bool) -> tuple[Term, ...]:
    """`att`, one `event` per event time and, if asked, one `group_time` per cell, as (term,
    cohort_year, event_time).
    """
    events = tuple(("event", None, int(e)) for e in np.unique(cells.event_time))
    single = zip(cells.group.tolist(), cells.event_time.tolist(), strict=True)
    every = (
        tuple(("group_time", int(group_years[g - 1]), e) for g, e in single) if with_cells else ()
    )
    return (("att", None, None), *events, *every)


def cell_members(cells: Cells, group_years: np.ndarray, terms: tuple[Term, ...]) -> np.ndarray:
    """Return whether a cell belongs to a term; shape (K, C) bool."""
    cohort = group_years[cells.group - 1] if len(cells) else np.zeros(0, dtype=np.int64)
    columns = []
    for _, cohort_year, event_time in terms:
        member = cells.event_time >= 0 if event_time is None else cells.event_time == event_time
        columns.append(member if cohort_year is None else member & (cohort == cohort_year))
    return np.stack(columns, axis=1)


def aggregation_weights(cell_size: np.ndarray, members: np.ndarray) -> np.ndarray:
    """Return weights of the cells in each term: their cell_size over that of the term's cells; all
    zero where there is none.

    Parameters
    ----------
    cell_size : (B, K) float array
        Pairs of the cohort, or treated rows of the cell.
    members : (K, C) bool array

    Returns
    -------
    (B, K, C) float array
    """
    weights = cell_size[:, :, None] * members
    total = weights.sum(axis=1, keepdims=True)
    return np.divide(weights, total, out=np.zeros_like(weights), where=total > 0)


def aggregate(effects: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Weighted sums of the cells' effects; NaN without a cell, or where a cell with weight is not
    identified.

    Parameters
    ----------
    effects : (B, K) float array
    weights : (B, K, C) float array

    Returns
    -------
    (B, C) float array
    """
    used = weights > 0
    filled = np.where(used, np.where(np.isfinite(effects), effects, 0.0)[:, :, None], 0.0)
    lost = (used & ~np.isfinite(effects)[:, :, None]).any(axis=1) | ~used.any(axis=1)
    return np.where(lost, np.nan, np.einsum("bkc,bkc->bc", weights, filled))


def cell_design(cells: Cells, members: np.ndarray, n_groups: int, n_years: int) -> Design:
    """Return regressors that mark the cells of each term, to find the pilots behind it.

    Parameters
    ----------
    cells : Cells
    members : (K, C) float array
        Cells of each of the C terms, as `cell_members` gives them.
    n_groups, n_years : int

    Returns
    -------
    Design
        x has shape (n_groups, n_years, C).
    """
    x = np.zeros((n_groups, n_years, members.shape[1]))
    x[cells.group, cells.year] = members
    return Design("", "", (("", None, None),) * members.shape[1], x)


def residual_regressors(counts: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Return regressors less their pair means and, over the pairs of a class, their year means.

    Parameters
    ----------
    counts : (B, C, G) float array
        Pairs of B samples by class of year effects and group.
    x : (G, T, L) float array
        Regressors of a pair of each group.

    Returns
    -------
    (B, C, G, T, L) float array
    """
    within = x - x.mean(axis=1, keepdims=True)
    by_year = (
        np.einsum("bcg,gtl->bctl", counts, within)
        / np.maximum(counts.sum(axis=2), 1.0)[..., None, None]
    )
    return within[None, None] - by_year[:, :, None]


def comparison_weights(
    aggregated: np.ndarray, cells: Cells, never: int, shape: tuple[int, int]
) -> np.ndarray:
    """Return weights of groups' means in sums of group-time effects: change since the base year,
    less that of the never-treated.

    Parameters
    ----------
    aggregated : (B, K, C) float array
        Weight of each of the K effects in C terms, in B samples.
    cells : Cells
        ``group`` is a position of 0..G-1.
    never : int
        Position of the never-treated group.
    shape : (G, T)

    Returns
    -------
    (B, G, T, C) float array
    """
    weights = np.zeros((len(aggregated), *shape, aggregated.shape[2]))
    for k in np.flatnonzero((aggregated != 0).any(axis=(0, 2))):
        for group, sign in ((cells.group[k], 1.0), (never, -1.0)):
            weights[:, group, cells.year[k]] += sign * aggregated[:, k]
            weights[:, group, cells.base[k]] -= sign * aggregated[:, k]
    return weights
