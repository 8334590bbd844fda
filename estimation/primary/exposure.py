"""Exposure to the admissions of others: admissions are permuted, and who is near or tied to a
pilot is computed anew in each draw (recentred exposure, Borusyak and Hull 2023).

Labels of exposure must not be permuted themselves: they are near pilots, so neighbours share
them, and the test would take one region's history for many (docs/methods, section 18.10).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .city_panel import build_panel, lacking
from .permutation import ROUNDING, Draws, permute_in_blocks, squared_error
from .within_block import WithinBlockResult, within_block_result


@dataclass(frozen=True)
class Ring:
    """Cities whose nearest pilot is between `inner` and `outer` kilometres.

    Attributes
    ----------
    distance : (N, M) float array
        From each observed city to each that may be admitted, itself left out as NaN.
    inner, outer : float
        A city with a pilot within `inner` is left out.
    """

    distance: np.ndarray
    inner: float
    outer: float

    def reach(self, label: np.ndarray, n_labels: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the first label (ascending dates) of a pilot in the ring, `n_labels` where there
        is none, and whether no pilot is nearer; (J, N) each, from labels (J, M), 0 = no pilot.
        """
        inside = (self.distance > self.inner) & (self.distance <= self.outer)
        first = np.full((len(label), len(inside)), n_labels, dtype=np.int8)
        for name in range(n_labels - 1, 0, -1):
            first[_any(label == name, inside)] = name
        return first, ~_any(label > 0, self.distance <= self.inner)


@dataclass(frozen=True)
class Tied:
    """Cities by the pilot of their strongest tie: exposed where that tie lies above the median of
    those that are no pilots.

    Attributes
    ----------
    tie : (N, M) float array
        NaN where there is none, and of a city with itself.
    own : (N,) int array
        Place of each observed city among those that may be admitted.
    """

    tie: np.ndarray
    own: np.ndarray

    def reach(self, label: np.ndarray, n_labels: int) -> tuple[np.ndarray, np.ndarray]:
        """As `Ring.reach`; no city is left out."""
        known = np.where(np.isnan(self.tie), -np.inf, self.tie)
        order = np.argsort(-known, axis=1, kind="stable")
        ranked = np.take_along_axis(known, order, axis=1)
        rows, first = np.arange(len(known)), np.full((len(label), len(known)), n_labels, np.int8)
        for draw, permuted in enumerate(label):
            at = (permuted > 0)[order].argmax(axis=1)
            partner, strength = order[rows, at], ranked[rows, at]
            strength = np.where(permuted[partner] > 0, strength, -np.inf)
            free = np.isfinite(strength) & (permuted[self.own] == 0)
            strong = free & (strength > np.median(strength[free])) if free.any() else free
            first[draw, strong] = permuted[partner][strong]
        return first, np.ones(first.shape, dtype=bool)


def _any(pilots: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Return whether a city has one of the pilots (J, M) inside (N, M); (J, N)."""
    return pilots.astype(np.float32) @ inside.T.astype(np.float32) > 0.5


@dataclass(frozen=True)
class Admitted:
    """Who may be admitted, and when who was.

    Attributes
    ----------
    cohort, block : (M,) int arrays
        First treated year, 0 = never in the window; block inside which admissions are permuted.
    own : (N,) int array
        Place of each observed city among these M.
    """

    cohort: np.ndarray
    block: np.ndarray
    own: np.ndarray


def fit_exposure(
    values: np.ndarray,
    years: np.ndarray,
    admitted: Admitted,
    reach: Ring | Tied,
    *,
    permutations: int,
    seed: int | Sequence[int],
) -> tuple[WithinBlockResult, Draws | None]:
    """Return the change of cities that are no pilots when a pilot near or tied to them is admitted,
    against the others of their block.

    Parameters
    ----------
    values : (N, T) float array
        Outcome of the observed cities, complete.
    years : (T,) int array
    admitted : Admitted
    reach : Ring or Tied
    permutations, seed : int

    Returns
    -------
    WithinBlockResult
        `n_pilots` counts exposed cities. Without figures where there is no verdict, the warnings
        say why.
    Draws or None
        The statistic of every draw, the real admissions first; None without a verdict.

    Notes
    -----
    Null: no admission moved any city. Formulas: docs/methods, section 18.10.
    """
    cohorts = np.unique(admitted.cohort[admitted.cohort > 0])
    label = np.where(admitted.cohort > 0, np.searchsorted(cohorts, admitted.cohort) + 1, 0).astype(
        np.int8
    )
    block = np.unique(admitted.block, return_inverse=True)[1].reshape(-1)
    permuted = label[permute_in_blocks(block, permutations, seed)]
    first, kept = reach.reach(permuted, len(cohorts) + 1)
    kept &= permuted[:, admitted.own] == 0
    dates = np.append(cohorts, 0)
    own_block = block[admitted.own]
    real = kept[0]
    exposed = dates[first[0] - 1][real]
    panel = build_panel(values[real], years, exposed, own_block[real])
    draws = None
    if not lacking(panel):
        after = np.vstack([*(years >= date for date in cohorts), np.zeros(len(years), bool)])
        draws = _statistics(values, after.astype(float), first - 1, kept, own_block)
    result = within_block_result(panel, draws, panel.notes)
    return result, None if result.p_value is None else draws


def _statistics(
    values: np.ndarray, after: np.ndarray, first: np.ndarray, kept: np.ndarray, block: np.ndarray
) -> Draws:
    """Coefficient and error of the recentred exposure in every draw, as functions of an additive
    effect on the cells that are really exposed.
    """
    # the share of draws that expose a city in a year, of those in which it is compared at all
    times = np.maximum(kept.sum(axis=0), 1)[:, None]
    labels = np.stack([(kept & (first == name)).sum(axis=0) for name in range(len(after))], axis=1)
    # city effects are taken out first: every draw sees a city in all years or in none
    fixed = tuple(
        _less_mean(x) for x in (values, after[first[0]] * kept[0][:, None], labels @ after / times)
    )
    after = _less_mean(after)
    scores = np.zeros((3, *kept.shape))
    for name in range(int(block.max()) + 1):
        rows = np.flatnonzero(block == name)
        scores[:, :, rows] = _scores(
            *(x[rows] for x in fixed), after[first[:, rows]], kept[:, rows].astype(float)
        )
    outcome, real, exposure = scores
    base = exposure.sum(axis=1)
    compares = base > ROUNDING * kept.sum(axis=1)
    base = np.where(compares, base, 1.0)
    estimate, carried = outcome.sum(axis=1) / base, real.sum(axis=1) / base
    ours = (outcome - estimate[:, None] * exposure) / base[:, None]
    part = (real - carried[:, None] * exposure) / base[:, None]
    order = np.argsort(block, kind="stable")
    starts = np.flatnonzero(np.diff(block[order], prepend=-1))
    error = squared_error(ours[:, order], part[:, order], starts)
    found = np.column_stack([estimate, carried, error])
    # a draw that compares nobody is no evidence: it counts as equal to the real admissions
    found[~compares] = found[0]
    varies = bool(compares[0] and found[0, 2] > (ROUNDING * np.abs(values).max()) ** 2)
    return Draws(found[:, 0], found[:, 1], found[:, 2:], varies)


def _less_mean(x: np.ndarray) -> np.ndarray:
    return x - x.mean(axis=-1, keepdims=True)


def _scores(
    values: np.ndarray,
    real: np.ndarray,
    expected: np.ndarray,
    exposed: np.ndarray,
    weight: np.ndarray,
) -> np.ndarray:
    """Return sums over the years of the instrument times the outcome, the real exposure and that of
    the draw, each less the mean of the block's cities that the draw compares, (3, J, n).

    Values, real and expected exposure (n, T), those of the draw (J, n, T), weight (J, n).
    """
    share = weight / np.maximum(weight.sum(axis=1, keepdims=True), 1.0)
    mean = np.einsum("jn,jnt->jt", share, exposed)
    instrument = exposed - expected - (mean - share @ expected)[:, None]
    instrument *= weight[:, :, None]
    found = [
        np.einsum("jnt,nt->jn", instrument, x) - np.einsum("jnt,jt->jn", instrument, share @ x)
        for x in (values, real)
    ]
    found.append(
        np.einsum("jnt,jnt->jn", instrument, exposed) - np.einsum("jnt,jt->jn", instrument, mean)
    )
    return np.stack(found)
