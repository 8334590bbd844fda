"""Which city of each treated pair is the pilot, read off the pairs alone."""

from __future__ import annotations

import numpy as np

UNKNOWN, NEVER_PILOT, PILOT = 0, 1, 2


def infer_city_cohorts(
    city_i: np.ndarray, city_j: np.ndarray, cohort: np.ndarray, n_cities: int
) -> tuple[np.ndarray, np.ndarray]:
    """City admission years from pair cohorts.

    A city in any never-treated pair is a never-pilot, its partner in a treated pair is the pilot, a
    pilot's partner in a treated pair is a never-pilot, and so on along the pairs. Where no
    never-treated pair leads, a city whose pairs are first treated in different years is a
    never-pilot: a pilot has one year.

    Parameters
    ----------
    city_i, city_j : (P,) int arrays
    cohort : (P,) int array
        0 = never treated.
    n_cities : int

    Returns
    -------
    city_cohort : (N,) int array
        For a city that stays undetermined a guess that only serves to count: of cities that hang
        together the one with most treated pairs is a pilot.
    doubtful : (N,) bool array
        Cities that stay undetermined, or to which the pairs ascribe two roles or two years.
    """
    treated = cohort > 0
    # every treated pair from either of its sides
    city = np.concatenate([city_i[treated], city_j[treated]])
    partner = np.concatenate([city_j[treated], city_i[treated]])
    year = np.tile(cohort[treated], 2)
    n_pairs, role = np.bincount(city, minlength=n_cities), np.zeros(n_cities, dtype=np.int64)
    first, last = np.full(n_cities, np.iinfo(np.int64).max), np.zeros(n_cities, dtype=np.int64)
    np.minimum.at(first, city, year)
    np.maximum.at(last, city, year)
    role[city_i[cohort == 0]] = role[city_j[cohort == 0]] = NEVER_PILOT
    doubtful = np.zeros(n_cities, dtype=bool)
    while ((role == UNKNOWN) & (n_pairs > 0)).any():
        told = (role[city] != UNKNOWN) & (role[partner] == UNKNOWN)
        if told.any():
            role[partner[told]] = NEVER_PILOT + PILOT - role[city[told]]
            doubtful[partner[told & doubtful[city]]] = True
            continue
        left = np.flatnonzero((role == UNKNOWN) & (n_pairs > 0))
        of_years = left[first[left] < last[left]]
        if len(of_years):
            role[of_years[0]] = NEVER_PILOT
            continue
        guess = left[np.argmax(n_pairs[left])]
        role[guess], doubtful[guess] = PILOT, True
    doubtful[city[role[city] == role[partner]]] = True
    doubtful |= (role == PILOT) & (first < last)
    return np.where(role == PILOT, first, 0), doubtful
