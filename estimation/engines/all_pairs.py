"""Sums over all pairs of units at the cost of the units, for outcomes that are functions of both
units' values of a year (docs/methods, section 11).

A quadratic outcome is y_ijt = kappa - s (z_it^2 + z_jt^2) / 2 + l z_it z_jt; the constant drops out
of everything that has pair effects in it. With the sums S and squares Q of a set of partners, sums
over them cost one pass over the units; for absolute gaps sorting a year's values and adding up from
below does the same.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from ..measures.synchronization import standardise
from ..panel.pair_panel import number_cohorts, number_provinces, within_window
from .arrays import bincount_columns, pair_statistics
from .interface import CitySums, SampleSums, SummedSample, Units

# weights s of the squares and l of the product in each quadratic outcome
QUADRATIC = {"cm": (1.0, 1.0), "comove": (0.0, 1.0), "dispersion": (1.0, 0.0)}
GAPS = ("neg_abs_gap", "neg_abs_residual")
MEASURES = (*QUADRATIC, *GAPS)
# pairs whose gaps are listed at a time
PAIRS_AT_ONCE = 2**16


def sum_all_pairs(d: np.ndarray, measure: str, units: Units) -> SummedSample:
    """Return the sample of all pairs of units with at most one treated unit.

    Parameters
    ----------
    d : (N, T) float array
        Series of the units, complete.
    measure : str
        Of `MEASURES`, as `measures.synchronization` has them.
    units : Units
    """
    z = _series(d, measure)
    cohort = within_window(units.city_cohort, units.years)
    group_years, group = number_cohorts(cohort)
    province = number_provinces(units.province, len(z))
    rows, never = _city_sums(z, group, province, measure)
    return SummedSample(
        Units(units.city_ids, units.years, cohort, units.province),
        pair_statistics(np.zeros((1, 1, z.shape[1])), None, np.ones((1, z.shape[1]), dtype=bool)),
        SampleSums.of(rows, (1, len(group_years) + 1)),
        group_years,
        group,
        partial(_squares, z, group, measure),
        never[:, 1:] / np.where(never[:, :1] > 0.5, never[:, :1], np.nan),
        n_always_treated=int(
            ((cohort > 0) & (cohort <= units.years[0])).sum() * (group == 0).sum()
        ),
        size=float(min(1.0, np.abs(z).max())),
    )


def _series(d: np.ndarray, measure: str) -> np.ndarray:
    """Return what the outcome is made of; less the mean of a year where only differences of a year
    count, so that sums of squares keep their digits however far from zero the values lie.
    """
    z = standardise(d) if measure in QUADRATIC else d
    if measure == "neg_abs_residual":
        z = z - z.mean(axis=1, keepdims=True)
    return z - z.mean(axis=0) if measure in ("cm", *GAPS) else z


def _less_means(sums: np.ndarray) -> np.ndarray:
    """Return statistics [pairs, outcomes less pair means] from [pairs, outcomes]."""
    return np.concatenate(
        [sums[..., :1], sums[..., 1:] - sums[..., 1:].mean(axis=-1, keepdims=True)], axis=-1
    )


def _partner_sums(
    z: np.ndarray, partners: np.ndarray, is_own: np.ndarray, measure: str
) -> np.ndarray:
    """Return pairs and summed outcomes (n, 1 + T) of units (n, T) with partners (m, T), among whom
    a unit itself may be (n,); it is no partner of its own.
    """
    found = np.empty((len(z), 1 + z.shape[1]))
    found[:, 0] = len(partners) - is_own
    if measure not in QUADRATIC:
        found[:, 1:] = _gap_sums(z, partners)
        return found
    square, product = QUADRATIC[measure]
    squares = len(partners) * z**2 + (partners**2).sum(axis=0)
    found[:, 1:] = product * z * partners.sum(axis=0) - square / 2 * squares
    found[is_own, 1:] -= (product - square) * z[is_own] ** 2
    return found


def _gap_sums(z: np.ndarray, partners: np.ndarray) -> np.ndarray:
    """-sum of abs(d_i - d_j) over partners (n, T): below a value it is counted times the value less
    the sum, above it the other way round; (N, T).
    """
    result, n = np.zeros(z.shape), len(partners)
    for t in range(z.shape[1] if n else 0):
        ordered = np.sort(partners[:, t])
        below = np.searchsorted(ordered, z[:, t])
        sums = np.concatenate([[0.0], np.cumsum(ordered)])
        result[:, t] = z[:, t] * (n - 2 * below) + 2 * sums[below] - sums[-1]
    return result


def _city_sums(
    z: np.ndarray, group: np.ndarray, province: np.ndarray, measure: str
) -> tuple[CitySums, np.ndarray]:
    """Return sums by city and group: a never-treated unit meets every group, a treated one the
    never-treated, in its own group; and pairs and outcomes (N, 1 + T) with the never-treated.
    """
    shape = n_groups, n_provinces = int(group.max()) + 1, int(province.max()) + 1
    is_never = group == 0
    of_never = np.stack(
        [
            _partner_sums(z[is_never], z[group == g], np.full(is_never.sum(), g == 0), measure)
            for g in range(n_groups)
        ],
        axis=1,
    )
    with_never = np.empty((len(z), 1 + z.shape[1]))
    with_never[is_never] = of_never[:, 0]
    with_never[~is_never] = _partner_sums(
        z[~is_never], z[is_never], np.zeros((~is_never).sum(), dtype=bool), measure
    )
    by_group = np.zeros((len(z), n_groups, 1 + z.shape[1]))
    by_group[is_never] = of_never
    by_group[~is_never, group[~is_never]] = with_never[~is_never]
    city, of = np.nonzero(by_group[..., 0] > 0.5)
    members = np.bincount(group * n_provinces + province, minlength=n_groups * n_provinces)
    partners = members.reshape(shape)[np.where(is_never[city], of, 0)]
    partners[np.arange(len(city)), province[city]] = 0
    part_row, part_province = np.nonzero(partners)
    parts = partners[part_row, part_province].astype(float)[:, None]
    sums, inside = _less_means(by_group[city, of]), _inside(z, group, province, measure)
    rows = CitySums(city, of, sums, inside, part_row, part_province, parts, province)
    return rows, with_never


def _inside(z: np.ndarray, group: np.ndarray, province: np.ndarray, measure: str) -> np.ndarray:
    """Return statistics (R, G, 1 + T) of the pairs inside each province."""
    shape = int(province.max()) + 1, int(group.max()) + 1
    pairs = np.empty((len(z), 1 + z.shape[1]))
    order = np.argsort(province, kind="stable")
    for members in np.split(order, np.cumsum(np.bincount(province))[:-1]):
        own, is_never = z[members], group[members] == 0
        pairs[members] = _partner_sums(own, own[is_never], is_never, measure)
    found = bincount_columns(pairs, province * shape[1] + group, shape)
    # two never-treated units were counted with either
    found[:, 0] /= 2
    return _less_means(found)


def _squares(z: np.ndarray, group: np.ndarray, measure: str, weights: np.ndarray) -> np.ndarray:
    """Return sums (R,) of the squared influence of all pairs, from weights (G, 1 + T, R) of [pairs,
    outcomes less pair means].
    """
    total, never = np.zeros(weights.shape[2]), z[group == 0]
    moments = np.einsum("it,is->ts", never, never)
    for g in range(len(weights)):
        of_years = weights[g, 1:] - weights[g, 1:].mean(axis=0)
        given = never, z[group == g], g == 0, of_years, weights[g, 0]
        if measure in QUADRATIC:
            total += _squared_forms(*given, moments, *QUADRATIC[measure])
        else:
            total += _squared_gaps(*given)
    return total


def _squared_forms(z_i, z_j, is_within, weights, level, moments, square, product) -> np.ndarray:
    """Return the sum of u_p^2 over the pairs of two groups (n, T) without listing them, u_p = level
    (R,) + sum_t w_t (T, R) y_pt; `moments` (T, T) of the first group.

    u_p = a_i + a_j + sum_t w_t l z_it z_jt with a_i = -(s/2) sum_t w_t z_it^2 + level/2; the square
    of the product needs the groups' T x T second moments.
    """
    own_i, own_j = (np.einsum("it,tr->ir", z**2, weights) for z in (z_i, z_j))
    a_i, a_j = (-square / 2 * own + level / 2 for own in (own_i, own_j))
    weighted = product * weights
    cross_i, cross_j = (
        np.einsum("it,tr->ir", z, weighted * other.sum(axis=0)[:, None])
        for z, other in ((z_i, z_j), (z_j, z_i))
    )
    moments = moments * np.einsum("jt,js->ts", z_j, z_j)
    total = len(z_j) * (a_i**2).sum(axis=0) + len(z_i) * (a_j**2).sum(axis=0)
    total += 2 * a_i.sum(axis=0) * a_j.sum(axis=0)
    total += np.einsum("tr,tr->r", weighted, np.einsum("ts,sr->tr", moments, weighted))
    total += 2 * (a_i * cross_i).sum(axis=0) + 2 * (a_j * cross_j).sum(axis=0)
    if not is_within:
        return total
    on_diagonal = 2 * a_i + product * own_i
    return (total - (on_diagonal**2).sum(axis=0)) / 2


def _squared_gaps(z_i, z_j, is_within, weights, level) -> np.ndarray:
    """Return the same for absolute gaps, by listing the pairs a part at a time."""
    total, step = np.zeros(len(level)), max(1, PAIRS_AT_ONCE // max(len(z_j), 1))
    for start in range(0, len(z_i), step):
        gaps = -np.abs(z_i[start : start + step, None] - z_j[None])
        u = level + np.einsum("ijt,tr->ijr", gaps, weights)
        if is_within:
            u[np.arange(len(u)), start + np.arange(len(u))] = 0.0
        total += (u**2).sum(axis=(0, 1))
    return total / 2 if is_within else total
