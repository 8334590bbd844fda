"""Fit effects that differ between pairs or pilots, and year effects by class of pair; every
coefficient gets its variance estimators.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..engines.heterogeneity_design import Heterogeneity, build_design, city_types
from ..engines.regressors import Design
from ..estimators.arguments import check_arguments
from ..estimators.fitted import sample_statistics
from ..estimators.two_way import LeastSquaresDraws, fit_design
from ..fit import DEFAULTS, fit_by_sample, result_of, strata_of
from ..inference.diagnostics.coefficients import observed_statistics, permitted_rows
from ..inference.permutation.draws import Draws, permutation_p_value
from ..inference.permutation.permute import permute
from ..inference.variances import f_p_value
from ..influence.influence_fit import InfluenceFit
from ..options import Options
from ..panel.controls import drop_controls
from ..panel.fit_sample import FitSample
from ..panel.pair_panel import PairPanel
from ..results import Diagnostic, FitResult, NotEstimable, NotRun


def fit_heterogeneity(
    panel: PairPanel,
    moderations: Sequence[Heterogeneity],
    *,
    control_names: Sequence[str] = (),
    options: Options = DEFAULTS,
    **changes: Any,
) -> dict[tuple[str, int], FitResult | NotRun]:
    """Fit every moderation on every outcome of a panel; all share one sample and one pass of draws.

    Parameters
    ----------
    panel : PairPanel
    moderations : sequence of Heterogeneity
        Names must differ.
    control_names, options, changes
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
        If there are not as many names as controls.
    """
    options = options.but(**changes)
    check_arguments(panel, (), options, control_names)
    given = (tuple(moderations), tuple(control_names), options)
    return fit_by_sample(panel, lambda sample: _fit_sample(sample, *given), options)


def _fit_sample(
    sample: FitSample,
    moderations: tuple[Heterogeneity, ...],
    control_names: tuple[str, ...],
    options: Options,
) -> dict[tuple[str, int], FitResult | NotRun]:
    sample, control_names, dropped = drop_controls(sample, control_names)
    types, strata = city_types(sample, moderations), strata_of(sample, options.shuffle)
    results: dict[tuple[str, int], FitResult | NotRun] = {}
    fitted: dict[str, tuple[Design, tuple[InfluenceFit, ...], list[str]]] = {}
    models: dict[str, LeastSquaresDraws] = {}
    plain = sample_statistics(sample)
    for moderation in moderations:
        design = build_design(sample, moderation, types)
        own, names, also = drop_controls(sample, control_names, design.block)
        is_plain = design.loading is None and own is sample
        statistics = plain if is_plain else sample_statistics(own, design.loading)
        try:
            fits, missed = fit_design(own, statistics, design, names)
        except NotEstimable as error:
            results |= {(design.name, outcome): NotRun(str(error)) for outcome in sample.outcomes}
            continue
        warnings = [*dropped, *also]
        if missed:
            named = ", ".join(missed)
            warnings.insert(
                0, f"{named}: not identified beside the pair and year effects; left out."
            )
        fitted[design.name] = (design, fits, warnings)
        models[design.name] = LeastSquaresDraws(statistics, design, _tested(design, fits[0]))
    draws: dict[tuple[str, int], Draws] = {}
    wants_draws = options.wants_draws and sample.panel.pilots_known
    is_affordable = sample.panel.controls is None and bool(sample.observed[sample.candidate].all())
    if wants_draws and is_affordable and fitted:
        observed = {
            name: observed_statistics(fits, models[name].tests, range(len(fits)))
            for name, (_, fits, _) in fitted.items()
        }
        draws = permute(sample, models, strata, options, observed=observed)
    for name, (design, fits, warnings) in fitted.items():
        if wants_draws and not is_affordable:
            warnings.append(
                "The line permutation is left out: its draws need every pair in every year "
                "and no controls."
            )
        for m, outcome in enumerate(sample.outcomes):
            found = draws.get((name, m))
            results[name, outcome] = result_of(
                dataclasses.replace(sample, city_group=types.city_type),
                design.estimator,
                outcome,
                fits[m],
                found,
                strata,
                options,
                extra=joint_diagnostics(fits[m], models[name].tests, found),
                warnings=warnings,
            )
    return results


def _tested(design: Design, fit: InfluenceFit) -> dict[str, np.ndarray]:
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
    fit: InfluenceFit, tested: dict[str, np.ndarray], draws: Draws | None
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
            p_value = permutation_p_value(
                statistic, draws.counted(statistic, draws.tests[name]), draws.is_enumeration
            )
            found.append((f"joint_{name}_permutation_p", None, p_value))
    return found
