"""Draws of admissions within blocks, and p by rank."""

from __future__ import annotations

import numpy as np

# Statistics that differ by less than this share are ties; ties count against rejection.
TOLERANCE = 1e-9


def observed_places(label: np.ndarray, block: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pilots and their labels, by block, by label, by position: the order of `draw_places`.

    Returns
    -------
    places, labels : (n,) int arrays
    """
    pilots = np.flatnonzero(label > 0)
    order = np.lexsort((pilots, label[pilots], block[pilots]))
    places = pilots[order]
    return places, label[places]


def draw_places(
    label: np.ndarray, block: np.ndarray, draws: int, generator: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Cities that carry the labels: first those that really do, then draws with as many of each
    label in each block.

    Parameters
    ----------
    label, block : (N,) int arrays
        Label 0 is no admission.
    draws : int
    generator : numpy Generator

    Returns
    -------
    places : (n, 1 + draws) int array
        One column per draw.
    labels : (n,) int array
    """
    places, labels = observed_places(label, block)
    drawn = np.empty((len(places), 1 + draws), dtype=np.int64)
    drawn[:, 0] = places
    for name in np.unique(block[places]):
        members = np.flatnonzero(block == name)
        columns = np.flatnonzero(block[places] == name)
        drawn[columns, 1:] = _deal(members, len(columns), draws, generator)
    return drawn, labels


def _deal(members: np.ndarray, size: int, draws: int, generator: np.random.Generator) -> np.ndarray:
    """The first `size` members of each of many shuffles (Fisher-Yates), (size, draws)."""
    pool = np.tile(members, (draws, 1))
    rows = np.arange(draws)
    for k in range(size):
        other = generator.integers(k, len(members), size=draws)
        pool[rows, other], pool[:, k] = pool[:, k].copy(), pool[rows, other]
    return pool[:, :size].T


def rank_p(statistics: np.ndarray) -> float:
    """(1 + draws whose absolute statistic is at least the observed one) / (1 + draws).

    Parameters
    ----------
    statistics : (1 + draws,) float array
        The observed one first.
    """
    sizes = np.abs(statistics)
    return float((sizes >= sizes[0] * (1 - TOLERANCE)).sum()) / len(sizes)
