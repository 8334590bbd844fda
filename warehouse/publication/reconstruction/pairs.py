"""A matrix of pairs of cities becomes positions of its cities."""

from __future__ import annotations

import numpy as np

from warehouse.publication.reconstruction.attack import LEAST_CITIES
from warehouse.publication.reconstruction.columns import Found

# A column is attacked if this share of the cities has a value.
SHARE_OF_CITIES = 0.8
# Share of a matrix of pairs that one factor explains where there is no other.
ONE_FACTOR = 0.9


def positions(found: Found, cities: list[int], n_years: int) -> dict[str, np.ndarray]:
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
        for form, factors in factors_of(inside, n_years).items():
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
        "products": diagonal_found(filled, 1),
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
