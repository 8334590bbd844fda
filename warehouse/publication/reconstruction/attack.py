"""Model an attacker who guesses withheld growth: what he knows in advance, and how he uses the
columns of a public folder.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg import qr
from scipy.stats import chi2

SEED = 20261130
KNOWN_YEARS = 2
# Draws a city, and steps of each towards the column's numbers.
DRAWS = 16
STEPS = 30
LEAST_CITIES = 30
# Fewest years of a window in which growth is standardised.
LEAST_WINDOW = 8
# Chance that any column that is unrelated to the values is used.
LEVEL = 0.001
# Columns used at once for each year: further ones add nothing new.
COLUMNS_A_YEAR = 3
# Penalty of a guess on the wrong side of the mean, in standard deviations of a year.
COST_OF_SIGN = 30.0


@dataclass(frozen=True)
class Functional:
    """A column as a function of growth: `constant` + sum of `weights` over `Attack.basis`.

    Attributes
    ----------
    name : str
    values : (N,) array
        The column's numbers; nan where a city has none.
    window : tuple of int
        First year and the one after the last, as places in the matrix, in which growth is
        standardised.
    weights : (3 T,) array
    constant : float
    deviation : float
        Standard deviation of what the function leaves unexplained.
    """

    name: str
    values: np.ndarray
    window: tuple[int, int]
    weights: np.ndarray
    constant: float
    deviation: float

    @property
    def table(self) -> str:
        """The file or table that holds the column."""
        return self.name.split(":")[0].split("[")[0]


def standardised(growth: np.ndarray) -> np.ndarray:
    """Return z of docs/methods, section 3, along the last axis."""
    centred = growth - growth.mean(axis=-1, keepdims=True)
    return centred / np.sqrt(np.square(centred).mean(axis=-1, keepdims=True) + 1e-12)


class Attack:
    """What an attacker knows before he opens a folder, and how he guesses growth.

    Parameters
    ----------
    growth : (N, T) float array
        The true values.
    """

    def __init__(self, growth: np.ndarray) -> None:
        self.n_years = growth.shape[1]
        self.growth = growth
        middle = np.median(growth, axis=0)
        away = growth - middle
        limit = 3 * 1.4826 * np.median(np.abs(away), axis=0)
        # limit the few outlying paths, which would widen the guesses of all other cities
        away = np.clip(away, -limit, limit)
        covariance = np.cov(away.T) + 1e-6 * np.eye(self.n_years)
        self.prior = np.linalg.inv(np.linalg.cholesky(covariance))
        rng = np.random.default_rng(SEED)
        self.known = np.zeros(growth.shape, dtype=bool)
        for row in self.known:
            row[rng.choice(self.n_years, KNOWN_YEARS, replace=False)] = True
        rng = np.random.default_rng(SEED + 1)
        noise = rng.standard_normal((len(growth), DRAWS, self.n_years))
        # possible growth of each city, given its known years
        self.draws = middle + away.mean(axis=0) + noise @ np.linalg.cholesky(covariance).T
        for i, years in enumerate(self.known):
            gain = covariance[:, years] @ np.linalg.inv(covariance[np.ix_(years, years)])
            self.draws[i] += (growth[i, years] - self.draws[i][:, years]) @ gain.T
        self.windows = []
        for length in range(self.n_years, LEAST_WINDOW - 1, -1):
            for first in range(self.n_years - length + 1):
                self.windows.append((first, first + length))

    def z_in(self, window: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
        """Return true z in a window, and its mean over all cities by year."""
        z = standardised(self.growth[:, slice(*window)])
        return z, z.mean(axis=0)

    def explained(self, columns: dict[str, np.ndarray]) -> list[Functional]:
        """Return the columns that can be computed from growth, as functions of it, without
        duplicates.
        """
        by_cities: dict[bytes, dict[str, np.ndarray]] = {}
        n_columns = 0
        for name, values in columns.items():
            there = np.isfinite(values)
            if there.sum() >= LEAST_CITIES and np.ptp(values[there]) > 0:
                by_cities.setdefault(there.tobytes(), {})[name] = values
                n_columns += 1
        n_tests = max(n_columns, 1) * (len(self.windows) + 1) * (2 * self.n_years + 2)
        functionals = []
        for together in by_cities.values():
            functionals += self.explained_together(together, LEVEL / n_tests)
        return self.without_repetition(functionals)

    def explained_together(self, columns: dict[str, np.ndarray], level: float) -> list[Functional]:
        """Return, of columns with values for the same cities, those that growth explains.

        Parameters
        ----------
        columns : dict
        level : float
            Significance level of one test of one function.
        """
        names = list(columns)
        whole = np.column_stack(list(columns.values()))
        there = np.isfinite(whole[:, 0])
        known = whole[there]
        n = len(known)
        spread = known.std(axis=0)
        score = np.full(len(columns), -np.inf)
        best: dict[int, Functional] = {}
        limits = chi2.isf(level, np.arange(3 * self.n_years))
        for window in self.windows:
            basis = self.basis(window, self.growth)[there]
            for chosen in self.choices(window, n):
                part = np.column_stack([basis[:, chosen], np.ones(n)])
                fitted, *_ = np.linalg.lstsq(part, known)
                left = np.square(known - part @ fitted).sum(axis=0)
                gain = -n * np.log(np.maximum(left / n / spread**2, 1e-15))
                net = gain - len(chosen) * np.log(n)
                is_enough = gain > limits[len(chosen)]
                for k in np.flatnonzero(is_enough & (net > score)):
                    score[k] = net[k]
                    weights = np.zeros(3 * self.n_years)
                    weights[chosen] = fitted[:-1, k]
                    # curved functions need a larger bound: too small a one stops the steps early
                    least = 1e-5
                    if max(chosen) >= 2 * self.n_years:
                        least = 1e-3
                    deviation = np.sqrt(left[k] / max(n - len(chosen) - 1, 1))
                    best[k] = Functional(
                        name=names[k],
                        values=whole[:, k],
                        window=window,
                        weights=weights,
                        constant=float(fitted[-1, k]),
                        deviation=max(float(deviation), least * float(spread[k])),
                    )
        return [best[k] for k in sorted(best)]

    def choices(self, window: tuple[int, int], n: int) -> list[list[int]]:
        """Return the sets of basis columns that a column of n cities may be a sum of."""
        years = np.arange(*window)
        z = list(self.n_years + years)
        square = list(2 * self.n_years + years)
        sets = [*([column] for column in z + square), z, square, z + square]
        if len(years) == self.n_years:
            sets += [*([year] for year in years), list(years)]
        return [one for one in sets if 3 * len(one) <= n]

    def basis(self, window: tuple[int, int], growth: np.ndarray) -> np.ndarray:
        """Return growth, z and squared distance of z from the mean; shape (..., 3 T)."""
        _, mean = self.z_in(window)
        z = standardised(growth[..., slice(*window)])
        result = np.zeros((*growth.shape[:-1], 3, self.n_years), dtype=growth.dtype)
        result[..., 0, :] = growth
        result[..., 1, slice(*window)] = z
        result[..., 2, slice(*window)] = np.square(z - mean)
        return result.reshape(*growth.shape[:-1], -1)

    def without_repetition(self, functionals: list[Functional]) -> list[Functional]:
        """Return the most informative ones, at most `COLUMNS_A_YEAR` for each year."""
        if not functionals:
            return []
        table = np.column_stack([one.values for one in functionals])
        unexplained = [one.deviation for one in functionals] / np.nanstd(table, axis=0)
        table = np.nan_to_num(table - np.nanmean(table, axis=0))
        told = np.sqrt(np.maximum(1 - np.square(unexplained), 1e-9))
        table = table / np.linalg.norm(table, axis=0) * told
        _, r, order = qr(table, mode="economic", pivoting=True)
        n_new = int((np.abs(np.diag(r)) > 0.02).sum())
        return [functionals[k] for k in order[: min(n_new, COLUMNS_A_YEAR * self.n_years)]]

    def miss(self, functionals: Sequence[Functional]) -> np.ndarray:
        """Return the error of each guess; nan where the attacker knows the value.

        The guess is the weighted median of the moved draws; better fitting draws weigh more.

        Parameters
        ----------
        functionals : sequence of Functional
            If empty, the guess is made without the folder.
        """
        paths = self.moved(functionals)
        gap = self.gaps(paths, functionals, 1.0)
        cost = np.square(gap[..., self.n_years :]).sum(axis=-1)
        weight = np.exp(-0.5 * np.minimum(cost - cost.min(axis=1, keepdims=True), 200))
        weights = np.broadcast_to(weight[..., None], paths.shape)
        guess = np.quantile(paths, 0.5, axis=1, weights=weights, method="inverted_cdf")
        return np.where(self.known, np.nan, np.abs(guess - self.growth))

    def moved(self, functionals: Sequence[Functional]) -> np.ndarray:
        """Return the draws moved to where they fit what is known.

        Levenberg-Marquardt steps are taken for all draws at once. The columns have little weight in
        the first steps, so that a draw does not stay in the first local minimum.
        """
        free = ~self.known[:, None, :]
        path = self.draws
        damping = np.full(path.shape[:2], 1e-2)
        for step in range(STEPS):
            wider = max(1.0, 300.0 ** (1 - step / (0.7 * STEPS)))
            gap = self.gaps(path, functionals, wider)
            # derivatives by an imaginary step, which has no rounding error (Squire and Trapp 1998)
            turned = [
                self.gaps(path + 1e-30j * year, functionals, wider).imag
                for year in np.eye(self.n_years)
            ]
            slope = 1e30 * np.stack(turned, axis=-1) * free[..., None, :]
            hessian = np.einsum("nmks,nmkt->nmst", slope, slope)
            ridge = damping[..., None] * np.einsum("nmss->nms", hessian) + ~free
            hessian = hessian + ridge[..., None] * np.eye(self.n_years)
            pull = np.einsum("nmks,nmk->nms", slope, gap)
            proposed = path - np.linalg.solve(hessian, pull[..., None])[..., 0]
            new_gap = self.gaps(proposed, functionals, wider)
            better = np.square(new_gap).sum(axis=-1) < np.square(gap).sum(axis=-1)
            path = np.where(better[..., None], proposed, path)
            damping = np.clip(np.where(better, damping / 3, damping * 4), 1e-9, 1e6)
        return path

    def gaps(self, path: np.ndarray, functionals: Sequence[Functional], wider: float) -> np.ndarray:
        """Return the residuals of paths, in standard deviations: from the draw, from the known side
        of the mean, and from the columns' numbers; shape (N, draws, T + T + K).

        Parameters
        ----------
        path : (N, draws, T) array
        wider : float
            Factor by which the columns' deviations are multiplied.
        """
        true, mean = self.z_in(self.windows[0])
        away = standardised(path) - mean
        is_wrong = (true - mean)[:, None, :] * away.real < 0
        gaps = [(path - self.draws) @ self.prior.T, COST_OF_SIGN * is_wrong * away]
        for window in self.windows:
            of_window = [one for one in functionals if one.window == window]
            if of_window:
                weights = np.stack([one.weights for one in of_window])
                aim = np.stack([one.values - one.constant for one in of_window], axis=1)[:, None, :]
                scale = wider * np.array([one.deviation for one in of_window])
                missed = self.basis(window, path) @ weights.T - aim
                gaps.append(np.where(np.isfinite(aim), missed, 0.0) / scale)
        return np.concatenate(gaps, axis=-1)
