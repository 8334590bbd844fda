"""Studentised permutation of admission for effects that differ between pairs or pilots, on a
balanced panel without controls.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np

from ...kernels.heterogeneity_records import (
    BlockSums,
    PackedDesigns,
    Paths,
    SlotSums,
    TreatedPairs,
    WorkingArrays,
    YearBlocks,
)
from ...kernels.records import DrawResults, Pairs
from ...linear.heterogeneity_design import CityTypes, HeterogeneityDesign
from ...linear.pair_statistics import pair_statistics
from ...panel.pair_panel import FitSample
from .assignments import draw_or_enumerate
from .draws import Draws, run_in_chunks
from .kernel_inputs import empty_results, order_by_tie, pairs_by_rank, part_of, tie_rule


@dataclass(frozen=True)
class HeterogeneityDraws(Draws):
    """Draws of one design of heterogeneous effects, with the joint F of each of its tests.

    Attributes
    ----------
    tests : dict of str to (B,) float arrays
        By name of the test.
    """

    tests: dict[str, np.ndarray] = dataclasses.field(default_factory=dict)


def permute_heterogeneity(
    sample: FitSample,
    designs: tuple[HeterogeneityDesign, ...],
    types: CityTypes,
    strata: np.ndarray,
    n_draws: int,
    seed: int,
    tested: dict[str, dict[str, np.ndarray]],
) -> dict[tuple[str, int], HeterogeneityDraws]:
    """Refit every design and outcome under reassigned types (admission year and path together); the
    sample rule is applied anew.

    Parameters
    ----------
    sample : FitSample
        Every candidate pair observed in every year, no controls.
    designs : tuple of HeterogeneityDesign
    types : CityTypes
        What moves between the cities.
    strata : (N,) int array
    n_draws, seed : int
    tested : dict
        By design and test, the rows of the joint test; needs province codes.

    Returns
    -------
    dict
        Draws by (name of the design, position of the outcome), columns as the design's rows.
    """
    labels, is_enumeration = draw_or_enumerate(types.city_type, strata, n_draws, seed)
    result = {}
    for same_blocks in _by_blocks(designs):
        found = _run(labels, sample, same_blocks, tested)
        for k, design in enumerate(same_blocks):
            n_rows = len(design.terms)
            for m in range(len(sample.outcomes)):
                by_test = {
                    name: found.joint[:, k, m, q]
                    for q, name in enumerate(tested.get(design.name, {}))
                }
                leads = by_test.get("leads", np.full(len(labels), np.nan))
                rows = (found.coefficient[:, k, m, :n_rows], found.statistic[:, k, m, :n_rows])
                result[design.name, m] = HeterogeneityDraws(*rows, leads, is_enumeration, by_test)
    return result


def _by_blocks(designs: tuple[HeterogeneityDesign, ...]) -> list[list[HeterogeneityDesign]]:
    """Designs with the same blocks of year effects together: they share the sums of a draw."""
    groups: list[list[HeterogeneityDesign]] = []
    for design in designs:
        for group in groups:
            if np.array_equal(group[0].block, design.block):
                group.append(design)
                break
        else:
            groups.append([design])
    return groups


def _run(
    labels: np.ndarray, sample: FitSample, designs: list[HeterogeneityDesign], tested: dict
) -> DrawResults:
    """Coefficient and statistic (B, designs, M, rows) and joint (B, designs, M, tests) of designs
    with the same blocks.
    """
    from ...kernels.heterogeneity import (
        run_heterogeneity_draws,
    )  # importing numba takes as long as a small fit

    y = sample.panel.y[list(sample.outcomes)]
    statistics = pair_statistics(y, None, sample.observed)
    pairs, rule, order = pairs_by_rank(sample, statistics), tie_rule(sample), order_by_tie(sample)
    demeaned = pairs.values[:, statistics.layout.shared :].reshape(
        len(order), y.shape[0], y.shape[2]
    )
    pairs = pairs._replace(values=np.ascontiguousarray(demeaned))
    needs_provinces = sample.panel.province is not None and any(tested.get(d.name) for d in designs)
    n_provinces = int(pairs.province.max()) + 1 if needs_provinces else 0
    year_blocks, base = _blocks_and_base(
        designs[0].block[order], pairs, rule.base_first, n_provinces
    )
    paths, columns = _paths(designs)
    packed = _pack(designs, order, columns, tested if needs_provinces else {})
    shape = (len(labels), len(designs), y.shape[0])
    results = empty_results(shape, packed.n_rows.max(), (*shape, packed.tests.shape[1]))

    def run(part: slice) -> None:
        work = _working_arrays(labels[0], base, year_blocks, paths)
        run_heterogeneity_draws(
            labels[part],
            pairs,
            rule,
            base,
            year_blocks,
            paths,
            packed,
            work,
            part_of(results, part),
        )

    run_in_chunks(len(labels), run)
    return results


def _blocks_and_base(
    block: np.ndarray, pairs: Pairs, base_first: int, n_provinces: int
) -> tuple[YearBlocks, SlotSums]:
    """Slots (a city in a block of year effects) of each pair's two cities, and sums over all pairs
    from rank `base_first`.
    """
    first, second, y, province = pairs.first, pairs.second, pairs.values, pairs.province
    block = np.unique(block, return_inverse=True)[1].reshape(-1).astype(np.int64)
    n_blocks = int(block.max()) + 1
    names, slot = np.unique(
        np.concatenate([first * n_blocks + block, second * n_blocks + block]), return_inverse=True
    )
    slot_of = np.ascontiguousarray(slot.reshape(2, -1).T.astype(np.int64))
    sums, counts = np.zeros((len(names), *y.shape[1:])), np.zeros(len(names))
    inside, inside_counts = (
        np.zeros((n_provinces, n_blocks, *y.shape[1:])),
        np.zeros((n_provinces, n_blocks)),
    )
    for side in (0, 1):
        np.add.at(sums, slot_of[base_first:, side], y[base_first:])
        np.add.at(counts, slot_of[base_first:, side], 1.0)
    if n_provinces:
        same = np.flatnonzero(province[first] == province[second])
        same = same[same >= base_first]
        np.add.at(inside, (province[first[same]], block[same]), y[same])
        np.add.at(inside_counts, (province[first[same]], block[same]), 1.0)
    return YearBlocks(slot_of, names // n_blocks, names % n_blocks), SlotSums(
        sums, counts, inside, inside_counts
    )


def _working_arrays(
    label: np.ndarray, base: SlotSums, year_blocks: YearBlocks, paths: Paths
) -> WorkingArrays:
    """Memory of one thread; every assignment has as many pilots as `label` (N,)."""
    n_cities, n_pilots, n_pairs = len(label), int((label > 0).sum()), len(year_blocks.slot_of)
    n_slots, n_outcomes, n_years = base.outcomes.shape
    n_blocks, n_paths = int(year_blocks.slot_block.max()) + 1, paths.deviation.shape[2]
    n_treated, n_changes = n_pilots * (n_cities - n_pilots) + 1, n_pairs + n_pilots * n_pilots
    return WorkingArrays(
        slots=SlotSums(*(np.empty_like(part) for part in base)),
        blocks=BlockSums(np.empty((n_blocks, n_outcomes, n_years)), np.empty(n_blocks)),
        provinces=BlockSums(np.empty_like(base.inside), np.empty_like(base.inside_counts)),
        treated=TreatedPairs(
            np.empty((n_treated, 7), dtype=np.int64), np.empty((n_treated, n_outcomes, n_paths))
        ),
        ranks=np.empty(n_changes, dtype=np.int64),
        signs=np.empty(n_changes),
        one_place=np.zeros(n_cities, dtype=np.int64),
        explained=np.empty((n_slots, n_years)),
    )


def _paths(designs: list[HeterogeneityDesign]) -> tuple[Paths, list[np.ndarray]]:
    """All distinct paths of the designs, and each design's columns of them."""
    flat = np.concatenate([design.path for design in designs], axis=2)
    unique, which = np.unique(flat.reshape(-1, flat.shape[2]), axis=1, return_inverse=True)
    d = unique.reshape(*flat.shape[:2], -1)
    d = np.ascontiguousarray(d - d.mean(axis=1, keepdims=True))
    ends = np.cumsum([design.path.shape[2] for design in designs])
    return Paths(d, np.ascontiguousarray(np.einsum("ktu,ktv->kuv", d, d))), np.split(
        which.reshape(-1), ends[:-1]
    )


def _pack(
    designs: list[HeterogeneityDesign], order: np.ndarray, columns: list[np.ndarray], tested: dict
) -> PackedDesigns:
    """The designs as arrays of one shape, for the compiled loops."""
    n = len(designs)
    n_rows = np.array([len(design.terms) for design in designs])
    n_coefficients = np.array([design.n_coefficients for design in designs])
    n_columns = np.array([len(c) for c in columns])
    rows_of = [list(tested.get(design.name, {}).values()) for design in designs]
    n_tests = np.array([len(rows) for rows in rows_of])
    widest = max([len(row) for rows in rows_of for row in rows], default=0)
    all_columns = np.zeros((n, n_columns.max()), dtype=np.int64)
    contrasts = np.zeros((n, n_rows.max(), n_coefficients.max()))
    tests, sizes = (
        np.zeros((n, n_tests.max(), widest), dtype=np.int64),
        np.zeros((n, n_tests.max()), dtype=np.int64),
    )
    loading_column, loading = (
        np.full((n, len(order), 2), -1, dtype=np.int64),
        np.zeros((n, len(order), 2)),
    )
    for k, design in enumerate(designs):
        all_columns[k, : n_columns[k]] = columns[k]
        contrasts[k, : n_rows[k], : n_coefficients[k]] = design.contrasts
        loading_column[k], loading[k] = _sparse(design.loading[order])
        for q, row in enumerate(rows_of[k]):
            tests[k, q, : len(row)], sizes[k, q] = row, len(row)
    return PackedDesigns(
        all_columns,
        n_columns,
        loading_column,
        loading,
        contrasts,
        n_rows,
        n_coefficients,
        tests,
        n_tests,
        sizes,
    )


def _sparse(loading: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Columns and values of the at most two loadings of each pair that differ from zero; -1 for
    none; (P, 2) each.
    """
    nonzero = loading != 0
    if (nonzero.sum(axis=1) > 2).any():
        raise ValueError(
            "a pair has more than two loadings: expected classes, or an effect and its slope"
        )
    index, value = np.full((len(loading), 2), -1, dtype=np.int64), np.zeros((len(loading), 2))
    pair, column = np.nonzero(nonzero)
    place = (np.cumsum(nonzero, axis=1) - 1)[pair, column]
    index[pair, place], value[pair, place] = column, loading[pair, column]
    return index, value
