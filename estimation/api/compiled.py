"""Compile every loop of the permutations before the first fit needs one: a minute that somebody
else would wait for.
"""

from __future__ import annotations

import fcntl
import itertools
import os
from pathlib import Path

import numpy as np

from ..closed_form.fit import CityPanel
from ..closed_form.permutation import permute_all_pairs
from ..estimators.registry import names
from ..fit import fit_outcomes
from ..fits.heterogeneity import fit_heterogeneity
from ..kernels.compile_cache import use_compile_cache
from ..kernels.records import CurvePairs, RankedTies
from ..linear.heterogeneity_design import Heterogeneity
from ..panel.pair_panel import PairPanel

DRAWS = {"permutations": 20}


def compile_loops() -> Path | None:
    """Run every compiled loop once, on a panel of a few cities, so that numba keeps it; what is
    kept already is only loaded.

    Returns
    -------
    Path or None
        Where they are kept; None without a place that can be written.
    """
    use_compile_cache()
    folder = os.environ.get("NUMBA_CACHE_DIR")
    if not folder:
        return None
    # two processes at once would both compile everything; the second waits, and finds it done
    Path(folder).mkdir(parents=True, exist_ok=True)
    with open(Path(folder) / "compiling.lock", "a", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _run_every_loop()
    return Path(folder)


def _run_every_loop() -> None:
    panel = _panel()
    of_pairs = tuple(name for name in names(on_any_panel=True) if name != "twfe")
    fit_outcomes(panel, estimators=("twfe", *of_pairs), tie_quantile=0.5, **DRAWS)
    fit_outcomes(panel, estimators=("twfe",), n_partners=2, **DRAWS)
    covariates = np.random.default_rng(2).normal(size=(panel.n_cities, 2))
    fit_outcomes(
        panel,
        estimators=("entropy_balanced",),
        covariates=covariates,
        covariate_names=("a", "b"),
        tie_quantile=0.5,
        **DRAWS,
    )
    kind = (panel.city_i + panel.city_j) % 2
    fit_heterogeneity(
        panel,
        [Heterogeneity("by class", pair_class=kind, class_names=("a", "b"))],
        tie_quantile=0.5,
        **DRAWS,
    )
    cities = CityPanel(
        np.random.default_rng(3).normal(size=(panel.n_cities, 7)),
        panel.years,
        panel.city_cohort,
        panel.province,
    )
    for outcome in ("cm", "neg_abs_gap"):
        permute_all_pairs(cities, outcome=outcome, n_draws=DRAWS["permutations"], seed=1)
    _sum_a_curve()


def _sum_a_curve() -> None:
    """The sums of the study's specification curve, with the types of its records: three cities, one
    measure, one rule of ties.
    """
    from ..kernels.curve_sums import sum_curve  # after the folder is named

    first, second = np.triu_indices(3, 1)
    order = np.arange(len(first))
    pairs = CurvePairs(first, second, np.zeros_like(order), np.ones((len(first), 2)))
    ranks = [
        of[None].astype(dtype)
        for of, dtype in (
            (first, np.int32),
            (second, np.int32),
            (order, np.int64),
            (order + 1, np.int64),
        )
    ]
    ties = RankedTies(*ranks, np.array([len(first)]), np.zeros(1, dtype=np.int64), np.array([0.5]))
    counts = np.zeros((1, 1, 2, 1, 2))
    sum_curve(
        np.arange(3)[None], np.array([[0, 1, 0]]), pairs, ties, counts, np.zeros((*counts.shape, 2))
    )


def _panel() -> PairPanel:
    """Eighteen cities in six provinces, six of them pilots of three cohorts, and two outcomes."""
    generator = np.random.default_rng(1)
    first, second = np.array(list(itertools.combinations(range(18), 2))).T
    cohort = np.zeros(18, dtype=int)
    cohort[::3] = np.resize([2013, 2014, 2016], 6)
    y = generator.normal(size=(2, len(first), 7))
    return PairPanel(
        first,
        second,
        np.arange(2010, 2017),
        y,
        cohort,
        np.arange(18) // 3,
        None,
        tie=generator.lognormal(size=len(first)),
    )
