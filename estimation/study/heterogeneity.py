"""Effects that differ between pairs or pilots, year effects by class of pair, and regressors that a
pilot brings along as its own path over the years: the dose of its policy texts, and the approval
year of pilots approved in July to December. Every coefficient gets its variance estimators.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ..analyses.spec import SampleError, Spec
from ..engines.heterogeneity_design import Heterogeneity, build_design, city_types
from ..engines.regressors import Design
from ..estimators.fitted import Fitted, Inputs, sample_statistics
from ..estimators.two_way import LeastSquaresDraws, fit_design
from ..fit_panel import DEFAULTS, fit_by_sample, strata_of
from ..fit_results import results_of
from ..inference.diagnostics.coefficients import permitted_rows
from ..influence.influence_fit import InfluenceFit
from ..options import Options
from ..panel.controls import drop_controls
from ..panel.fit_sample import FitSample
from ..panel.pair_panel import PairPanel
from ..results import FitResult, NotEstimable, NotRun
from ..sample.build import StudySample
from ..sample.marts import Marts
from ..sample.moderators import SAME_REGRESSOR, Notes, build_heterogeneity

Built = dict[tuple, tuple[Heterogeneity, Notes] | NotRun]


def fit_heterogeneity_group(
    marts: Marts, sample: StudySample, group: list[Spec], options: Options
) -> Iterator[tuple[Spec, FitResult | NotRun]]:
    """Results by spec; specs that differ only in outcome share a fit."""
    built: Built = {}
    for spec in group:
        if _key(spec) not in built:
            try:
                built[_key(spec)] = build_heterogeneity(sample, marts.cities, marts.strengths, spec)
            except SampleError as error:
                built[_key(spec)] = NotRun(str(error))
    _say_which_are_one(built)
    can_be = {key: entry for key, entry in built.items() if not isinstance(entry, NotRun)}
    results: dict[tuple[str, int], FitResult | NotRun] = {}
    enough_of = {
        (can_be[_key(spec)][0].name, sample.outcomes.index(spec.outcome)): spec.enough
        for spec in group
        if _key(spec) in can_be
    }
    try:
        if can_be:
            results = fit_heterogeneity(
                sample.panel,
                [moderation for moderation, _ in can_be.values()],
                control_names=group[0].controls,
                options=options.but(enough_of=enough_of),
            )
    except NotEstimable as error:
        built |= dict.fromkeys(can_be, NotRun(str(error)))
    for spec in group:
        entry = built[_key(spec)]
        if isinstance(entry, NotRun):
            yield spec, entry
            continue
        moderation, (diagnostics, warnings) = entry
        result = results[moderation.name, sample.outcomes.index(spec.outcome)]
        if not isinstance(result, NotRun):
            result = dataclasses.replace(
                result,
                diagnostics=(*result.diagnostics, *diagnostics),
                warnings=(*result.warnings, *warnings),
            )
        yield spec, result


def _say_which_are_one(built: Built) -> None:
    """Add a diagnostic and a warning where strengths of different tools are one regressor: their
    rows are one result.
    """
    alike: dict[bytes, list[tuple]] = {}
    for key, entry in built.items():
        if (
            not isinstance(entry, NotRun)
            and entry[0].city_path is not None
            and len(entry[0].path_names) == 1
        ):
            # in units of their means, equal up to rounding is equal
            alike.setdefault((np.round(entry[0].city_path, 9) + 0.0).tobytes(), []).append(key)
    for keys in alike.values():
        names = dict.fromkeys(built[key][0].path_names[0] for key in keys)
        for key in keys:
            moderation, (diagnostics, warnings) = built[key]
            own = moderation.path_names[0]
            others = [name for name in names if name != own]
            if others:
                diagnostics += [(SAME_REGRESSOR, other, 1.0) for other in others]
                warnings.append(
                    f"strength:{own}: the very same regressor as "
                    f"{', '.join(f'strength:{other}' for other in others)} on this sample: "
                    "one result under several names."
                )


def _key(spec: Spec) -> tuple:
    return (spec.moderator, spec.strength, spec.effects, spec.estimator)


def fit_heterogeneity(
    panel: PairPanel,
    moderations: Sequence[Heterogeneity],
    *,
    control_names: Sequence[str] = (),
    options: Options = DEFAULTS,
    **changes: Any,
) -> dict[tuple[str, int], FitResult | NotRun]:
    """Fit every moderation on every outcome of a panel, all on one sample and with the same draws.

    Parameters
    ----------
    panel : PairPanel
    moderations : sequence of Heterogeneity
        Names must differ.
    control_names, options, changes
        As in `fit_panel.fit_outcomes`. Draws need every candidate pair in every year and no
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
            "The permutation is left out: its draws need every pair in every year and no controls.",
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
    """Return rows of each joint test that have pilots enough and are kept by every refit; tests
    with fewer than one row are left out.
    """
    allowed = fit.columns[permitted_rows(fit)]
    tests = {}
    for name, rows in design.tests.items():
        kept = np.asarray(rows, dtype=np.int64)
        kept = kept[np.isin(kept, allowed)]
        if len(kept):
            tests[name] = kept
    return tests


def fit_dose(
    panel: PairPanel, dose: np.ndarray, options: Options = DEFAULTS
) -> dict[tuple[str, int], FitResult]:
    """Return two-way fixed effects of treatment and of treatment times dose, for every outcome of a
    panel.

    Parameters
    ----------
    panel : PairPanel
    dose : (N, T) float array
        As `build_dose` gives it; under the permutation a city's whole record of admission and dose
        moves.
    options : Options

    Returns
    -------
    dict
        FitResult by ("twfe", outcome) with the terms ``treated`` (at the mean dose) and ``dose`` (a
        standard deviation more).

    Raises
    ------
    NotEstimable
        If the two cannot be told apart.
    """
    return _fit_city_paths(panel, (_treated_path(panel), dose), ("treated", "dose"), options)


def fit_without_approval_year(
    panel: PairPanel, is_second_half: np.ndarray, options: Options = DEFAULTS
) -> dict[tuple[str, int], FitResult]:
    """Return two-way fixed effects in which the year before the first treated one has a coefficient
    of its own for second-half pilots: it is neither treated nor control, its base lies before it.

    On a balanced panel that equals leaving the pair-years out: a coefficient for one cohort in one
    year takes them from all others. Under the permutation a city's whole record moves, with the
    half of the year of its approval.

    Parameters
    ----------
    panel : PairPanel
        Without controls; first treated years are those after the year of approval for second-half
        pilots.
    is_second_half : (N,) bool array
    options : Options

    Returns
    -------
    dict
        FitResult by ("twfe", outcome) with the terms ``treated`` and ``approval_year_<year>``.

    Raises
    ------
    NotEstimable
        If the two cannot be told apart, or no pilot was approved in the second half of a year of
        the panel.
    """
    is_pilot = panel.city_cohort > 0
    approval = (panel.years[None, :] == panel.city_cohort[:, None] - 1) & (
        is_second_half & is_pilot
    )[:, None]
    if not approval.any():
        raise NotEstimable(
            "no pilot of the sample was approved in July to December of a year of the window: the "
            "baseline regression has no such year"
        )
    # a coefficient of its own for each cohort: only then no year of one is compared with that of
    # another
    years = np.flatnonzero(approval.any(axis=0))
    paths = (_treated_path(panel), *(approval & (np.arange(len(panel.years)) == t) for t in years))
    terms = ("treated", *(f"approval_year_{panel.years[t]}" for t in years))
    return _fit_city_paths(panel, paths, terms, options)


def _treated_path(panel: PairPanel) -> np.ndarray:
    """Return whether a city has been admitted by a year of the panel; shape (N, T) bool."""
    return (panel.city_cohort > 0)[:, None] & (panel.years[None, :] >= panel.city_cohort[:, None])


def _fit_city_paths(
    panel: PairPanel,
    paths: Sequence[np.ndarray],
    terms: tuple[str, ...],
    options: Options,
) -> dict[tuple[str, int], FitResult]:
    """Return two-way fixed effects on paths (N, T) that move with a city's admission under the
    permutation, each coefficient under its own name.
    """
    path = np.stack(paths, axis=2).astype(float)
    moderation = Heterogeneity("twfe", city_path=path, path_names=terms, are_strengths=False)
    results = fit_heterogeneity(panel, [moderation], options=options)
    for result in results.values():
        if isinstance(result, NotRun):
            raise NotEstimable(result.reason)
    return results
