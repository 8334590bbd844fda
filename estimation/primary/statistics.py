"""The coefficient of a contrast of cities with block x year effects, over its clustered error, for
any draw of admissions within blocks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

# A variance below this share of the largest among draws is rounding: its draw has a statistic of 0.
SMALLEST_VARIANCE = 1e-14


@dataclass(frozen=True)
class Design:
    """What no draw within blocks changes: the years of each cohort and how many cities of each
    cohort each block has.

    Attributes
    ----------
    block : (N,) int array
        Block of each city, from 0.
    treated : (C + 1, T) float array
        1 in the years a cohort is treated; row 0 is that of the never-pilots, all 0.
    counts : (B, C + 1) int array
    share : (B, C + 1) float array
        `counts` over the cities of the block.
    """

    block: np.ndarray
    treated: np.ndarray
    counts: np.ndarray
    share: np.ndarray


@dataclass(frozen=True)
class Terms:
    """Sums by city and label from which the statistic of any draw is gathered.

    Attributes
    ----------
    value : (N, C + 1) float array
        Contrast of the city under each label, less its block's mean.
    score : (N, C + 1) float array
        The city's share in the numerator, before what the effect itself contributes.
    response : (B, C + 1) float array
        What a unit effect adds to `score`.
    denominator : float
        What a unit effect adds to the numerator.
    """

    value: np.ndarray
    score: np.ndarray
    response: np.ndarray
    denominator: float


@dataclass(frozen=True)
class Drawn:
    """Coefficient and variances, one per draw.

    Attributes
    ----------
    estimate, city, block : (draws,) float arrays
        The coefficient, and its variance clustered by city and by block.
    """

    estimate: np.ndarray
    city: np.ndarray
    block: np.ndarray

    @property
    def variance(self) -> np.ndarray:
        """Mean of the variances clustered by city and by block, (draws,)."""
        return (self.city + self.block) / 2

    @property
    def statistic(self) -> np.ndarray:
        """Coefficient over its error, (draws,); 0 where the error is 0."""
        variance = self.variance
        fine = variance > SMALLEST_VARIANCE * variance.max()
        return np.where(fine, self.estimate / np.sqrt(np.where(fine, variance, 1.0)), 0.0)


def make_design(label: np.ndarray, block: np.ndarray, treated: np.ndarray) -> Design:
    """Count the labels 0 (never) .. C in blocks 0 .. B - 1."""
    counts = np.zeros((int(block.max()) + 1, len(treated)), dtype=np.int64)
    np.add.at(counts, (block, label), 1)
    return Design(block, treated, counts, counts / counts.sum(axis=1, keepdims=True))


def block_means(values: np.ndarray, design: Design) -> np.ndarray:
    """Mean of each column over a block's cities, (B, columns)."""
    sums = np.zeros((len(design.counts), values.shape[1]))
    np.add.at(sums, design.block, values)
    return sums / design.counts.sum(axis=1, keepdims=True)


def make_terms(values: np.ndarray, unit: np.ndarray, design: Design) -> Terms:
    """Terms of the coefficient with city and block x year effects.

    With V_ic = sum_t w_ct A_it the contrast of city i's scores under label c, and the weights of
    each label summing to zero over years (city effects), the regressor net of block x year effects
    is w_c less its block's mean. No permutation within blocks changes that mean. So the numerator
    is the sum over pilots of V_ic less its block mean, a city's influence is S_ic = V~_ic - sum_k
    share_k V~_ik less b times the same of a unit effect. With w_c = the demeaned dummy and `unit`
    its products with the dummies this is least squares exactly.

    Parameters
    ----------
    values : (N, C + 1) float array
        Contrasts, column 0 all 0.
    unit : (C + 1, C + 1) float array
        Row c: what a unit effect on a city of label c adds to its contrasts.
    design : Design

    Returns
    -------
    Terms
    """
    net = values - block_means(values, design)[design.block]
    score = net - np.einsum("nk,nk->n", net, design.share[design.block])[:, None]
    unit_net = unit[None] - np.einsum("bc,ck->bk", design.share, unit)[:, None, :]
    response = np.einsum("bcc->bc", unit_net) - np.einsum("bck,bk->bc", unit_net, design.share)
    return Terms(net, score, response, float((design.counts * response).sum()))


def gather(terms: Terms, design: Design, places: np.ndarray, labels: np.ndarray) -> Drawn:
    """Coefficient and its clustered variances for each draw of admissions.

    Parameters
    ----------
    terms : Terms
    design : Design
    places : (n, draws) int array
        One column per draw: the cities that carry `labels`, blocks one after the other; the other
        cities are never-pilots.
    labels : (n,) int array
        From 1.

    Returns
    -------
    Drawn
    """
    response = terms.response[design.block]
    square, cross = terms.score**2, terms.score * response
    columns = [
        np.ascontiguousarray(x.T)
        for x in (terms.value, square - square[:, :1], cross - cross[:, :1])
    ]
    by_block = (design.counts * terms.response).sum(axis=1)
    sums = _sum_pilots(columns, places, labels)
    estimate = sums[0] / terms.denominator
    squares, crosses = square[:, 0].sum() + sums[1], cross[:, 0].sum() + sums[2]
    units = float((design.counts * terms.response**2).sum())
    city = np.maximum(squares - 2 * estimate * crosses + estimate**2 * units, 0.0)
    scale = terms.denominator**2
    return Drawn(
        estimate,
        city / scale,
        _block_squares(columns[0], places, labels, design.block, estimate, by_block) / scale,
    )


def _sum_pilots(
    columns: list[np.ndarray], places: np.ndarray, labels: np.ndarray
) -> list[np.ndarray]:
    """Sum over pilots of each array (C + 1, N), pilot after pilot: the order, and so the bytes, are
    the same however the draws are cut.
    """
    sums = [np.zeros(places.shape[1]) for _ in columns]
    for cities, label in zip(places, labels.tolist(), strict=True):
        for k, column in enumerate(columns):
            sums[k] += column[label][cities]
    return sums


def _block_squares(
    value: np.ndarray,
    places: np.ndarray,
    labels: np.ndarray,
    block: np.ndarray,
    estimate: np.ndarray,
    by_block: np.ndarray,
) -> np.ndarray:
    """Sum over blocks of the square of what the block's pilots add to the numerator, less what the
    estimate says they should; (draws,).
    """
    squares = np.zeros(places.shape[1])
    blocks = block[places[:, 0]]
    for name in np.unique(blocks):
        part = -by_block[name] * estimate
        for k in np.flatnonzero(blocks == name):
            part += value[labels[k]][places[k]]
        squares += part**2
    return squares
