"""Put the pairs of a sample in the order in which draws read them, and compute the sums that draws
start from.
"""

from __future__ import annotations

import numpy as np

from .arrays import bincount_columns
from .records import DrawnPairs, MovedPairs


def move_pairs(
    pairs: DrawnPairs, start: int, province: np.ndarray, n_types: int
) -> tuple[MovedPairs, np.ndarray, np.ndarray]:
    """Return pairs from a rank on, for draws.

    Parameters
    ----------
    pairs : DrawnPairs
    start : int
        First rank that the real assignment keeps.
    province : (N,) int array
    n_types : int
        Types of pilots.

    Returns
    -------
    MovedPairs
    (U, 2) int array
        Block and group of each cell.
    (N,) int array
        Cities in their order by band.
    """
    kinds, number = np.unique(pairs.block * pairs.n_classes + pairs.pair_class, return_inverse=True)
    n, n_values, n_kinds = len(pairs.rank_of), pairs.values.shape[1], len(kinds)
    block, pair_class = np.divmod(kinds, pairs.n_classes)
    groups = 1 + np.arange(n_types) * pairs.n_classes + pair_class[:, None]
    groups = np.concatenate([np.zeros((n_kinds, 1), dtype=np.int64), groups], axis=1)
    named = np.stack(np.broadcast_arrays(block[:, None], groups), axis=-1)
    cells, cell = np.unique(named.reshape(-1, 2), axis=0, return_inverse=True)
    number, sides = number.reshape(-1), (pairs.first, pairs.second)
    kind_of = np.full((n, n), -1)
    kind_of[sides] = kind_of[sides[::-1]] = number
    bands, kind = _bands(kind_of)
    order = np.concatenate(bands)
    place = np.argsort(order)
    values, whole = np.zeros((n_values, n, n)), np.zeros((n, n_kinds, n_values))
    of_rank = np.ascontiguousarray(pairs.values.T)
    for city, partner in (sides, sides[::-1]):
        own = place[city[start:]]
        values[:, partner[start:], own] = of_rank[:, start:]
        row = own * n_kinds + number[start:]
        whole += bincount_columns(pairs.values[start:], row, whole.shape[:2])
    moved = MovedPairs(
        first_rank=start,
        cell=cell.reshape(n_kinds, n_types + 1),
        kind_of=number,
        of_rank=of_rank,
        inside=np.flatnonzero(province[pairs.first] == province[pairs.second]),
        place=place,
        start=np.append(0, np.cumsum([len(band) for band in bands])),
        kind=kind,
        values=values,
        whole=np.ascontiguousarray(whole.transpose(2, 1, 0)),
    )
    return moved, cells, order


def _bands(kind: np.ndarray) -> tuple[list[list[int]], np.ndarray]:
    """Group cities into bands: two cities are in one band if their pairs with every third
    city have the same kind. Return the bands, and the kinds of each (bands, N); -1 marks a missing
    pair, as in `kind` (N, N).
    """
    found, members = np.empty_like(kind), []
    for city, own in enumerate(kind):
        known = found[: len(members)]
        fits = ((known == own) | (known < 0) | (own < 0)).all(axis=1)
        k = int(fits.argmax()) if fits.any() else len(members)
        if k == len(members):
            members.append([])
            found[k] = -1
        members[k].append(city)
        found[k] = np.maximum(found[k], own)
    return members, found[: len(members)]
