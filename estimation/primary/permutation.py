"""Permute admissions within blocks and return the studentised coefficient of every draw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

import numpy as np

from ..defaults import LEVEL
from .contrast import Contrast
from .measure import block_means, net_of_blocks

# Statistics that differ by less than this share are ties; ties count against rejection.
TOLERANCE = 1e-9
# An error below this share of the values is rounding.
ROUNDING = 1e-12
# Draws taken together: their arrays stay in the processor's cache.
CHUNK = 50
# Effects beyond so many standard errors of the estimate cannot be distinguished; from about 1e5 on
# rounding alone gives the polynomial of a draw roots.
FARTHEST = 1e4


def permute_in_blocks(block: np.ndarray, draws: int, seed: int | Sequence[int]) -> np.ndarray:
    """Return which city's admissions each city gets: (1 + draws, N) ints, the first row its own,
    the others shuffled within blocks.

    The cities of `block` (N,) ints move as a whole: several windows or series of them take the
    same draws.

    Raises
    ------
    ValueError
        If so few draws can give no p below 0.05.
    """
    if needed_draws(1 + draws) < 2:
        raise ValueError(
            f"permutations is {draws}: with fewer than 20 no p below 0.05 can come out; "
            "give 9999, or 199 for a quick look"
        )
    generator = np.random.Generator(np.random.PCG64(seed))
    permuted = np.tile(np.arange(len(block)), (1 + draws, 1))
    for name in range(int(block.max(initial=-1)) + 1):
        members = np.flatnonzero(block == name)
        if len(members) > 1:
            permuted[1:, members] = generator.permuted(permuted[1:, members], axis=1)
    return permuted


def needed_draws(count: int) -> int:
    """p < 0.05 exactly where fewer of the statistics are at least as large as the observed one,
    which counts itself.
    """
    return ceil(LEVEL * count - 1e-9)


@dataclass(frozen=True)
class Draws:
    """Coefficient and error of every draw as functions of an effect d that is taken out of the
    cells that are really treated; the real admissions come first.

    Attributes
    ----------
    estimate, carried : (J,) float arrays
        The coefficient is `estimate` - d * `carried`; `carried` is 1 of the real admissions.
    error : (J, 3) float array
        Its squared error is error[:, 0] + error[:, 1] * d + error[:, 2] * d^2. Where effects were
        not asked for, `carried` and the last two columns are NaN.
    varies : bool
        Whether the real coefficient has an error that is more than rounding.
    """

    estimate: np.ndarray
    carried: np.ndarray
    error: np.ndarray
    varies: bool

    def variance(self, effect: float = 0.0) -> np.ndarray:
        """Squared errors without an effect, (J,)."""
        if effect == 0:
            return np.maximum(self.error[:, 0], 0.0)
        return np.maximum(self.error @ np.array([1.0, effect, effect**2]), 0.0)

    def statistic(self, effect: float = 0.0) -> np.ndarray:
        """Coefficient over error without an effect, (J,), 0 where nothing varies; an error that is
        rounding is no evidence against the other draws, so its statistic is infinite.
        """
        if not self.varies:
            return np.zeros(len(self.estimate))
        variance = self.variance(effect)
        fine = variance > ROUNDING * variance[0]
        fine[0] = True
        coefficient = self.estimate - effect * self.carried if effect else self.estimate
        return np.where(fine, coefficient / np.sqrt(np.where(fine, variance, 1.0)), np.inf)

    def freed(self) -> tuple[Draws, float]:
        """Return the draws on the panel less the real estimate, in units of its error, and that
        error.
        """
        b = self.estimate[0]
        unit = float(np.sqrt(self.variance(b)[0]))
        _, linear, square = self.error.T
        error = np.stack([self.variance(b) / unit**2, (linear + 2 * b * square) / unit, square], 1)
        return Draws((self.estimate - b * self.carried) / unit, self.carried, error, True), unit

    @property
    def is_real(self) -> np.ndarray:
        """Of `freed` draws, those that equal the real admissions in all that counts, (J,) bool:
        their statistics are equal at every effect.
        """
        return (np.abs(self.estimate) <= TOLERANCE) & (np.abs(self.carried - 1) <= TOLERANCE)


def draw_statistics(
    values: np.ndarray,
    contrast: Contrast,
    label: np.ndarray,
    block: np.ndarray,
    permuted: np.ndarray,
    *,
    has_effects: bool = True,
    response: np.ndarray | None = None,
) -> Draws:
    """Return the contrast for each draw, with the mean of its variances clustered by city and by
    block.

    A city's share in the error is its weights times its values net of block x year effects and of
    the estimate; weights are orthogonal to city effects.

    Parameters
    ----------
    values : (N, K) float array
    contrast : Contrast
    label, block : (N,) int arrays
    permuted : (J, N) int array
    has_effects : bool
        Whether statistics at effects other than 0 will be asked for, which take twice as long.
    response : (N, K) float array, optional
        What an effect of 1 adds to the values, if that is not the contrast's.

    Returns
    -------
    Draws
    """
    order = np.argsort(block, kind="stable")
    starts = np.flatnonzero(np.diff(block[order], prepend=-1))
    admitted = contrast.response[block, label]
    if response is None:
        response = admitted
    of_values, of_response = (_scores(x, contrast.weight, block)[order] for x in (values, response))
    # what a unit effect adds to the score of a city under each label of its block
    net_response = contrast.response - block_means(admitted, block)[:, None, :]
    unit = np.einsum("bck,bck->bc", contrast.weight, net_response)[block][order]
    n_labels, found = unit.shape[1], []
    for start in range(0, len(permuted), CHUNK):
        of_cities = label.take(permuted[start : start + CHUNK].take(order, axis=1))
        cells = of_cities + n_labels * np.arange(len(order))
        one = unit.take(cells)
        estimate, ours = _net_of_estimate(of_values.take(cells), one)
        carried, real = np.full(len(cells), np.nan), None
        if has_effects:
            carried, real = _net_of_estimate(of_response.take(cells), one)
        found.append(np.column_stack([estimate, carried, squared_error(ours, real, starts)]))
    table = np.concatenate(found)
    scale = np.abs(values).max() * np.abs(contrast.weight).max()
    return Draws(table[:, 0], table[:, 1], table[:, 2:], table[0, 2] > (ROUNDING * scale) ** 2)


def squared_error(ours: np.ndarray, real: np.ndarray | None, starts: np.ndarray) -> np.ndarray:
    """`Draws.error` (J, 3) of scores `ours` - d * `real` (J, N) of cities by block, each of which
    begins at one of `starts`: the mean of the variances clustered by city and by block.
    """
    found, own = np.full((len(ours), 3), np.nan), (ours, np.add.reduceat(ours, starts, axis=1))
    found[:, 0] = _products(own, own) / 2
    if real is not None:
        other = real, np.add.reduceat(real, starts, axis=1)
        found[:, 1], found[:, 2] = -_products(own, other), _products(other, other) / 2
    return found


def _products(one: tuple[np.ndarray, ...], other: tuple[np.ndarray, ...]) -> np.ndarray:
    """Return sums (J,) of the products of scores by city, and of those by block."""
    return sum(np.einsum("jn,jn->j", a, b) for a, b in zip(one, other, strict=True))


def _net_of_estimate(scores: np.ndarray, unit: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the sums (J,) of scores (J, N), and the scores less what a unit effect adds times
    these.
    """
    sums = scores.sum(axis=1)
    return sums, scores - sums[:, None] * unit


def _scores(values: np.ndarray, weight: np.ndarray, block: np.ndarray) -> np.ndarray:
    """Weighted sum of a city's values net of their block means under each label, (N, C + 1)."""
    return np.einsum("nk,nck->nc", net_of_blocks(values, block), weight[block])
