"""How often the lines of inference reject where there is no effect: many simulated economies, one test each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from estimation.fit import PairPanel, fit_panel

LINES = ("conventional", "dyadic", "city", "province_jackknife")
LEVEL = 0.05
Economy = tuple[np.ndarray, np.ndarray, np.ndarray]


@dataclass(frozen=True)
class SizeStudy:
    """Outcome of a size study.

    Attributes
    ----------
    rejection_rates : dict of float
        Share of economies in which a line rejects zero at 5 %, by line; ``default`` is the line each fit names as its default.
    n_economies : int
    estimates : (n_economies,) float array
        Coefficients; they scatter around zero where the economies hold no effect.
    """

    rejection_rates: dict[str, float]
    n_economies: int
    estimates: np.ndarray

    def sentence(self) -> str:
        """The rates in one line."""
        rates = ", ".join(f"{name} {100 * rate:.1f} %" for name, rate in self.rejection_rates.items())
        return f"{self.n_economies} economies without effect, rejected at {100 * LEVEL:.0f} %: {rates}"


def run_size_study(
    simulate: Callable[[int], Economy],
    *,
    years: np.ndarray,
    n_economies: int = 200,
    seed: int = 1,
    permutations: int = 0,
) -> SizeStudy:
    """Estimate the two-way effect on `cm` over all pairs of each economy and count rejections.

    Parameters
    ----------
    simulate : callable
        From a seed to growth (N, T), province codes (N,) and first treated years (N,), 0 = never.
    years : (T,) int array
    n_economies, seed : int
        Economies get the seeds ``seed .. seed + n_economies - 1``.
    permutations : int
        Draws of the permutation line; 0 leaves it out.

    Returns
    -------
    SizeStudy
    """
    lines = (*LINES, "permutation") if permutations else LINES
    rejects: dict[str, list[bool]] = {name: [] for name in ("default", *lines)}
    estimates = []
    for number in range(seed, seed + n_economies):
        fit = fit_panel(_panel(simulate(number), years), vcov=lines, permutations=permutations, seed=number)
        by_line = {row.vcov: row for row in fit.estimates}
        default = next(row for row in fit.estimates if row.is_default)
        estimates.append(default.estimate)
        for name, row in {"default": default, **by_line}.items():
            rejects[name].append(row.p_value is not None and row.p_value < LEVEL)
    rates = {name: sum(found) / n_economies for name, found in rejects.items()}
    return SizeStudy(rates, n_economies, np.array(estimates))


def _panel(economy: Economy, years: np.ndarray) -> PairPanel:
    """All pairs of an economy with `cm` of growth standardised on the given years (divisor T)."""
    growth, province, cohort = economy
    z = (growth - growth.mean(axis=1, keepdims=True)) / growth.std(axis=1, keepdims=True)
    city_i, city_j = np.triu_indices(len(z), 1)
    y = 1 - (z[city_i] - z[city_j]) ** 2 / 2
    return PairPanel(city_i=city_i, city_j=city_j, years=years, y=y, city_cohort=cohort, province=province)
