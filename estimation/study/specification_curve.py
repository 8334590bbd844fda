"""The specification curve: thousands of specs in one pass over their samples, on balanced panels
collapsed to cells.

The samples are those of `panel`, the estimates those of `fit`; only the way there is shorter, and
nothing is permuted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

import numpy as np
import pandas as pd

from ..analyses.rules import TIE_MEASURES, TIE_RULES
from ..analyses.spec import TIE_NEEDS, SampleError, Spec
from ..analyses.without_p import why_no_p
from ..estimators.cohort_means import (
    CellFit,
    CellPanel,
    build_cell_panel,
    fit_cells,
    jackknife_df_of_cells,
    sum_city_cells,
)
from ..inference.intervals import intervals_of
from ..inference.variances import (
    city_variance,
    conventional_variance,
    default_vcov,
    jackknife_degrees,
)
from ..influence.influence_fit import sum_by_city
from ..influence.shock_weights import CitySums
from ..measures.synchronization import pair_outcome
from ..panel.pair_panel import NEVER
from ..sample.build import hash_panels
from ..sample.cities import build_sample_cities
from ..sample.outcomes import CitySeries, build_series, split_outcome
from ..sample.ties import choose_pairs
from .withhold import INFERENCE

TERMS = {"twfe": "treated", "callaway_santanna": "att", "borusyak": "att"}
Window = tuple[int, int]


@dataclass
class CurveRows:
    """Rows of ``estimates.estimate`` and ``estimates.specification``, and the reason of each spec
    that was not run.
    """

    estimate: list[dict[str, Any]] = field(default_factory=list)
    specification: list[dict[str, Any]] = field(default_factory=list)
    reasons: dict[str, str] = field(default_factory=dict)

    def in_order_of(self, specs: Sequence[Spec]) -> CurveRows:
        """The same rows in the order of the specs."""
        order = {spec.spec_id: k for k, spec in enumerate(specs)}
        by_spec = [
            sorted(rows, key=lambda row: order[row["spec_id"]])
            for rows in (self.estimate, self.specification)
        ]
        return CurveRows(
            *by_spec,
            {
                spec.spec_id: self.reasons[spec.spec_id]
                for spec in specs
                if spec.spec_id in self.reasons
            },
        )


@dataclass(frozen=True)
class _CurveSample:
    """Kept pairs of one sample: cities as positions in the sample_cities, groups by cohort, and the
    series of the sample's cities.
    """

    sample_cities: pd.DataFrame
    city_i: np.ndarray
    city_j: np.ndarray
    group: np.ndarray
    start: np.ndarray
    series: CitySeries


def run_curve(
    cities: pd.DataFrame,
    pairs: pd.DataFrame,
    city_years: pd.DataFrame,
    specs: Sequence[Spec],
    study_window: Window,
) -> CurveRows:
    """Estimate all specs, each with its default line and the conventional one.

    Parameters
    ----------
    cities, pairs, city_years : DataFrame
        ``marts.dim_city``, ``marts.fct_city_pair`` and ``marts.fct_city_year``.
    specs : sequence of Spec
    study_window : (first year, last year)
        For specs without a window of their own.

    Returns
    -------
    CurveRows
        In the order of the specs.
    """
    rows, ties = CurveRows(), ties_by_city(pairs)
    region = cities.drop_duplicates("city_id").set_index("city_id").get("region")
    for (series, window), members in _groups(
        specs, lambda spec: (spec.series, spec.window or study_window)
    ):
        try:
            found = build_series(city_years, series, window)
        except SampleError as error:
            rows.reasons |= {spec.spec_id: str(error) for spec in members}
            continue
        for _, sharing in _groups(
            members, lambda spec: (spec.treatment_rule, spec.control_group, spec.tie_rule)
        ):
            try:
                sample = _build_sample(cities, ties, found, sharing[0])
            except SampleError as error:
                rows.reasons |= {spec.spec_id: str(error) for spec in sharing}
                continue
            _fit_sample(sample, sharing, region, rows)
    return rows.in_order_of(specs)


def _groups(
    specs: Sequence[Spec], key: Callable[[Spec], tuple]
) -> Iterator[tuple[tuple, list[Spec]]]:
    """Specs with the same key, whatever their order."""
    for found, members in groupby(sorted(specs, key=key), key=key):
        yield found, list(members)


def group_by_window(specs: Sequence[Spec]) -> list[list[Spec]]:
    """Specs of one series on one window together:

    `run_curve` of each part gives the rows that it gives of all, in another order.
    """
    return [
        members for _, members in _groups(specs, lambda spec: (spec.series, spec.window or (0, 0)))
    ]


def ties_by_city(pairs: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Each measure of the tie as a symmetric table of cities by cities."""
    ids = np.union1d(pairs["city_i_id"], pairs["city_j_id"]).astype(np.int64)
    i, j = (
        np.searchsorted(ids, pairs[name].to_numpy(dtype=np.int64))
        for name in ("city_i_id", "city_j_id")
    )
    found = {}
    for measure in (name for name in TIE_MEASURES if name in pairs):
        table = np.full((len(ids), len(ids)), np.nan)
        table[i, j] = table[j, i] = pairs[measure].to_numpy(dtype=float, na_value=np.nan)
        found[measure] = pd.DataFrame(table, index=ids, columns=ids)
    return found


def _build_sample(
    cities: pd.DataFrame, ties: dict[str, pd.DataFrame], found: CitySeries, spec: Spec
) -> _CurveSample:
    """The sample that `sample.build.build_sample` would give."""
    rule, members, table = TIE_RULES[spec.tie_rule], found.city_ids, None
    moves = ((found.d - found.d.mean(axis=1, keepdims=True)) ** 2).mean(axis=1) > 1e-18
    members = members[moves]
    if rule.measure is not None:
        if rule.measure not in ties:
            raise SampleError(
                f"needs the column {rule.measure} of marts.fct_city_pair, which is not there"
            )
        table = ties[rule.measure].reindex(index=members, columns=members).to_numpy()
        has_tie = np.isfinite(table).any(axis=1)
        if not has_tie.any():
            raise SampleError(
                f"needs ties between cities, that is {TIE_NEEDS}: no pair of complete cities has "
                "a tie strength"
            )
        members, table = members[has_tie], table[np.ix_(has_tie, has_tie)]
    sample_cities = build_sample_cities(cities, members, spec, int(found.years[-1]))
    stays = np.isin(members, sample_cities["city_id"])
    cohort = sample_cities["cohort"].to_numpy()
    i, j = np.triu_indices(len(sample_cities), 1)
    tie = None if table is None else rule.sign * table[np.ix_(stays, stays)][i, j]
    kept = choose_pairs(tie, (i, j), cohort, spec).kept
    i, j = i[kept], j[kept]
    group_years = np.unique(cohort[cohort > NEVER])
    pair_cohort = np.maximum(cohort[i], cohort[j])
    group = np.where(pair_cohort > NEVER, np.searchsorted(group_years, pair_cohort) + 1, 0)
    start = np.concatenate([[len(found.years)], np.searchsorted(found.years, group_years)])
    rows = np.searchsorted(found.city_ids, sample_cities["city_id"])
    return _CurveSample(
        sample_cities,
        i,
        j,
        group,
        start,
        CitySeries(sample_cities["city_id"].to_numpy(), found.years, found.d[rows]),
    )


def _fit_sample(
    sample: _CurveSample, specs: list[Spec], region: pd.Series | None, rows: CurveRows
) -> None:
    outcomes = tuple(dict.fromkeys(spec.outcome for spec in specs))
    y = np.stack(
        [
            pair_outcome(split_outcome(name)[0], sample.series.d, sample.city_i, sample.city_j).T
            for name in outcomes
        ]
    )
    ids, cohort = (
        sample.sample_cities["city_id"].to_numpy(),
        sample.sample_cities["cohort"].to_numpy(),
    )
    i, j = sample.city_i, sample.city_j
    hashes = hash_panels(
        (ids[i], ids[j]),
        np.maximum(cohort[i], cohort[j]),
        sample.series.years,
        (outcome.T for outcome in y),
    )
    common = [{"panel_hash": found} for found in hashes]
    outcome_sd = y.std(axis=(1, 2)).tolist()
    codes, province = np.unique(sample.sample_cities["province_id"], return_inverse=True)
    cells = build_cell_panel(
        y, sample.group, sample.start, (province[sample.city_i], province[sample.city_j])
    )
    for (effects,), sharing in _groups(specs, lambda spec: (spec.effects,)):
        if effects[1] == "region_pair_year" and region is None:
            rows.reasons |= {
                spec.spec_id: "needs the column region of marts.dim_city, which is not there"
                for spec in sharing
            }
            continue
        estimators = list(dict.fromkeys(spec.estimator for spec in sharing))
        block_class = _block_class(cells, effects, codes, sample, region)
        fits = fit_cells(cells, estimators, block_class)
        sums = sum_city_cells(cells, (sample.city_i, sample.city_j), province, block_class)
        found = {
            estimator: _intervals(sample, estimator, fits[estimator], province, sums)
            for estimator in estimators
        }
        for spec in sharing:
            m, (counts, intervals) = outcomes.index(spec.outcome), found[spec.estimator]
            _add(
                spec,
                common[m] | counts,
                float(fits[spec.estimator].estimate[m]),
                intervals[m],
                outcome_sd[m],
                rows,
            )


def _block_class(
    cells: CellPanel,
    effects: tuple[str, ...],
    codes: np.ndarray,
    sample: _CurveSample,
    region: pd.Series | None,
):
    """Which blocks of two provinces share year effects; None for all."""
    if effects[1] == "year":
        return None
    if effects[1] == "province_pair_year":
        return np.arange(len(cells.counts))
    # a region is made of whole provinces
    first_city = (
        sample.sample_cities.drop_duplicates("province_id")
        .set_index("province_id")["city_id"]
        .reindex(codes)
    )
    code = np.unique(
        region.reindex(first_city).fillna("").to_numpy(dtype=str), return_inverse=True
    )[1]
    sides = np.sort(code[cells.block_province], axis=1)
    return np.unique(sides[:, 0] * (code.max() + 1) + sides[:, 1], return_inverse=True)[1]


def _intervals(
    sample: _CurveSample, estimator: str, fit: CellFit, province: np.ndarray, city_sums: CitySums
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Counts of the fit, and by outcome the intervals of its default line and of the conventional
    one.
    """
    # pairs treated in every year are neither effect nor control of the group-time estimators
    used = (
        np.ones(len(sample.group), dtype=bool)
        if estimator == "twfe"
        else sample.start[sample.group] > 0
    )
    i, j, n_cities = sample.city_i[used], sample.city_j[used], len(sample.sample_cities)
    held = np.bincount(np.concatenate([i, j]), minlength=n_cities) > 0
    is_pilot = sample.sample_cities["cohort"].to_numpy() > NEVER
    n_pilots, n_pilot_provinces = (
        int((held & is_pilot).sum()),
        len(np.unique(province[held & is_pilot])),
    )
    counts = {
        "n_obs": int(used.sum()) * len(sample.series.years),
        "n_pairs": int(used.sum()),
        "n_cities": int(held.sum()),
    }
    jackknife, conventional = fit.jackknife_variance(), conventional_variance(fit.psi.T)
    sums = sum_by_city(fit.psi.T, sample.city_i, sample.city_j, n_cities)
    city = city_variance(
        sums, held & is_pilot, held & ~is_pilot, np.full(len(fit.estimate), n_pilots)
    )
    n_provinces = int(fit.can_go.sum())
    is_carried = fit.has_carrier | ~np.isfinite(fit.refits[fit.can_go]).all(axis=0)
    jackknife_df = jackknife_degrees(
        n_provinces, n_pilot_provinces, jackknife_df_of_cells(fit, city_sums)
    )
    intervals = []
    for m, b in enumerate(fit.estimate.tolist()):
        has = (bool(np.isfinite(jackknife[m])), bool(np.isfinite(city[m])))
        name = default_vcov(
            n_pilots, n_pilot_provinces, n_provinces, *has, is_carried=bool(is_carried[m])
        )
        variances = {
            "province_jackknife": jackknife[m],
            "city": city[m],
            "conventional": conventional[m],
        }
        shown = {vcov: variances[vcov] for vcov in (name, "conventional") if vcov in variances}
        intervals.append(
            intervals_of(
                b, shown, n_pairs=counts["n_pairs"], n_pilots=n_pilots, jackknife_df=jackknife_df
            )
        )
    return {**counts, "n_pilots": n_pilots}, intervals


def _add(
    spec: Spec,
    common: dict[str, Any],
    estimate: float,
    intervals: dict[str, Any],
    outcome_sd: float,
    rows: CurveRows,
) -> None:
    if not np.isfinite(estimate):
        rows.reasons[spec.spec_id] = (
            f"{spec.estimator} identifies no effect beside {' and '.join(spec.effects)} effects "
            "in this sample"
        )
        return
    names = ("spec_id", "analysis", "estimator", "outcome", "treatment_rule", "tie_rule")
    row = {
        **{name: getattr(spec, name) for name in names},
        **common,
        "term": TERMS[spec.estimator],
        "cohort_year": None,
        "event_time": None,
        "p_value_withheld_reason": why_no_p(spec.outcome),
    }
    for vcov, interval in intervals.items():
        inference = {
            name: None if row["p_value_withheld_reason"] else getattr(interval, name)
            for name in INFERENCE
        }
        rows.estimate.append(
            {
                **row,
                "vcov": vcov,
                "is_default": vcov != "conventional",
                "estimate": float(estimate),
                **inference,
            }
        )
    rows.specification.append(
        {
            **{
                name: getattr(spec, name)
                for name in (
                    "spec_id",
                    "outcome",
                    "series",
                    "treatment_rule",
                    "tie_rule",
                    "estimator",
                    "control_group",
                )
            },
            "measure": split_outcome(spec.outcome)[0],
            "window": "study window"
            if spec.window is None
            else f"{spec.window[0]}-{spec.window[1]}",
            "effects": " + ".join(spec.effects),
            "outcome_sd": outcome_sd,
        }
    )
