"""What an estimator hands to the permutation: how sums of pair statistics under any assignment
become estimates and the influence of pairs on them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np

from ..engines.arrays import PairStatistics
from ..engines.regressors import Design


class DrawModel(ABC):
    """One estimator under reassigned admissions.

    Attributes
    ----------
    design : Design
        Says into which groups and blocks pairs fall.
    statistics : PairStatistics
        Of all pairs of the panel: what is summed.
    tests : dict of str to int arrays
        Terms that a joint test sets to zero, in the order of `estimate`.
    """

    def __init__(
        self, design: Design, statistics: PairStatistics, tests: dict[str, np.ndarray]
    ) -> None:
        self.design, self.statistics, self.tests = design, statistics, tests

    def narrowed(self) -> DrawModel:
        """Return the same model of fewer statistics, where it can do with fewer; else itself."""
        return self

    @abstractmethod
    def estimate(self, totals: np.ndarray, terms: np.ndarray) -> np.ndarray:
        """Some terms (A, M, c) of M outcomes, by position, from sums (A, blocks, groups, D); NaN
        where they are not identified.
        """

    @abstractmethod
    def estimate_and_weights(
        self, totals: np.ndarray, terms: Sequence[np.ndarray]
    ) -> tuple[np.ndarray, list[np.ndarray]]:
        """All terms, and for each outcome the weights (A, blocks, groups, d, c) that turn the d
        statistics of a pair (`solve.outcome_columns`) into its influence on c chosen terms.
        """
