"""Studentised permutation of admission over cities (docs/methods, section 7): one for every rule of
the sample and every estimator.

Compiled loops sum the pairs of each draw by city and group; what an estimator makes of the sums is
its `DrawModel`, for many draws at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ...engines.draw_sums import PairDraws, SumsOfDraws
from ...engines.solve import invert_normal, outcome_columns
from ...influence.draw_model import DrawModel
from ...options import Options
from ...panel.fit_sample import FitSample
from .assignments import draw_or_enumerate
from .draws import Draws, enough_after, run_in_chunks, say_that_loops_compile

# sums of so many numbers are held at a time: few enough for the processor's cache, and draws enough
# for the algebra to be worth a call
AT_ONCE = 2**22
# labels of cities (B, N) to their weights (B, N)
CityWeights = Callable[[np.ndarray], np.ndarray]
# for each outcome the statistics of some terms by position, and of joint tests by name; None for an
# outcome that nobody asked for
Observed = Sequence[tuple[Mapping[int, float], Mapping[str, float]] | None]
# The first FIRST draws are made before checking whether a p needs more; each next batch is MARGIN
# times what should suffice, so that checks are few and hardly any draw is superfluous.
FIRST, MARGIN = 249, 1.1


class _Race:
    """Draws of one model, and which of its terms and tests still need draws, by outcome."""

    def __init__(
        self,
        model: DrawModel,
        observed: Observed | None,
        room: tuple[int, bool],
        enough: list[tuple[int | None, int | None]],
    ) -> None:
        self.model, n_outcomes = model, model.statistics.layout.n_outcomes
        self.observed = [({}, {})] * n_outcomes if observed is None else observed
        (n_draws, is_enumeration), n_terms = room, len(model.design.terms)
        #: How many at least as extreme end the draws of terms, and of tests, by outcome.
        self.enough = enough
        self.draws = [
            Draws.empty(n_draws, n_terms, model.tests, is_enumeration) for _ in range(n_outcomes)
        ]
        # nothing where an outcome is not wanted
        self.terms: list[np.ndarray] = [np.arange(0)] * n_outcomes
        self.tests: list[tuple] = [()] * n_outcomes
        for k, of_outcome in enumerate(self.observed):
            if of_outcome is not None:
                self.terms[k] = np.arange(n_terms)
                self.tests[k] = tuple(model.tests)

    @property
    def has_end(self) -> bool:
        """Whether anything may end before all draws are made."""
        return any(
            terms is not None or (tests is not None and self.model.tests)
            for terms, tests in self.enough
        )

    @property
    def is_going(self) -> bool:
        """Whether anything is still drawn."""
        return any(map(len, self.terms)) or any(self.tests)

    def used(self) -> np.ndarray:
        """Return positions of the statistics of outcomes of which something is still drawn."""
        layout = self.model.statistics.layout
        return np.unique(
            [
                outcome_columns(layout, m)
                for m in range(layout.n_outcomes)
                if len(self.terms[m]) or self.tests[m]
            ]
        )

    def decide(self, made: int, n_draws: int) -> float:
        """Keep the terms and tests that have a statistic and need more draws. Return how many draws
        should suffice for all of them.
        """
        wanted = [float(made)]
        of_outcomes = zip(self.draws, self.observed, self.enough, strict=True)
        for m, (draws, observed, enough) in enumerate(of_outcomes):
            if observed is None:
                continue
            terms, tests = observed
            after: dict[Any, Any] = {
                c: enough_after(terms[c], draws.statistic[:made, c], enough[0])
                for c in self.terms[m].tolist()
                if c in terms
            } | {
                name: enough_after(tests[name], draws.tests[name][:made], enough[1])
                for name in self.tests[m]
                if name in tests
            }
            going = {key for key, count in after.items() if made < min(count, n_draws)}
            wanted += [after[key] for key in going]
            for c in self.terms[m].tolist():
                draws.made[c] = min(after.get(c, made), made)
            for name in set(self.tests[m]).difference(going):
                draws.tests[name] = draws.tests[name][: min(after.get(name, made), made)]
            self.terms[m] = np.array([c for c in self.terms[m].tolist() if c in going], np.int64)
            self.tests[m] = tuple(name for name in self.tests[m] if name in going)
        return max(wanted)


def permute(
    sample: FitSample,
    model: DrawModel,
    strata: np.ndarray,
    options: Options,
    *,
    name: str = "",
    city_weights: CityWeights | None = None,
    observed: Observed | None = None,
) -> list[Draws]:
    """Refit a model and every outcome under reassigned admissions; the sample rule is applied anew
    in each draw.

    Parameters
    ----------
    sample : FitSample
    model : DrawModel
    strata : (N,) int array
        Labels move only within a stratum.
    options : Options
        Its draws and seed; all relabellings are enumerated instead where there are fewer.
    name : str
        Estimator by which the options say how many draws are enough.
    city_weights : callable, optional
        Weights of the cities under each assignment; NaN where there are none. A pair weighs the
        product of its cities.
    observed : Observed, optional
        What the real assignment gave: which outcomes are asked for, and, where the options say how
        many draws are enough, until when each term and test is drawn.

    Returns
    -------
    list of Draws
        By position of the outcome in the sample.
    """
    say_that_loops_compile()
    types = model.design.city_type
    labels, is_enumeration = draw_or_enumerate(
        sample.roles if types is None else types, strata, options.permutations, options.seed
    )
    has_tests = bool(model.tests)
    model = model.narrowed()
    is_weighted = city_weights is not None
    sums = PairDraws(sample, model.design, model.statistics, has_tests, is_weighted)
    enough: list[tuple[int | None, int | None]] = [(None, None)] * len(sample.outcomes)
    if not is_enumeration:
        enough = [options.enough_for(name, outcome) for outcome in sample.outcomes]
    race = _Race(model, observed, (len(labels), is_enumeration), enough)
    made = 0
    end = min(len(labels), FIRST) if race.has_end else len(labels)
    while race.is_going:

        def run(part: slice, start: int = made) -> None:
            used, is_tested = race.used(), any(race.tests)
            step = max(1, AT_ONCE // sums.size_of(len(used)))
            for k in range(start + part.start, start + part.stop, step):
                some = slice(k, min(k + step, start + part.stop))
                given = None if city_weights is None else city_weights(labels[some])
                _fit(sums.of(labels[some], given, used, is_tested), race, some)

        run_in_chunks(end - made, run)
        made = end
        wanted = race.decide(made, len(labels))
        end = min(len(labels), 2 * made + 1, int(MARGIN * min(wanted, len(labels))) + 1)
    return race.draws


def _fit(sums: SumsOfDraws, race: _Race, some: slice) -> None:
    """Fill some draws of a model from their sums."""
    model, layout = race.model, race.model.statistics.layout
    estimate, weights = model.estimate_and_weights(sums.totals, race.terms)
    for m, (chosen, draws) in enumerate(zip(race.terms, race.draws, strict=True)):
        if len(chosen) == 0:
            continue
        squares = sums.squares(weights[m], outcome_columns(layout, m))
        found = np.where(squares > 0, estimate[:, m, chosen], np.nan)
        draws.coefficient[some, chosen] = found
        with np.errstate(invalid="ignore", divide="ignore"):
            draws.statistic[some, chosen] = np.abs(found) / np.sqrt(squares)
    if not any(race.tests) or not sums.inside.shape[1]:
        return
    deleted, can_go = sums.without_provinces()
    asked = np.unique(np.concatenate([model.tests[name] for names in race.tests for name in names]))
    refits = model.estimate(deleted.reshape(-1, *deleted.shape[2:]), asked)
    refits = refits.reshape(*deleted.shape[:2], -1, len(asked))
    for m, names in enumerate(race.tests):
        for name in names:
            rows = model.tests[name]
            place = np.searchsorted(asked, rows)
            race.draws[m].tests[name][some] = _joint_f(
                estimate[:, m, rows], refits[:, :, m, place], can_go
            )


def _joint_f(estimate: np.ndarray, refits: np.ndarray, can_go: np.ndarray) -> np.ndarray:
    """F (B,) that k estimates (B, k) are all zero, with the jackknife covariance of refits (B, R,
    k), as `Refits.joint_f`; NaN where there is none.
    """
    n, k = can_go.sum(axis=1), estimate.shape[1]
    deviations = np.where(can_go[:, :, None], refits - estimate[:, None], 0.0)
    defined = np.isfinite(deviations).all(axis=(1, 2)) & np.isfinite(estimate).all(axis=1) & (n > k)
    deviations = np.where(defined[:, None, None], deviations, 0.0)
    covariance = np.einsum("bra,brc->bac", deviations, deviations)
    covariance *= ((n - 1) / np.maximum(n, 1))[:, None, None]
    variance = np.einsum("baa->ba", covariance)
    scale = 1 / np.sqrt(np.where(variance > 0, variance, 1.0))
    inverse, lost = invert_normal(covariance * scale[:, :, None] * scale[:, None, :])
    scaled = estimate * scale
    wald = np.einsum("ba,bac,bc->b", scaled, inverse, scaled)
    return np.where(
        defined & ~lost.any(axis=1), wald * (n - k) / (k * np.maximum(n - 1.0, 1.0)), np.nan
    )
