"""The interval of effects that the test does not reject."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .p_values import rank_p
from .permutation import FARTHEST, ROUNDING, TOLERANCE, Draws, needed_draws

NO_END = (
    "No fall of any size is rejected: the interval has no lower end.",
    "No rise of any size is rejected: the interval has no upper end.",
)


@dataclass(frozen=True, kw_only=True)
class Tested:
    """An estimate and its test. Without a verdict the figures are None and the reason says why.

    Attributes
    ----------
    estimate, ci_low, ci_high, p_value : float or None
        A side of the interval without an end is None; `reason` says so.
    reason : str
        Why there is no verdict, or no end of the interval; else empty.
    """

    estimate: float | None = None
    ci_low: float | None = None
    ci_high: float | None = None
    p_value: float | None = None
    reason: str = ""


def interval_and_p(
    draws: Draws, in_units: Callable[[float | None], float | None] = lambda effect: effect
) -> tuple[Tested, bool]:
    """Return estimate, interval and p of draws, and whether effects beyond the first rejection are
    not all rejected.

    Parameters
    ----------
    draws : Draws
    in_units : callable
        From an additive effect to the units of the result; None where there is no such size.
    """
    low, high, accepts_again = find_interval(draws)
    ends = (in_units(low), in_units(high))
    reason = " ".join(text for text, end in zip(NO_END, ends, strict=True) if end is None)
    estimate = in_units(float(draws.estimate[0]))
    p_value = rank_p(draws.statistic())
    found = Tested(
        estimate=estimate, ci_low=ends[0], ci_high=ends[1], p_value=p_value, reason=reason
    )
    return found, accepts_again


def find_interval(draws: Draws) -> tuple[float | None, float | None, bool]:
    """Return ends of the interval, outward from the estimate to the first rejection (None where no
    effect on that side is rejected), and whether effects further out are accepted again.

    A draw counts at effect d where (b* - d c*)^2 e^2 >= (b - d)^2 e*^2(d): a polynomial of degree
    four in d, so the places where it begins and ceases to count are its roots.
    """
    freed, unit = draws.freed()
    gap, carried, drawn = freed.estimate, freed.carried, freed.error.T
    real = np.concatenate([drawn[:, 0], [0.0, 0.0]])
    polynomial = np.zeros((5, len(gap)))
    for power, part in enumerate((gap**2, -2 * gap * carried, carried**2)):
        polynomial[power:] += part * real[: 5 - power, None]
    polynomial[2:] -= (1 - TOLERANCE) ** 2 * drawn
    polynomial = polynomial[:, ~freed.is_real]
    smallest = ROUNDING * np.abs(polynomial).max(axis=0)
    last = np.where(np.abs(polynomial[4]) > smallest, polynomial[4], -smallest)
    companion = np.tile(np.eye(4, k=-1), (polynomial.shape[1], 1, 1))
    companion[:, :, 3] = -(polynomial[:4] / last).T
    roots = np.linalg.eigvals(companion)
    is_root = (np.imag(roots) == 0) & (np.abs(roots) < FARTHEST)
    roots = np.where(is_root, np.real(roots), np.nan)
    (low, again_low), (high, again_high) = (
        _first_rejection(side * roots, len(draws.estimate)) for side in (-1, 1)
    )
    b = float(draws.estimate[0])
    ends = (None if low is None else b - unit * low, None if high is None else b + unit * high)
    return *ends, again_low or again_high


def _first_rejection(roots: np.ndarray, count: int) -> tuple[float | None, bool]:
    """From 0 outward all draws count; at its roots (n, 4) one ceases, begins again, and so on."""
    outward = np.sort(np.where(roots > 0, roots, np.inf), axis=1)
    steps = np.tile([-1, 1, -1, 1], (len(outward), 1))[np.isfinite(outward)]
    places = outward[np.isfinite(outward)]
    order = np.argsort(places, kind="stable")
    rejects = count + np.cumsum(steps[order]) < needed_draws(count)
    if not rejects.any():
        return None, False
    first = int(np.argmax(rejects))
    return float(places[order][first]), not bool(rejects[first:].all())
