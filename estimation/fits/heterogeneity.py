"""Fit effects that differ between pairs or pilots, and year effects by class of pair; every
coefficient gets its variance estimators.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from ..estimators.heterogeneity import fit_heterogeneity_design
from ..fit import check_arguments, fit_by_sample, result_of, strata_of
from ..inference.diagnostics.coefficients import permitted_rows
from ..inference.permutation.draws import permutation_p_value
from ..inference.permutation.heterogeneity import HeterogeneityDraws, permute_heterogeneity
from ..inference.variances import f_p_value
from ..influence.influence_fit import InfluenceFit
from ..linear.heterogeneity_design import (
    CityTypes,
    Heterogeneity,
    HeterogeneityDesign,
    build_design,
    city_types,
)
from ..panel.controls import drop_controls
from ..panel.pair_panel import FitSample, PairPanel
from ..results import Diagnostic, FitResult, NotEstimable, NotRun

__all__ = ["Heterogeneity", "fit_heterogeneity"]


def fit_heterogeneity(
    panel: PairPanel,
    moderations: Sequence[Heterogeneity],
    *,
    vcov: Sequence[str] | None = None,
    permutations: int = 9999,
    seed: int = 1,
    shuffle: str | np.ndarray = "province",
    tie_quantile: float | None = None,
    control_names: Sequence[str] = (),
) -> dict[tuple[str, int], FitResult | NotRun]:
    """Fit every moderation on every outcome of a panel; all share one sample and one pass of draws.

    Parameters
    ----------
    panel : PairPanel
    moderations : sequence of Heterogeneity
        Names must differ.
    vcov, permutations, seed, shuffle, tie_quantile, control_names
        As in `estimation.fit.fit_outcomes`. Draws need every candidate pair in every year and no
        controls; else that line is left out with a warning.

    Returns
    -------
    dict
        By (name of the moderation, outcome): FitResult, or the reason why it cannot be estimated.

    Raises
    ------
    NotEstimable
        If there are no treated or no never-treated pairs.
    ValueError
        If an argument is not one of those named, or a moderation's arrays do not fit the panel.
    """
    check_arguments(panel, (), vcov, shuffle, control_names)
    if len({m.name for m in moderations}) < len(moderations):
        raise ValueError("moderations: expected names that differ")
    settings = (tuple(moderations), vcov, permutations, seed, shuffle, tuple(control_names))
    return fit_by_sample(panel, lambda sample: _fit_sample(sample, *settings), tie_quantile)


def _fit_sample(
    sample, moderations, vcov, permutations, seed, shuffle, control_names
) -> dict[tuple[str, int], FitResult | NotRun]:
    sample, control_names, dropped = drop_controls(sample, control_names)
    types = city_types(sample, moderations)
    strata = strata_of(sample, shuffle)
    results: dict[tuple[str, int], FitResult | NotRun] = {}
    fitted: dict[str, tuple[HeterogeneityDesign, tuple[InfluenceFit, ...], tuple[str, ...]]] = {}
    notes: dict[str, tuple[str, ...]] = {}
    for moderation in moderations:
        design = build_design(sample, moderation, types)
        own, own_names, also = drop_controls(sample, control_names, design.block)
        notes[design.name] = (*dropped, *also)
        try:
            fitted[design.name] = (
                design,
                *fit_heterogeneity_design(own, design, types, own_names),
            )
        except NotEstimable as error:
            results |= {(design.name, outcome): NotRun(str(error)) for outcome in sample.outcomes}
    tested = {name: _tested(design, fits[0]) for name, (design, fits, _) in fitted.items()}
    draws: dict[tuple[str, int], HeterogeneityDraws] = {}
    wants_draws = (
        permutations > 0 and sample.panel.pilots_known and (vcov is None or "permutation" in vcov)
    )
    is_affordable = sample.panel.controls is None and bool(sample.observed[sample.candidate].all())
    if wants_draws and is_affordable and fitted:
        draws = permute_heterogeneity(
            sample,
            tuple(d for d, _, _ in fitted.values()),
            types,
            strata,
            permutations,
            seed,
            tested,
        )
    for name, (design, fits, missed) in fitted.items():
        for m, outcome in enumerate(sample.outcomes):
            found = draws.get((name, m))
            extra = joint_diagnostics(fits[m], tested[name], found)
            warnings = (
                [f"{', '.join(missed)}: not identified beside the pair and year effects; left out."]
                if missed
                else []
            )
            if wants_draws and not is_affordable:
                warnings.append(
                    "The line permutation is left out: its draws need every pair in every year "
                    "and no controls."
                )
            results[name, outcome] = result_of(
                _typed(sample, types),
                design.estimator,
                outcome,
                fits[m],
                found,
                strata,
                vcov,
                extra=extra,
                warnings=[*warnings, *notes[name]],
            )
    return results


def _typed(sample: FitSample, types: CityTypes) -> FitSample:
    """The sample with what the permutation moves in place of cohorts."""
    return dataclasses.replace(sample, city_group=types.city_type)


def _tested(design: HeterogeneityDesign, fit: InfluenceFit) -> dict[str, np.ndarray]:
    """Rows of each joint test that have pilots enough and are kept by every refit; tests with fewer
    than one row are left out.
    """
    allowed = set(fit.columns[permitted_rows(fit)].tolist())
    tests = {
        name: np.array([r for r in rows if int(r) in allowed], dtype=np.int64)
        for name, rows in design.tests.items()
    }
    return {name: rows for name, rows in tests.items() if len(rows)}


def joint_diagnostics(
    fit: InfluenceFit, tested: dict[str, np.ndarray], draws: HeterogeneityDraws | None
) -> list[Diagnostic]:
    """Joint tests that all effects are zero and that all are equal:

    F with the jackknife covariance, its p, and the permutation p.
    """
    found: list[Diagnostic] = []
    if fit.provinces is None:
        return found
    for name in ("zero", "equal"):
        rows = tested.get(name, np.zeros(0, dtype=np.int64))
        chosen = np.flatnonzero(np.isin(fit.columns, rows))
        statistic, df1, df2 = fit.provinces.joint_f(fit.estimate, chosen)
        if len(rows) == 0 or not np.isfinite(statistic):
            continue
        found += [
            (f"joint_{name}_f", None, statistic),
            (f"joint_{name}_df1", None, df1),
            (f"joint_{name}_df2", None, df2),
        ]
        found.append((f"joint_{name}_p", None, f_p_value(statistic, df1, df2)))
        if draws is not None and name in draws.tests:
            p_value = permutation_p_value(statistic, draws.tests[name], draws.is_enumeration)
            found.append((f"joint_{name}_permutation_p", None, p_value))
    return found
