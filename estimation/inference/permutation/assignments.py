"""Reassignments of admission years to cities, drawn or enumerated."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from math import factorial

import numpy as np


def count_relabellings(labels: np.ndarray, strata: np.ndarray) -> int:
    """Return the number of distinct ways to permute the labels within strata (a product of
    multinomial coefficients).

    Parameters
    ----------
    labels, strata : (N,) int arrays
    """
    total = 1
    for stratum in np.unique(strata):
        counts = np.unique(labels[strata == stratum], return_counts=True)[1].tolist()
        ways = factorial(sum(counts))
        for count in counts:
            ways //= factorial(count)
        total *= ways
    return total


def draw_or_enumerate(
    labels: np.ndarray, strata: np.ndarray, n_draws: int, seed: int
) -> tuple[np.ndarray, bool]:
    """Reassigned labels of the cities (B, N), and whether they are every relabelling instead of
    random draws.

    Parameters
    ----------
    labels, strata : (N,) int arrays
        Labels move only within a stratum.
    n_draws, seed : int
        All relabellings are enumerated instead when there are fewer than n_draws.
    """
    if count_relabellings(labels, strata) < n_draws:
        return np.ascontiguousarray(enumerate_relabellings(labels, strata)), True
    return np.ascontiguousarray(draw_relabellings(labels, strata, n_draws, seed)), False


def draw_relabellings(
    labels: np.ndarray, strata: np.ndarray, n_draws: int, seed: int
) -> np.ndarray:
    """Independent uniform shuffles of the labels within strata; shape (n_draws, N)."""
    labels, strata = labels.astype(np.int64), strata.astype(np.int64)
    return _shuffled(labels.tobytes(), strata.tobytes(), n_draws, seed).astype(np.int64)


# most specs of a study permute the same admissions
@lru_cache(maxsize=4)
def _shuffled(labels_bytes: bytes, strata_bytes: bytes, n_draws: int, seed: int) -> np.ndarray:
    """See `draw_relabellings`; as int32."""
    labels, strata = (np.frombuffer(of, dtype=np.int64) for of in (labels_bytes, strata_bytes))
    generator = np.random.Generator(np.random.PCG64(seed))
    drawn = np.tile(labels.astype(np.int32), (n_draws, 1))
    order = np.argsort(strata, kind="stable")
    for members in np.split(order, np.flatnonzero(strata[order][1:] != strata[order][:-1]) + 1):
        if (labels[members] != labels[members[0]]).any():
            drawn[:, members] = generator.permuted(drawn[:, members], axis=1)
    return drawn


def enumerate_relabellings(labels: np.ndarray, strata: np.ndarray) -> np.ndarray:
    """Return every distinct relabelling within strata, the given one among them; shape
    (count, N).
    """
    rows = np.tile(labels, (1, 1))
    for stratum in np.unique(strata):
        members = np.flatnonzero(strata == stratum)
        orders = np.array(list(_distinct_orders(sorted(int(label) for label in labels[members]))))
        expanded = np.repeat(rows, len(orders), axis=0)
        expanded[:, members] = np.tile(orders, (len(rows), 1))
        rows = expanded
    return rows


def fixed_labels(labels: np.ndarray, strata: np.ndarray) -> np.ndarray:
    """Return cities whose label no shuffle within strata can change; shape (N,) bool."""
    fixed = np.zeros(len(labels), dtype=bool)
    for stratum in np.unique(strata):
        members = strata == stratum
        fixed[members] = len(np.unique(labels[members])) == 1
    return fixed


def _distinct_orders(items: list[int]) -> Iterator[tuple[int, ...]]:
    if not items:
        yield ()
        return
    for k, item in enumerate(items):
        if k == 0 or items[k - 1] != item:
            for rest in _distinct_orders(items[:k] + items[k + 1 :]):
                yield (item, *rest)
