"""From marts to a sample: which cities, which pairs, treated when (docs/methods, sections 3 to 5).

Pure; no estimation.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from ..analyses.rules import TIE_RULES
from ..analyses.series import SERIES
from ..analyses.spec import SampleError, Spec
from ..panel.pair_panel import NEVER, PairPanel
from .cities import build_dose, build_sample_cities, build_strata, share_short_exposure
from .exposure import add_pair_controls
from .marts import Marts
from .outcomes import build_synchronization, split_outcome
from .ties import PAIR_BASE, choose_pairs, cities_with_tie, tie_of


@dataclass(frozen=True)
class StudySample:
    """The panel of a spec, and which of its pairs are kept.

    Attributes
    ----------
    panel : PairPanel
        Every candidate pair (`none`, `one` and `both`), cities and pairs in order of their ids; its
        tie is the measure of the tie rule times its sign, None under tie rule `all`.
    outcomes : tuple of str
        Names of the panel's M outcomes.
    kept : (P,) bool array
        Pairs in the estimation sample under the real assignment.
    counts : dict of str to float
        What it consists of, as diagnostics are named: ``n_cities`` and ``n_pilots`` of the balanced
        outcome sample; ``n_pairs_one``, ``n_pairs_none``, ``n_pairs_both``, candidate pairs by
        exposure before the tie rule (`both` pairs are never kept); ``n_pairs`` and ``n_rows`` that
        are kept; ``tie_median``, the threshold of the tie rule among `one` and `none` pairs, pooled
        (the median tie in the baseline; NaN where the rule has none); ``first_year``,
        ``last_year``; ``share_short_exposure`` of treated pair-years with under 6 months of
        exposure: those in the year of an approval of July to December; ``n_cities_dropped``, cities
        of the marts that are not in it (a gap in the outcome, no tie where the rule needs one, or
        no control by the rule).
    strata : (N,) int array or None
        Groups within which admission years are shuffled, where the rule is neither the province nor
        all cities.
    dose : (N, T) float array or None
        Standardised dose of treatment, where the spec has one.
    is_second_half : (N,) bool array or None
        Cities approved in July to December.
    city_covariates : (N, K) float array or None
        The spec's controls as columns of ``marts.dim_city``, NaN where it has none: what
        never-treated cities are weighted by.
    """

    panel: PairPanel
    outcomes: tuple[str, ...]
    kept: np.ndarray
    counts: dict[str, float]
    strata: np.ndarray | None = None
    dose: np.ndarray | None = None
    is_second_half: np.ndarray | None = None
    city_covariates: np.ndarray | None = None


def build_sample(
    cities: pd.DataFrame,
    pairs: pd.DataFrame,
    synchronization: pd.DataFrame,
    spec: Spec,
    *,
    outcomes: tuple[str, ...] | None = None,
) -> StudySample:
    """Build the sample of a spec.

    Parameters
    ----------
    cities : DataFrame
        ``marts.dim_city``: city_id, province_id, the years of the treatment rule; for the shuffle
        within GDP terciles also ``gdp_mean_cny_100m``, the mean nominal GDP of 2010-2014.
    pairs : DataFrame
        ``marts.fct_city_pair``: city_i_id, city_j_id and the measure of the tie rule.
    synchronization : DataFrame
        ``marts.fct_pair_synchronization``: keys and outcome columns; null where a city of the pair
        has a gap.
    spec : Spec
    outcomes : tuple of str, optional
        Several outcomes of one sample (M of them); default is the spec's own.

    Returns
    -------
    StudySample

    Raises
    ------
    SampleError
        If series, ties, pilots or never-treated cities are missing; the message says what the
        sample needs.
    """
    balanced = balance_pair_years(synchronization, spec, outcomes or (spec.outcome,))
    return sample_of(cities, pairs, balanced, spec)


@dataclass(frozen=True)
class BalancedPairYears:
    """Outcomes and controls in the years for which the outcomes exist at all.

    Attributes
    ----------
    keys : (P,) int array
        Sorted keys of the pairs.
    years : (T,) int array
    outcomes : tuple of str
    values : (outcomes and controls, P, T) float array
    complete : int array
        Ids of the cities without a gap.
    """

    keys: np.ndarray
    years: np.ndarray
    outcomes: tuple[str, ...]
    values: np.ndarray
    complete: np.ndarray


def balance_pair_years(
    synchronization: pd.DataFrame, spec: Spec, outcomes: tuple[str, ...]
) -> BalancedPairYears:
    """Return what samples of one window, outcomes and controls share; see `build_sample`.

    A measure is null in every pair of a city with a gap, so a city with one complete pair is
    complete.
    """
    missing = [name for name in (*outcomes, *spec.controls) if name not in synchronization.columns]
    if missing:
        raise SampleError(
            f"needs the column {missing[0]} of marts.fct_pair_synchronization, which is not there"
        )
    years = _window_years(synchronization, spec)
    keys, values = pair_years(synchronization, (*outcomes, *spec.controls), years)
    present = np.isfinite(values[: len(outcomes)]).all(axis=0)
    used = present.any(axis=0)
    complete = keys[present[:, used].all(axis=1)]
    if used.sum() < 2 or not len(complete):
        needs = SERIES[spec.series].needs if spec.series in SERIES else spec.series
        raise SampleError(
            f"needs {needs} without gaps from {years[0]} to {years[-1]} for at least two cities: "
            "no pair of cities has it in all these years"
        )
    cities = np.union1d(complete // PAIR_BASE, complete % PAIR_BASE)
    return BalancedPairYears(keys, years[used], outcomes, values[:, :, used], cities)


def sample_of(
    cities: pd.DataFrame, pairs: pd.DataFrame, balanced: BalancedPairYears, spec: Spec
) -> StudySample:
    """Return the sample of a spec from pair-years of its window; see `build_sample`."""
    keys, left, right = balanced.keys, balanced.keys // PAIR_BASE, balanced.keys % PAIR_BASE
    tie, members = tie_of(keys, pairs, TIE_RULES[spec.tie_rule]), balanced.complete
    if tie is not None:
        members = cities_with_tie(left, right, tie, members)
    sample_cities = build_sample_cities(cities, members, spec, int(balanced.years[-1]))
    members = sample_cities["city_id"].to_numpy()
    # a table of all ids takes a third of the time of a sort
    inside = np.isin([left, right], members, kind="table").all(axis=0)
    return _assemble(
        sample_cities,
        keys[inside],
        balanced.years,
        balanced.outcomes,
        balanced.values[:, inside],
        None if tie is None else tie[inside],
        spec,
        cities,
    )


def _window_years(synchronization: pd.DataFrame, spec: Spec) -> np.ndarray:
    years = np.sort(pd.unique(synchronization["year"].to_numpy(dtype=np.int64)))
    if spec.window is not None:
        years = years[(years >= spec.window[0]) & (years <= spec.window[1])]
    if years.size < 2:
        raise SampleError(f"needs at least 2 years of pairs in the window, found {years.size}")
    return years


def pair_years(
    frame: pd.DataFrame, columns: tuple[str, ...], years: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return columns of a frame of pair-years as a cube: sorted pair keys (P,), values (columns, P,
    T).
    """
    row_key = frame["city_i_id"].to_numpy(dtype=np.int64) * PAIR_BASE + frame["city_j_id"].to_numpy(
        dtype=np.int64
    )
    year_no = pd.Index(years).get_indexer(frame["year"].to_numpy(dtype=np.int64))
    inside = year_no >= 0
    pair_no, keys = pd.factorize(row_key[inside], sort=True)
    cell = pair_no * years.size + year_no[inside]
    values = np.full((len(columns), keys.size * years.size), np.nan)
    for k, column in enumerate(columns):
        values[k, cell] = frame[column].to_numpy(dtype=float, na_value=np.nan)[inside]
    return keys, values.reshape(len(columns), keys.size, years.size)


def _assemble(
    sample_cities: pd.DataFrame,
    keys: np.ndarray,
    years: np.ndarray,
    outcomes: tuple[str, ...],
    values: np.ndarray,
    tie: np.ndarray | None,
    spec: Spec,
    cities: pd.DataFrame,
) -> StudySample:
    ids, city_cohort = sample_cities["city_id"].to_numpy(), sample_cities["cohort"].to_numpy()
    city_i, city_j = np.searchsorted(ids, keys // PAIR_BASE), np.searchsorted(ids, keys % PAIR_BASE)
    n_treated, kept, threshold = choose_pairs(tie, (city_i, city_j), city_cohort, spec)
    treated = np.flatnonzero(kept & (n_treated == 1))
    counts = {
        "n_cities": ids.size,
        "n_pilots": int((city_cohort > NEVER).sum()),
        "n_pairs_one": int((n_treated == 1).sum()),
        "n_pairs_none": int((n_treated == 0).sum()),
        "n_pairs_both": int((n_treated == 2).sum()),
        "n_pairs": int(kept.sum()),
        "n_rows": int(np.isfinite(values[0])[kept].sum()),
        "tie_median": threshold,
        "first_year": int(years[0]),
        "last_year": int(years[-1]),
        "share_short_exposure": share_short_exposure(
            sample_cities, (city_i, city_j), treated, years, spec.treatment_rule
        ),
        "n_cities_dropped": np.setdiff1d(cities["city_id"].to_numpy(dtype=np.int64), ids).size,
    }
    split = len(outcomes)
    panel = PairPanel(
        city_i=city_i,
        city_j=city_j,
        years=years,
        y=values[:split],
        city_cohort=city_cohort,
        province=sample_cities["province_id"].to_numpy(),
        controls=values[split:] if len(values) > split else None,
        tie=tie,
        city_ids=ids,
    )
    return StudySample(
        panel,
        outcomes,
        kept,
        counts,
        strata=build_strata(sample_cities, spec),
        is_second_half=sample_cities["is_second_half"].to_numpy(dtype=bool),
        city_covariates=_city_covariates(cities, ids, spec),
    )


def _city_covariates(cities: pd.DataFrame, ids: np.ndarray, spec: Spec) -> np.ndarray | None:
    if not spec.controls:
        return None
    by_id = cities.drop_duplicates("city_id").set_index("city_id").reindex(ids)
    return (
        by_id.reindex(columns=list(spec.controls))
        .apply(pd.to_numeric)
        .to_numpy(dtype=float, na_value=np.nan)
    )


def hash_panel(
    city_ids: tuple[np.ndarray, np.ndarray],
    cohort: np.ndarray,
    years: np.ndarray,
    outcome: np.ndarray,
) -> str:
    """Return the hash of kept pair-years: keys, cohort and values, whatever order they were stored
    in.

    Parameters
    ----------
    city_ids : two (P,) int arrays
        Ids of the cities of each kept pair, in their order.
    cohort : (P,) int array
        The pilot's year, 0 for a pair of never-treated cities.
    years : (T,) int array
    outcome : (P, T) float array

    Returns
    -------
    str
        sha256 in hexadecimal.
    """
    digest = hashlib.sha256()
    for array in (*city_ids, cohort, years):
        digest.update(np.ascontiguousarray(array, dtype="<i8").tobytes())
    # adding zero turns -0.0 into 0.0
    digest.update(np.ascontiguousarray(outcome + 0.0, dtype="<f8").tobytes())
    return digest.hexdigest()


def hash_sample(sample: StudySample, outcome_no: int) -> str:
    """`hash_panel` of the kept pairs and the outcome at a position of ``sample.outcomes``."""
    panel, kept = sample.panel, sample.kept
    ids = (panel.city_ids[panel.city_i[kept]], panel.city_ids[panel.city_j[kept]])
    return hash_panel(ids, panel.cohort[kept], panel.years, panel.y[outcome_no][kept])


def group_outcomes(group: list[Spec]) -> tuple[str, ...]:
    """Return outcomes of the specs of a group, each once."""
    return tuple(dict.fromkeys(spec.outcome for spec in group))


def pair_years_of(marts: Marts, group: list[Spec]) -> pd.DataFrame:
    """Return outcomes and controls of a group by pair and year; outcomes on another window, or of a
    series the mart does not pair, are made from city series.
    """
    window, outcomes = group[0].window, group_outcomes(group)
    of_pairs = [outcome for outcome in outcomes if split_outcome(outcome) is None]
    if marts.years is not None and of_pairs:
        raise SampleError(
            f"needs {of_pairs[0]} of all pair-years, which are too many to hold here: outcomes "
            "are made from series of cities"
        )
    is_delivered = bool(of_pairs) or set(outcomes) <= set(marts.synchronization.columns)
    if window is None and marts.years is None and is_delivered:
        frame = marts.synchronization
    elif (window or marts.study_window) is None:
        raise SampleError("needs a study window with pairs, found none")
    else:
        frame = build_synchronization(marts.city_years, outcomes, window or marts.study_window)
    return add_pair_controls(frame, marts.cities, group[0].controls)


def build_group_sample(marts: Marts, group: list[Spec]) -> StudySample:
    """Return the sample of a group, with the dose of its treatment where its specs have one."""
    given = (marts.cities, marts.pairs, pair_years_of(marts, group))
    sample = build_sample(*given, group[0], outcomes=group_outcomes(group))
    if not group[0].dose:
        return sample
    dose = build_dose(
        marts.policy_zones,
        group[0].dose,
        sample.panel.city_ids,
        sample.panel.city_cohort,
        sample.panel.years,
    )
    return replace(sample, dose=dose)
