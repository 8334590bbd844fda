"""Run every spec on the marts: one sample and one pass of draws for specs that share them; frames as the contract's `estimates` tables."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from estimation.analyses import baseline, dynamics, matching, mechanisms, robustness
from estimation.city_series import INPUTS, add_derived_series
from estimation.fit import FitResult, NotEstimable, fit_outcomes
from estimation.methods.panel_data import PairPanel
from estimation.panel import PAIR_BASE, Sample, SampleError, build_sample, hash_panel
from estimation.rules import TIE_MEASURES, TIE_RULES, TREATMENT_RULES
from estimation.series import SERIES_COLUMNS, build_synchronization, split_outcome
from estimation.specs import Spec

ANALYSES = (baseline, dynamics, matching, robustness, mechanisms)

_TEXT, _REAL, _COUNT, _FLAG = "str", "Float64", "Int64", "boolean"
ESTIMATE_COLUMNS = {
    **dict.fromkeys(("spec_id", "analysis", "estimator", "outcome", "term"), _TEXT),
    **dict.fromkeys(("cohort_year", "event_time"), _COUNT),
    "vcov": _TEXT,
    "is_default": _FLAG,
    **dict.fromkeys(("estimate", "std_error", "ci_low", "ci_high", "p_value"), _REAL),
    **dict.fromkeys(("n_obs", "n_pairs", "n_cities", "n_pilots"), _COUNT),
    **dict.fromkeys(("panel_hash", "treatment_rule", "tie_rule"), _TEXT),
}
DIAGNOSTIC_COLUMNS = {"spec_id": _TEXT, "diagnostic": _TEXT, "term": _TEXT, "value": _REAL}
NOT_RUN_COLUMNS = {"spec_id": _TEXT, "analysis": _TEXT, "reason": _TEXT}
WARNING_COLUMNS = {"spec_id": _TEXT, "warning": _TEXT}
TRUTH_COLUMNS = {"spec_id": _TEXT, "term": _TEXT, "cohort_year": _COUNT, "event_time": _COUNT, "truth": _REAL}
# The mean is taken on DECIMAL, so that it has the same bytes for any thread count.
CITIES = """
with means as (
    select city_id, sum(cast(gdp_nominal_cny_100m as decimal(28, 6))) / count(gdp_nominal_cny_100m) as gdp_mean_cny_100m
    from marts.fct_city_year where year between 2010 and 2014 group by city_id
)
select city_id, city_name_en, province_id, province_name_en, {treated}, cast(gdp_mean_cny_100m as double) as gdp_mean_cny_100m
from marts.dim_city left join means using (city_id) order by city_id
"""


@dataclass(frozen=True)
class Marts:
    """The marts a sample is built from, as data frames in order of their keys; city_years serves outcomes on other windows."""

    cities: pd.DataFrame
    pairs: pd.DataFrame
    synchronization: pd.DataFrame
    city_years: pd.DataFrame | None = None


@dataclass(frozen=True)
class StudyResult:
    """Frames for ``estimates.estimate``, ``.diagnostic``, ``.not_run`` and ``.warning``, columns as in the contract."""

    estimate: pd.DataFrame
    diagnostic: pd.DataFrame
    not_run: pd.DataFrame
    warning: pd.DataFrame


def all_specs() -> tuple[Spec, ...]:
    """Every spec of the analyses, in their order."""
    return tuple(spec for analysis in ANALYSES for spec in analysis.SPECS)


def empty_truth() -> pd.DataFrame:
    """``estimates.truth`` of delivered files: its columns, no row."""
    return _typed([], TRUTH_COLUMNS)


def read_marts(con: Any, specs: Sequence[Spec] | None = None) -> Marts:
    """Read what the specs need, in order of keys.

    Parameters
    ----------
    con : duckdb connection
        With the schema ``marts`` of the build.
    specs : sequence of Spec, optional
        Default is every spec of the analyses.

    Returns
    -------
    Marts
        Outcome and control columns that the mart lacks are left out; their specs then end in ``not_run``.
    """
    outcomes = {name for spec in specs or all_specs() for name in (spec.outcome, *spec.controls)}
    treated = {rule.column for rule in TREATMENT_RULES.values()}
    return Marts(
        cities=con.execute(CITIES.format(treated=", ".join(sorted(treated)))).df(),
        pairs=_read_columns(con, "fct_city_pair", ("city_i_id", "city_j_id"), set(TIE_MEASURES)),
        synchronization=_read_columns(con, "fct_pair_synchronization", ("city_i_id", "city_j_id", "year"), outcomes),
        city_years=add_derived_series(
            _read_columns(con, "fct_city_year", ("city_id", "year"), {*SERIES_COLUMNS.values(), *INPUTS}),
        ),
    )


def _read_columns(con: Any, table: str, keys: tuple[str, ...], wanted: set[str]) -> pd.DataFrame:
    """Keys and the wanted columns that the mart has, in order of the keys."""
    described = con.execute("select column_name from duckdb_columns() where schema_name = 'marts' and table_name = ?", [table])
    columns = ", ".join([*keys, *(f'"{name}"' for name in sorted({name for (name,) in described.fetchall()} & wanted))])
    return con.execute(f"select {columns} from marts.{table} order by {', '.join(keys)}").df()


def run_study(
    marts: Marts,
    specs: Sequence[Spec] | None = None,
    *,
    permutations: int | None = None,
    seed: int | None = None,
    on_progress: Callable[[str], None] | None = None,
) -> StudyResult:
    """Estimate every spec; one that lacks series, ties, pilots or never-pilots becomes a row of ``not_run``.

    Parameters
    ----------
    marts : Marts
    specs : sequence of Spec, optional
        Default is every spec of the analyses.
    permutations, seed : int, optional
        The most draws a spec may take, and the seed of all.
    on_progress : callable, optional
        Called with one line before each group of specs.

    Returns
    -------
    StudyResult
        Rows in order of the specs.
    """
    specs = tuple(_with_settings(spec, permutations, seed) for spec in specs or all_specs())
    rows: dict[str, dict[str, list]] = {spec.spec_id: {"estimate": [], "diagnostic": [], "not_run": [], "warning": []} for spec in specs}
    names = _place_names(marts.cities)
    done = 0
    for group in _groups(specs):
        if on_progress:
            on_progress(f"specs {done + 1}-{done + len(group)} of {len(specs)}: {_sample_name(group[0])}")
        for spec, sample, result in _estimate_group(marts, group):
            rows[spec.spec_id] = _rows_of(spec, sample, result, names)
        done += len(group)
    return StudyResult(
        estimate=_frame(rows, "estimate", ESTIMATE_COLUMNS),
        diagnostic=_frame(rows, "diagnostic", DIAGNOSTIC_COLUMNS),
        not_run=_frame(rows, "not_run", NOT_RUN_COLUMNS),
        warning=_frame(rows, "warning", WARNING_COLUMNS),
    )


def compute_truth(marts: Marts, counterfactual: Marts, specs: Sequence[Spec] | None = None) -> pd.DataFrame:
    """Truth of every spec on simulated data: its own estimator on the difference of the two outcomes, on the factual sample.

    Parameters
    ----------
    marts : Marts
        Of the landing with the effect.
    counterfactual : Marts
        Of the landing from the same shocks without it; only its synchronization is used.
    specs : sequence of Spec, optional
        Default is every spec of the analyses.

    Returns
    -------
    DataFrame
        For ``estimates.truth``; a spec that cannot be run has no row.
    """
    rows = []
    for group in _groups(specs or all_specs()):
        outcomes = _outcomes(group)
        try:
            sample = build_sample(*_frames(marts, group), group[0], outcomes=outcomes)
            without = build_sample(marts.cities, marts.pairs, _frames(counterfactual, group)[2], group[0], outcomes=outcomes)
        except SampleError:
            continue
        effect = dataclasses.replace(sample, y=sample.y - _aligned(without, sample))
        for spec, _, result in _fit_group(effect, group, vcov=(), permutations=0):
            if isinstance(result, str):
                continue
            points = {(e.term, e.cohort_year, e.event_time): e.estimate for e in result.estimates}
            rows += [
                {"spec_id": spec.spec_id, "term": term, "cohort_year": cohort, "event_time": event, "truth": value}
                for (term, cohort, event), value in points.items()
            ]
    return _typed(rows, TRUTH_COLUMNS)


def _with_settings(spec: Spec, permutations: int | None, seed: int | None) -> Spec:
    draws = spec.permutations if permutations is None else min(permutations, spec.permutations)
    return dataclasses.replace(spec, permutations=draws, seed=spec.seed if seed is None else seed)


def _sample_name(spec: Spec) -> str:
    window = "" if spec.window is None else f", {spec.window[0]}-{spec.window[1]}"
    controls = "" if spec.control_group == "never_in_window" else f", controls {spec.control_group}"
    return f"{spec.series}{window}, ties {spec.tie_rule}, treated by {spec.treatment_rule}{controls}, shuffled by {spec.shuffle}"


def _groups(specs: Sequence[Spec]) -> list[list[Spec]]:
    """Specs that share a sample, in order of their first."""
    groups: dict[tuple, list[Spec]] = {}
    for spec in specs:
        groups.setdefault(spec.sample_key, []).append(spec)
    return list(groups.values())


def _outcomes(group: list[Spec]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(spec.outcome for spec in group))


def _frames(marts: Marts, group: list[Spec]) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """What a group's sample is built from; outcomes on another window, or of a series the mart does not pair, are made from city series."""
    window, outcomes = group[0].window, _outcomes(group)
    known = set(marts.synchronization.columns)
    if window is None and (known.issuperset(outcomes) or any(split_outcome(outcome) is None for outcome in outcomes)):
        return marts.cities, marts.pairs, marts.synchronization
    if marts.city_years is None:
        raise SampleError("needs marts.fct_city_year to make outcomes on this window, which is not there")
    years = marts.synchronization["year"]
    if window is None and years.empty:
        raise SampleError("needs a study window with pairs, found none")
    window = window or (int(years.min()), int(years.max()))
    return marts.cities, marts.pairs, build_synchronization(marts.city_years, outcomes, window)


def _estimate_group(marts: Marts, group: list[Spec]) -> Iterator[tuple[Spec, Sample | None, FitResult | str]]:
    """Results by spec; a reason in place of a result where the sample cannot be had."""
    try:
        sample = build_sample(*_frames(marts, group), group[0], outcomes=_outcomes(group))
    except SampleError as error:
        yield from ((spec, None, str(error)) for spec in group)
        return
    yield from _fit_group(sample, group, vcov=group[0].vcov, permutations=group[0].permutations)


def _fit_group(
    sample: Sample, group: list[Spec], *, vcov: tuple[str, ...], permutations: int
) -> Iterator[tuple[Spec, Sample, FitResult | str]]:
    """One call of the estimators for a group; estimators apart from one another, and a reason, where one of them identifies nothing."""
    estimators = tuple(dict.fromkeys(spec.estimator for spec in group))
    try:
        results: dict | str = _fit(sample, group[0], estimators, vcov, permutations)
    except NotEstimable as error:
        results = str(error)
    if isinstance(results, str) and len(estimators) > 1:
        for estimator in estimators:
            own = [spec for spec in group if spec.estimator == estimator]
            yield from _fit_group(sample, own, vcov=vcov, permutations=permutations)
        return
    for spec in group:
        yield spec, sample, results if isinstance(results, str) else results[spec.estimator, sample.outcomes.index(spec.outcome)]


def _fit(sample: Sample, spec: Spec, estimators: tuple[str, ...], vcov: tuple[str, ...], permutations: int) -> dict:
    panel = PairPanel(
        city_i=sample.city_i,
        city_j=sample.city_j,
        years=sample.years,
        y=sample.y,
        city_cohort=sample.city_cohort,
        province=sample.province_ids,
        controls=sample.controls if len(sample.controls) else None,
        tie=sample.tie,
        city_ids=sample.city_ids,
    )
    return fit_outcomes(
        panel,
        estimators=estimators,
        vcov=vcov,
        permutations=permutations,
        seed=spec.seed,
        shuffle=spec.shuffle if sample.strata is None else sample.strata,
        tie_quantile=TIE_RULES[spec.tie_rule].quantile,
        control_names=spec.controls,
    )


def _aligned(other: Sample, sample: Sample) -> np.ndarray:
    """Outcomes of another sample (M, P, T) on the pairs and years of this one, NaN where it has none."""
    keys = [s.city_ids[s.city_i] * PAIR_BASE + s.city_ids[s.city_j] for s in (other, sample)]
    position = pd.Index(keys[0]).get_indexer(keys[1])
    year = pd.Index(other.years).get_indexer(sample.years)
    values = other.y[:, np.maximum(position, 0)][:, :, np.maximum(year, 0)]
    return np.where((position >= 0)[None, :, None] & (year >= 0)[None, None, :], values, np.nan)


def _place_names(cities: pd.DataFrame) -> dict[str, str]:
    """English names of provinces and cities by 'province <id>' and 'city <id>', where the frame has them."""
    return {
        f"{level} {row_id}": name
        for level in ("province", "city")
        if f"{level}_name_en" in cities
        for row_id, name in zip(cities[f"{level}_id"], cities[f"{level}_name_en"], strict=True)
    }


def _with_names(text: str, names: dict[str, str]) -> str:
    """A warning with the name of every province and city after its id."""
    return re.sub(r"(?:province|city) \d{6}\b", lambda found: f"{found[0]} ({names[found[0]]})" if found[0] in names else found[0], text)


def _rows_of(spec: Spec, sample: Sample | None, result: FitResult | str, names: dict[str, str]) -> dict[str, list]:
    if isinstance(result, str):
        return {"estimate": [], "diagnostic": [], "warning": [], "not_run": [_not_run(spec, result)]}
    common = {
        **{name: getattr(spec, name) for name in ("spec_id", "analysis", "estimator", "outcome", "treatment_rule", "tie_rule")},
        **{name: getattr(result, name) for name in ("n_obs", "n_pairs", "n_cities")},
        "panel_hash": hash_panel(sample, sample.outcomes.index(spec.outcome)),
    }
    sample_counts = {name: value for name, value in dataclasses.asdict(sample.description).items() if name != "dropped_city_ids"}
    diagnostics = [(f"sample_{name}", None, value) for name, value in sample_counts.items()]
    diagnostics += [("sample_n_cities_dropped", None, len(sample.description.dropped_city_ids)), *result.diagnostics]
    return {
        "estimate": [{**common, **_estimate_row(estimate)} for estimate in result.estimates],
        "diagnostic": [{"spec_id": spec.spec_id, "diagnostic": d, "term": t, "value": v} for d, t, v in diagnostics],
        "warning": [{"spec_id": spec.spec_id, "warning": _with_names(text, names)} for text in result.warnings],
        "not_run": [],
    }


def _estimate_row(estimate: Any) -> dict[str, Any]:
    names = ("term", "cohort_year", "event_time", "vcov", "is_default", "estimate", "std_error", "ci_low", "ci_high", "p_value", "n_pilots")
    return {name: getattr(estimate, name) for name in names}


def _not_run(spec: Spec, reason: str) -> dict[str, str]:
    return {"spec_id": spec.spec_id, "analysis": spec.analysis, "reason": reason}


def _frame(rows: dict[str, dict[str, list]], table: str, columns: dict[str, str]) -> pd.DataFrame:
    return _typed([row for tables in rows.values() for row in tables[table]], columns)


def _typed(rows: list[dict[str, Any]], columns: dict[str, str]) -> pd.DataFrame:
    """Rows as a frame with the contract's columns and nullable types, so that nothing missing becomes NaN."""
    values = {name: [row[name] for row in rows] for name in columns}
    for name, kind in columns.items():
        if kind == _REAL:
            values[name] = [None if v is None or not np.isfinite(v) else float(v) for v in values[name]]
    return pd.DataFrame({name: pd.array(values[name], dtype=kind) for name, kind in columns.items()})
