"""Studentised permutation of admission over cities for two-way least squares (docs/methods, section
7).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ...kernels.records import Designs, DrawResults, StatisticsLayout
from ...linear.pair_statistics import PairStatistics
from ...linear.treatment_regressors import Design
from ...panel.pair_panel import FitSample
from .assignments import draw_or_enumerate
from .draws import Draws, run_in_chunks
from .kernel_inputs import (
    base_sums,
    empty_results,
    n_provinces,
    pairs_by_rank,
    part_of,
    partners_of,
    tie_rule,
)


def permute(
    sample: FitSample,
    statistics: PairStatistics,
    designs: list[Design],
    strata: np.ndarray,
    n_draws: int,
    seed: int,
    leads: dict[str, np.ndarray] | None = None,
    city_weights: Callable[[np.ndarray], np.ndarray] | None = None,
) -> dict[tuple[str, int], Draws]:
    """Refit every design and outcome under reassigned admissions; the sample rule is applied anew
    in each draw.

    Parameters
    ----------
    sample : FitSample
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
        Labels (B, N) to weights (B, N) of the cities under each; NaN where there are none. A pair
        weighs the product of its cities.

    Returns
    -------
    dict
        Draws by (estimator, position of the outcome in the sample).
    """
    labels, is_enumeration = draw_or_enumerate(sample.city_group, strata, n_draws, seed)
    weights = None if city_weights is None else city_weights(labels)
    found = _run(labels, weights, sample, statistics, designs, leads or {})
    result = {}
    for k, design in enumerate(designs):
        n_coefficients = len(design.event_times)
        for m in range(statistics.layout.n_outcomes):
            result[design.estimator, m] = Draws(
                found.coefficient[:, k, m, :n_coefficients],
                found.statistic[:, k, m, :n_coefficients],
                found.joint[:, k, m],
                is_enumeration,
            )
    return result


def _run(
    labels: np.ndarray,
    weights: np.ndarray | None,
    sample: FitSample,
    statistics: PairStatistics,
    designs: list[Design],
    leads: dict[str, np.ndarray],
) -> DrawResults:
    from ...kernels.two_way import run_two_way_draws  # importing numba takes as long as a small fit

    packed, layout = _pack(designs, statistics, leads), statistics.layout
    pairs, rule = pairs_by_rank(sample, statistics), tie_rule(sample)
    offsets = layout.shared + layout.per_outcome * np.arange(layout.n_outcomes)
    places = StatisticsLayout(
        np.ascontiguousarray(statistics.basis), layout.n_controls, layout.shared, offsets
    )
    base, partners = None, None
    if weights is None and sample.n_partners is None:
        base = base_sums(sample, pairs, rule)
    elif weights is None:
        partners = partners_of(sample)
    shape = (len(labels), len(designs), layout.n_outcomes)
    results = empty_results(shape, packed.x.shape[3], shape)

    def run(part: slice) -> None:
        some_weights = None if weights is None else weights[part]
        inputs = (pairs, rule, n_provinces(sample), packed, places)
        run_two_way_draws(
            labels[part], base, partners, some_weights, *inputs, part_of(results, part)
        )

    run_in_chunks(len(labels), run)
    return results


def _pack(
    designs: list[Design], statistics: PairStatistics, leads: dict[str, np.ndarray]
) -> Designs:
    """The designs as arrays of one shape, for the compiled loops."""
    sizes = np.array([len(design.event_times) for design in designs])
    n_groups, n_years, _ = designs[0].x.shape
    x = np.zeros((len(designs), n_groups, n_years, sizes.max()))
    positions, n_leads = (
        np.zeros((len(designs), sizes.max()), dtype=np.int64),
        np.zeros(len(designs), dtype=np.int64),
    )
    for k, design in enumerate(designs):
        x[k, :, :, : sizes[k]] = design.x
        chosen = leads.get(design.estimator, np.zeros(0, dtype=np.int64))
        positions[k, : len(chosen)], n_leads[k] = chosen, len(chosen)
    return Designs(
        x, _unit_matrices(designs, statistics, int(sizes.max())), sizes, positions, n_leads
    )


def _unit_matrices(designs: list[Design], statistics: PairStatistics, largest: int) -> np.ndarray:
    """What one unit of each basis matrix adds to the normal matrix of a group; (designs, G + 1,
    n_basis, q, q), controls left empty.
    """
    layout, basis = statistics.layout, statistics.basis
    start = layout.n_years - 1 + layout.n_controls
    result = np.zeros(
        (len(designs), len(designs[0].x), layout.n_basis, start + largest, start + largest)
    )
    years = slice(0, layout.n_years - 1)
    for k, design in enumerate(designs):
        treatment = slice(start, start + design.x.shape[2])
        across = np.einsum("kst,gtl->gksl", basis, design.x)
        result[k, :, :, years, years] = basis[None, :, 1:, 1:]
        result[k, :, :, years, treatment] = across[:, :, 1:]
        result[k, :, :, treatment, years] = across[:, :, 1:].transpose(0, 1, 3, 2)
        result[k, :, :, treatment, treatment] = np.einsum("gsl,gksm->gklm", design.x, across)
    return result
