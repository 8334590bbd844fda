"""p of a statistic by its rank among draws; p of several, corrected for their number."""

from __future__ import annotations

import numpy as np

from .permutation import TOLERANCE


def rank_p(statistics: np.ndarray) -> float:
    """Return (1 + draws whose absolute statistic is at least the observed one) / (1 + draws); the
    observed one comes first in `statistics` (1 + draws,).
    """
    sizes = np.abs(statistics)
    return float((sizes >= sizes[0] * (1 - TOLERANCE)).sum()) / len(sizes)


def family_p(statistics: np.ndarray) -> list[float]:
    """Return the p of each of S statistics under the same draws (S, J), corrected for their number
    by the Westfall-Young step-down.
    """
    sizes = np.abs(statistics)
    order = np.argsort(-sizes[:, 0], kind="stable")
    of_largest = [rank_p(sizes[order[place:]].max(axis=0)) for place in range(len(order))]
    p = np.empty(len(order))
    p[order] = np.maximum.accumulate(of_largest)
    return p.tolist()
