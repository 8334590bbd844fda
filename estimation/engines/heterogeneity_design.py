"""Effects that differ between pairs or between pilots, and year effects of a class of pairs: the
regressors of such a fit.

Every regressor is a path of the pilot (what it brings in each year) times a loading of the pair (a
class dummy, a gap). Under a permutation the path moves with the admission and the loading stays
with the pair.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

from ..panel.fit_sample import FitSample
from .regressors import DESIGNS, Design

UNKNOWN = "unknown"


@dataclass(frozen=True)
class Heterogeneity:
    """What one fit lets vary; arrays by pair are in the order in which the pairs were given to the
    panel.

    Attributes
    ----------
    name : str
        Key of the fit.
    estimator : str
        ``twfe`` or ``event_study``; with `city_path` the path replaces treatment.
    pair_class : (P,) int array, optional
        Class of every candidate pair, a position in `class_names`: one coefficient per class. The
        class called ``unknown`` keeps its pairs in the sample and is in no difference and no test.
    class_names : tuple of str
    gap : (P,) float array, optional
        A continuous moderator, standardised by the caller: the effect and its slope over the gap.
        NaN counts as ``unknown``.
    year_block : (P,) int array, optional
        Pairs with the same value share their year effects; None: all pairs do.
    city_path : (N, T, S) float array, optional
        What a pilot brings in each year (a policy intensity by tool), zero before its admission.
    path_names : tuple of str, length S
    are_strengths : bool
        Whether the paths are strengths of one kind, which are compared with one another; else each
        is a regressor of its own.
    """

    name: str
    estimator: str = "twfe"
    pair_class: np.ndarray | None = None
    class_names: tuple[str, ...] = ()
    gap: np.ndarray | None = None
    year_block: np.ndarray | None = None
    city_path: np.ndarray | None = None
    path_names: tuple[str, ...] = ()
    are_strengths: bool = True


@dataclass(frozen=True)
class CityTypes:
    """Cities by what they bring: one type for each cohort, or for each record of cohort and paths.

    Attributes
    ----------
    city_type : (N,) int array
        0 = never-treated.
    group : (K + 1,) int array
        Cohort group of a type.
    example : (K + 1,) int array
        A city of each type; -1 for type 0.
    """

    city_type: np.ndarray
    group: np.ndarray
    example: np.ndarray


def city_types(sample: FitSample, moderations: tuple[Heterogeneity, ...]) -> CityTypes:
    """Return types that tell apart every cohort and every record of paths among the moderations."""
    pilots = np.flatnonzero(sample.city_group > 0)
    records = [sample.city_group[pilots, None].astype(np.float64)]
    records += [
        m.city_path[pilots].reshape(len(pilots), -1) for m in moderations if m.city_path is not None
    ]
    _, first, which = np.unique(
        np.concatenate(records, axis=1), axis=0, return_index=True, return_inverse=True
    )
    city_type = np.zeros(len(sample.city_group), dtype=np.int64)
    city_type[pilots] = which.reshape(-1) + 1
    example = np.concatenate([[-1], pilots[first]])
    return CityTypes(city_type, np.concatenate([[0], sample.city_group[example[1:]]]), example)


def build_design(sample: FitSample, moderation: Heterogeneity, types: CityTypes) -> Design:
    """Return regressors, terms, differences and tests of a moderation.

    Parameters
    ----------
    sample : FitSample
    moderation : Heterogeneity
    types : CityTypes

    Returns
    -------
    Design
        Its terms are the coefficients, then their differences. Coefficient l = v * S + s of S paths
        is the path s of a pilot's type times the loading v of the pair (a class, or one and the
        gap).
    """
    path, path_terms = _paths(sample, moderation, types)
    pair_class, loading, load_names = _loadings(sample, moderation)
    coefficients = [
        (term if not load else f"{term}:{load}", None, event)
        for load, (term, event) in itertools.product(load_names, path_terms)
    ]
    known = [k for k, load in enumerate(np.repeat(load_names, len(path_terms))) if load != UNKNOWN]
    is_comparable = moderation.gap is None and (
        len(load_names) > 1 or (moderation.city_path is not None and moderation.are_strengths)
    )
    pairs = (
        _compared(known)
        if is_comparable
        and len(path_terms) * len(load_names) > 1
        and moderation.estimator == "twfe"
        else []
    )
    size = len(coefficients)
    contrasts = np.concatenate(
        [np.eye(size), np.array([_minus(size, a, b) for a, b in pairs]).reshape(-1, size)]
    )
    differences = [
        (f"difference:{_short(coefficients[a][0])}-{_short(coefficients[b][0])}", None, None)
        for a, b in pairs
    ]
    block = None
    if moderation.year_block is not None:
        given = np.asarray(moderation.year_block)[sample.panel.order]
        block = np.unique(given, return_inverse=True)[1].reshape(-1).astype(np.int64)
    n_classes = 1 if pair_class is None else max(len(moderation.class_names), 2)
    return Design(
        moderation.name,
        moderation.estimator,
        tuple(coefficients + differences),
        _regressors(path, len(load_names), n_classes, moderation.gap is not None),
        contrasts,
        _tests(coefficients, known, pairs, size),
        types.city_type,
        pair_class,
        n_classes,
        loading,
        block,
    )


def _regressors(path: np.ndarray, n_loads: int, n_classes: int, has_gap: bool) -> np.ndarray:
    """Return regressors (V, G, T, L) of groups by type and class from the paths (K + 1, T, S) of
    types.
    """
    n_types, n_years, n_paths = path.shape
    x = np.zeros((2 if has_gap else 1, n_types - 1, n_classes, n_years, n_loads, n_paths))
    for load in range(n_loads):
        # of a gap: the effect, its slope, and those whose gap is not known
        v, c = ((0, 0), (1, 0), (0, 1))[load] if has_gap else (0, load)
        x[v, :, c, :, load] = path[1:]
    shape = (len(x), (n_types - 1) * n_classes, n_years, n_loads * n_paths)
    return np.concatenate([np.zeros((len(x), 1, *shape[2:])), x.reshape(shape)], axis=1)


def _paths(
    sample: FitSample, moderation: Heterogeneity, types: CityTypes
) -> tuple[np.ndarray, list[tuple[str, int | None]]]:
    if moderation.city_path is None:
        design = DESIGNS[moderation.estimator](sample.group_years, sample.panel.years)
        return design.x[types.group], [(term, event) for term, _, event in design.terms]
    path = np.zeros((len(types.group), *moderation.city_path.shape[1:]))
    path[1:] = moderation.city_path[types.example[1:]]
    prefix = "strength:" if moderation.are_strengths else ""
    return path, [(prefix + name, None) for name in moderation.path_names]


def _loadings(
    sample: FitSample, moderation: Heterogeneity
) -> tuple[np.ndarray | None, np.ndarray | None, list[str]]:
    """Return the class (P,) and loadings (P, V) of the pairs in the panel's order, and what each
    coefficient of a path adds to its term.
    """
    order = sample.panel.order
    if moderation.pair_class is not None:
        given = np.asarray(moderation.pair_class, dtype=np.int64)[order]
        return given, None, list(moderation.class_names)
    if moderation.gap is None:
        return None, None, [""]
    gap = np.asarray(moderation.gap, dtype=np.float64)[order]
    known = np.isfinite(gap)
    loading = np.stack([np.ones(len(gap)), np.where(known, gap, 0.0)], axis=1)
    if known.all():
        return None, loading, ["", "gap"]
    return (~known).astype(np.int64), loading, ["", "gap", UNKNOWN]


def _compared(known: list[int]) -> list[tuple[int, int]]:
    """Return all pairs of up to three coefficients; of more, each against the last."""
    if len(known) <= 3:
        return list(itertools.combinations(known, 2))
    return [(a, known[-1]) for a in known[:-1]]


def _minus(size: int, a: int, b: int) -> np.ndarray:
    row = np.zeros(size)
    row[a], row[b] = 1.0, -1.0
    return row


def _short(term: str) -> str:
    return term.split(":", 1)[1] if ":" in term else term


def _tests(coefficients: list, known: list[int], pairs: list, size: int) -> dict[str, np.ndarray]:
    """Return joint tests by name: leads, all effects zero, all effects equal (the differences to
    the last coefficient).
    """
    leads = [
        k
        for k, (term, _, event) in enumerate(coefficients)
        if term == "event" and event is not None and event < -1
    ]
    tests = {"leads": np.array(leads, dtype=np.int64)} if leads else {}
    if pairs:
        tests["zero"] = np.array(known, dtype=np.int64)
        tests["equal"] = np.array(
            [size + k for k, (_, b) in enumerate(pairs) if b == known[-1]], dtype=np.int64
        )
    return tests
