"""What an attacker knows before he opens a folder, and how he guesses with its columns."""

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
LEAST_WINDOW = 8
# Chance that a column without any relation to the values is taken for one that has one.
LEVEL = 0.001
# Columns used at once, by year attacked: more only repeat one another.
COLUMNS_A_YEAR = 3
# How much a guess on the wrong side of the mean costs, in standard deviations of a year.
COST_OF_SIGN = 30.0


@dataclass(frozen=True)
class Functional:
    """A column as a function of growth: `constant` + sum of `weights` over a basis.

    Attributes
    ----------
    name : str
    values : (N,) array
        The column's numbers; nan where a city has none.
    window : tuple of int
        First year and the one after the last, as places in the matrix, in which growth is
        standardised.
    growth, z, square : (T,) arrays
        Weights on growth, on standardised growth, and on its squared distance from the mean of all
        cities.
    constant : float
    deviation : float
        Standard deviation of what the function leaves unexplained.
    """

    name: str
    values: np.ndarray
    window: tuple[int, int]
    growth: np.ndarray
    z: np.ndarray
    square: np.ndarray
    constant: float
    deviation: float

    @property
    def table(self) -> str:
        """The file or table that holds the column."""
        return self.name.split(":")[0].split("[")[0]


def standardised(growth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return z of docs/methods, section 3, along the last axis, and the standard deviation."""
    centred = growth - growth.mean(axis=-1, keepdims=True)
    deviation = np.sqrt(np.square(centred).mean(axis=-1, keepdims=True) + 1e-12)
    return centred / deviation, deviation


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
        # without the few paths that are unlike all others: most values are nearer to the rest
        away = np.clip(away, -limit, limit)
        self.mean = middle + away.mean(axis=0)
        self.covariance = np.cov(away.T) + 1e-6 * np.eye(self.n_years)
        rng = np.random.default_rng(SEED)
        self.known = np.zeros(growth.shape, dtype=bool)
        for row in self.known:
            row[rng.choice(self.n_years, KNOWN_YEARS, replace=False)] = True
        self.windows = [
            (first, last)
            for first in range(self.n_years)
            for last in range(first + LEAST_WINDOW, self.n_years + 1)
        ]

    def z_in(self, window: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
        """Return true z in a window, and its mean over all cities by year."""
        z, _ = standardised(self.growth[:, window[0] : window[1]])
        return z, z.mean(axis=0)

    def explained(self, columns: dict[str, np.ndarray]) -> list[Functional]:
        """Return the columns that follow from growth, as functions of it, without repetitions."""
        kept = {
            name: values
            for name, values in columns.items()
            if np.isfinite(values).sum() >= LEAST_CITIES and np.nanstd(values) > 0
        }
        by_cities: dict[bytes, list[str]] = {}
        for name, values in kept.items():
            by_cities.setdefault(np.isfinite(values).tobytes(), []).append(name)
        functionals = []
        for names in by_cities.values():
            functionals += self.explained_together(
                {name: kept[name] for name in names}, n_columns=len(kept)
            )
        return self.without_repetition(functionals)

    def explained_together(
        self, columns: dict[str, np.ndarray], n_columns: int
    ) -> list[Functional]:
        """Return the explained ones of columns that have the same cities."""
        names = list(columns)
        whole = np.column_stack([columns[name] for name in names])
        there = np.isfinite(whole[:, 0])
        centred = whole[there] - whole[there].mean(axis=0)
        total = np.square(centred).sum(axis=0)
        n = int(there.sum())
        best: dict[int, Functional] = {}
        score = np.full(len(names), -np.inf)
        n_tests = n_columns * (len(self.windows) + 1) * (2 * self.n_years + 2)
        for window in [(0, self.n_years), *self.windows]:
            basis = self.basis(window, self.growth)[there]
            middle = basis.mean(axis=0)
            basis = basis - middle
            for chosen in self.choices(window, n):
                q, r = np.linalg.qr(basis[:, chosen])
                left = centred - q @ (q.T @ centred)
                with np.errstate(invalid="ignore"):  # a column that is the same everywhere
                    unexplained = np.square(left).sum(axis=0) / total
                gain = -n * np.log(np.maximum(unexplained, 1e-15))
                enough = chi2.isf(LEVEL / n_tests, len(chosen))
                net = gain - len(chosen) * np.log(n)
                for k in np.flatnonzero((gain > enough) & (net > score)):
                    score[k] = net[k]
                    weights = np.zeros(3 * self.n_years)
                    weights[chosen] = np.linalg.lstsq(r, q.T @ centred[:, k], rcond=None)[0]
                    growth, z, square = np.split(weights, 3)
                    constant = float(whole[there, k].mean() - middle @ weights)
                    freedom = max(n - len(chosen) - 1, 1)
                    deviation = np.sqrt(np.square(left[:, k]).sum() / freedom)
                    # a curved function that holds too tightly stops the steps before they fit
                    tight = 1e-3 if square.any() else 1e-5
                    deviation = max(float(deviation), tight * float(np.sqrt(total[k] / n)))
                    values = columns[names[k]]
                    best[k] = Functional(
                        names[k], values, window, growth, z, square, constant, deviation
                    )
        return [best[k] for k in sorted(best)]

    def choices(self, window: tuple[int, int], n: int) -> list[list[int]]:
        """Return the sets of basis columns that a column may be a sum of."""
        first, last = window
        t = self.n_years
        inside = list(range(first, last))
        z = [t + year for year in inside]
        square = [2 * t + year for year in inside]
        single = [[column] for column in [*z, *square]]
        several = [z, square, [*z, *square]]
        if window == (0, t):
            single += [[year] for year in inside]
            several.append(inside)
        return single + [one for one in several if 3 * len(one) <= n]

    def basis(self, window: tuple[int, int], growth: np.ndarray) -> np.ndarray:
        """Return growth, z and squared distance of z from the mean; shape (..., 3 T)."""
        first, last = window
        _, mean = self.z_in(window)
        z, _ = standardised(growth[..., first:last])
        result = np.zeros((*growth.shape[:-1], 3 * self.n_years))
        result[..., : self.n_years] = growth
        result[..., self.n_years + first : self.n_years + last] = z
        result[..., 2 * self.n_years + first : 2 * self.n_years + last] = np.square(z - mean)
        return result

    def without_repetition(self, functionals: list[Functional]) -> list[Functional]:
        """Return those that say most, at most `COLUMNS_A_YEAR` for each year."""
        most = COLUMNS_A_YEAR * self.n_years
        if not functionals:
            return []
        table = np.column_stack(
            [np.nan_to_num(one.values - np.nanmean(one.values)) for one in functionals]
        )
        spread = np.array([np.nanstd(one.values) for one in functionals])
        told = np.sqrt(np.maximum(1 - np.square([f.deviation for f in functionals] / spread), 1e-9))
        table = table / np.sqrt(np.square(table).sum(axis=0)) * told
        _, r, order = qr(table, mode="economic", pivoting=True)
        new = np.abs(np.diag(r))
        return [functionals[k] for k, size in zip(order, new, strict=False) if size > 0.02][:most]

    def miss(self, functionals: Sequence[Functional]) -> np.ndarray:
        """Return the error of each guess; nan where the attacker knows the value.

        Parameters
        ----------
        functionals : sequence of Functional
            None: what is guessed without the folder.
        """
        prior = np.linalg.inv(np.linalg.cholesky(self.covariance))
        moved, cost = self.moved(self.drawn(self.known, DRAWS), prior, functionals)
        return self.miss_of(moved, cost, self.known)

    def drawn(self, known: np.ndarray, draws: int) -> np.ndarray:
        """Return draws (N, draws, T) of growth, given what is known (N, T) of each city."""
        n, t = self.growth.shape
        rng = np.random.default_rng(SEED + 1)
        factor = np.linalg.cholesky(self.covariance)
        paths = self.mean + rng.standard_normal((n, draws, t)) @ factor.T
        for i in range(n):
            years = np.flatnonzero(known[i])
            gain = self.covariance[:, years] @ np.linalg.inv(self.covariance[np.ix_(years, years)])
            paths[i] += (self.growth[i, years] - paths[i][:, years]) @ gain.T
        return paths

    def miss_of(self, paths: np.ndarray, cost: np.ndarray, known: np.ndarray) -> np.ndarray:
        """Return the error of the median of draws, which weigh the more the better they fit; nan
        where the value is known.
        """
        weight = np.exp(-0.5 * np.minimum(cost - cost.min(axis=1, keepdims=True), 200))
        order = np.argsort(paths, axis=1)
        weights = np.repeat(weight[..., None], paths.shape[2], axis=2)
        sums = np.take_along_axis(weights, order, 1).cumsum(axis=1)
        middle = (sums < 0.5 * sums[:, -1:]).sum(axis=1, keepdims=True)
        guess = np.take_along_axis(np.take_along_axis(paths, order, 1), middle, 1)[:, 0]
        return np.where(known, np.nan, np.abs(guess - self.growth))

    def moved(
        self, anchor: np.ndarray, prior: np.ndarray, functionals: Sequence[Functional]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the draws moved to where they fit what is known, and how badly each still fits.

        Levenberg and Marquardt's steps, all draws at once. The columns' numbers count little at
        first, so that no draw is held by the first path that fits.
        """
        free = ~self.known[:, None, :]
        path = anchor.copy()
        damping = np.full(anchor.shape[:2], 1e-2)
        for step in range(STEPS):
            wider = max(1.0, 300.0 ** (1 - step / (0.7 * STEPS)))
            gap, slope = self.gaps(path, functionals, wider)
            away = (path - anchor) @ prior.T
            hessian = np.einsum("nmks,nmkt->nmst", slope, slope) + prior.T @ prior
            pull = np.einsum("nmks,nmk->nms", slope, gap) + away @ prior
            hessian = hessian * (free[..., :, None] & free[..., None, :])
            size = np.einsum("nmss->nms", hessian)
            ridge = damping[..., None] * size + ~free
            hessian = hessian + ridge[..., None] * np.eye(self.n_years)
            proposed = path - np.linalg.solve(hessian, (pull * free)[..., None])[..., 0]
            cost = np.square(gap).sum(axis=-1) + np.square(away).sum(axis=-1)
            new_gap, _ = self.gaps(proposed, functionals, wider)
            new_away = (proposed - anchor) @ prior.T
            new_cost = np.square(new_gap).sum(axis=-1) + np.square(new_away).sum(axis=-1)
            better = new_cost < cost
            path = np.where(better[..., None], proposed, path)
            damping = np.clip(np.where(better, damping / 3, damping * 4), 1e-9, 1e6)
        gap, _ = self.gaps(path, functionals, 1.0)
        return path, np.square(gap).sum(axis=-1)

    def gaps(
        self, path: np.ndarray, functionals: Sequence[Functional], wider: float
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return what paths miss of what is known, in standard deviations, and its slopes.

        Parameters
        ----------
        path : (N, draws, T) array
        wider : float
            Times by which the columns' deviations are taken larger.

        Returns
        -------
        gap : (N, draws, K) array
        slope : (N, draws, K, T) array
        """
        t = self.n_years
        gaps = []
        slopes = []
        windows = sorted({(0, t), *(one.window for one in functionals)})
        for window in windows:
            first, last = window
            true, mean = self.z_in(window)
            z, deviation = standardised(path[..., first:last])
            length = last - first
            turn = np.eye(length) - 1 / length - z[..., :, None] * z[..., None, :] / length
            turn = turn / deviation[..., None]
            distance = z - mean
            if window == (0, t):
                side = np.sign(true - mean)[:, None, :]
                wrong = side * distance < 0
                gaps.append(COST_OF_SIGN * np.where(wrong, distance, 0.0))
                slopes.append(COST_OF_SIGN * wrong[..., None] * turn)
            of_window = [one for one in functionals if one.window == window]
            if not of_window:
                continue
            on_growth = np.stack([one.growth for one in of_window])
            on_z = np.stack([one.z[first:last] for one in of_window])
            on_square = np.stack([one.square[first:last] for one in of_window])
            aim = np.stack([one.values - one.constant for one in of_window], axis=1)[:, None, :]
            scale = wider * np.array([one.deviation for one in of_window])
            there = np.isfinite(aim)
            given = path @ on_growth.T + z @ on_z.T + np.square(distance) @ on_square.T
            gaps.append(np.where(there, given - np.nan_to_num(aim), 0.0) / scale)
            by_z = on_z + 2 * on_square * distance[..., None, :]
            slope = np.broadcast_to(on_growth, (*path.shape[:2], *on_growth.shape)).copy()
            slope[..., first:last] += by_z @ turn
            slopes.append(slope * there[..., None] / scale[:, None])
        return np.concatenate(gaps, axis=-1), np.concatenate(slopes, axis=-2)
