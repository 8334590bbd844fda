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
from ..estimators.fitted import Fitted, Inputs, sample_statistics
from ..estimators.two_way import LeastSquaresDraws, fit_design
from ..fit import DEFAULTS, fit_by_sample, results_of, strata_of
from ..inference.diagnostics.coefficients import permitted_rows
from ..influence.influence_fit import InfluenceFit
from ..options import Options
from ..panel.controls import drop_controls
from ..panel.fit_sample import FitSample
from ..panel.pair_panel import PairPanel
from ..results import FitResult, NotEstimable, NotRun


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
    """
    options = options.but(**changes)
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
    plain = sample_statistics(sample)
    has_draws = sample.panel.controls is None and bool(sample.observed[sample.candidate].all())
    left_out = ()
    if options.wants_draws and not has_draws:
        left_out = (
            "The line permutation is left out: its draws need every pair in every year and no "
            "controls.",
        )
    fitted: dict[str, Fitted] = {}
    not_run: dict[tuple[str, int], NotRun] = {}
    for moderation in moderations:
        design = build_design(sample, moderation, types)
        own, names, also = drop_controls(sample, control_names, design.block)
        is_plain = design.loading is None and own is sample
        statistics = plain if is_plain else sample_statistics(own, design.loading)
        try:
            fits, missed = fit_design(own, statistics, design, names)
        except NotEstimable as error:
            not_run |= {(design.name, outcome): NotRun(str(error)) for outcome in sample.outcomes}
            continue
        said = f"{', '.join(missed)}: not identified beside the pair and year effects; left out."
        fitted[design.name] = Fitted(
            dataclasses.replace(sample, city_group=types.city_type),
            fits,
            LeastSquaresDraws(statistics, design) if has_draws else None,
            tests=_tested(design, fits[0]),
            estimator=design.estimator,
            diagnostics=(),
            warnings=(*([said] if missed else []), *dropped, *also, *left_out),
        )
    return not_run | results_of(Inputs(sample, options=options), fitted, strata)


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
