"""Sums of a sample's pairs that draws start from, and pairs in the order in which draws read
them.
"""

from __future__ import annotations

import numpy as np

from .arrays import bincount_columns
from .records import DrawnPairs, MovedPairs

# numbers of a band of cities that stay in the processor's cache
IN_CACHE = 2**16


def move_pairs(pairs: DrawnPairs, start: int, province: np.ndarray, n_blocks: int) -> MovedPairs:
    """Sums over the pairs from a rank on.

    Parameters
    ----------
    pairs : DrawnPairs
    start : int
        First rank that the real assignment keeps.
    province : (N,) int array
        0..R-1.
    n_blocks : int
        C.
    """
    kinds, number = np.unique(pairs.block * pairs.n_classes + pairs.pair_class, return_inverse=True)
    (n, n_values), n_kinds = (len(pairs.rank_of), pairs.values.shape[1]), len(kinds)
    n_provinces, block = int(province.max()) + 1, kinds // pairs.n_classes
    values, number, kept = pairs.values[start:], number.reshape(-1), slice(start, None)
    # every pair stands with either of its cities
    own = np.concatenate([pairs.first[kept], pairs.second[kept]])
    partner = np.concatenate([pairs.second[kept], pairs.first[kept]])
    both, kind = np.concatenate([values, values]), np.concatenate([number[kept], number[kept]])
    place, part = np.unique(
        (own * n_provinces + province[partner]) * n_kinds + kind, return_inverse=True
    )
    part = part.reshape(-1)
    parts = bincount_columns(both, part, (1, len(place)))[0]
    city, partners = np.divmod(place // n_kinds, n_provinces)
    kind_of = np.full((n, n), -1)
    kind_of[pairs.first, pairs.second] = kind_of[pairs.second, pairs.first] = number
    bands, kind_of_band = _bands(kind_of, max(1, IN_CACHE // (n * n_values)))
    sizes, order = np.array([len(band) for band in bands]), np.concatenate(bands)
    starts = np.append(0, np.cumsum(sizes))
    of_city = bincount_columns(both, own * n_kinds + kind, (n, n_kinds))
    dense = np.zeros((n, n, n_values))
    dense[own, partner] = both
    # the cities of a band beside one another
    by_band = [dense[cities].transpose(1, 2, 0).ravel() for cities in bands]
    whole = [of_city[cities].transpose(1, 2, 0).ravel() for cities in bands]
    return MovedPairs(
        first_rank=start,
        kind_block=block,
        kind_class=kinds % pairs.n_classes,
        province=province,
        all_pairs=bincount_columns(
            both, province[own] * n_blocks + block[kind], (n_provinces, n_blocks)
        ),
        part_start=np.searchsorted(city, np.arange(n + 1)),
        part_province=partners,
        part_kind=place % n_kinds,
        parts=parts,
        of_city=of_city,
        kind_of=kind_of,
        inside=np.flatnonzero(province[pairs.first] == province[pairs.second]),
        city=order,
        place=np.argsort(order),
        start=starts,
        kind=kind_of_band.clip(0),
        has_kind=(kind_of_band[:, :, None] == np.arange(n_kinds)).any(axis=1),
        first=starts[:-1] * n * n_values,
        first_whole=starts[:-1] * n_kinds * n_values,
        values=np.concatenate(by_band),
        whole=np.concatenate(whole),
    )


def _bands(kind: np.ndarray, longest: int) -> tuple[list[list[int]], np.ndarray]:
    """Cities (lists of at most so many) whose pairs with any third city are of one kind, and these
    kinds (bands, N); kind (N, N), -1 without a pair.
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
    parts = [
        (k, cities[first : first + longest])
        for k, cities in enumerate(members)
        for first in range(0, len(cities), longest)
    ]
    return [cities for _, cities in parts], found[[k for k, _ in parts]]
