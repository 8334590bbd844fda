"""Studentised permutation of admission over cities (docs/methods, section 7)."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from tqdm import tqdm

from ...linear.pair_statistics import PairStatistics
from ...linear.treatment_regressors import Design
from ...panel.pair_panel import Sample
from ...panel.partners import partner_order
from .assignments import count_relabellings, draw_relabellings, enumerate_relabellings

CHUNK = 250
TOLERANCE = 1e-9


@dataclass(frozen=True)
class Draws:
    """What the reassignments gave, for one design and outcome.

    Attributes
    ----------
    coefficient, statistic : (B, L) float arrays
        Estimate and abs(estimate) over the square root of the summed squared city scores; NaN where a draw does not identify it.
    joint : (B,) float array
        F of the leads with the jackknife covariance of the draw; NaN where there is none.
    is_enumeration : bool
        Every relabelling once, the real one among them, instead of random draws.
    """

    coefficient: np.ndarray
    statistic: np.ndarray
    joint: np.ndarray
    is_enumeration: bool


def permute(
    sample: Sample,
    statistics: PairStatistics,
    designs: list[Design],
    strata: np.ndarray,
    n_draws: int,
    seed: int,
    leads: dict[str, np.ndarray] | None = None,
    city_weights: Callable[[np.ndarray], np.ndarray] | None = None,
) -> dict[tuple[str, int], Draws]:
    """Refit every design and outcome under reassigned admissions; the sample rule is applied anew in each draw.

    Parameters
    ----------
    sample : Sample
    statistics : PairStatistics
        Of all pairs of the panel.
    designs : list of Design
    strata : (N,) int array
        Labels move only within a stratum.
    n_draws, seed : int
        All relabellings are enumerated instead when there are fewer than n_draws.
    leads : dict, optional
        By estimator, the coefficients of the joint test; needs province codes.
    city_weights : callable, optional
        Labels (B, N) to weights (B, N) of the cities under each; NaN where there are none. A pair weighs the product of its cities.

    Returns
    -------
    dict
        Draws by (estimator, position of the outcome in the sample).
    """
    labels, is_enumeration = assignments(sample, strata, n_draws, seed)
    coefficient, statistic, joint = _run(labels, sample, statistics, designs, leads or {}, city_weights)
    result = {}
    for k, design in enumerate(designs):
        n_coefficients = len(design.event_times)
        for m in range(statistics.layout.n_outcomes):
            result[design.estimator, m] = Draws(
                coefficient[:, k, m, :n_coefficients], statistic[:, k, m, :n_coefficients], joint[:, k, m], is_enumeration
            )
    return result


def assignments(sample: Sample, strata: np.ndarray, n_draws: int, seed: int) -> tuple[np.ndarray, bool]:
    """Reassigned groups of the cities (B, N), and whether they are every relabelling instead of random draws."""
    if count_relabellings(sample.city_group, strata) < n_draws:
        return np.ascontiguousarray(enumerate_relabellings(sample.city_group, strata)), True
    return np.ascontiguousarray(draw_relabellings(sample.city_group, strata, n_draws, seed)), False


def permutation_p_value(observed: float, drawn: np.ndarray, is_enumeration: bool) -> float:
    """Share of assignments at least as extreme as the real one; undefined draws count as more extreme.

    Parameters
    ----------
    observed : float
    drawn : (B,) float array
    is_enumeration : bool
        p = #/total instead of (1 + #)/(1 + B).
    """
    extreme = int((~(drawn < observed - TOLERANCE)).sum())
    return extreme / len(drawn) if is_enumeration else (1 + extreme) / (1 + len(drawn))


def critical_value(drawn: np.ndarray, is_enumeration: bool) -> float:
    """The ceil(0.95 (B + 1))-th smallest statistic (of the enumeration: ceil(0.95 total)-th); infinite with fewer than 19 draws."""
    count = len(drawn) if is_enumeration else len(drawn) + 1
    position = math.ceil(0.95 * count - TOLERANCE)
    ordered = np.sort(np.where(np.isnan(drawn), np.inf, drawn))
    return float(ordered[position - 1]) if position <= len(ordered) else math.inf


def _run(labels, sample: Sample, statistics: PairStatistics, designs: list[Design], leads: dict, city_weights) -> tuple[np.ndarray, ...]:
    from ...kernels import tie_rule as draws_kernel  # importing numba takes as long as a small fit

    layout = statistics.layout
    data, rule, base = kernel_data(sample, statistics)
    sizes = np.array([len(design.event_times) for design in designs])
    x_all = np.zeros((len(designs), sample.n_groups, layout.n_years, sizes.max()))
    normal_all = _unit_matrices(designs, statistics, int(sizes.max()))
    leads_all = np.zeros((len(designs), sizes.max()), dtype=np.int64)
    n_leads = np.zeros(len(designs), dtype=np.int64)
    for k, design in enumerate(designs):
        x_all[k, :, :, : sizes[k]] = design.x
        chosen = leads.get(design.estimator, np.zeros(0, dtype=np.int64))
        leads_all[k, : len(chosen)], n_leads[k] = chosen, len(chosen)
    offsets = layout.shared + layout.per_outcome * np.arange(layout.n_outcomes)
    shape = (len(labels), len(designs), layout.n_outcomes)
    coefficient, statistic, joint = np.full((*shape, sizes.max()), np.nan), np.full((*shape, sizes.max()), np.nan), np.full(shape, np.nan)
    system = (np.ascontiguousarray(statistics.basis), layout.n_controls, layout.shared)
    algebra = (x_all, normal_all, sizes, leads_all, n_leads, system, offsets)
    chunked = (labels,)
    if city_weights is not None:
        from ...kernels import city_weighted as weighted_kernel

        chunked = (labels, city_weights(labels))
        inputs, run_draws = (data, rule, len(base[1]), *algebra), weighted_kernel.run_weighted_draws
    elif sample.n_partners is not None:
        from ...kernels import partner_rule as partner_kernel

        inputs, run_draws = (data, _partner_rule(sample), len(base[1]), *algebra), partner_kernel.run_partner_draws
    else:
        inputs, run_draws = (data, rule, base, *algebra), draws_kernel.run_draws

    def run(part: slice) -> None:
        run_draws(*(values[part] for values in chunked), *inputs, coefficient[part], statistic[part], joint[part])

    run_in_chunks(len(labels), run)
    return coefficient, statistic, joint


def _partner_rule(sample: Sample) -> tuple[np.ndarray, int]:
    panel = sample.panel
    tie = np.where(sample.candidate, panel.tie, np.nan)
    return partner_order(tie, panel.city_i, panel.city_j, panel.n_cities), int(sample.n_partners)


def run_in_chunks(n_draws: int, run: Callable[[slice], None]) -> None:
    """Run blocks of draws in threads, with a progress bar where someone watches."""
    parts = [slice(start, min(start + CHUNK, n_draws)) for start in range(0, n_draws, CHUNK)]
    with (
        ThreadPoolExecutor(_n_threads()) as pool,
        tqdm(total=n_draws, desc="permutations", unit="draw", delay=2, file=sys.stderr, leave=False, disable=None) as progress,
    ):
        for part, _ in zip(parts, pool.map(run, parts), strict=True):
            progress.update(part.stop - part.start)


def _n_threads() -> int:
    """CITYSYNC_THREADS, else OMP_NUM_THREADS, else the processors of the machine.

    A refresh sets OMP_NUM_THREADS to 1 to keep sums of BLAS in one order; draws are independent of one another and may use every core.
    """
    for name in ("CITYSYNC_THREADS", "OMP_NUM_THREADS"):
        named = os.environ.get(name, "")
        if named.isdecimal() and int(named) > 0:
            return int(named)
    return os.cpu_count() or 1


def _unit_matrices(designs: list[Design], statistics: PairStatistics, largest: int) -> np.ndarray:
    """What one unit of each basis matrix adds to the normal matrix of a group; (designs, G + 1, n_basis, q, q), controls left empty."""
    layout, basis = statistics.layout, statistics.basis
    start = layout.n_years - 1 + layout.n_controls
    result = np.zeros((len(designs), len(designs[0].x), layout.n_basis, start + largest, start + largest))
    years = slice(0, layout.n_years - 1)
    for k, design in enumerate(designs):
        treatment = slice(start, start + design.x.shape[2])
        across = np.einsum("kst,gtl->gksl", basis, design.x)
        result[k, :, :, years, years] = basis[None, :, 1:, 1:]
        result[k, :, :, years, treatment] = across[:, :, 1:]
        result[k, :, :, treatment, years] = across[:, :, 1:].transpose(0, 1, 3, 2)
        result[k, :, :, treatment, treatment] = np.einsum("gsl,gksm->gklm", design.x, across)
    return result


def kernel_data(sample: Sample, statistics: PairStatistics) -> tuple[tuple, tuple, tuple]:
    """Candidate pairs in ascending order of tie, the sample rule, and the sums over the pairs that the real assignment keeps."""
    panel = sample.panel
    chosen = np.flatnonzero(sample.candidate)
    use_rule = sample.tie_quantile is not None
    if use_rule:
        chosen = chosen[np.argsort(panel.tie[chosen], kind="stable")]
    first, second = panel.city_i[chosen], panel.city_j[chosen]
    values = np.ascontiguousarray(statistics.values[chosen])
    rank_of = np.full((panel.n_cities, panel.n_cities), -1, dtype=np.int64)
    rank_of[first, second] = rank_of[second, first] = np.arange(len(chosen))
    next_larger = np.zeros(len(chosen), dtype=np.int64)
    base_first = 0
    if use_rule:
        ordered = panel.tie[chosen]
        next_larger = np.searchsorted(ordered, ordered, side="right")
        kept = np.flatnonzero(sample.kept[chosen])
        base_first = int(kept[0]) if len(kept) else len(chosen)
    province = np.zeros(panel.n_cities, dtype=np.int64)
    n_provinces = 0
    if panel.province is not None:
        province = np.unique(panel.province, return_inverse=True)[1].reshape(-1).astype(np.int64)
        n_provinces = int(province.max()) + 1
    base = _base_sums(values, first, second, base_first, panel.n_cities, province, n_provinces)
    rule = (use_rule, 0.0 if sample.tie_quantile is None else float(sample.tie_quantile), next_larger, base_first)
    return (first, second, values, rank_of, province), rule, base


def _base_sums(values, first, second, base_first, n_cities, province, n_provinces) -> tuple[np.ndarray, np.ndarray]:
    sums, inside = np.zeros((n_cities, values.shape[1])), np.zeros((n_provinces, values.shape[1]))
    kept, i, j = values[base_first:], first[base_first:], second[base_first:]
    np.add.at(sums, i, kept)
    np.add.at(sums, j, kept)
    if n_provinces:
        same = province[i] == province[j]
        np.add.at(inside, province[i][same], kept[same])
    return sums, inside
