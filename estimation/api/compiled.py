"""Compile every loop of the permutations before the first fit needs one: seconds that somebody else
would wait for.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import numpy as np

from ..engines.compile_cache import use_compile_cache
from ..engines.records import BaseSums, CurvePairs, DrawnPairs, RankedTies


def compile_loops() -> Path | None:
    """Run every compiled loop once, on a panel of three cities, so that numba keeps it; what is
    kept already is only loaded.

    Returns
    -------
    Path or None
        Where they are kept; None without a place that can be written.
    """
    use_compile_cache()
    folder = os.environ.get("NUMBA_CACHE_DIR")
    if not folder:
        return None
    # two processes at once would both compile everything; the second waits, and finds it done
    Path(folder).mkdir(parents=True, exist_ok=True)
    with open(Path(folder) / "compiling.lock", "a", encoding="utf-8") as lock:
        with suppress(ImportError):  # not on Windows: there both compile
            import fcntl

            fcntl.flock(lock, fcntl.LOCK_EX)
        _run_every_loop()
    return Path(folder)


def _run_every_loop() -> None:
    from ..engines import loops  # after the folder is named

    first, second = np.triu_indices(3, 1)
    ranks, zeros, ones = np.arange(3), np.zeros(3, dtype=np.int64), np.ones((3, 2))
    rank_of = np.full((3, 3), -1)
    rank_of[first, second] = rank_of[second, first] = ranks
    slots = np.stack([first, second], axis=1)
    pairs = DrawnPairs(first, second, ones, rank_of, zeros, zeros, 1, zeros, slots, ranks, zeros)
    ties = RankedTies(
        first[None].astype(np.int32),
        second[None].astype(np.int32),
        ranks[None],
        ranks[None] + 1,
        np.array([3]),
        np.zeros(1, dtype=np.int64),
        np.array([0.5]),
    )
    labels, kept = np.array([[0, 1, 0]]), np.zeros((1, 1), dtype=np.int64)
    by_slot, inside = np.zeros((1, 3, 2, 2)), np.zeros((1, 1, 1, 2, 2))
    loops.first_kept(labels, ties, kept)
    base = BaseSums(0, np.zeros((3, 1, 2)), np.zeros((1, 1, 2)))
    loops.sum_moved(labels, kept[:, 0], pairs, base, by_slot, inside)
    loops.add_up(by_slot, zeros, np.zeros((1, 1, 2, 2)))
    loops.sum_pairs(labels, np.ones((1, 3)), pairs, by_slot, inside)
    weights = np.ones((1, 1, 2, 2, 1))
    loops.sum_squared_scores(by_slot, ranks, zeros, weights, np.arange(2), np.zeros((1, 1)))
    curve = CurvePairs(first, second, zeros, ones)
    counts = np.zeros((1, 1, 2, 1, 2))
    loops.sum_curve(ranks[None], labels, curve, ties, counts, np.zeros((*counts.shape, 2)))
