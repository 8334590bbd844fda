"""The specification curve: thousands of specs in one pass over their samples, on balanced panels
collapsed to cells.

The estimates are those of `fit`; only the way there is shorter, and nothing is permuted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import Any

import numpy as np
import pandas as pd

from ..analyses.spec import SampleError, Spec
from ..analyses.without_p import why_no_p
from ..estimators.cohort_means import (
    CellFit,
    CellPanel,
    build_cell_panel,
    fit_cells,
    jackknife_df_of_cells,
    sum_city_cells,
)
from ..estimators.registry import ESTIMATORS
from ..inference.intervals import intervals_of
from ..inference.variances import (
    city_variance,
    conventional_variance,
    default_vcov,
    jackknife_degrees,
)
from ..influence.influence_fit import sum_by_city
from ..influence.shock_weights import CitySums
from ..panel.pair_panel import NEVER, PairPanel, number_cohorts
from ..sample.build import StudySample, balance_pair_years, hash_sample, sample_of
from ..sample.marts import Marts
from ..sample.outcomes import build_synchronization, split_outcome
from .tables import Tables, not_run
from .withhold import INFERENCE


def run_curve(marts: Marts, specs: Sequence[Spec]) -> Tables:
    """Estimate all specs, each with its default method and the conventional one.

    Parameters
    ----------
    marts : Marts
        With city-years and a study window, which is that of specs without one of their own.
    specs : sequence of Spec

    Returns
    -------
    dict of str to list of dict
        Rows of ``estimate``, ``specification`` and ``not_run``.
    """
    rows: Tables = {"estimate": [], "specification": [], "not_run": []}
    cities, study_window = marts.cities, marts.study_window
    region = cities.drop_duplicates("city_id").set_index("city_id")["region"]
    for (_, window), members in _groups(
        specs, lambda spec: (spec.series, spec.window or study_window)
    ):
        outcomes = tuple(dict.fromkeys(spec.outcome for spec in members))
        try:
            found = build_synchronization(marts.city_years, outcomes, window)
            balanced = balance_pair_years(found, members[0], outcomes)
        except SampleError as error:
            rows["not_run"] += not_run(members, str(error))
            continue
        for _, sharing in _groups(
            members, lambda spec: (spec.treatment_rule, spec.control_group, spec.tie_rule)
        ):
            try:
                sample = sample_of(cities, marts.pairs, balanced, sharing[0])
            except SampleError as error:
                rows["not_run"] += not_run(sharing, str(error))
                continue
            _fit_sample(sample, sharing, region, rows)
    return rows


def _groups(
    specs: Sequence[Spec], key: Callable[[Spec], tuple]
) -> Iterator[tuple[tuple, list[Spec]]]:
    """Specs with the same key, whatever their order."""
    for found, members in groupby(sorted(specs, key=key), key=key):
        yield found, list(members)


def _fit_sample(sample: StudySample, specs: list[Spec], region: pd.Series, rows: Tables) -> None:
    panel = sample.panel.of_pairs(sample.kept)
    common = [{"panel_hash": hash_sample(sample, m)} for m in range(len(sample.outcomes))]
    y = np.ascontiguousarray(panel.y.transpose(0, 2, 1))
    outcome_sd = y.std(axis=(1, 2)).tolist()
    group_years = number_cohorts(panel.city_cohort)[0]
    group = np.where(panel.cohort > NEVER, np.searchsorted(group_years, panel.cohort) + 1, 0)
    start = np.concatenate([[len(panel.years)], np.searchsorted(panel.years, group_years)])
    province = np.unique(panel.province, return_inverse=True)[1]
    cells = build_cell_panel(y, group, start, (province[panel.city_i], province[panel.city_j]))
    for (effects,), sharing in _groups(specs, lambda spec: (spec.effects,)):
        estimators = list(dict.fromkeys(spec.estimator for spec in sharing))
        block_class = _block_class(cells, effects, panel, region)
        fits = fit_cells(cells, estimators, block_class)
        sums = sum_city_cells(cells, (panel.city_i, panel.city_j), province, block_class)
        found = {
            estimator: _intervals(panel, start[group] > 0, estimator, fits[estimator], sums)
            for estimator in estimators
        }
        for spec in sharing:
            m, (counts, intervals) = sample.outcomes.index(spec.outcome), found[spec.estimator]
            _add(
                spec,
                common[m] | counts,
                float(fits[spec.estimator].estimate[m]),
                intervals[m],
                outcome_sd[m],
                rows,
            )


def _block_class(
    cells: CellPanel, effects: tuple[str, ...], panel: PairPanel, region: pd.Series
) -> np.ndarray | None:
    """Return which blocks of two provinces share year effects; None for all."""
    if effects[1] == "year":
        return None
    if effects[1] == "province_pair_year":
        return np.arange(len(cells.counts))
    # a region is made of whole provinces
    first_city = panel.city_ids[np.unique(panel.province, return_index=True)[1]]
    code = np.unique(
        region.reindex(first_city).fillna("").to_numpy(dtype=str), return_inverse=True
    )[1]
    sides = np.sort(code[cells.block_province], axis=1)
    return np.unique(sides[:, 0] * (code.max() + 1) + sides[:, 1], return_inverse=True)[1]


def _intervals(
    panel: PairPanel, sometimes: np.ndarray, estimator: str, fit: CellFit, city_sums: CitySums
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return counts of the fit, and by outcome the intervals of its default method and of the
    conventional one; `sometimes` (P,) are the pairs that are untreated in a year.
    """
    # pairs treated in every year are neither effect nor control of the group-time estimators
    used = sometimes | ESTIMATORS[estimator].uses_always_treated
    i, j, n_cities = panel.city_i[used], panel.city_j[used], panel.n_cities
    held = np.bincount(np.concatenate([i, j]), minlength=n_cities) > 0
    is_pilot = panel.city_cohort > NEVER
    n_pilots, n_pilot_provinces = (
        int((held & is_pilot).sum()),
        len(np.unique(panel.province[held & is_pilot])),
    )
    counts = {
        "n_obs": int(used.sum()) * len(panel.years),
        "n_pairs": int(used.sum()),
        "n_cities": int(held.sum()),
    }
    jackknife, conventional = fit.jackknife_variance(), conventional_variance(fit.psi.T)
    sums = sum_by_city(fit.psi.T, panel.city_i, panel.city_j, n_cities)
    city = city_variance(
        sums, held & is_pilot, held & ~is_pilot, np.full(len(fit.estimate), n_pilots)
    )
    n_provinces = int(fit.can_go.sum())
    is_carried = fit.needs_a_province | ~np.isfinite(fit.refits[fit.can_go]).all(axis=0)
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
    rows: Tables,
) -> None:
    if not np.isfinite(estimate):
        effects = " and ".join(spec.effects)
        lacks = f"{spec.estimator} identifies no effect beside {effects} effects in this sample"
        rows["not_run"] += not_run([spec], lacks)
        return
    names = ("spec_id", "analysis", "estimator", "outcome", "treatment_rule", "tie_rule")
    row = {
        **{name: getattr(spec, name) for name in names},
        **common,
        "term": ESTIMATORS[spec.estimator].term,
        "cohort_year": None,
        "event_time": None,
        "p_value_withheld_reason": why_no_p(spec.outcome),
    }
    for vcov, interval in intervals.items():
        inference = {
            name: None if row["p_value_withheld_reason"] else getattr(interval, name)
            for name in INFERENCE
        }
        rows["estimate"].append(
            {
                **row,
                "vcov": vcov,
                "is_default": vcov != "conventional",
                "estimate": float(estimate),
                **inference,
            }
        )
    rows["specification"].append(
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
