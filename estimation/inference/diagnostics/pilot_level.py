"""Whether pilots were of another kind before admission: their level of the outcome against that of
cities of their stratum.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...engines.arrays import bincount_columns
from ...engines.interface import SummedSample
from ...panel.fit_sample import FitSample
from ...panel.pair_panel import number_cohorts
from ..permutation.assignments import draw_or_enumerate
from ..permutation.draws import permutation_p_value
from ..variances import MIN_PILOTS

DRAWS, SEED = 499, 1


@dataclass(frozen=True)
class PilotLevel:
    """Level of pilots in their untreated years, less that of cities of their stratum.

    Attributes
    ----------
    difference : float
        Units of the outcome.
    p_value : float
        Rank of the studentised difference when cohorts are permuted within strata.
    """

    difference: float
    p_value: float


def pilot_level(sample: FitSample, outcome: int, strata: np.ndarray) -> PilotLevel | None:
    """`level_of_means` on a pair panel: a city's mean is that over its kept pairs with
    never-treated cities.

    Parameters
    ----------
    sample : FitSample
    outcome : int
    strata : (N,) int array

    Returns
    -------
    PilotLevel or None
        None where pilots are not known, or as `level_of_means`.
    """
    if not sample.panel.pilots_known:
        return None
    means = (
        sample.means_with_never
        if isinstance(sample, SummedSample)
        else _means_with_never(sample, outcome)
    )
    return level_of_means(means, sample.panel.years, sample.panel.city_cohort, strata)


def _means_with_never(sample: FitSample, outcome: int) -> np.ndarray:
    """Return the mean outcome of a city over its kept pairs with never-treated cities (N, T); NaN
    without one.
    """
    panel = sample.panel
    never, shape = panel.city_cohort == 0, (panel.n_cities, len(panel.years))
    rows = sample.observed & sample.kept[:, None]
    values = np.where(rows, panel.y[outcome], 0.0)
    total, count = np.zeros(shape), np.zeros(shape)
    for own, partner in ((panel.city_i, panel.city_j), (panel.city_j, panel.city_i)):
        used = never[partner].astype(float)
        total += bincount_columns(values, own, (1, shape[0]), used)[0]
        count += bincount_columns(rows.astype(float), own, (1, shape[0]), used)[0]
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def level_of_means(
    means: np.ndarray, years: np.ndarray, cohort: np.ndarray, strata: np.ndarray
) -> PilotLevel | None:
    """Test whether pilots' means of the years before their admission differ from those of cities of
    their stratum.

    A city's level is the mean over its untreated years of its mean less that of all never-treated
    cities of the year. Pilots that load more on a national factor, or are calmer, have another
    level of synchronization; then the factor's path after admission moves them otherwise than their
    peers, and looks like an effect.

    Parameters
    ----------
    means : (N, T) float array
        NaN where a city has none.
    years : (T,) int array
    cohort, strata : (N,) int arrays
        First treated year (0 = never), and the groups within which admissions are comparable.

    Returns
    -------
    PilotLevel or None
        None with fewer than 4 pilots that have an untreated year, or where no pilot has a
        never-treated city in its stratum.
    """
    always = (cohort > 0) & (cohort <= years[0])
    means, cohort, strata = means[~always], cohort[~always], strata[~always]
    present, never = np.isfinite(means), cohort == 0
    count = present[never].sum(axis=0)
    of_year = np.where(
        count > 0, np.where(present, means, 0.0)[never].sum(axis=0) / np.maximum(count, 1), np.nan
    )
    cohorts, label = number_cohorts(cohort)
    untreated = np.vstack([np.ones(len(years), dtype=bool), years[None, :] < cohorts[:, None]])
    gaps = means - of_year
    used = np.isfinite(gaps)
    years_of = np.einsum("nt,ct->nc", used.astype(float), untreated.astype(float))
    level = np.einsum("nt,ct->nc", np.where(used, gaps, 0.0), untreated.astype(float)) / np.maximum(
        years_of, 1
    )
    keep = (years_of > 0).all(axis=1)
    if keep.sum() == 0 or (label[keep] > 0).sum() < MIN_PILOTS:
        return None
    return _test(level[keep], label[keep], strata[keep])


def _test(level: np.ndarray, label: np.ndarray, strata: np.ndarray) -> PilotLevel | None:
    """Return the difference within strata and its rank; level (n, C + 1) of a city under each
    label.
    """
    order = np.argsort(strata, kind="stable")
    level, label, strata = level[order], label[order], strata[order]
    labels, is_enumeration = draw_or_enumerate(label, strata, DRAWS, SEED)
    everyone = np.concatenate([label[None], labels])
    starts = np.flatnonzero(np.r_[True, strata[1:] != strata[:-1]])
    difference, statistic = _differences(level, everyone, starts)
    if not np.isfinite(statistic[0]):
        return None
    return PilotLevel(
        float(difference[0]),
        permutation_p_value(float(statistic[0]), statistic[1:], is_enumeration),
    )


def _differences(
    level: np.ndarray, labels: np.ndarray, starts: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Pilots less others within strata, and its size over its error by city, for labels (B, n) of
    cities sorted by stratum; (B,) both.
    """
    sizes = np.diff(np.r_[starts, labels.shape[1]])

    def spread(sums: np.ndarray) -> np.ndarray:
        return np.repeat(sums / sizes, sizes, axis=-1)

    outcome = level.ravel().take(labels + np.arange(len(level)) * level.shape[1])
    outcome -= spread(np.add.reduceat(outcome, starts, axis=1))
    # every draw has as many pilots in a stratum
    share = spread(np.add.reduceat(labels[0] > 0, starts, dtype=float))
    pilot, squares = (labels > 0) - share, (share * (1 - share)).sum()
    with np.errstate(invalid="ignore", divide="ignore"):
        difference = np.einsum("bn,bn->b", pilot, outcome) / squares
        outcome -= difference[:, None] * pilot
        outcome *= pilot
        errors = np.sqrt(np.einsum("bn,bn->b", outcome, outcome))
        return difference, np.abs(difference) * squares / errors
