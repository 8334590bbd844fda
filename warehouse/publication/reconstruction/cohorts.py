"""Growth of a city that is alone in its cohort, from coefficients by year."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np
import pandas as pd
from scipy.optimize import least_squares

from warehouse.publication.reconstruction.attack import LEAST_WINDOW, SEED, standardised

NEEDED = {"cohort_year", "event_time", "estimate", "estimator", "outcome", "n_pilots"}
#: Name of the columns, errors of the guesses with them, errors without them.
Misses = tuple[str, np.ndarray, np.ndarray]


def groups_of_one(tables: dict[str, pd.DataFrame], values: pd.DataFrame) -> Iterator[Misses]:
    """Yield the misses of each city that is alone in its cohort and has coefficients by year.

    In a cohort of one city, `comove` and `dispersion` are that city's z m and -(z^2) / 2, less
    their value in a base year and less the same for cities without a zone (docs/methods, sections
    3.1 and 6.3). Least squares over both gives z of every year, with means over all cities in place
    of the means over its partners; two known years turn z into growth.
    """
    cohorts = [frame for frame in tables.values() if {"city_id", "treated_year"} <= {*frame}]
    if not cohorts:
        return
    zones = cohorts[0].dropna(subset=["treated_year"]).drop_duplicates("treated_year", keep=False)
    city_of = zones.set_index("treated_year").city_id
    for frame in tables.values():
        if NEEDED - {*frame}:
            continue
        alone = coefficients_of_one(frame, {*city_of.index})
        # for each cohort, one column per measure of each series
        for (cohort, estimator), cells in alone.groupby(["cohort_year", "estimator"]):
            table = cells.pivot_table(index="event_time", columns="outcome", values="estimate")
            for series in sorted({name.partition("_")[2] for name in table}):
                names = [f"comove_{series}", f"dispersion_{series}"]
                if cohort not in city_of.index or not {*names} <= {*table}:
                    continue
                cell = (int(city_of[cohort]), int(cohort))
                misses = misses_of_one(table[names].dropna(), values, *cell)
                if misses is not None:
                    yield (f"{' and '.join(names)}, {estimator}, {int(cohort)}", *misses)


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
    by_year = frame[frame.event_time.notna()].groupby([*keys, "cohort_year"], dropna=False)
    cells = by_year[["n_pilots", "estimate"]].mean().reset_index()
    # sums over the cities of a cohort
    cells["estimate"] *= cells.n_pilots
    of_cohorts = cells[cells.cohort_year.notna()]
    unknown = alone - {*of_cohorts.cohort_year}
    found = of_cohorts[of_cohorts.n_pilots == 1]
    if len(unknown) != 1:
        return found
    of_all = cells[cells.cohort_year.isna()].set_index(keys)[["n_pilots", "estimate"]]
    known = of_cohorts.groupby(keys)[["n_pilots", "estimate"]].sum()
    left = of_all.sub(known.reindex(of_all.index, fill_value=0)).reset_index()
    left = left[left.n_pilots == 1].assign(cohort_year=unknown.pop())
    return pd.concat([found, left])


def misses_of_one(
    table: pd.DataFrame, values: pd.DataFrame, city: int, cohort: int
) -> tuple[np.ndarray, np.ndarray] | None:
    """Return errors of one city's growth with and without its coefficients, or None.

    There is one error of a value for each pair of other years that the attacker may know.

    Parameters
    ----------
    table : frame
        Coefficients of `comove` and `dispersion` by event time.
    values : frame
        Growth by city and year.
    """
    events = table.index.to_numpy(dtype=int)
    base = np.full(len(events), -1)
    # some estimators compare every year with the last year before treatment, others compare each
    # earlier year with the year before it
    if -1 in events:
        base = np.where(events < 0, events - 1, -1)
    years = cohort + np.union1d(events, base)
    growth = values.reindex(columns=years).dropna()
    if city not in growth.index or len(events) < LEAST_WINDOW - 2:
        return None
    z, _ = standardised(growth.to_numpy(dtype=float))
    mean = z.mean(axis=0)
    of_years, of_base = np.searchsorted(years, [cohort + events, cohort + base])

    def gap(path: np.ndarray) -> np.ndarray:
        comove = path * mean - np.square(mean)
        dispersion = -(np.square(path) - np.square(z).mean(axis=0)) / 2
        measures = np.column_stack([comove, dispersion])
        gaps = measures[of_years] - measures[of_base] - table.to_numpy()
        return np.append(gaps, [path.sum(), 0.1 * (np.square(path).sum() - len(path))])

    starts = np.random.default_rng(SEED).standard_normal((20, len(mean)))
    fits = [least_squares(gap, start) for start in starts]
    path = min(fits, key=lambda fit: fit.cost).x
    truth = growth.loc[city].to_numpy(dtype=float)
    misses = []
    without = []
    for pair in combinations(range(len(truth)), 2):
        known = list(pair)
        for guess, errors in ((path, misses), (mean, without)):
            line = np.polyfit(guess[known], truth[known], 1)
            errors.append(np.delete(np.abs(np.polyval(line, guess) - truth), known))
    return np.concatenate(misses), np.concatenate(without)
