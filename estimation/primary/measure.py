"""From growth of cities to z, the reference of peers, and the measures whose change is tested."""

from __future__ import annotations

import numpy as np

# Squared gaps count up to this quantile of all cities and years where a measure is capped.
CAP_QUANTILE = 0.9


def standardise(growth: np.ndarray) -> np.ndarray:
    """z of docs/methods, section 3.1: less the city's mean, over its standard deviation with
    divisor T; shape (N, T).
    """
    centred = growth - growth.mean(axis=1, keepdims=True)
    return centred / centred.std(axis=1, keepdims=True)


def cycle(values: np.ndarray, years: np.ndarray) -> np.ndarray:
    """Return values less their mean and their linear trend in the years; shape (N, T)."""
    time = years - years.mean()
    centred = values - values.mean(axis=1, keepdims=True)
    if len(years) == 1:
        return centred
    return centred - np.einsum("nt,t->n", centred, time)[:, None] * time[None, :] / (time @ time)


def reference(z: np.ndarray, never: np.ndarray, block: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """m_it and v_it: mean and variance of z in year t over never-treated cities outside city i's
    block.

    Cities of one block share them whatever their label.

    Parameters
    ----------
    z : (N, T) float array
    never : (N,) bool array
    block : (N,) int array
        From 0.

    Returns
    -------
    m, v : (N, T) float arrays
    """
    outside = never[None, :] & (np.arange(int(block.max()) + 1)[:, None] != block[None, :])
    share = outside / np.maximum(outside.sum(axis=1, keepdims=True), 1)
    mean, square = (np.einsum("bn,nt->bt", share, x) for x in (z, z**2))
    return mean[block], np.maximum(square - mean**2, 0.0)[block]


def synchronization(z: np.ndarray, m: np.ndarray, v: np.ndarray, cap: float = np.inf) -> np.ndarray:
    """y_it = 1 - ((z - m)^2 + v) / 2, with abs(z - m) cut at `cap`; shape (N, T).

    Without a cap it is the mean over never-treated cities j outside the block of
    1 - (z_it - z_jt)^2 / 2.
    """
    return 1 - (np.minimum(np.abs(z - m), cap) ** 2 + v) / 2


def gap_cap(z: np.ndarray, m: np.ndarray) -> float:
    """Return the quantile `CAP_QUANTILE` of abs(z - m) over all cities and years."""
    return float(np.nanquantile(np.abs(z - m), CAP_QUANTILE))


def slope(z: np.ndarray, m: np.ndarray, fitted: np.ndarray) -> np.ndarray:
    """l_i, the slope of z on m over the cells that are 1 in `fitted` (N, T), (N,); 0 where m does
    not vary.
    """
    zc, mc = (_less_mean(x, fitted) for x in (z, m))
    squares = (fitted * mc**2).sum(axis=1)
    return (fitted * zc * mc).sum(axis=1) / np.where(squares > 0, squares, 1.0)


def own_shock(z: np.ndarray, m: np.ndarray, fitted: np.ndarray | None = None) -> np.ndarray:
    """u_it, z less its least-squares line on (1, m) over the cells that are 1 in `fitted` (all by
    default), given for all years; shape (N, T).
    """
    fitted = np.ones(z.shape) if fitted is None else fitted
    return _less_mean(z, fitted) - slope(z, m, fitted)[:, None] * _less_mean(m, fitted)


def _less_mean(x: np.ndarray, fitted: np.ndarray) -> np.ndarray:
    return x - ((x * fitted).sum(axis=1) / fitted.sum(axis=1))[:, None]


def block_means(values: np.ndarray, block: np.ndarray) -> np.ndarray:
    """Return means of values (N, K) over the cities of each block, (B, K)."""
    sums = np.zeros((int(block.max()) + 1, values.shape[1]))
    np.add.at(sums, block, values)
    return sums / np.bincount(block)[:, None]


def net_of_blocks(values: np.ndarray, block: np.ndarray) -> np.ndarray:
    """Return values (N, K) less their means over the cities of the block."""
    return values - block_means(values, block)[block]


def net_of_effects(values: np.ndarray, block: np.ndarray) -> np.ndarray:
    """Return values (N, T) net of city and block x year effects."""
    centred = values - values.mean(axis=1, keepdims=True)
    return net_of_blocks(centred, block)
