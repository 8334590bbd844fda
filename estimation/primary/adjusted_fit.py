"""The adjusted statistic: the primary test net of covariates, which another window is promised."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..defaults import DRAWS
from ..panel.panel_error import plural
from .adjusted import adjusted_weight, draw_adjusted, net_treatment, within_block_basis
from .city_panel import CityPanel, build_panel, lacking
from .fit_primary import PrimaryResult, counted, measure_result, without_verdict
from .fitted_order import fit_order, permute_in_order
from .p_values import family_p, rank_p
from .permutation import Draws, permute_in_blocks

UNIFORM, FITTED = "uniform", "fitted"
DEALINGS = (UNIFORM, FITTED)
MEASURE = "correlation, net of covariates"
NOTHING_LEFT = (
    "No verdict: covariates leave nothing of the series or of treatment; give fewer of them."
)
# Raised whenever any number of the adjusted statistic changes on the same panel.
STATISTIC_VERSION = 1


@dataclass(frozen=True, kw_only=True)
class AdjustedResult(PrimaryResult):
    """What the adjusted statistic says of one series; figures as of `PrimaryResult`.

    Estimate, interval and `p_value` are those of the measure as it is. `p_value_family`, which
    decides, is that of the larger of both measures over both series, and so are the smallest
    changes that would have been found: they are upper bounds, since the capped measure alone may
    find a smaller one.

    Attributes
    ----------
    dealing : str
        ``uniform`` within blocks, or in the ``fitted`` order.
    p_value_larger : float or None
        Of the larger of both measures in this series alone.
    variation_left : float or None
        Share of the variation of treatment, net of unit and block x period effects, that covariates
        leave.
    """

    dealing: str
    p_value_larger: float | None = None
    variation_left: float | None = None


def fit_adjusted(
    growth,
    years,
    cohort,
    block,
    covariates,
    *,
    dealing: str = UNIFORM,
    permutations: int = DRAWS,
    seed: int = 1,
) -> AdjustedResult:
    """Test as `fit_primary` does, with effects of covariates by year taken out of measure and
    treatment.

    Parameters
    ----------
    growth, years, cohort, block, permutations, seed
        As of `fit_primary`.
    covariates : (N, K) float array
        Of each city; NaN leaves the city out, with a warning.
    dealing : str
        Of `DEALINGS`: whether admissions are permuted uniformly within blocks, or in an order drawn
        from the Cox partial likelihood of the real one on the covariates.

    Returns
    -------
    AdjustedResult
        Of growth; that of its cycle is its `cycle`.

    Raises
    ------
    ValueError
        If `dealing` is another word, or as `fit_primary`.

    Notes
    -----
    Formulas: docs/methods, section 18.12.
    """
    if dealing not in DEALINGS:
        raise ValueError(f"dealing is {dealing!r}; give one of {', '.join(DEALINGS)}")
    known = np.isfinite(covariates).all(axis=1)
    panel = build_panel(growth[known], years, cohort[known], block[known])
    x = covariates[known][panel.kept]
    if not known.all():
        n = (~known).sum()
        many = f"{n} cities without every covariate are left out."
        without = plural(n, many, f"{n} city without every covariate is left out.")
        panel = replace(panel, notes=(*panel.notes, without))
    permuted = permute_adjusted(panel, x, dealing, {"permutations": permutations, "seed": seed})
    reasons = lacking(panel)
    if reasons:
        return _adjusted(without_verdict(counted(panel, None, False), reasons), dealing)
    basis = within_block_basis(x, panel.block)
    weight = adjusted_weight(panel, basis)
    said = counted(panel, weight, False)
    measures = _measures(panel)
    draws = draw_adjusted(measures, panel, basis, permuted)
    larger = [_larger(draws[:2]), _larger(draws[2:])]
    corrected = family_p(np.array(larger))
    found = []
    for place in (0, 1):
        plain, y = draws[2 * place], measures[2 * place]
        if not plain.varies:
            found.append(_adjusted(without_verdict(said, (NOTHING_LEFT,)), dealing))
            continue
        others = [one for one in draws if one is not plain]
        p = corrected[place]
        result = measure_result(said, panel, weight, y, plain, others=others, p_value_family=p)
        found.append(
            replace(
                _adjusted(result, dealing),
                p_value_larger=rank_p(larger[place]),
                variation_left=_variation_left(panel, basis),
            )
        )
    return replace(found[0], cycle=found[1])


def adjusted_statistics(
    panel: CityPanel, covariates: np.ndarray, permuted: np.ndarray
) -> tuple[np.ndarray, np.ndarray] | None:
    """Return the larger absolute statistic of both measures in each draw, of growth and of its
    cycle; None where a measure does not vary or the panel gives no verdict.

    Parameters
    ----------
    panel : CityPanel
    covariates : (N, K) float array
        Of the panel's cities, all known.
    permuted : (J, N) int array
        The city whose admission each city gets in a draw.
    """
    if lacking(panel):
        return None
    draws = draw_adjusted(
        _measures(panel), panel, within_block_basis(covariates, panel.block), permuted
    )
    if not all(one.varies for one in draws):
        return None
    return _larger(draws[:2]), _larger(draws[2:])


def _measures(panel: CityPanel) -> list[np.ndarray]:
    """Return plain and capped of growth, then of the cycle."""
    found = []
    for series in panel.series:
        for is_capped in (False, True):
            found.append(panel.measured(series, capped=is_capped)[2])
    return found


def permute_adjusted(
    panel: CityPanel, x: np.ndarray, dealing: str, settings: dict[str, int]
) -> np.ndarray:
    """Return the draws of admissions (J, N), uniform within blocks or in the fitted order."""
    seed = [settings["seed"], 0]
    if dealing == UNIFORM or len(panel.cohorts) == 0:
        return permute_in_blocks(panel.block, settings["permutations"], seed)
    return permute_in_order(panel, fit_order(panel, x), settings["permutations"], seed)


def _larger(both: list[Draws]) -> np.ndarray:
    """Return the larger absolute statistic of two measures in each draw, (J,)."""
    return np.max([np.abs(one.statistic()) for one in both], axis=0)


def _variation_left(panel: CityPanel, basis: np.ndarray) -> float:
    nothing = np.zeros((len(basis), 0))
    net, before = (net_treatment(panel, one) for one in (basis, nothing))
    return float((net**2).sum() / (before**2).sum())


def _adjusted(result: PrimaryResult, dealing: str) -> AdjustedResult:
    return AdjustedResult(**{**vars(result), "measure": MEASURE}, dealing=dealing)
