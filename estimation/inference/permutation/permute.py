"""Studentised permutation of admission over cities (docs/methods, section 7): one for every rule of
the sample and every estimator.

Compiled loops sum the pairs of each draw by city and group; what an estimator makes of the sums is
its `DrawModel`, for many draws at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

import numpy as np

from ...engines.drawn import DrawnSums, PairDraws
from ...engines.interface import SummedSample
from ...engines.solve import invert_normal, outcome_columns
from ...influence.draw_model import DrawModel
from ...options import Options
from ...panel.pair_panel import FitSample
from .assignments import draw_or_enumerate
from .draws import Draws, is_extreme, run_in_chunks, say_that_loops_compile

# sums of so many numbers are held at a time: they stay in the processor's cache
AT_ONCE = 2**20
# labels of cities (B, N) to their weights (B, N)
CityWeights = Callable[[np.ndarray], np.ndarray]
# for each outcome the statistics of some terms by position, and of joint tests by name
Observed = Sequence[tuple[Mapping[int, float], Mapping[str, float]]]
# draws before it is first asked whether they are enough
FIRST = 250


def permute(
    sample: FitSample | SummedSample,
    models: Mapping[str, DrawModel],
    strata: np.ndarray,
    options: Options,
    city_weights: CityWeights | None = None,
    observed: Mapping[str, Observed] = MappingProxyType({}),
) -> dict[tuple[str, int], Draws]:
    """Refit every model and outcome under reassigned admissions; the sample rule is applied anew in
    each draw.

    Parameters
    ----------
    sample : FitSample
    models : mapping of str to DrawModel
        All of them move the same types of cities.
    strata : (N,) int array
        Labels move only within a stratum.
    options : Options
        Its draws and seed; all relabellings are enumerated instead where there are fewer.
    city_weights : callable, optional
        Weights of the cities under each assignment; NaN where there are none. A pair weighs the
        product of its cities.
    observed : mapping of str to Observed, optional
        What the real assignment gave, where the options say how many draws are enough: a model is
        drawn until each of its statistics has so many.

    Returns
    -------
    dict
        Draws by (name of the model, position of the outcome in the sample).
    """
    say_that_loops_compile()
    types = next(iter(models.values())).design.city_type
    labels, is_enumeration = draw_or_enumerate(
        sample.city_group if types is None else types, strata, options.permutations, options.seed
    )
    weights = None if city_weights is None else city_weights(labels)
    found = {}
    for group in _same_sums(models):
        first, n_outcomes = models[group[0]], models[group[0]].statistics.layout.n_outcomes
        draws = {
            name: _empty(models[name], len(labels), is_enumeration, options.enough)
            for name in group
        }
        has_tests = any(models[name].tests for name in group)
        if isinstance(sample, SummedSample):
            sums = sample.draws(first.design, has_tests)
        else:
            sums = PairDraws(sample, first.design, first.statistics, has_tests)
        going, made = list(group), 0
        while going and made < len(labels):
            end = len(labels)
            if options.enough is not None and not is_enumeration:
                end = min(end, max(FIRST, 2 * made))

            def run(part: slice, start=made, going=tuple(going), sums=sums, draws=draws) -> None:
                step = max(1, AT_ONCE // sums.size)
                for k in range(start + part.start, start + part.stop, step):
                    some = slice(k, min(k + step, start + part.stop))
                    given = None if weights is None else weights[some]
                    by_slot, inside = sums.of(labels[some], given)
                    for name in going:
                        _fit(sums, models[name], by_slot, inside, draws[name], some)

            run_in_chunks(end - made, run)
            made = end
            for name in tuple(going):
                if end == len(labels) or _is_decided(draws[name], observed.get(name), made):
                    going.remove(name)
                    for m in range(n_outcomes):
                        found[name, m] = draws[name][m].first(made)
    return found


def _is_decided(draws: list[Draws], observed: Observed | None, made: int) -> bool:
    """Whether every observed statistic has draws enough that are at least as extreme."""
    if observed is None:
        return False
    for of_outcome, (statistics, tests) in zip(draws, observed, strict=True):
        columns = [(of_outcome.statistic[:made, c], value) for c, value in statistics.items()]
        columns += [(of_outcome.tests[name][:made], value) for name, value in tests.items()]
        if any(is_extreme(drawn, value).sum() < of_outcome.enough for drawn, value in columns):
            return False
    return True


def _same_sums(models: Mapping[str, DrawModel]) -> list[list[str]]:
    """Names of models whose draws need the same sums of the same statistics."""
    groups: list[list[str]] = []
    for name, model in models.items():
        for group in groups:
            other = models[group[0]]
            if model.statistics is other.statistics and all(
                np.array_equal(getattr(model.design, part), getattr(other.design, part))
                for part in ("pair_class", "n_classes", "loading", "block")
            ):
                group.append(name)
                break
        else:
            groups.append([name])
    return groups


def _empty(model: DrawModel, n_draws: int, is_enumeration: bool, enough: int | None) -> list[Draws]:
    n_terms, n_outcomes = len(model.design.terms), model.statistics.layout.n_outcomes
    return [
        Draws(
            *(np.full((n_draws, n_terms), np.nan) for _ in range(2)),
            {name: np.full(n_draws, np.nan) for name in model.tests},
            is_enumeration,
            enough,
        )
        for _ in range(n_outcomes)
    ]


def _fit(
    sums: DrawnSums,
    model: DrawModel,
    by_slot: np.ndarray,
    inside: np.ndarray,
    draws: list[Draws],
    some: slice,
) -> None:
    """Fill the draws of one model from the sums of some of them."""
    from ...engines.loops import sum_squared_scores

    totals = sums.totals(by_slot)
    estimate, weights = model.estimate_and_weights(totals)
    for m, of_outcome in enumerate(draws):
        squares = np.zeros(estimate[:, m].shape)
        sum_squared_scores(
            by_slot,
            sums.slot_city,
            sums.slot_block,
            weights[m],
            outcome_columns(model.statistics.layout, m),
            squares,
        )
        found = np.where(squares > 0, estimate[:, m], np.nan)
        of_outcome.coefficient[some] = found
        with np.errstate(invalid="ignore", divide="ignore"):
            of_outcome.statistic[some] = np.abs(found) / np.sqrt(squares)
    if not model.tests or sums.n_provinces == 0:
        return
    deleted, can_go = sums.without_provinces(totals, by_slot, inside)
    shape = deleted.shape[:2]
    refits = model.estimate(deleted.reshape(-1, *deleted.shape[2:])).reshape(
        *shape, *estimate.shape[1:]
    )
    for m, of_outcome in enumerate(draws):
        for name, rows in model.tests.items():
            of_outcome.tests[name][some] = _joint_f(
                estimate[:, m, rows], refits[:, :, m, rows], can_go
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
