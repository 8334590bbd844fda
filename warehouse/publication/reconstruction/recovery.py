"""The best guess of withheld growth that a public folder lets anybody make."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import binom

from warehouse.publication.reconstruction.attack import LEAST_CITIES, LEAST_WINDOW, LEVEL, Attack
from warehouse.publication.reconstruction.cohorts import groups_of_one
from warehouse.publication.reconstruction.columns import Found, by_year, read_folder
from warehouse.publication.reconstruction.pairs import SHARE_OF_CITIES, positions
from warehouse.publication.reconstruction.routes import NEAR, ROUTE, compared, row_of

# Points within which a value counts as repeated, and how many values make a repetition.
EQUAL = 0.0051
LEAST_EQUAL = 5


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
        for name, array in {
            **by_year(found, cities),
            **positions(found, cities, attack.n_years),
        }.items():
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
    best = row_of("no column", (), without, without)
    if len(frame) and frame.median_miss.min() < best["median_miss"]:
        best = frame.loc[frame.median_miss.idxmin()].to_dict()
    return Recovery(routes=frame, **{name: best[name] for name in ROUTE[1:]})


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
