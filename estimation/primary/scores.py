"""From growth of cities to z, the reference of peers, own shocks, and the scores that the tests
contrast.
"""

from __future__ import annotations

import numpy as np

# Squared gaps count up to this quantile of all cities and years: beyond it one year of one city
# would carry the test.
WINSOR_QUANTILE = 0.9


def standardise(growth: np.ndarray) -> np.ndarray:
    """z of docs/methods, section 3.1: less the city's mean, over its standard deviation with
    divisor T; shape (N, T).
    """
    return (growth - growth.mean(axis=1, keepdims=True)) / growth.std(axis=1, keepdims=True)


def reference(z: np.ndarray, label: np.ndarray, block: np.ndarray) -> np.ndarray:
    """m_it, the mean z in year t of never-pilots outside city i's block; shape (N, T).

    Cities of one block share it whatever their label, so permuting admissions within a block does
    not change it for that block.
    """
    never = label == 0
    sums, counts = np.zeros((int(block.max()) + 1, z.shape[1])), np.zeros(int(block.max()) + 1)
    np.add.at(sums, block[never], z[never])
    np.add.at(counts, block[never], 1.0)
    return ((sums.sum(axis=0) - sums) / (counts.sum() - counts)[:, None])[block]


def own_shock(z: np.ndarray, m: np.ndarray, years: np.ndarray | None = None) -> np.ndarray:
    """u_it, z less its least-squares line on (1, m) over the years marked; all years are returned,
    shape (N, T).

    Parameters
    ----------
    z, m : (N, T) float arrays
    years : (T,) bool array, optional
        Years that the line is fitted on; all by default.
    """
    years = np.ones(z.shape[1], dtype=bool) if years is None else years
    zc, mc = (
        z - z[:, years].mean(axis=1, keepdims=True),
        m - m[:, years].mean(axis=1, keepdims=True),
    )
    return zc - slope(z, m, years)[:, None] * mc


def slope(z: np.ndarray, m: np.ndarray, years: np.ndarray) -> np.ndarray:
    """l_i, the city's loading on m over the years marked, (N,); 0 where m does not vary."""
    zc, mc = (
        z[:, years] - z[:, years].mean(axis=1, keepdims=True),
        m[:, years] - m[:, years].mean(axis=1, keepdims=True),
    )
    squares = np.einsum("nt,nt->n", mc, mc)
    return np.einsum("nt,nt->n", zc, mc) / np.where(squares > 0, squares, 1.0)


def cycle(m: np.ndarray, years: np.ndarray) -> np.ndarray:
    """m less its mean and its linear trend in the years; shape (N, T)."""
    time = years - years.mean()
    centred = m - m.mean(axis=1, keepdims=True)
    return centred - np.einsum("nt,t->n", centred, time)[:, None] * time[None, :] / (time @ time)


def gap_cut(z: np.ndarray, m: np.ndarray) -> float:
    """Where abs(z - m) is cut: its quantile `WINSOR_QUANTILE` over all cities and years."""
    return float(np.quantile(np.abs(z - m), WINSOR_QUANTILE))


def cm_scores(z: np.ndarray, m: np.ndarray) -> np.ndarray:
    """-(z - m)^2 / 2: up to terms without the city, its mean `cm` with never-pilots; shape
    (N, T).
    """
    return -((z - m) ** 2) / 2


def primary_scores(z: np.ndarray, m: np.ndarray, cut: float) -> np.ndarray:
    """The three scores of the primary test side by side, (N, 3 T).

    Minus the absolute gap abs(z - m); minus half its square, the gap cut at `cut`; minus the
    absolute own shock.
    """
    gap = np.abs(z - m)
    return np.concatenate(
        [-gap, -(np.minimum(gap, cut) ** 2) / 2, -np.abs(own_shock(z, m))], axis=1
    )


def own_scores(z: np.ndarray, m: np.ndarray, cut: float) -> np.ndarray:
    """Minus the absolute own shock, (N, T); `cut` is not used."""
    return -np.abs(own_shock(z, m))


def loading_scores(z: np.ndarray, m: np.ndarray, cut: float) -> np.ndarray:
    """z itself, (N, T): a change of loading moves it by the cycle; `cut` is not used."""
    return z
