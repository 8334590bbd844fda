"""From a group of specs that share a sample to the result of each."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence

from ..analyses.rules import TIE_RULES
from ..analyses.spec import Spec
from ..estimators.registry import ESTIMATORS
from ..fit_panel import fit_outcomes
from ..options import ENOUGH, Options
from ..results import FitResult, NotEstimable, NotRun
from ..sample.build import StudySample
from ..sample.marts import Marts
from .heterogeneity import fit_dose, fit_heterogeneity_group, fit_without_approval_year

Results = dict[tuple[str, int], FitResult]


def group_specs(specs: Sequence[Spec], *, by_outcome: bool = False) -> list[list[Spec]]:
    """Return specs that share a sample, in order of their first; `by_outcome` those of one outcome
    alone.
    """
    groups: dict[tuple, list[Spec]] = {}
    for spec in specs:
        groups.setdefault((spec.sample_key, spec.outcome if by_outcome else None), []).append(spec)
    return list(groups.values())


def fit_group(
    marts: Marts,
    sample: StudySample,
    group: list[Spec],
    *,
    vcov: tuple[str, ...],
    permutations: int,
) -> Iterator[tuple[Spec, FitResult | NotRun]]:
    """Result of each spec on a sample.

    Parameters
    ----------
    marts : Marts
    sample : StudySample
    group : list of Spec
        Specs that share the sample; only outcome, estimator and strength differ.
    vcov : tuple of str
        Variance estimators; empty for point estimates alone.
    permutations : int
    """
    first = group[0]
    tie_rule = TIE_RULES[first.tie_rule]
    options = Options(
        vcov,
        permutations,
        enough_of={(s.estimator, sample.outcomes.index(s.outcome)): s.enough for s in group},
        enough_of_tests=ENOUGH,
        seed=first.seed,
        shuffle=first.shuffle if sample.strata is None else sample.strata,
        tie_quantile=tie_rule.quantile,
        n_partners=tie_rule.partners,
        control_pairs=first.control_pairs,
    )
    if first.has_heterogeneity:
        yield from fit_heterogeneity_group(marts, sample, group, options)
        return
    estimators = tuple(dict.fromkeys(spec.estimator for spec in group))
    try:
        results = FITS[first.kind](sample, group, options)
    except NotEstimable as error:
        if len(estimators) == 1:
            yield from ((spec, NotRun(str(error))) for spec in group)
            return
        # one of them identifies nothing: each by itself, so that the others are kept
        for estimator in estimators:
            own = [spec for spec in group if spec.estimator == estimator]
            yield from fit_group(marts, sample, own, vcov=vcov, permutations=permutations)
        return
    for spec in group:
        yield spec, results[spec.estimator, sample.outcomes.index(spec.outcome)]


def _fit_estimators(sample: StudySample, group: list[Spec], options: Options) -> Results:
    first, panel = group[0], sample.panel
    wanted = {
        "estimators": tuple(dict.fromkeys(spec.estimator for spec in group)),
        "only": {(spec.estimator, sample.outcomes.index(spec.outcome)) for spec in group},
    }
    if ESTIMATORS[first.estimator].needs_city_covariates:
        panel, options = dataclasses.replace(panel, controls=None), options.but(n_partners=None)
        wanted |= {"covariates": sample.city_covariates, "covariate_names": first.controls}
    else:
        wanted["control_names"] = first.controls
    return fit_outcomes(panel, **wanted, options=options)


def _fit_approval_year(sample: StudySample, group: list[Spec], options: Options) -> Results:
    return fit_without_approval_year(sample.panel, sample.is_second_half, options)


def _fit_dose(sample: StudySample, group: list[Spec], options: Options) -> Results:
    return fit_dose(sample.panel, sample.dose, options)


# by `Spec.kind`
FITS: dict[str, Callable[[StudySample, list[Spec], Options], Results]] = {
    "estimators": _fit_estimators,
    "approval_year": _fit_approval_year,
    "dose": _fit_dose,
}
