"""Find the best guess of withheld growth that a public folder allows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import binom

from warehouse.publication.reconstruction.attack import LEAST_CITIES, LEAST_WINDOW, LEVEL, Attack
from warehouse.publication.reconstruction.cohorts import groups_of_one
from warehouse.publication.reconstruction.columns import Found, by_year, read_folder
from warehouse.publication.reconstruction.pairs import SHARE_OF_CITIES, positions

# A guess within this many points of the value counts as near.
NEAR = 0.3
# A number within this many points repeats a value; a column needs this many of them.
EQUAL = 0.0051
LEAST_EQUAL = 5


class TooFew(ValueError):
    """There are not enough withheld values for a reconstruction."""


@dataclass(frozen=True)
class Recovery:
    """What an attacker gets back of withheld values.

    Attributes
    ----------
    best : series
        The row of the route with the smallest error, with the columns of `routes`; the guess
        without the folder where no route helps.
    routes : frame
        One row a route: `route`, `columns`, `n_values` (values that the attacker does not know),
        `median_miss` (median error of the guess, in points of growth), `median_miss_without` (of
        the same values without the folder), `share_near` (share of values within 0.3 points),
        `share_near_without`.
    """

    best: pd.Series
    routes: pd.DataFrame

    def passes(
        self, least_miss: float = NEAR, share_of_without: float = 0.9, times_near: float = 1.25
    ) -> bool:
        """Return whether the folder gives away little enough, by each of its routes.

        Parameters
        ----------
        least_miss : float
            Lowest acceptable median error, in points.
        share_of_without : float
            Lowest acceptable median error, as a share of the median error without the folder.
        times_near : float
            Largest acceptable ratio of the share of values within 0.3 points to that share without
            the folder.
        """
        routes = self.routes
        least = np.maximum(least_miss, share_of_without * routes.median_miss_without)
        is_rare = routes.share_near <= times_near * routes.share_near_without
        return bool(((routes.median_miss >= least) & is_rare).all())


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
        If a database is refused by `open_untrusted`.
    """
    values = withheld.pivot_table(index="city_id", columns="year", values="growth", aggfunc="mean")
    often = values.notna().mean() >= SHARE_OF_CITIES
    matrix = values.loc[:, often].dropna()
    if len(matrix) < LEAST_CITIES or matrix.shape[1] < LEAST_WINDOW:
        raise TooFew(
            f"expected at least {LEAST_CITIES} cities with growth in each of {LEAST_WINDOW} years, "
            f"found {len(matrix)} in {matrix.shape[1]}"
        )
    cities = matrix.index.to_list()
    attack = Attack(matrix.to_numpy(dtype=float))
    without = attack.miss([])
    rows = [row_of("no column", (), without, without)]
    columns: dict[str, np.ndarray] = {}
    for path in [folder, *earlier]:
        found = read_folder(path, {*values.index}, {*values.columns})
        for name, *misses in repeated_values(found, values.stack()):
            rows.append(row_of("repeated values", (name,), *misses))
        for name, row, used in groups_of_one(found.tables, matrix, attack):
            rows.append(
                row_of("a group of one city", (name,), attack.miss(used)[row], without[row])
            )
        of_cities = by_year(found, cities) | positions(found, cities, attack.n_years)
        columns |= {f"{path.name}/{name}": array for name, array in of_cities.items()}
    functionals = attack.explained(columns)
    by_route = {"all columns": functionals}
    for one in functionals:
        by_route.setdefault(one.table, []).append(one)
    for route, used in by_route.items():
        # if one table has all columns, its attack is the same as that with all columns
        if not used or (used is not functionals and len(used) == len(functionals)):
            continue
        miss = attack.miss(used)
        names = tuple(one.name for one in used)
        rows.append(row_of(route, names, miss, without))
        for year in np.flatnonzero(np.nanmedian(miss, axis=0) < NEAR / 3):
            rows.append(row_of(f"{route}, one year", names, miss[:, year], without[:, year]))
    frame = pd.DataFrame(rows)
    return Recovery(frame.loc[frame.median_miss.idxmin()], frame.iloc[1:])


def repeated_values(
    found: Found, growth: pd.Series
) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Yield the misses of each column that repeats values, as they are or in another unit.

    How often values agree by chance is measured with the values of other cities.
    """
    cells = growth.rename("truth").rename_axis(["city", "year"]).reset_index()
    both = found.of_city.merge(cells, on=["city", "year"]).sort_values(["city", "year"])
    level = LEVEL / max(found.of_city["column"].nunique(), 1)
    for column, rows in both.groupby("column"):
        if len(rows) < LEAST_EQUAL:
            continue
        given = rows.value.to_numpy(dtype=float)
        truth = rows.truth.to_numpy()
        other = np.roll(truth, len(truth) // 2 + 1)
        with np.errstate(invalid="ignore", divide="ignore"):
            logs = [100 * np.log1p(given / 100), 100 * np.log(given / 100)]
        for guess in [given, given - 100, *logs, 100 * given]:
            miss = np.abs(guess - truth)
            equal = miss <= EQUAL
            by_chance = max(float((np.abs(guess - other) <= EQUAL).mean()), 0.01)
            chance = binom.sf(equal.sum() - 1, len(truth), by_chance)
            if equal.sum() >= LEAST_EQUAL and chance < level:
                yield column, miss[equal], np.abs(other - truth)[equal]


def row_of(
    route: str, names: tuple[str, ...], miss: np.ndarray, without: np.ndarray
) -> dict[str, object]:
    """Return one row of `Recovery.routes`."""
    guessed = miss[np.isfinite(miss)]
    alone = without[np.isfinite(miss)]
    return {
        "route": route,
        "columns": names,
        "n_values": len(guessed),
        "median_miss": float(np.median(guessed)),
        "median_miss_without": float(np.median(alone)),
        "share_near": float((guessed <= NEAR).mean()),
        "share_near_without": float((alone <= NEAR).mean()),
    }
