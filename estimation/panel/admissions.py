"""Which city of each treated pair is the pilot, read off the pairs alone."""

from __future__ import annotations

from collections import deque

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
        For a city that stays undetermined a guess that only serves to count: the smaller side of
        its pairs are the pilots.
    doubtful : (N,) bool array
        Cities that stay undetermined, or to which the pairs ascribe two roles or two years.
    """
    treated = np.flatnonzero(cohort > 0)
    neighbours: list[list[tuple[int, int]]] = [[] for _ in range(n_cities)]
    for i, j, year in zip(
        city_i[treated].tolist(), city_j[treated].tolist(), cohort[treated].tolist(), strict=True
    ):
        neighbours[i].append((j, year))
        neighbours[j].append((i, year))
    role, city_cohort, doubtful = (
        np.zeros(n_cities, dtype=np.int64),
        np.zeros(n_cities, dtype=np.int64),
        np.zeros(n_cities, dtype=bool),
    )
    never = np.unique(np.concatenate([city_i[cohort == 0], city_j[cohort == 0]]))
    role[never] = NEVER_PILOT
    _spread(never.tolist(), neighbours, role, city_cohort, doubtful)
    for city in range(n_cities):
        if role[city] == UNKNOWN and len({year for _, year in neighbours[city]}) > 1:
            role[city] = NEVER_PILOT
            _spread([city], neighbours, role, city_cohort, doubtful)
    for city in range(n_cities):
        if role[city] == UNKNOWN and neighbours[city]:
            _guess(city, neighbours, role, city_cohort, doubtful)
    return city_cohort, doubtful


def _spread(
    start: list[int], neighbours, role: np.ndarray, city_cohort: np.ndarray, doubtful: np.ndarray
) -> list[int]:
    """Carry roles along the treated pairs; returns the cities reached."""
    queue, reached = deque(start), list(start)
    while queue:
        city = queue.popleft()
        for partner, year in neighbours[city]:
            pilot = city if role[city] == PILOT else partner
            if role[partner] == UNKNOWN:
                role[partner] = NEVER_PILOT if role[city] == PILOT else PILOT
                queue.append(partner)
                reached.append(partner)
            elif role[partner] == role[city]:
                doubtful[[city, partner]] = True
                continue
            if city_cohort[pilot] not in (0, year):
                doubtful[pilot] = True
            city_cohort[pilot] = year if city_cohort[pilot] == 0 else city_cohort[pilot]
    return reached


def _guess(
    city: int, neighbours, role: np.ndarray, city_cohort: np.ndarray, doubtful: np.ndarray
) -> None:
    role[city] = PILOT
    reached = np.array(_spread([city], neighbours, role, city_cohort, doubtful))
    doubtful[reached] = True
    if 2 * (role[reached] == PILOT).sum() > len(reached):
        _swap(reached, neighbours, role, city_cohort)


def _swap(reached: np.ndarray, neighbours, role: np.ndarray, city_cohort: np.ndarray) -> None:
    for city in reached.tolist():
        role[city] = NEVER_PILOT if role[city] == PILOT else PILOT
        city_cohort[city] = min(year for _, year in neighbours[city]) if role[city] == PILOT else 0
