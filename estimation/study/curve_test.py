"""The joint permutation of the specification curve: the same reassignments of admissions in all
specs (docs/methods, section 14.3).

After Simonsohn, Simmons and Nelson (2020): is the curve as a whole unusual, where no single spec is
chosen? Its statistics are the median of the estimates in standard deviations of the outcome, and
the share of specs that reject zero.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
import pandas as pd

from ..analyses.rules import TIE_RULES
from ..analyses.spec import Spec
from ..analyses.specification_curve import ANALYSIS
from ..analyses.without_p import why_no_p
from ..defaults import LEVEL
from ..engines.records import CurvePairs, RankedTies
from ..estimators.cohort_weights import Timing, estimate_means
from ..inference.permutation.assignments import draw_relabellings
from ..inference.permutation.draws import TOLERANCE, permutation_p_value
from ..measures.synchronization import pair_outcome
from ..panel.pair_panel import number_cohorts
from ..sample.cities import build_sample_cities
from ..sample.marts import Marts
from ..sample.outcomes import CitySeries, build_series, moving, split_outcome
from ..sample.ties import pair_matrix

# draws whose sums are held at a time
CHUNK = 50
LEFT_OUT = -1
ALL_OUTCOMES = "all"
# classes of 496 pairs of provinces would cost more than all other specs together
COMMON, REGIONS = "year", "region_pair_year"


def in_the_test(spec: Spec) -> bool:
    """Return whether a spec of the curve takes part: its outcome has a p, and its year effects are
    common or of pairs of regions.
    """
    return why_no_p(spec.outcome) is None and spec.effects[1] in (COMMON, REGIONS)


def run_curve_test(marts: Marts, specs: Sequence[Spec]) -> list[dict[str, Any]]:
    """Return the joint permutation p of the curve, over all outcomes and for each.

    Parameters
    ----------
    marts : Marts
        As of `run_curve`.
    specs : sequence of Spec
        Those of the curve that were estimated; the ones that are not `in_the_test` are left out.
        Admissions are permuted within provinces, a city's whole record at once, as often as the
        first says.

    Returns
    -------
    list of dict
        Rows of ``estimates.curve_test``; empty without specs.
    """
    specs = [spec for spec in specs if in_the_test(spec)]
    if not specs or specs[0].permutations < 1:
        return []
    in_sd = standardised_estimates(marts, specs)
    outcomes = np.array([spec.outcome for spec in specs])
    rejects = _rejects(in_sd)
    chosen = {ALL_OUTCOMES: np.ones(len(specs), dtype=bool)}
    chosen |= {str(outcome): outcomes == outcome for outcome in np.unique(outcomes)}
    return [_row(outcome, in_sd[:, own], rejects[:, own]) for outcome, own in chosen.items()]


def _row(outcome: str, in_sd: np.ndarray, rejects: np.ndarray) -> dict[str, Any]:
    median, share = np.nanmedian(in_sd, axis=1), rejects.mean(axis=1)
    return {
        "spec_id": f"{ANALYSIS}.{outcome}.every",
        "outcome": outcome,
        "n_specs": in_sd.shape[1],
        "draws": len(in_sd) - 1,
        "median_sd": float(median[0]),
        "p_value_median": permutation_p_value(
            abs(median[0]), np.abs(median[1:]), is_enumeration=False
        ),
        "share_rejects": float(share[0]),
        "p_value_share": permutation_p_value(share[0], share[1:], is_enumeration=False),
    }


def _rejects(in_sd: np.ndarray) -> np.ndarray:
    """Return whether the size of an estimate is among the largest 5 % of its spec's, of the real
    assignment and the draws; shape (B + 1, S).
    """
    size = np.where(np.isfinite(in_sd), np.abs(in_sd), -1.0)
    ordered = np.sort(size, axis=0)
    # how many are at least as large, itself among them
    larger = len(size) - np.stack(
        [np.searchsorted(one, own - TOLERANCE) for one, own in zip(ordered.T, size.T, strict=True)],
        axis=1,
    )
    return (larger <= LEVEL * len(size) + TOLERANCE) & (size >= 0)


def standardised_estimates(marts: Marts, specs: Sequence[Spec]) -> np.ndarray:
    """Return estimates in standard deviations of their outcome, of the real assignment (first) and
    of each draw; shape (draws + 1, S).
    """
    cities, study_window = marts.cities, marts.study_window
    draws, seed = specs[0].permutations, specs[0].seed
    keys = [(spec.series, spec.window or study_window) for spec in specs]
    series = {key: moving(build_series(marts.city_years, *key)) for key in dict.fromkeys(keys)}
    is_used = cities["city_id"].isin(
        np.unique(np.concatenate([found.city_ids for found in series.values()]))
    )
    known = cities[is_used].drop_duplicates("city_id").sort_values("city_id").reset_index(drop=True)
    records = _draw_records(known["province_id"].to_numpy(), draws, seed)
    result = np.full((draws + 1, len(specs)), np.nan)
    for key, found in series.items():
        own = [k for k, one in enumerate(keys) if one == key]
        panel = _build_panel(known, marts.pairs, found, [specs[k] for k in own])
        for start in range(0, len(records), CHUNK):
            result[start : start + CHUNK, own] = _estimates(panel, records[start : start + CHUNK])
    return result


def _draw_records(province: np.ndarray, draws: int, seed: int) -> np.ndarray:
    """Return the position of the city whose admission a city has, the real one first; shape (draws
    + 1, N).
    """
    own = np.arange(len(province), dtype=np.int64)
    return np.vstack([own, draw_relabellings(own, province, draws, seed)])


@dataclass(frozen=True)
class _Panel:
    """All that the specs of one series and window share.

    Attributes
    ----------
    specs : list of Spec
    measures, tie_rules : tuple of str
        Tie rules but the one that keeps every pair.
    timings : dict
        When groups are treated, by rule of admission.
    labels : (K, N) int array
        Group of each city by rule of admission, -1 left out.
    span : (T,) int array
        Years that every estimator weighs alike are one span.
    pairs : CurvePairs
        Sums: outcomes by span, then their squares over all years, measure by measure.
    ties : RankedTies
    """

    specs: list[Spec]
    measures: tuple[str, ...]
    tie_rules: tuple[str, ...]
    timings: dict[tuple[str, str], Timing]
    labels: np.ndarray
    span: np.ndarray
    pairs: CurvePairs
    ties: RankedTies


def _build_panel(
    known: pd.DataFrame, city_pairs: pd.DataFrame, found: CitySeries, specs: list[Spec]
) -> _Panel:
    measures = tuple(dict.fromkeys(split_outcome(spec.outcome)[0] for spec in specs))
    tie_rules = tuple(
        dict.fromkeys(
            spec.tie_rule for spec in specs if TIE_RULES[spec.tie_rule].measure is not None
        )
    )
    last_of_rule = {_rule(spec): spec for spec in specs}
    admissions = {rule: _admission(known, found.years, spec) for rule, spec in last_of_rule.items()}
    timings = {rule: timing for rule, (_, timing) in admissions.items()}
    # before the last year ahead of the first admission every estimator weighs the years alike
    first = min(int(timing.start[timing.start > 0].min()) for timing in timings.values())
    span = np.maximum(np.arange(len(found.years)) - max(first - 2, 0), 0)
    i, j = np.triu_indices(len(found.city_ids), 1)
    outcomes = np.stack([pair_outcome(measure, found.d, i, j) for measure in measures])
    by_span = [outcomes[:, :, span == s].mean(axis=2) for s in range(span.max() + 1)]
    values = np.concatenate([*by_span, (outcomes**2).sum(axis=2)]).T
    place = np.searchsorted(known["city_id"], found.city_ids)
    left, right = place[i], place[j]
    pairs = CurvePairs(
        left, right, _pair_class(known, left, right, specs), np.ascontiguousarray(values)
    )
    labels = np.stack([label for label, _ in admissions.values()])
    return _Panel(
        specs,
        measures,
        tie_rules,
        timings,
        labels,
        span,
        pairs,
        _rank_ties(tie_rules, city_pairs, found.city_ids, (left, right), len(known)),
    )


def _rule(spec: Spec) -> tuple[str, str]:
    return spec.treatment_rule, spec.control_group


def _admission(known: pd.DataFrame, years: np.ndarray, spec: Spec) -> tuple[np.ndarray, Timing]:
    """Return the group of each city (-1 left out) under the spec's rule, and when groups are
    treated.
    """
    kept = build_sample_cities(
        known, known["city_id"].to_numpy(dtype=np.int64), spec, int(years[-1])
    )
    group_years, group = number_cohorts(kept["cohort"].to_numpy())
    label = np.full(len(known), LEFT_OUT, dtype=np.int64)
    label[np.searchsorted(known["city_id"], kept["city_id"])] = group
    return label, Timing(
        np.concatenate([[len(years)], np.searchsorted(years, group_years)]), len(years)
    )


def _pair_class(
    known: pd.DataFrame, left: np.ndarray, right: np.ndarray, specs: list[Spec]
) -> np.ndarray:
    """Pair of regions of each pair; one class where no spec asks for regions."""
    if all(spec.effects[1] == COMMON for spec in specs):
        return np.zeros(len(left), dtype=np.int64)
    code = np.unique(known["region"].fillna("").to_numpy(dtype=str), return_inverse=True)[1]
    lower, upper = np.minimum(code[left], code[right]), np.maximum(code[left], code[right])
    return np.unique(lower * (code.max() + 1) + upper, return_inverse=True)[1]


def _rank_ties(
    tie_rules: tuple[str, ...],
    pairs: pd.DataFrame,
    ids: np.ndarray,
    ends: tuple[np.ndarray, np.ndarray],
    n_cities: int,
) -> RankedTies:
    left, right = ends
    rules = [TIE_RULES[name] for name in tie_rules]
    measures = tuple(dict.fromkeys((rule.measure, rule.sign) for rule in rules))
    shape, upper = (len(measures), len(left)), np.triu_indices(len(ids), 1)
    rank_of = np.full((len(measures), n_cities, n_cities), -1, dtype=np.int64)
    next_larger = np.zeros(shape, dtype=np.int64)
    n_tied = np.zeros(len(measures), dtype=np.int64)
    for m, (measure, sign) in enumerate(measures):
        tie = sign * pair_matrix(ids, pairs, measure)[upper]
        n_tied[m] = n = int(np.isfinite(tie).sum())
        order = np.argsort(tie, kind="stable")[:n]
        first, second = left[order], right[order]
        rank_of[m, first, second] = rank_of[m, second, first] = np.arange(n)
        next_larger[m, :n] = np.searchsorted(tie[order], tie[order], side="right")
    which = np.array([measures.index((rule.measure, rule.sign)) for rule in rules], dtype=np.int64)
    return RankedTies(
        rank_of,
        next_larger,
        n_tied,
        which,
        np.array([rule.quantile for rule in rules], dtype=float),
    )


def _estimates(panel: _Panel, records: np.ndarray) -> np.ndarray:
    """Return estimates of the panel's specs in standard deviations of their outcome under each
    record; shape (B, S).
    """
    from ..engines.loops import sum_curve  # importing numba takes as long as a small fit

    n_sets, n_classes = 2 ** len(panel.tie_rules), int(panel.pairs.pair_class.max()) + 1
    counts = np.zeros(
        (len(records), len(panel.labels), n_sets, n_classes, int(panel.labels.max()) + 1)
    )
    sums = np.zeros((*counts.shape, panel.pairs.values.shape[1]))
    sum_curve(records, panel.labels, panel.pairs, panel.ties, counts, sums)
    result, rules = np.empty((len(records), len(panel.specs))), list(panel.timings)
    samples = groupby(
        sorted(range(len(panel.specs)), key=lambda k: _sample(panel.specs[k])),
        key=lambda k: _sample(panel.specs[k]),
    )
    for (rule, tie_rule), own in samples:
        sets = [
            s
            for s in range(n_sets)
            if tie_rule not in panel.tie_rules or s >> panel.tie_rules.index(tie_rule) & 1
        ]
        timing, k = panel.timings[rule], rules.index(rule)
        sample = tuple(
            values[:, k, sets][:, :, :, : len(timing.start)].sum(axis=1)
            for values in (counts, sums)
        )
        for spec, estimate in _fit(panel, timing, sample, list(own)):
            result[:, spec] = estimate
    return result


def _sample(spec: Spec) -> tuple[tuple[str, str], str]:
    return _rule(spec), spec.tie_rule


def _fit(
    panel: _Panel, timing: Timing, sample: tuple[np.ndarray, np.ndarray], own: list[int]
) -> Iterator[tuple[int, np.ndarray]]:
    """Position and standardised estimates (B,) of the specs of one sample: counts (B, C, G + 1) and
    sums (B, C, G + 1, D).
    """
    counts, sums = sample
    sums = sums.reshape(*sums.shape[:3], -1, len(panel.measures))
    n_rows = np.maximum(counts.sum(axis=(1, 2)), 1.0)[:, None] * timing.n_years
    whole = sums.sum(axis=(1, 2))
    mean = np.einsum("s,bsm->bm", np.bincount(panel.span).astype(float), whole[:, :-1]) / n_rows
    sd = np.sqrt(np.maximum(whole[:, -1] / n_rows - mean**2, 0.0))
    by_class = counts, sums[..., :-1, :]
    together = tuple(values.sum(axis=1, keepdims=True) for values in by_class)
    found: dict[tuple[str, str], np.ndarray] = {}
    for k in own:
        spec = panel.specs[k]
        model = spec.estimator, spec.effects[1]
        if model not in found:
            n, y = by_class if model[1] == REGIONS else together
            means = y / np.maximum(n, 1.0)[..., None, None]
            found[model] = estimate_means(spec.estimator, n, means, timing, panel.span) / np.where(
                sd > 0, sd, np.nan
            )
        yield k, found[model][:, panel.measures.index(split_outcome(spec.outcome)[0])]
