"""Growth of a city that is alone in its cohort, from coefficients by year."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from warehouse.publication.reconstruction.attack import Attack, Functional

NEEDED = {"cohort_year", "event_time", "estimate", "estimator", "outcome", "n_pilots"}
# Standard deviation of a coefficient from its formula, because of means over all cities.
DEVIATION = 0.01


def groups_of_one(
    tables: dict[str, pd.DataFrame], growth: pd.DataFrame, attack: Attack
) -> Iterator[tuple[str, int, list[Functional]]]:
    """Yield a name, the row of a city that is alone in its cohort, and its coefficients by year as
    functions of its growth.

    In a cohort of one city, `comove` and `dispersion` are that city's z m and -(z^2) / 2, less
    their value in a base year and less the same for cities without a zone (docs/methods, sections
    3.1 and 6.3). Means over all cities are used in place of the means over its partners.

    Parameters
    ----------
    tables : dict
    growth : frame
        Growth by city and year, of which the attack is made.
    attack : Attack
    """
    cohorts = [frame for frame in tables.values() if {"city_id", "treated_year"} <= {*frame}]
    if not cohorts:
        return
    zones = cohorts[0].dropna(subset=["treated_year"]).drop_duplicates("treated_year", keep=False)
    city_of = zones[zones.city_id.isin(growth.index)].set_index("treated_year").city_id
    measures = formulas(attack)
    place = {year: k for k, year in enumerate(growth)}
    for frame in tables.values():
        if NEEDED - {*frame}:
            continue
        cells = coefficients_of_one(frame, {*zones.treated_year})
        parts = cells.outcome.str.split("_", n=1)
        cells = cells.assign(measure=parts.str[0], series=parts.str[1])
        cells = cells[cells.measure.isin(measures) & cells.cohort_year.isin(city_of.index)]
        # some estimators compare every year with the last year before treatment, others compare
        # each earlier year with the year before it
        stepwise = cells[cells.event_time == -1].estimator
        is_step = (cells.event_time < 0) & cells.estimator.isin(stepwise)
        cells["after"] = (cells.cohort_year + cells.event_time).map(place)
        cells["before"] = (cells.cohort_year + cells.event_time.where(is_step, 0) - 1).map(place)
        cells = cells.dropna(subset=["after", "before"]).astype({"after": int, "before": int})
        for (cohort, estimator, series), rows in cells.groupby(
            ["cohort_year", "estimator", "series"]
        ):
            name = f"comove and dispersion of {series}, {estimator}, {int(cohort)}"
            row = growth.index.get_loc(city_of[cohort])
            used = []
            for cell in rows.itertuples():
                weights = measures[cell.measure][cell.after] - measures[cell.measure][cell.before]
                values = np.full(len(growth), np.nan)
                values[row] = cell.estimate
                whole = attack.windows[0]
                used.append(Functional(name, values, whole, weights[:-1], weights[-1], DEVIATION))
            yield name, row, used


def formulas(attack: Attack) -> dict[str, np.ndarray]:
    """Return `comove` and `dispersion` of each year, as weights of `Attack.basis` and a constant;
    shape (T, 3 T + 1).
    """
    z, mean = attack.z_in(attack.windows[0])
    on_z = np.diag(mean)
    none = np.zeros_like(on_z)
    square = np.square(mean)
    spread = (np.square(z).mean(axis=0) + square) / 2
    return {
        "comove": np.column_stack([none, on_z, none, -square]),
        "dispersion": np.column_stack([none, -on_z, -np.eye(len(mean)) / 2, spread]),
    }


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
