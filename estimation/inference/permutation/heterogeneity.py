"""Studentised city permutation of moderated designs, on a balanced panel without controls."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np

from ...linear.heterogeneity_design import CityTypes, ModeratedDesign
from ...linear.pair_statistics import pair_statistics
from ...panel.pair_panel import Sample
from .two_way import Draws, assignments, kernel_data, run_in_chunks


@dataclass(frozen=True)
class ModeratedDraws(Draws):
    """Draws with the joint F of every test of the design, (B,) by name."""

    tests: dict[str, np.ndarray] = dataclasses.field(default_factory=dict)


def permute_moderated(
    sample: Sample,
    designs: tuple[ModeratedDesign, ...],
    types: CityTypes,
    strata: np.ndarray,
    n_draws: int,
    seed: int,
    tested: dict[str, dict[str, np.ndarray]],
) -> dict[tuple[str, int], ModeratedDraws]:
    """Refit every design and outcome under reassigned types (admission year and path together); the sample rule is applied anew.

    Parameters
    ----------
    sample : Sample
        Every candidate pair observed in every year, no controls.
    designs : tuple of ModeratedDesign
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
    typed = dataclasses.replace(sample, city_group=types.city_type)
    labels, is_enumeration = assignments(typed, strata, n_draws, seed)
    result = {}
    for same_blocks in _by_blocks(designs):
        for design, draws in zip(same_blocks, _run(labels, sample, same_blocks, tested), strict=True):
            for m in range(len(sample.outcomes)):
                coefficient, statistic, joint = (array[:, m] for array in draws)
                by_test = {name: joint[:, q] for q, name in enumerate(tested.get(design.name, {}))}
                leads = by_test.get("leads", np.full(len(labels), np.nan))
                result[design.name, m] = ModeratedDraws(coefficient, statistic, leads, is_enumeration, by_test)
    return result


def _by_blocks(designs: tuple[ModeratedDesign, ...]) -> list[list[ModeratedDesign]]:
    groups: list[list[ModeratedDesign]] = []
    for design in designs:
        for group in groups:
            if np.array_equal(group[0].block, design.block):
                group.append(design)
                break
        else:
            groups.append([design])
    return groups


def _run(labels: np.ndarray, sample: Sample, designs: list[ModeratedDesign], tested: dict) -> list[tuple]:
    """(coefficient, statistic, joint) of each design, first axis draws, second outcomes."""
    from ...kernels import heterogeneity as moderated_kernel  # importing numba takes as long as a small fit

    y = sample.panel.y[list(sample.outcomes)]
    statistics = pair_statistics(y, None, sample.observed)
    (first, second, values, rank_of, province), rule, _ = kernel_data(sample, statistics)
    n_outcomes, n_years = y.shape[0], y.shape[2]
    demeaned = np.ascontiguousarray(values[:, statistics.layout.shared :].reshape(len(values), n_outcomes, n_years))
    order = _rank_order(sample)
    needs_provinces = sample.panel.province is not None and any(tested.get(d.name) for d in designs)
    data = (first, second, demeaned, rank_of, province)
    blocks, base = _blocks_and_base(designs[0].block[order], data, rule[3], int(province.max()) + 1 if needs_provinces else 0)
    d, gram, columns = _paths(designs)
    packed = _packed(designs, order, columns, tested if needs_provinces else {})
    n_rows, n_tests = packed[5], packed[7].shape[1]
    shape = (len(labels), len(designs), n_outcomes)
    coefficient, statistic = np.full((*shape, n_rows.max()), np.nan), np.full((*shape, n_rows.max()), np.nan)
    joint = np.full((*shape, n_tests), np.nan)
    inputs = (data, rule, base, blocks, (d, gram), packed)

    def run(part: slice) -> None:
        memory = _memory(labels[0], base, blocks, d)
        moderated_kernel.run_moderated_draws(labels[part], *inputs, memory, coefficient[part], statistic[part], joint[part])

    run_in_chunks(len(labels), run)
    return [(coefficient[:, k, :, : n_rows[k]], statistic[:, k, :, : n_rows[k]], joint[:, k]) for k in range(len(designs))]


def _rank_order(sample: Sample) -> np.ndarray:
    """Candidate pairs in the order of `kernel_data`."""
    chosen = np.flatnonzero(sample.candidate)
    return chosen if sample.tie_quantile is None else chosen[np.argsort(sample.panel.tie[chosen], kind="stable")]


def _blocks_and_base(block: np.ndarray, data: tuple, base_first: int, n_provinces: int) -> tuple[tuple, tuple]:
    """Slots (a city in a block of year effects) of each pair's two cities, and sums over all pairs from rank `base_first`."""
    first, second, y, _, province = data
    block = np.unique(block, return_inverse=True)[1].reshape(-1).astype(np.int64)
    n_blocks = int(block.max()) + 1
    names, slot = np.unique(np.concatenate([first * n_blocks + block, second * n_blocks + block]), return_inverse=True)
    slot_of = np.ascontiguousarray(slot.reshape(2, -1).T.astype(np.int64))
    sums, counts = np.zeros((len(names), *y.shape[1:])), np.zeros(len(names))
    inside, inside_counts = np.zeros((n_provinces, n_blocks, *y.shape[1:])), np.zeros((n_provinces, n_blocks))
    for side in (0, 1):
        np.add.at(sums, slot_of[base_first:, side], y[base_first:])
        np.add.at(counts, slot_of[base_first:, side], 1.0)
    if n_provinces:
        same = np.flatnonzero(province[first] == province[second])
        same = same[same >= base_first]
        np.add.at(inside, (province[first[same]], block[same]), y[same])
        np.add.at(inside_counts, (province[first[same]], block[same]), 1.0)
    return (slot_of, names // n_blocks, names % n_blocks), (sums, counts, inside, inside_counts)


def _memory(label: np.ndarray, base: tuple, blocks: tuple, d: np.ndarray) -> tuple:
    """Working arrays of one thread."""
    n_cities, n_pilots, n_blocks = len(label), int((label > 0).sum()), int(blocks[2].max()) + 1
    n_outcomes, n_years, n_pairs = *base[0].shape[1:], len(blocks[0])
    n_most = n_pilots * (n_cities - n_pilots) + 1
    lists = (
        np.empty(n_cities, dtype=np.int64),
        np.empty(n_pilots * (n_pilots - 1) // 2 + 1, dtype=np.int64),
        np.empty((n_most, 7), dtype=np.int64),
        np.empty((n_most, n_outcomes, d.shape[2])),
        np.empty(n_pairs + n_pilots * n_pilots, dtype=np.int64),
        np.empty(n_pairs + n_pilots * n_pilots),
    )
    totals = (np.empty((n_blocks, n_outcomes, n_years)), np.empty(n_blocks))
    by_province = (np.empty_like(base[2]), np.empty_like(base[3]))
    spare = (np.zeros(n_cities, dtype=np.int64), np.empty((len(blocks[1]), n_years)))
    return tuple(np.empty_like(part) for part in base), totals, by_province, lists, spare


def _paths(designs: list[ModeratedDesign]) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
    """All distinct paths less their means over years (K + 1, T, U), their products (K + 1, U, U), and each design's columns of them."""
    flat = np.concatenate([design.path for design in designs], axis=2)
    unique, which = np.unique(flat.reshape(-1, flat.shape[2]), axis=1, return_inverse=True)
    d = unique.reshape(*flat.shape[:2], -1)
    d = np.ascontiguousarray(d - d.mean(axis=1, keepdims=True))
    ends = np.cumsum([design.path.shape[2] for design in designs])
    return d, np.ascontiguousarray(np.einsum("ktu,ktv->kuv", d, d)), np.split(which.reshape(-1), ends[:-1])


def _packed(designs: list[ModeratedDesign], order: np.ndarray, columns: list[np.ndarray], tested: dict) -> tuple:
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
    tests, sizes = np.zeros((n, n_tests.max(), widest), dtype=np.int64), np.zeros((n, n_tests.max()), dtype=np.int64)
    index, value = np.full((n, len(order), 2), -1, dtype=np.int64), np.zeros((n, len(order), 2))
    for k, design in enumerate(designs):
        all_columns[k, : n_columns[k]] = columns[k]
        contrasts[k, : n_rows[k], : n_coefficients[k]] = design.contrasts
        index[k], value[k] = _sparse(design.loading[order])
        for q, row in enumerate(rows_of[k]):
            tests[k, q, : len(row)], sizes[k, q] = row, len(row)
    return all_columns, n_columns, index, value, contrasts, n_rows, n_coefficients, tests, n_tests, sizes


def _sparse(loading: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Columns and values of the at most two loadings of each pair that differ from zero; -1 for none; (P, 2) each."""
    nonzero = loading != 0
    if (nonzero.sum(axis=1) > 2).any():
        raise ValueError("a pair has more than two loadings: expected classes, or an effect and its slope")
    index, value = np.full((len(loading), 2), -1, dtype=np.int64), np.zeros((len(loading), 2))
    pair, column = np.nonzero(nonzero)
    place = (np.cumsum(nonzero, axis=1) - 1)[pair, column]
    index[pair, place], value[pair, place] = column, loading[pair, column]
    return index, value
