"""Closed form over all pairs of cities: two-way and group-time effects whose cost grows with
cities, not with pairs.

Covers outcomes that are functions of the two cities' values of a year (`cm`, its parts `comove` and
`dispersion`, `neg_abs_gap`) on a balanced panel of all pairs of the chosen exposures. Does not
cover controls, tie masks or missing years: those go through `estimation.out_of_core.fit` or
`estimation.fit`. Derivation: docs/methods, section 11; variances: section 7.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..inference.variances import city_variance, score_variance
from ..influence.jackknife_df import design_df
from ..influence.refits import Refits
from ..results import NotEstimable
from .cells import PairCells, build_pair_cells, cell_counts, cell_sums
from .models import MODELS, Solved
from .sums import GAP, OUTCOMES, centre, ordered_totals, partner_sums, squared_scores

ESTIMATORS = tuple(MODELS)
EXPOSURES = ("none", "one", "both")


@dataclass(frozen=True)
class CityPanel:
    """Values of cities by year, complete, with each city's first treated year.

    Attributes
    ----------
    values : (N, T) float array
        Standard scores z for `cm` and its parts, growth or residuals for `neg_abs_gap`.
    years : (T,) int array
        Ascending.
    city_cohort : (N,) int array
        First treated year, 0 = never; years after the last one count as never.
    province : (N,) array, optional
        For refits without each province.

    Raises
    ------
    ValueError
        A value is missing or infinite (the city's position and year are named), or shapes and years
        do not fit.
    """

    values: np.ndarray
    years: np.ndarray
    city_cohort: np.ndarray
    province: np.ndarray | None = None

    def __post_init__(self) -> None:
        """Turn everything into arrays and check it."""
        values, years = (
            np.asarray(self.values, dtype=np.float64),
            np.asarray(self.years, dtype=np.int64),
        )
        cohort = np.asarray(self.city_cohort, dtype=np.int64)
        if values.ndim != 2 or values.shape != (len(cohort), len(years)):
            raise ValueError(
                f"values: expected shape ({len(cohort)}, {len(years)}), cities by years, found "
                f"{values.shape}"
            )
        if len(years) < 2 or (np.diff(years) <= 0).any() or len(cohort) < 3:
            raise ValueError(
                f"expected 3 cities and 2 ascending years at least, found {len(cohort)} cities "
                f"and years {years.tolist()}"
            )
        if not np.isfinite(values).all():
            city, year = (int(k) for k in np.argwhere(~np.isfinite(values))[0])
            raise ValueError(
                f"the closed form needs every city in every year: city {city} has no finite value "
                f"in {years[year]}. "
                "Leave the city out, or fit the pairs that exist with estimation.out_of_core.fit"
            )
        province = None if self.province is None else np.asarray(self.province)
        if province is not None and province.shape != cohort.shape:
            raise ValueError(f"province: expected shape {cohort.shape}, found {province.shape}")
        fields = {
            "values": values,
            "years": years,
            "city_cohort": np.where(cohort > years[-1], 0, cohort),
            "province": province,
        }
        for name, value in fields.items():
            object.__setattr__(self, name, value)

    @property
    def group_years(self) -> np.ndarray:
        """Cohort years in the panel, ascending; group 0 is never treated, group g is
        ``group_years[g - 1]``.
        """
        return np.unique(self.city_cohort[self.city_cohort > 0])

    @property
    def group(self) -> np.ndarray:
        """Group of each city; shape (N,)."""
        return np.where(
            self.city_cohort > 0, np.searchsorted(self.group_years, self.city_cohort) + 1, 0
        )


@dataclass(frozen=True)
class PairFit:
    """Coefficients over all pairs and everything that the deterministic lines of inference need; C
    coefficients.

    Attributes
    ----------
    terms : tuple of (term, cohort_year, event_time), length C
        For pairs of two pilots the names end in ``_both``.
    estimate : (C,) float array
    conventional, dyadic : (C,) float arrays or None
        Variances; None for `neg_abs_gap`, whose squared scores have no closed form.
    score, city : (C,) float arrays
        sum U^2 / S^2 and the variance with the factors of pilots and never-pilots (NaN with fewer
        than two of either).
    city_sums : (N, C) float array
        U_i / S.
    n_pilots : (C,) int array
        Pilots in the cells of each coefficient.
    n_pairs, n_obs, n_cities : int
    provinces, cities : Refits or None
        Coefficients without each province (None without codes) and without each city; None unless
        asked for.
    """

    terms: tuple[tuple[str, int | None, int | None], ...]
    estimate: np.ndarray
    conventional: np.ndarray | None
    dyadic: np.ndarray | None
    score: np.ndarray
    city: np.ndarray
    city_sums: np.ndarray
    n_pilots: np.ndarray
    n_pairs: int
    n_obs: int
    n_cities: int
    provinces: Refits | None
    cities: Refits | None


def fit_all_pairs(
    panel: CityPanel,
    *,
    outcome: str = "cm",
    estimator: str = "twfe",
    exposures: tuple[str, ...] = ("none", "one"),
    refits: bool = False,
) -> PairFit:
    """Fit one estimator on all pairs of the chosen exposures, in O(N T^2) for `cm` and O(N log N)
    for `neg_abs_gap`.

    Parameters
    ----------
    panel : CityPanel
    outcome : str
        Of `OUTCOMES`.
    estimator : str
        `twfe`: ``treated`` from the first admission of the pair on and, with `both` pairs,
        ``treated_both`` from the second. `event_study`: the year before admission omitted, ends not
        binned. `callaway_santanna`: group-time effects against pairs without a pilot, varying base,
        and their simple (``att``) and dynamic (``event``) aggregates. In the last two, pairs of two
        pilots have coefficients of their own, by time since their first admission.
    exposures : tuple of str
        Of `EXPOSURES`; the study's sample is ("none", "one").
    refits : bool
        Also estimate without each province and without each city.

    Returns
    -------
    PairFit

    Raises
    ------
    NotEstimable
        There are no treated pairs or nothing to compare them with, or a coefficient is not
        identified.
    ValueError
        An argument is not covered or not one of those named.
    """
    _check_arguments(outcome, estimator, exposures)
    group, group_years = panel.group, panel.group_years
    cells = build_pair_cells(group_years, panel.years, exposures)
    values = centre(panel.values, outcome)
    partners = partner_sums(values, group, cells.n_groups, outcome)
    counts = np.bincount(group, minlength=cells.n_groups).astype(np.float64)
    pairs = cell_counts(counts[None], cells)
    _check_cells(cells, pairs[0])
    sums = cell_sums(ordered_totals(partners, group, cells.n_groups)[None], cells)
    model = MODELS[estimator](cells, panel.years, group_years)
    solved = model.solve(pairs, sums)
    chosen = model.identified(solved, pairs[0], estimator)
    weights, shift = model.influence(solved, pairs[0], sums[0], chosen)
    city_sums = _city_sums(partners, group, counts, cells, weights, shift)
    conventional = (
        None if outcome == GAP else _conventional(values, group, cells, weights, shift, outcome)
    )
    pilots = model.pilots(cells, counts, chosen)
    in_cells = np.isin(group, np.unique(cells.groups[pairs[0] > 0]))
    score = score_variance(city_sums)
    return PairFit(
        terms=tuple(model.terms[c] for c in chosen),
        estimate=solved.estimate[0][chosen],
        conventional=conventional,
        dyadic=None if conventional is None else score - conventional,
        score=score,
        city=city_variance(city_sums, (group > 0) & in_cells, (group == 0) & in_cells, pilots),
        city_sums=city_sums,
        n_pilots=pilots,
        n_pairs=round(float(pairs.sum())),
        n_obs=round(float(pairs.sum())) * len(panel.years),
        n_cities=int(in_cells.sum()),
        provinces=_without_provinces(panel, values, partners, cells, model, chosen, outcome)
        if refits
        else None,
        cities=_without_cities(panel, partners, counts, cells, model, chosen) if refits else None,
    )


def _check_arguments(outcome: str, estimator: str, exposures: tuple[str, ...]) -> None:
    if outcome not in OUTCOMES:
        raise ValueError(
            f"outcome {outcome!r} has no closed form over all pairs: expected one of "
            f"{', '.join(OUTCOMES)}"
        )
    if estimator not in MODELS:
        raise ValueError(
            f"estimator {estimator!r} has no closed form over all pairs: expected one of "
            f"{', '.join(MODELS)}"
        )
    if not exposures or set(exposures) - set(EXPOSURES):
        raise ValueError(f"exposures: expected some of {', '.join(EXPOSURES)}, found {exposures!r}")


def _check_cells(cells: PairCells, pairs: np.ndarray) -> None:
    if not (pairs[cells.is_treated] > 0).any():
        raise NotEstimable(
            "no pair of the chosen exposures has a pilot: there is no effect to estimate"
        )


def _city_sums(
    partners, group, counts, cells: PairCells, weights: np.ndarray, shift: np.ndarray
) -> np.ndarray:
    """U_i: the partner sums under the weights of each cell, less c for each partner; shape
    (N, C).
    """
    result = np.zeros((len(group), weights.shape[2]))
    for cell, pair in enumerate(cells.groups):
        for own, other in {(int(pair[0]), int(pair[1])), (int(pair[1]), int(pair[0]))}:
            members = group == own
            n_partners = counts[other] - (own == other)
            result[members] += (
                np.einsum("it,tc->ic", partners[members, other], weights[cell])
                - n_partners * shift[cell]
            )
    return result


def _conventional(
    values, group, cells: PairCells, weights: np.ndarray, shift: np.ndarray, outcome: str
) -> np.ndarray:
    total = np.zeros(weights.shape[2])
    for cell, (a, b) in enumerate(cells.groups):
        total += squared_scores(
            values, group, (int(a), int(b)), weights[cell], shift[cell], outcome
        )
    return total


def _without_cities(panel: CityPanel, partners, counts, cells: PairCells, model, chosen) -> Refits:
    """Refits without each city: its partner sums go."""
    group, n = panel.group, len(panel.group)
    lost = np.zeros((n, cells.n_groups, cells.n_groups, len(panel.years)))
    lost[np.arange(n), group] = partners
    left = counts[None] - np.eye(cells.n_groups)[group]
    totals = (
        ordered_totals(partners, group, cells.n_groups)[None] - lost - lost.transpose(0, 2, 1, 3)
    )
    return Refits(np.arange(n), _estimates(model, cells, left, totals)[:, chosen])


def _without_provinces(
    panel: CityPanel, values, partners, cells: PairCells, model, chosen, outcome: str
) -> Refits | None:
    """Refits without each province: every pair with a city in it goes; a province whose deletion
    leaves no treated pair is a carrier.
    """
    if panel.province is None:
        return None
    group, names = panel.group, np.unique(panel.province)
    totals, counts = (
        ordered_totals(partners, group, cells.n_groups),
        np.bincount(group, minlength=cells.n_groups),
    )
    remaining, left = [], []
    for name in names:
        inside = panel.province == name
        lost = ordered_totals(partners[inside], group[inside], cells.n_groups)
        own = partner_sums(values[inside], group[inside], cells.n_groups, outcome)
        twice = ordered_totals(own, group[inside], cells.n_groups)
        remaining.append(totals - lost - lost.transpose(1, 0, 2) + twice)
        left.append(counts - np.bincount(group[inside], minlength=cells.n_groups))
    left = np.array(left, dtype=np.float64)
    keeps_pilots = (cell_counts(left, cells)[:, cells.is_treated] > 0).any(axis=1)
    estimates = _estimates(model, cells, left, np.stack(remaining))
    df = _df_by_design(
        panel,
        cells,
        model,
        chosen,
        names[keeps_pilots],
        np.concatenate([counts[None], left[keeps_pilots]]),
    )
    return Refits(
        names[keeps_pilots],
        estimates[keeps_pilots][:, chosen],
        df,
        tuple(names[~keeps_pilots].tolist()),
    )


def _df_by_design(
    panel: CityPanel, cells: PairCells, model, chosen, names: np.ndarray, counts: np.ndarray
) -> np.ndarray | None:
    """Degrees of freedom (c,) of the jackknife; counts (R + 1, G) of all cities, then without each
    province.

    Cities of one province and group have the same weights, so they are one row with the root of
    their number as its scale.
    """
    if len(names) == 0:
        return None
    by_group = city_weights(
        cells, counts, model.outcome_weights(cell_counts(counts, cells), chosen)
    )
    everywhere, province = np.unique(panel.province, return_inverse=True)
    key, size = np.unique(np.stack([province.reshape(-1), panel.group]), axis=1, return_counts=True)
    weights = np.sqrt(size)[:, None, None] * by_group[:, key[1]]
    gone = key[0] == np.searchsorted(everywhere, names)[:, None]
    return design_df(weights[0], weights[0] - np.where(gone[:, :, None, None], 0.0, weights[1:]))


def city_weights(cells: PairCells, counts: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Weights of a city's shock by its group, (R, G, T, c), from those of a pair by cell (R, C, T,
    c).
    """
    found = np.zeros((*counts.shape, *weights.shape[2:]))
    for cell, (a, b) in enumerate(cells.groups):
        for own, other in {(int(a), int(b)), (int(b), int(a))}:
            found[:, own] += (
                np.maximum(counts[:, other] - (own == other), 0)[:, None, None] * weights[:, cell]
            )
    return found


def _estimates(model, cells: PairCells, counts: np.ndarray, totals: np.ndarray) -> np.ndarray:
    solved: Solved = model.solve(cell_counts(counts, cells), cell_sums(totals, cells))
    return solved.estimate
