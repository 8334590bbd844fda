"""The adjusted statistic and its draws, compiled: what `estimation.primary.adjusted` computes, with
admissions dealt until every question is decided.
"""

from __future__ import annotations

import numba
import numpy as np

LEAST_SHARE = 1 - 1e-9


@numba.njit(cache=True)
def deal_once(labels, starts, score, slots, dealt):
    """Write into `dealt` (N,) the labels of one draw: within each block the city with the smallest
    exponential time, whose rate is exp(score), takes the block's first slot.
    """
    n_cities = len(labels)
    times, order = np.empty(n_cities), np.arange(n_cities)
    for i in range(n_cities):
        times[i] = np.log(-np.log(1.0 - np.random.random())) - score[i]
    for block in range(len(starts) - 1):
        for i in range(starts[block] + 1, starts[block + 1]):
            city, place = order[i], i
            while place > starts[block] and times[order[place - 1]] > times[city]:
                order[place] = order[place - 1]
                place -= 1
            order[place] = city
    for i in range(n_cities):
        dealt[order[i]] = slots[i]


@numba.njit(cache=True)
def sums_of_labels(labels, basis, squares, gram):
    """Sums of the basis over the cities of each label (L, k), their products with `gram`, the inner
    products (k, k) of both, and the sum of squares of the net treatment.
    """
    n_labels, k = gram.shape[0], basis.shape[1]
    sums = np.zeros((n_labels, k))
    total = 0.0
    for i in range(len(labels)):
        total += squares[i, labels[i]]
        for q in range(k):
            sums[labels[i], q] += basis[i, q]
    mixed = np.zeros((n_labels, k))
    inner = np.zeros((k, k))
    for one in range(n_labels):
        for q in range(k):
            for other in range(n_labels):
                mixed[one, q] += gram[one, other] * sums[other, q]
    for one in range(n_labels):
        for q in range(k):
            total -= sums[one, q] * mixed[one, q]
            for r in range(k):
                inner[q, r] += sums[one, q] * mixed[one, r]
    return sums, mixed, inner, total


@numba.njit(cache=True)
def take_covariates(i, label, basis, sums, mixed, inner, with_path, with_mean, product):
    """Take what covariates explain out of a city's products (M,) with its net treatment; returns
    what they take out of the square of that treatment.
    """
    k, taken = basis.shape[1], 0.0
    for q in range(k):
        taken -= 2 * basis[i, q] * mixed[label, q]
        for r in range(k):
            taken += basis[i, q] * inner[q, r] * basis[i, r]
    # the path of label 0 is zero
    for other in range(1, sums.shape[0]):
        part = 0.0
        for q in range(k):
            part += basis[i, q] * sums[other, q]
        taken += 2 * part * with_mean[i, other]
        for m in range(len(product)):
            product[m] -= part * with_path[i, other, m]
    return taken


@numba.njit(cache=True)
def squared_statistics(
    labels, starts, basis, with_path, net_path, squares, with_mean, gram, found, product
):
    """Write into `found` (M,) the squared studentised coefficients of measures under `labels`.

    Arrays as those of `estimation.primary.adjusted.Tables`: with_path, net_path (N, L, M); squares,
    with_mean (N, L); gram (L, L). `product` (N, M) is working space.
    """
    n_cities, n_measures = len(labels), len(found)
    sums, mixed, inner, total = sums_of_labels(labels, basis, squares, gram)
    estimate = np.zeros(n_measures)
    own = np.empty(n_cities)
    for i in range(n_cities):
        label = labels[i]
        own[i] = squares[i, label]
        for m in range(n_measures):
            product[i, m] = net_path[i, label, m]
        if basis.shape[1] > 0:
            own[i] += take_covariates(
                i, label, basis, sums, mixed, inner, with_path, with_mean, product[i]
            )
        for m in range(n_measures):
            estimate[m] += product[i, m]
    for m in range(n_measures):
        b = estimate[m] / total
        variance = 0.0
        for block in range(len(starts) - 1):
            of_block = 0.0
            for i in range(starts[block], starts[block + 1]):
                score = product[i, m] - b * own[i]
                variance += score * score
                of_block += score
            variance += of_block * of_block
        found[m] = estimate[m] * estimate[m] / (variance / 2)


@numba.njit(cache=True)
def decide(
    labels,
    starts,
    basis,
    with_path,
    net_path,
    squares,
    with_mean,
    gram,
    score,
    slots,
    permutations,
    allowed,
    seed,
):
    """Whether each statistic rejects: fewer than `allowed` draws are at least as large as the real
    one, which counts itself.

    Measures come in pairs, plain and capped; returns (M,) bools, for each pair that of the plain
    one and that of the larger of both. Draws end when nothing can be rejected any more.
    """
    np.random.seed(seed)
    n_measures = with_path.shape[2]
    real, drawn = np.empty(n_measures), np.empty(n_measures)
    dealt = labels.copy()
    product = np.empty((len(labels), n_measures))
    squared_statistics(
        labels, starts, basis, with_path, net_path, squares, with_mean, gram, real, product
    )
    count = np.ones(n_measures, dtype=np.int64)
    for pair in range(0, n_measures, 2):
        real[pair + 1] = max(real[pair], real[pair + 1])
    for _ in range(permutations):
        deal_once(labels, starts, score, slots, dealt)
        squared_statistics(
            dealt, starts, basis, with_path, net_path, squares, with_mean, gram, drawn, product
        )
        is_open = False
        for m in range(n_measures):
            value = drawn[m]
            if m % 2 == 1:
                value = max(drawn[m - 1], value)
            if value >= real[m] * LEAST_SHARE:
                count[m] += 1
            if count[m] <= allowed:
                is_open = True
        if not is_open:
            break
    return count <= allowed
