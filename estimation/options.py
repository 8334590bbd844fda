"""What a fit may be asked for beside its panel: one record from the call of `fit` to the solver."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from .defaults import DRAWS

# a p whose draws hold so many that are at least as extreme has a standard error of a tenth of it
# (Besag and Clifford 1991)
ENOUGH = 100
# which pairs Callaway-Sant'Anna compares a cohort with (docs/methods, section 6)
CONTROL_PAIRS = ("never_treated", "not_yet_treated")


@dataclass(frozen=True)
class Options:
    """Settings of a fit.

    Attributes
    ----------
    vcov : sequence of str, optional
        Of `INFERENCE_METHODS`. None: each coefficient's default, and permutation. Empty: one row
        per coefficient without inference, its `vcov` an empty text.
    permutations : int
        Draws; 0 leaves the permutation out. With fewer relabellings than that, all are enumerated.
    enough : int, optional
        A coefficient's draws end with the one that is the so many-th at least as extreme; None: all
        are made; 0: nobody reads its p, and the first of them do.
    enough_of : mapping of (str, int) to int or None
        The same of some (estimator, outcome).
    enough_of_tests : int, optional
        The same of joint tests, whose draws refit without each province.
    seed : int
    shuffle : "province", "all" or (N,) array
        Admission years move within provinces (over all cities where codes are missing), over all
        cities, or within these strata.
    tie_quantile : float, optional
        Keep pairs strictly above this quantile of the ties of pairs with at most one pilot, in the
        real assignment and in each draw.
    n_partners : int, optional
        Keep pairs in which one city is among the other's so many strongest never-treated partners,
        chosen anew in each draw.
    control_pairs : "never_treated" or "not_yet_treated"
        Which pairs `callaway_santanna` compares a cohort with; the second adds those of cohorts
        that are treated later.
    reference : int
        Event time that an event study leaves out.
    binning : (int, int), optional
        First and last event time of an event study; those beyond are counted to them.
    keep_parts : bool
        Whether results keep what pictures are drawn from.
    """

    vcov: Sequence[str] | None = None
    permutations: int = DRAWS
    enough: int | None = None
    enough_of: Mapping[tuple[str, int], int | None] = field(default_factory=dict)
    enough_of_tests: int | None = None
    seed: int = 1
    shuffle: Any = "province"
    tie_quantile: float | None = None
    n_partners: int | None = None
    control_pairs: str = CONTROL_PAIRS[0]
    reference: int = -1
    binning: tuple[int, int] | None = None
    keep_parts: bool = False

    def but(self, **changes: Any) -> Options:
        """Return the same with some settings changed."""
        return replace(self, **changes) if changes else self

    def enough_for(self, estimator: str, outcome: int) -> tuple[int | None, int | None]:
        """`enough` of an estimator's coefficients on an outcome, and of its joint tests."""
        enough = self.enough_of.get((estimator, outcome), self.enough)
        return enough, enough if enough == 0 else self.enough_of_tests

    @property
    def wants_draws(self) -> bool:
        """Whether a permutation is asked for."""
        return self.permutations > 0 and (self.vcov is None or "permutation" in self.vcov)
