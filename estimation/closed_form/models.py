"""Estimators on cells of pairs: coefficients from counts and sums of the cells, and the weights
that give each pair its influence.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..linear.cell_weights import comparison_weights, residual_regressors
from ..linear.group_time_cells import (
    Cells,
    aggregate,
    aggregation_weights,
    build_cells,
    cell_members,
    cell_terms,
    term_label,
)
from ..linear.normal_equations import invert_normal
from ..results import NotEstimable
from .cells import PairCells

Term = tuple[str, int | None, int | None]


@dataclass(frozen=True)
class Solved:
    """Coefficients (R, K) of R samples, NaN where not identified, and what the influence needs of
    the first of them.
    """

    estimate: np.ndarray
    regressors: np.ndarray | None = None
    inverse: np.ndarray | None = None


@dataclass(frozen=True)
class LeastSquares:
    """Pair and year effects with regressors x (C, T, K) that are the same for all pairs of
    a cell.
    """

    terms: tuple[Term, ...]
    x: np.ndarray

    def solve(self, pairs: np.ndarray, sums: np.ndarray) -> Solved:
        """Coefficients from pairs (R, C) and sums of the outcome (R, C, T): b = (sum n X~'X~)^-1
        sum X~'Y.
        """
        regressors = self._residual_regressors(pairs)
        weighted = pairs[:, :, None, None] * regressors
        inverse, lost = invert_normal(np.einsum("rctk,rctl->rkl", weighted, regressors))
        estimate = np.einsum("rkl,rl->rk", inverse, np.einsum("rctk,rct->rk", regressors, sums))
        return Solved(np.where(lost, np.nan, estimate), regressors[0], inverse[0])

    def _residual_regressors(self, pairs: np.ndarray) -> np.ndarray:
        return np.where(
            pairs[:, :, None, None] > 0, residual_regressors(pairs[:, None], self.x)[:, 0], 0.0
        )

    def identified(self, solved: Solved, pairs: np.ndarray, estimator: str) -> np.ndarray:
        """Positions of the coefficients with observed cells; refuses one that is not identified."""
        observed = ((self.x != 0).any(axis=1) & (pairs > 0)[:, None]).any(axis=0)
        lost = [
            term_label(self.terms[k])
            for k in np.flatnonzero(observed & np.isnan(solved.estimate[0]))
        ]
        if lost:
            raise NotEstimable(
                f"{estimator}: not identified beside the pair and year effects: "
                f"{', '.join(lost)}. Needed are pairs without a pilot "
                "(exposure none) and years before and after admission"
            )
        return np.flatnonzero(observed)

    def outcome_weights(self, pairs: np.ndarray, chosen: np.ndarray) -> np.ndarray:
        """Weight (R, C, T, c) of a pair's outcome in the chosen coefficients of R samples with so
        many pairs (R, C).
        """
        regressors = self._residual_regressors(pairs)
        inverse, _ = invert_normal(np.einsum("rc,rctk,rctl->rkl", pairs, regressors, regressors))
        return np.einsum("rctk,rkl->rctl", regressors, inverse[:, :, chosen])

    def influence(
        self, solved: Solved, pairs: np.ndarray, sums: np.ndarray, chosen: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Weights (C, T, c) and shifts (C, c): a pair's influence is sum_t w_t y_pt - c."""
        weights = np.einsum("ctk,kl->ctl", solved.regressors, solved.inverse[:, chosen])
        year_means = sums.sum(axis=0) / pairs.sum()
        fitted = np.einsum("ctk,k->ct", solved.regressors, np.nan_to_num(solved.estimate[0]))
        return weights, np.einsum("ctl,ct->cl", weights, year_means[None] + fitted)

    def pilots(self, cells: PairCells, counts: np.ndarray, chosen: np.ndarray) -> np.ndarray:
        """Pilots in the cells of the chosen coefficients."""
        return _count_pilots(cells, counts, (self.x != 0).any(axis=1)[:, chosen])


@dataclass(frozen=True)
class GroupTime:
    """Group-time effects against pairs without a pilot, and their aggregates (Callaway and
    Sant'Anna 2021).

    Attributes
    ----------
    terms : tuple, length K
    effects : Cells
        ``group`` is the position of a cell of pairs.
    members : (E, K) bool array
        Effects that each term averages.
    never : int
        Position of the cell without a pilot, -1 if it was not chosen.
    n_years : int
    """

    terms: tuple[Term, ...]
    effects: Cells
    members: np.ndarray
    never: int
    n_years: int

    def solve(self, pairs: np.ndarray, sums: np.ndarray) -> Solved:
        """Aggregated differences of mean changes."""
        if self.never < 0:
            return Solved(np.full((len(pairs), len(self.terms)), np.nan))
        with np.errstate(invalid="ignore", divide="ignore"):
            means = sums / pairs[:, :, None]
        changes = means[:, :, self.effects.year] - means[:, :, self.effects.base]
        each = np.arange(len(self.effects))
        values = changes[:, self.effects.group, each] - changes[:, self.never]
        return Solved(aggregate(values, self._weights(pairs)))

    def _weights(self, pairs: np.ndarray) -> np.ndarray:
        return aggregation_weights(pairs[:, self.effects.group], self.members)

    def identified(self, solved: Solved, pairs: np.ndarray, estimator: str) -> np.ndarray:
        """Positions of the terms with an effect; refuses a sample without any."""
        observed = (self.members & (pairs[self.effects.group] > 0)[:, None]).any(axis=0)
        if self.never < 0 or pairs[self.never] == 0 or not observed.any():
            raise NotEstimable(
                f"{estimator}: needs pairs without a pilot (exposure none) and a year before the "
                "first admission; "
                "choose exposures with none, or give earlier years"
            )
        return np.flatnonzero(observed)

    def outcome_weights(self, pairs: np.ndarray, chosen: np.ndarray) -> np.ndarray:
        """Weight (R, C, T, c) of a pair's outcome in the chosen terms of R samples with so many
        pairs (R, C).
        """
        aggregated = self._weights(pairs)[:, :, chosen]
        weights = comparison_weights(
            aggregated, self.effects, self.never, (pairs.shape[1], self.n_years)
        )
        return weights / np.maximum(pairs, 1.0)[:, :, None, None]

    def influence(
        self, solved: Solved, pairs: np.ndarray, sums: np.ndarray, chosen: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Weights (C, T, c) and shifts (C, c); the weights of an aggregate count as known."""
        weights = self.outcome_weights(pairs[None], chosen)[0]
        means = sums / np.maximum(pairs, 1.0)[:, None]
        return weights, np.einsum("ctl,ct->cl", weights, means)

    def pilots(self, cells: PairCells, counts: np.ndarray, chosen: np.ndarray) -> np.ndarray:
        """Pilots in the cells of the chosen terms."""
        used = np.zeros((len(cells.groups), len(chosen)), dtype=bool)
        np.logical_or.at(used, self.effects.group, self.members[:, chosen])
        return _count_pilots(cells, counts, used)


def _count_pilots(cells: PairCells, counts: np.ndarray, used: np.ndarray) -> np.ndarray:
    """Pilots of the groups that hold a pair in the used cells (C, K)."""
    held = np.zeros((cells.n_groups, used.shape[1]), dtype=bool)
    for (a, b), row in zip(cells.groups, used, strict=True):
        if counts[a] > 0 and counts[b] > (a == b):
            held[a] |= row
            held[b] |= row
    held[0] = False
    return (counts[:, None] * held).sum(axis=0).astype(np.int64)


def twfe_model(cells: PairCells, years: np.ndarray, group_years: np.ndarray) -> LeastSquares:
    """``treated`` from the first admission on; with pairs of two pilots also ``treated_both`` from
    the second, so both stay switched on.
    """
    clocks = [("treated", cells.first)] + (
        [("treated_both", cells.second)] if cells.is_both.any() else []
    )
    x = np.stack(
        [(clock[:, None] > 0) & (years[None] >= clock[:, None]) for _, clock in clocks], axis=2
    )
    return LeastSquares(tuple((name, None, None) for name, _ in clocks), x.astype(np.float64))


def event_study_model(cells: PairCells, years: np.ndarray, group_years: np.ndarray) -> LeastSquares:
    """Time since the first admission, -1 omitted, apart for pairs with one and with two pilots."""
    event_time = years[None] - cells.first[:, None]
    terms, columns = [], []
    for name, members in (
        ("event", cells.is_treated & ~cells.is_both),
        ("event_both", cells.is_both),
    ):
        for e in np.unique(event_time[members]):
            if e != -1:
                terms.append((name, None, int(e)))
                columns.append((event_time == e) & members[:, None])
    x = np.stack(columns, axis=2) if columns else np.zeros((*event_time.shape, 0))
    return LeastSquares(tuple(terms), x.astype(np.float64))


def group_time_model(cells: PairCells, years: np.ndarray, group_years: np.ndarray) -> GroupTime:
    """Every cell of pairs with a pilot by its first admission; pairs of two pilots in terms of
    their own.
    """
    never = np.flatnonzero(~cells.is_treated)
    terms: list[Term] = []
    parts, members = [], []
    for suffix, chosen in (("", cells.is_treated & ~cells.is_both), ("_both", cells.is_both)):
        positions = np.flatnonzero(chosen)
        effects = build_cells(cells.first[positions], years, "varying")
        if len(effects) == 0:
            continue
        found = tuple(dict.fromkeys(cell_terms(effects, cells.first[positions], True)))
        terms += [(name + suffix, cohort, e) for name, cohort, e in found]
        members.append(cell_members(effects, cells.first[positions], found))
        parts.append(
            Cells(positions[effects.group - 1], effects.year, effects.base, effects.event_time)
        )
    effects = Cells(
        *(
            np.concatenate([getattr(part, name) for part in parts] or [[]]).astype(int)
            for name in Cells.__dataclass_fields__
        )
    )
    return GroupTime(
        tuple(terms),
        effects,
        _block_diagonal(members),
        int(never[0]) if len(never) else -1,
        len(years),
    )


def _block_diagonal(blocks: list[np.ndarray]) -> np.ndarray:
    result = np.zeros((sum(len(b) for b in blocks), sum(b.shape[1] for b in blocks)), dtype=bool)
    row = column = 0
    for block in blocks:
        result[row : row + len(block), column : column + block.shape[1]] = block
        row, column = row + len(block), column + block.shape[1]
    return result


MODELS = {
    "twfe": twfe_model,
    "event_study": event_study_model,
    "callaway_santanna": group_time_model,
}
