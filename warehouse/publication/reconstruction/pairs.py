"""Turn a matrix of pairs of cities into columns of cities."""

from __future__ import annotations

import numpy as np

from warehouse.publication.reconstruction.attack import LEAST_CITIES
from warehouse.publication.reconstruction.columns import Found

# A column is used if at least this share of the cities has a value.
SHARE_OF_CITIES = 0.8
# Share of a matrix of pairs that one factor explains where there is no other.
ONE_FACTOR = 0.9


def positions(found: Found, cities: list[int], n_years: int) -> dict[str, np.ndarray]:
    """Return the leading eigenvectors of each column of pairs, as columns of cities.

    A matrix does not determine their sign and order, which the attacker's two known years give.
    """
    result: dict[str, np.ndarray] = {}
    for (name, year), pairs in found.of_pair.items():
        once = pairs.drop_duplicates(["first", "second"], keep="last")
        wide = once.pivot(index="first", columns="second", values="value")
        matrix = wide.reindex(index=cities, columns=cities).to_numpy()
        matrix = np.where(np.isfinite(matrix), matrix, matrix.T)
        np.fill_diagonal(matrix, np.nan)
        known = np.isfinite(matrix).mean(axis=1) >= SHARE_OF_CITIES
        if known.sum() < LEAST_CITIES or pairs.value.nunique() == 1:
            continue
        for form, factors in factors_of(matrix[np.ix_(known, known)], n_years).items():
            for k, factor in enumerate(factors.T):
                column = np.full(len(cities), np.nan)
                column[known] = factor
                result[f"{name} | {year} ({form} {k + 1})"] = column
    return result


def factors_of(matrix: np.ndarray, n_years: int) -> dict[str, np.ndarray]:
    """Return the factors of a symmetric matrix without a diagonal, by what it may hold.

    Products of one year have one factor; so have squared gaps after centring rows and columns, and
    gaps after squaring and centring. If no form has one factor, the matrix may be a sum over years,
    and as many factors as years are returned.
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
    for form, whole in forms.items():
        # a constant on the diagonal moves all values alike, and no vector
        values, factors[form] = by_size(whole - np.median(np.linalg.eigvalsh(whole)) * np.eye(n))
        if np.abs(values[0]) > ONE_FACTOR * np.abs(values).sum():
            return {form: factors[form][:, :1]}
    _, factors["products"] = by_size(diagonal_found(filled, n_years))
    return {form: factors[form][:, :n_years] for form in ("products", "squared gaps")}


def by_size(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the eigenvalues of a symmetric matrix and their vectors, the largest first."""
    values, vectors = np.linalg.eigh(matrix)
    order = np.argsort(-np.abs(values))
    return values[order], vectors[:, order]


def diagonal_found(matrix: np.ndarray, rank: int) -> np.ndarray:
    """Return a matrix with the diagonal that its first factors give, found by repetition."""
    whole = matrix.copy()
    for _ in range(40):
        values, vectors = by_size(whole)
        diagonal = np.square(vectors[:, :rank]) @ values[:rank]
        if np.abs(diagonal - np.diag(whole)).max() < 1e-9:
            break
        np.fill_diagonal(whole, diagonal)
    return whole
