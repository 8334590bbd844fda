"""Sums over all pairs of cities that cost no more than the cities: for outcomes that are quadratic
forms, and for absolute gaps.

A quadratic outcome is y_ijt = kappa - s (z_it^2 + z_jt^2) / 2 + l z_it z_jt. The constant drops out
of everything that has pair effects in it, so it is left out here. With the sums S and squares Q of
a cohort, sums over its members cost one pass over the cities; for absolute gaps sorting a year's
values and adding up from below does the same (docs/methods, section 11).
"""

from __future__ import annotations

import numpy as np

# weights s of the squares and l of the product in each quadratic outcome
QUADRATIC = {"cm": (1.0, 1.0), "comove": (0.0, 1.0), "dispersion": (1.0, 0.0)}
GAP = "neg_abs_gap"
OUTCOMES = (*QUADRATIC, GAP)


def centre(values: np.ndarray, outcome: str) -> np.ndarray:
    """Take a value of the year out, so that sums of squares keep their digits however far from zero
    the values lie.

    `cm` and absolute gaps depend on differences of a year only; the two parts of `cm` do not, and
    stay as they are.
    """
    return values - values.mean(axis=0) if outcome in ("cm", GAP) else values


def partner_sums(values: np.ndarray, group: np.ndarray, n_groups: int, outcome: str) -> np.ndarray:
    """Sum of the outcome over the partners of a city, by the partner's group and year; the city
    itself is no partner.

    Parameters
    ----------
    values : (N, T) float array
        As `centre` gives them.
    group : (N,) int array
        0..n_groups - 1.
    n_groups : int
    outcome : str
        Of `OUTCOMES`; the constant of `cm` and `dispersion` is left out.

    Returns
    -------
    (N, n_groups, T) float array
    """
    if outcome == GAP:
        return _gap_partner_sums(values, group, n_groups)
    square, product = QUADRATIC[outcome]
    member = group[None, :] == np.arange(n_groups)[:, None]
    count = member.sum(axis=1)
    sums, squares = (
        np.stack([part[m].sum(axis=0) for m in member]) for part in (values, values**2)
    )
    own = values**2
    result = product * values[:, None] * sums[None] - square / 2 * (
        count[None, :, None] * own[:, None] + squares[None]
    )
    result[np.arange(len(values)), group] -= (product - square) * own
    return result


def _gap_partner_sums(values: np.ndarray, group: np.ndarray, n_groups: int) -> np.ndarray:
    """-sum of abs(d_i - d_j): below a value it is counted times the value less the sum, above it
    the other way round.
    """
    result = np.zeros((len(values), n_groups, values.shape[1]))
    for g in range(n_groups):
        members = values[group == g]
        if len(members) == 0:
            continue
        for t in range(values.shape[1]):
            ordered = np.sort(members[:, t])
            below = np.searchsorted(ordered, values[:, t])
            sums = np.concatenate([[0.0], np.cumsum(ordered)])
            above_count, above_sum = len(ordered) - below, sums[-1] - sums[below]
            result[:, g, t] = -(
                below * values[:, t] - sums[below] + above_sum - above_count * values[:, t]
            )
    return result


def ordered_totals(partners: np.ndarray, group: np.ndarray, n_groups: int) -> np.ndarray:
    """Partner sums added up over the cities of each group: ordered pairs, a pair inside a group
    twice; shape (G, G, T).
    """
    return np.stack([partners[group == g].sum(axis=0) for g in range(n_groups)])


def squared_scores(
    values: np.ndarray,
    group: np.ndarray,
    pair: tuple[int, int],
    weights: np.ndarray,
    shift: np.ndarray,
    outcome: str,
):
    """Sum of squared scores u_p = sum_t w_t y_pt - c over all pairs of two groups, without listing
    them.

    u_p = a_i + a_j + sum_t w_t l z_it z_jt with a_i = -(s/2) sum_t w_t z_it^2 - c/2; the square of
    the product needs the groups' T x T second moments.

    Parameters
    ----------
    values : (N, T) float array
    group : (N,) int array
    pair : (int, int)
        The two groups; the same twice for the pairs inside one.
    weights : (T, K) float array
        Of sum zero over the years, or the constant of the outcome would be missing.
    shift : (K,) float array
        c of each column.
    outcome : str
        Of `QUADRATIC`.

    Returns
    -------
    (K,) float array
    """
    square, product = QUADRATIC[outcome]
    z_i, z_j = values[group == pair[0]], values[group == pair[1]]
    own_i, own_j = (np.einsum("it,tk->ik", z**2, weights) for z in (z_i, z_j))
    a_i, a_j = (-square / 2 * own - shift / 2 for own in (own_i, own_j))
    weighted = product * weights
    cross_i, cross_j = (
        np.einsum("it,tk->ik", z, weighted * other.sum(axis=0)[:, None])
        for z, other in ((z_i, z_j), (z_j, z_i))
    )
    moments = np.einsum("it,is->ts", z_i, z_i) * np.einsum("jt,js->ts", z_j, z_j)
    bilinear = np.einsum("ts,tk,sk->k", moments, weighted, weighted)
    total = (
        len(z_j) * (a_i**2).sum(axis=0)
        + len(z_i) * (a_j**2).sum(axis=0)
        + 2 * a_i.sum(axis=0) * a_j.sum(axis=0)
    )
    total += bilinear + 2 * (a_i * cross_i).sum(axis=0) + 2 * (a_j * cross_j).sum(axis=0)
    if pair[0] != pair[1]:
        return total
    on_diagonal = 2 * a_i + product * own_i
    return (total - (on_diagonal**2).sum(axis=0)) / 2
