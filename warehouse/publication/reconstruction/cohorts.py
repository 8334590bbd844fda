"""Growth of a city that is alone in its cohort, from coefficients by year."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.optimize import least_squares

from warehouse.publication.reconstruction.attack import LEAST_WINDOW, SEED, standardised
from warehouse.publication.reconstruction.columns import read_tables
from warehouse.publication.reconstruction.routes import row_of


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
