"""How much of what is withheld can be computed from a public folder? Asked as an attacker would.

Somebody has the folder and knows two years a city, the mean of all cities in each year, how growth
of the years goes together, and whether a city grew faster or slower than others. From these alone
he guesses each withheld value (`without`). With the folder he guesses better, where any numbers in
it follow from the values. Both guesses are made by the same computation, so that the difference is
what the folder gives away.

1. Every number that has a city, a city and a year, or a pair of cities is read
   (`reconstruction_columns`). A matrix of pairs becomes positions of its cities: products by their
   first factor, gaps by their first coordinate, means over years by as many factors as there are
   years (docs/methods, section 3).
2. Of each column it is found out what it is computed from: growth or its standardised form in
   single years, or a sum over years of either and of squared distances from the mean, in any
   window.
   The definitions are public; taking the coefficients from the values themselves spares writing
   them down, and gives the attacker those that are not. A column that no definition explains
   better than chance counts for nothing.
3. Growth of each city is drawn from what is known of all cities and moved to the nearest path that
   gives the column's numbers (randomized maximum likelihood: Oliver, He and Reynolds 1996). The
   guess is the median of these draws.
4. A column that repeats values, in per cent, in log points or as an index, is found by itself, and
   so is a city that is alone in its cohort and has a coefficient a year.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.linalg import qr
from scipy.optimize import least_squares
from scipy.stats import binom, chi2

from warehouse.publication.reconstruction_columns import (
    Found,
    by_year,
    read_folder,
    read_tables,
)

SEED = 20261130
KNOWN_YEARS = 2
# Draws a city, and steps of each towards the column's numbers.
DRAWS = 16
STEPS = 30
# A year is attacked if this share of the cities has a value.
SHARE_OF_CITIES = 0.8
LEAST_CITIES = 30
LEAST_WINDOW = 8
# Chance that a column without any relation to the values is taken for one that has one.
LEVEL = 0.001
# Columns used at once, by year attacked: more only repeat one another.
COLUMNS_A_YEAR = 3
# Points within which a value counts as given back, and as repeated.
NEAR = 0.3
EQUAL = 0.0051
LEAST_EQUAL = 5
# Share of a matrix of pairs that one factor explains where there is no other.
ONE_FACTOR = 0.9
# How much a guess on the wrong side of the mean costs, in standard deviations of a year.
COST_OF_SIGN = 30.0


class TooFew(ValueError):
    """There are not enough withheld values for a reconstruction."""


@dataclass(frozen=True)
class Recovery:
    """What an attacker gets back of withheld values.

    Attributes
    ----------
    median_miss : float
        Median error of the best guess, in points of growth.
    columns : tuple of str
        From which columns it comes; none where no column helps.
    share_near : float
        Share of values within 0.3 points.
    median_miss_without, share_near_without : float
        The same without the folder.
    n_values : int
        Guessed values: those that the attacker does not know.
    routes : frame
        One row a route: `route`, `columns`, `n_values`, `median_miss`, `median_miss_without`,
        `share_near`, `share_near_without`.
    """

    median_miss: float
    columns: tuple[str, ...]
    share_near: float
    median_miss_without: float
    share_near_without: float
    n_values: int
    routes: pd.DataFrame

    def passes(
        self, least_miss: float = NEAR, share_of_without: float = 0.9, times_near: float = 1.25
    ) -> bool:
        """Return whether the folder gives away little enough, by each of its routes.

        Parameters
        ----------
        least_miss : float
            Points that the median error has at least.
        share_of_without : float
            Share of the median error without the folder that it has at least.
        times_near : float
            How many times as many values as without it are within 0.3 points at most.
        """
        routes = self.routes
        far = routes.median_miss >= np.maximum(
            least_miss, share_of_without * routes.median_miss_without
        )
        rare = routes.share_near <= times_near * routes.share_near_without
        return bool((far & rare).all())


def best_recovery(folder: Path, withheld: pd.DataFrame, earlier: Sequence[Path] = ()) -> Recovery:
    """Return how well withheld growth can be computed from a public folder.

    Parameters
    ----------
    folder : Path
        A public copy.
    withheld : frame
        `city_id`, `year` and `growth` in points: a value that the folder must not give back.
    earlier : sequence of Path
        Public copies of earlier editions, which an attacker has, too.

    Raises
    ------
    TooFew
        If fewer than 30 cities have a value in at least 8 years.
    PublishError
        If a database is refused by `open_foreign`.
    """
    values = withheld.pivot_table(index="city_id", columns="year", values="growth", aggfunc="mean")
    often = values.notna().mean() >= SHARE_OF_CITIES
    matrix = values.loc[:, often].dropna()
    if len(matrix) < LEAST_CITIES or matrix.shape[1] < LEAST_WINDOW:
        raise TooFew(
            f"expected at least {LEAST_CITIES} cities with growth in each of {LEAST_WINDOW} years, "
            f"found {len(matrix)} in {matrix.shape[1]}"
        )
    cities = [int(city) for city in matrix.index]
    attack = Attack(matrix.to_numpy(dtype=float))
    columns: dict[str, np.ndarray] = {}
    copied: list[dict[str, object]] = []
    all_cities = {int(city) for city in values.index}
    all_years = {int(year) for year in values.columns}
    for path in [folder, *earlier]:
        found = read_folder(path, all_cities, all_years)
        copied += repeated_values(found, withheld)
        copied += groups_of_one(path, values)
        for name, array in {**by_year(found, cities), **positions(found, cities, attack)}.items():
            columns[f"{path.name}/{name}"] = array
    functionals = attack.explained(columns)
    without = attack.miss([])
    routes = copied
    if functionals:
        routes += compared("all columns", functionals, attack.miss(functionals), without)
        tables = {functional.table for functional in functionals}
        if len(tables) > 1:
            for table in sorted(tables):
                of_table = [one for one in functionals if one.table == table]
                routes += compared(table, of_table, attack.miss(of_table), without)
    frame = pd.DataFrame(routes, columns=ROUTE)
    unknown = without[np.isfinite(without)]
    base = (float(np.median(unknown)), float((unknown <= NEAR).mean()))
    if frame.empty or frame.median_miss.min() >= base[0]:
        return Recovery(base[0], (), base[1], *base, len(unknown), frame)
    best = frame.loc[frame.median_miss.idxmin()]
    return Recovery(
        float(best.median_miss),
        tuple(best["columns"]),
        float(best.share_near),
        float(best.median_miss_without),
        float(best.share_near_without),
        int(best.n_values),
        frame,
    )


ROUTE = [
    "route",
    "columns",
    "n_values",
    "median_miss",
    "median_miss_without",
    "share_near",
    "share_near_without",
]


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


def compared(
    route: str, functionals: Sequence[Functional], miss: np.ndarray, without: np.ndarray
) -> list[dict[str, object]]:
    """Return one row of `Recovery.routes`, and one for each year given back by itself."""
    names = tuple(functional.name for functional in functionals)
    rows = [row_of(route, names, miss, without)]
    for year in range(miss.shape[1]):
        row = row_of(f"{route}, one year", names, miss[:, year], without[:, year])
        if row["median_miss"] < NEAR / 3:
            rows.append(row)
    return rows


def row_of(
    route: str, names: tuple[str, ...], miss: np.ndarray, without: np.ndarray
) -> dict[str, object]:
    """Return one row of `Recovery.routes`."""
    guessed = miss[np.isfinite(miss)]
    alone = without[np.isfinite(miss)]
    numbers = (
        len(guessed),
        float(np.median(guessed)),
        float(np.median(alone)),
        float((guessed <= NEAR).mean()),
        float((alone <= NEAR).mean()),
    )
    return dict(zip(ROUTE, (route, names, *numbers), strict=True))


def repeated_values(found: Found, withheld: pd.DataFrame) -> list[dict[str, object]]:
    """Return a row for each column that repeats values, as they are or in another unit.

    What chance repeats is measured on the same values of other cities.
    """
    growth = {
        (int(city), int(year)): float(value)
        for city, year, value in withheld[["city_id", "year", "growth"]].itertuples(index=False)
    }
    rows = []
    for column, cells in found.of_city.items():
        keys = sorted(key for key in cells if key in growth)
        if len(keys) < LEAST_EQUAL:
            continue
        numbers = np.array([cells[key] for key in keys])
        truth = np.array([growth[key] for key in keys])
        other = np.roll(truth, len(truth) // 2 + 1)
        with np.errstate(invalid="ignore", divide="ignore"):
            forms = [
                numbers,
                numbers - 100,
                100 * np.log1p(numbers / 100),
                100 * np.log(numbers / 100),
                100 * numbers,
            ]
        for guess in forms:
            equal = np.abs(guess - truth) <= EQUAL
            by_chance = max(float((np.abs(guess - other) <= EQUAL).mean()), 0.01)
            if equal.sum() >= LEAST_EQUAL and binom.sf(
                equal.sum() - 1, len(truth), by_chance
            ) < LEVEL / len(found.of_city):
                miss = np.abs(guess - truth)[equal]
                without = np.abs(other - truth)[equal]
                rows.append(row_of("repeated values", (column,), miss, without))
    return rows


def groups_of_one(folder: Path, values: pd.DataFrame) -> list[dict[str, object]]:
    """Return a row for each city that is alone in its cohort and has coefficients by year.

    `comove` and `dispersion` of a cohort of one are z m and -(z^2) / 2 of that city, less their
    value in a base year and less the same of cities without a zone (docs/methods, sections 3.1
    and 6.3). With two years of z every other year follows, here by least squares over both, with
    means over all cities for those of its partners.
    """
    tables = [frame for _, frame in read_tables(folder)]
    cohorts = [frame for frame in tables if {"city_id", "treated_year"} <= set(frame.columns)]
    needed = {"cohort_year", "event_time", "estimate", "estimator", "outcome", "n_pilots"}
    rows = []
    if not cohorts:
        return rows
    city_of = cohorts[0].drop_duplicates("treated_year", keep=False)
    city_of = city_of.dropna(subset=["treated_year"]).set_index("treated_year").city_id
    for frame in tables:
        if not needed <= set(frame.columns):
            continue
        alone = coefficients_of_one(frame, set(city_of.index))
        for (cohort, estimator), cells in alone.groupby(["cohort_year", "estimator"]):
            if cohort not in city_of.index or int(city_of[cohort]) not in values.index:
                continue
            for series in sorted({name.partition("_")[2] for name in cells.outcome}):
                misses = misses_of_one(cells, series, values, int(city_of[cohort]), int(cohort))
                if misses is not None:
                    name = f"comove_{series} and dispersion_{series}, {estimator}, {int(cohort)}"
                    rows.append(row_of("a group of one city", (name,), *misses))
    return rows


def coefficients_of_one(frame: pd.DataFrame, alone: set[int]) -> pd.DataFrame:
    """Return coefficients by year of cohorts that are one city: those that a table holds, and those
    that follow from the coefficients of all cohorts and of all but one.

    Parameters
    ----------
    frame : frame
        Coefficients, by event time where `cohort_year` is missing, else by cohort, too.
    alone : set of int
        Cohorts of one city.
    """
    keys = [name for name in ("spec_id", "estimator", "outcome", "event_time") if name in frame]
    by_year = frame[frame.event_time.notna()]
    cells = by_year.groupby([*keys, "cohort_year"], dropna=False)[["n_pilots", "estimate"]].mean()
    cells = cells.reset_index()
    of_cohorts = cells[cells.cohort_year.notna()]
    sums = of_cohorts.assign(estimate=of_cohorts.n_pilots * of_cohorts.estimate)
    sums = sums.groupby(keys)[["n_pilots", "estimate"]].sum()
    of_all = cells[cells.cohort_year.isna()].join(sums.add_suffix("_known"), on=keys)
    of_all = of_all.fillna({"n_pilots_known": 0, "estimate_known": 0})
    left = of_all[of_all.n_pilots - of_all.n_pilots_known == 1]
    left = left.assign(estimate=left.n_pilots * left.estimate - left.estimate_known)
    unknown = alone - set(of_cohorts.cohort_year)
    if len(unknown) != 1:
        left = left.iloc[:0]
    left = left.assign(cohort_year=max(unknown, default=0))
    return pd.concat([of_cohorts[of_cohorts.n_pilots == 1], left])


def misses_of_one(
    cells: pd.DataFrame, series: str, values: pd.DataFrame, city: int, cohort: int
) -> tuple[np.ndarray, np.ndarray] | None:
    """Return errors of one city's growth with and without its coefficients, or None.

    Each value once for every two other years that the attacker may know.
    """
    both = cells[cells.outcome.isin([f"comove_{series}", f"dispersion_{series}"])]
    table = both.pivot_table(index="event_time", columns="outcome", values="estimate")
    if table.shape[1] != 2 or len(table) < LEAST_WINDOW - 2:
        return None
    # some estimators compare every year with the last one before, others each lead with the year
    # before it
    is_one_base = -1 not in table.index
    first = cohort + int(table.index.min()) - int(not is_one_base)
    growth = values.loc[:, first : cohort + int(table.index.max())].dropna()
    if city not in growth.index or growth.shape[1] != len(table) + 1:
        return None
    z, _ = standardised(growth.to_numpy(dtype=float))
    mean = z.mean(axis=0)
    of_years = [growth.columns.get_loc(cohort + int(event)) for event in table.index]
    base_of = dict.fromkeys(table.index, cohort - 1)
    if not is_one_base:
        base_of.update({event: cohort + int(event) - 1 for event in table.index if event < 0})
    base = [growth.columns.get_loc(base_of[event]) for event in table.index]

    def gap(path: np.ndarray) -> np.ndarray:
        comove = path * mean - np.square(mean)
        dispersion = -(np.square(path) - np.square(z).mean(axis=0)) / 2
        gaps = [
            comove[of_years] - comove[base] - table[f"comove_{series}"].to_numpy(),
            dispersion[of_years] - dispersion[base] - table[f"dispersion_{series}"].to_numpy(),
            [path.sum(), 0.1 * (np.square(path).sum() - len(path))],
        ]
        return np.concatenate(gaps)

    starts = np.random.default_rng(SEED).standard_normal((20, len(mean)))
    fits = [least_squares(gap, start) for start in starts]
    path = min(fits, key=lambda fit: fit.cost).x
    truth = growth.loc[city].to_numpy(dtype=float)
    misses = []
    without = []
    for one, other in combinations(range(len(truth)), 2):
        rest = np.setdiff1d(np.arange(len(truth)), [one, other])
        for guess, errors in ((path, misses), (mean, without)):
            scale = (truth[one] - truth[other]) / (guess[one] - guess[other])
            errors.append(np.abs(truth[one] + scale * (guess - guess[one]) - truth)[rest])
    return np.concatenate(misses), np.concatenate(without)


def positions(found: Found, cities: list[int], attack: Attack) -> dict[str, np.ndarray]:
    """Return where each column of pairs places the cities, as columns of cities.

    A sign or order that a matrix leaves open is chosen as those who know two years a city would.
    """
    place = {city: row for row, city in enumerate(cities)}
    result: dict[str, np.ndarray] = {}
    for (name, year), pairs in found.of_pair.items():
        first = pairs["first"].map(place)
        second = pairs["second"].map(place)
        both = first.notna() & second.notna()
        matrix = np.full((len(cities), len(cities)), np.nan)
        rows = first[both].astype(int).to_numpy()
        others = second[both].astype(int).to_numpy()
        matrix[rows, others] = pairs.value[both].to_numpy()
        matrix[others, rows] = matrix[rows, others]
        np.fill_diagonal(matrix, np.nan)
        known = np.isfinite(matrix).mean(axis=1) >= SHARE_OF_CITIES
        if known.sum() < LEAST_CITIES or pairs.value.nunique() == 1:
            continue
        inside = matrix[np.ix_(known, known)]
        for form, factors in factors_of(inside, attack.n_years).items():
            for k in range(factors.shape[1]):
                column = np.full(len(cities), np.nan)
                column[known] = factors[:, k]
                result[f"{name} | {year} ({form} {k + 1})"] = column
    return result


def factors_of(matrix: np.ndarray, n_years: int) -> dict[str, np.ndarray]:
    """Return the factors of a symmetric matrix without a diagonal, by what it may hold.

    Products of one year have one factor, squared gaps have it once rows and columns are centred,
    gaps by themselves once they are squared. Where none has, the matrix may sum over years: then
    as many factors as there are years are taken.
    """
    n = len(matrix)
    filled = np.where(np.isfinite(matrix), matrix, np.nanmean(matrix))
    np.fill_diagonal(filled, 0.0)
    centring = np.eye(n) - 1 / n
    forms = {
        "products": with_first_factor(filled),
        "squared gaps": centring @ filled @ centring,
        "gaps": centring @ np.square(filled) @ centring,
    }
    factors = {}
    share = {}
    for form, whole in forms.items():
        values, vectors = np.linalg.eigh(whole)
        # a constant on the diagonal moves all values alike, and no vector
        size = np.abs(values - np.median(values))
        order = np.argsort(-size)
        factors[form] = vectors[:, order[:n_years]]
        share[form] = size[order[0]] / size.sum()
    best = max(share, key=share.__getitem__)
    if share[best] > ONE_FACTOR:
        return {best: factors[best][:, :1]}
    values, vectors = np.linalg.eigh(diagonal_found(filled, n_years))
    factors["products"] = vectors[:, np.argsort(-np.abs(values))[:n_years]]
    return {form: factors[form] for form in ("products", "squared gaps")}


def with_first_factor(matrix: np.ndarray) -> np.ndarray:
    """Return a matrix with the diagonal that its first factor gives, off the diagonal fitted."""
    values, vectors = np.linalg.eigh(matrix)
    factor = vectors[:, -1] * np.sqrt(np.abs(values[-1]))
    whole = matrix.copy()
    for _ in range(200):
        squares = np.square(factor)
        # halfway, since a whole step may pass back and forth
        factor = 0.5 * factor + 0.5 * (matrix @ factor) / (squares.sum() - squares)
    np.fill_diagonal(whole, np.square(factor))
    return whole


def diagonal_found(matrix: np.ndarray, rank: int) -> np.ndarray:
    """Return a matrix with the diagonal that its first factors give, found by repetition."""
    whole = matrix.copy()
    np.fill_diagonal(whole, 0.0)
    for _ in range(40):
        values, vectors = np.linalg.eigh(whole)
        kept = np.argsort(-np.abs(values))[:rank]
        diagonal = np.square(vectors[:, kept]) @ values[kept]
        if np.abs(diagonal - np.diag(whole)).max() < 1e-9:
            break
        np.fill_diagonal(whole, diagonal)
    return whole


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
        best: list[tuple[float, tuple[int, int], list[int], np.ndarray, float] | None]
        best = [None] * len(names)
        score = np.full(len(names), -np.inf)
        n_tests = n_columns * (len(self.windows) + 1) * (2 * self.n_years + 2)
        for window in [(0, self.n_years), *self.windows]:
            basis = self.basis(window, self.growth)[there]
            middle = basis.mean(axis=0)
            basis = basis - middle
            for chosen in self.choices(window, n):
                part = basis[:, chosen]
                q, r = np.linalg.qr(part)
                left = centred - q @ (q.T @ centred)
                with np.errstate(invalid="ignore"):  # a column that is the same everywhere
                    unexplained = np.square(left).sum(axis=0) / total
                gain = -n * np.log(np.maximum(unexplained, 1e-15))
                enough = chi2.isf(LEVEL / n_tests, len(chosen))
                better = np.flatnonzero((gain > enough) & (gain - len(chosen) * np.log(n) > score))
                for k in better:
                    weights = np.linalg.lstsq(r, q.T @ centred[:, k], rcond=None)[0]
                    freedom = max(n - len(chosen) - 1, 1)
                    deviation = float(np.sqrt(np.square(left[:, k]).sum() / freedom))
                    score[k] = gain[k] - len(chosen) * np.log(n)
                    best[k] = (deviation, window, chosen, weights, float(middle[chosen] @ weights))
        result = []
        for k, name in enumerate(names):
            one = best[k]
            if one is None:
                continue
            deviation, window, chosen, weights, shift = one
            full = np.zeros(3 * self.n_years)
            full[chosen] = weights
            growth, z, square = np.split(full, 3)
            constant = float(whole[there, k].mean()) - shift
            # a curved function that holds too tightly stops the steps before they fit
            tight = 1e-3 if square.any() else 1e-5
            least = tight * float(np.sqrt(total[k] / n))
            deviation = max(deviation, least)
            result.append(
                Functional(name, columns[name], window, growth, z, square, constant, deviation)
            )
        return result

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
        n, t = self.growth.shape
        rng = np.random.default_rng(SEED + 1)
        factor = np.linalg.cholesky(self.covariance)
        prior = np.linalg.inv(factor)
        anchor = self.mean + rng.standard_normal((n, DRAWS, t)) @ factor.T
        for i in range(n):
            years = np.flatnonzero(self.known[i])
            gain = self.covariance[:, years] @ np.linalg.inv(self.covariance[np.ix_(years, years)])
            anchor[i] += (self.growth[i, years] - anchor[i][:, years]) @ gain.T
        moved, cost = self.moved(anchor, prior, functionals)
        weight = np.exp(-0.5 * np.minimum(cost - cost.min(axis=1, keepdims=True), 200))
        order = np.argsort(moved, axis=1)
        sums = np.take_along_axis(np.repeat(weight[..., None], t, axis=2), order, 1).cumsum(axis=1)
        middle = (sums < 0.5 * sums[:, -1:]).sum(axis=1, keepdims=True)
        guess = np.take_along_axis(np.take_along_axis(moved, order, 1), middle, 1)[:, 0]
        return np.where(self.known, np.nan, np.abs(guess - self.growth))

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
