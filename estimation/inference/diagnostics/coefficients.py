"""Numbers that say how far a fit can be trusted (docs/methods, sections 7 and 8)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ...influence.influence_fit import InfluenceFit
from ...influence.jackknife import Refits
from ...panel.fit_sample import FitSample
from ...results import Diagnostic
from ..intervals import Inference, covariance_by_pair, leads_by_pair
from ..permutation.assignments import fixed_labels
from ..permutation.draws import Draws, permutation_p_value
from ..variances import MIN_PILOTS, f_p_value, hotelling_f, score_variance, t_interval
from .goodman_bacon import (
    estimates_without_cohorts,
    goodman_bacon,
    minimum_detectable_effect,
    negative_weight_share,
    treatment_weights,
)
from .pilot_level import pilot_level

# coefficients whose placebo distribution is kept as quantiles, for its picture
OVERALL = ("treated", "att")
QUANTILES = np.linspace(0.0, 1.0, 41)


@dataclass(frozen=True)
class Influence:
    """The block of cities whose deletion moves one coefficient most.

    `share` is its share of the jackknife sum, `r_eff` = 1/sum of squared shares; None where a refit
    loses the coefficient.
    """

    block: int | str
    estimate_without: float
    share: float | None
    r_eff: float | None


def most_influential(refits: Refits, estimate: np.ndarray, c: int) -> Influence | None:
    """Most influential block for coefficient c among the refits that keep it; None where no refit
    does or none moves it.
    """
    squares = (refits.estimates[:, c] - estimate[c]) ** 2
    if not np.isfinite(squares).any() or not np.nansum(squares) > 0:
        return None
    at = int(np.nanargmax(squares))
    share = r_eff = None
    if np.isfinite(squares).all():
        shares = squares / squares.sum()
        share, r_eff = float(shares[at]), float(1 / (shares**2).sum())
    block = refits.blocks[at]
    return Influence(
        block.item() if hasattr(block, "item") else block,
        float(refits.estimates[at, c]),
        share,
        r_eff,
    )


def tested_leads(sample: FitSample, fit: InfluenceFit, reference: int) -> np.ndarray:
    """Return leads of the joint test and of Honest DiD; positions of coefficients.

    They have pilots enough and are kept by every refit, or, where treatment is by pair, have a
    dyadic error. There are none where the reference is a treated year: each lead is then a
    difference from an effect.
    """
    if reference >= 0:
        return np.zeros(0, dtype=np.int64)
    if not sample.panel.pilots_known:
        return leads_by_pair(sample, fit)
    permitted = set(permitted_rows(fit).tolist())
    events = [
        c for c, (term, _, e) in enumerate(fit.terms) if term == "event" and e is not None and e < 0
    ]
    return np.array([c for c in events if c in permitted], dtype=np.int64)


def permitted_rows(fit: InfluenceFit) -> np.ndarray:
    """Return coefficients that a joint test may use: pilots enough, kept by every refit; positions,
    none without provinces.
    """
    if fit.provinces is None:
        return np.zeros(0, dtype=np.int64)
    return np.flatnonzero(
        (fit.n_pilots >= MIN_PILOTS) & np.isfinite(fit.provinces.estimates).all(axis=0)
    )


def summarised(fit: InfluenceFit) -> list[tuple[int, str]]:
    """Return positions and labels of the coefficients that get diagnostics and sentences of their
    own: not the single cells of cohort and year.
    """
    return [(c, label) for c, label in enumerate(fit.labels) if fit.terms[c][0] != "group_time"]


def coefficient_diagnostics(fit: InfluenceFit, inference: Inference) -> list[Diagnostic]:
    """Return variances of all inference, their ratios and what moves each coefficient most."""
    found: list[Diagnostic] = []
    for c, label in summarised(fit):
        variance = {name: _number(value[c]) for name, value in inference.variances.items()}
        found += [(f"{name}_variance", label, value) for name, value in variance.items()]
        if variance["conventional"]:
            found.append(
                ("conventional_t", label, float(fit.estimate[c]) / variance["conventional"] ** 0.5)
            )
        if variance["city"] and variance["province_jackknife"] is not None:
            found.append(
                (
                    "jackknife_to_city_error",
                    label,
                    (variance["province_jackknife"] / variance["city"]) ** 0.5,
                )
            )
        found.append(("n_pilot_provinces", label, int(fit.n_pilot_provinces[c])))
        if fit.n_pilots[c] >= MIN_PILOTS and fit.provinces is not None:
            jackknife = t_interval(
                float(fit.estimate[c]),
                float(inference.variances["province_jackknife"][c]),
                inference.n_provinces - 1,
            )
            found += [
                ("jackknife_df", label, float(inference.jackknife_df[c])),
                ("p_value_t_provinces", label, jackknife.p_value),
            ]
        for name, refits in (("province", fit.provinces), ("city", fit.cities)):
            worst = None if refits is None else most_influential(refits, fit.estimate, c)
            if worst is not None:
                found += [
                    (f"most_influential_{name}", label, worst.block),
                    (f"estimate_without_{name}", label, worst.estimate_without),
                ]
                found += [
                    (f"{name}_max_share", label, worst.share),
                    (f"{name}_r_eff", label, worst.r_eff),
                ]
    return found


def power_diagnostics(fit: InfluenceFit, inference: Inference) -> list[Diagnostic]:
    """Minimum detectable effect (80 % power, 5 % size) of each coefficient by its default method,
    where that has a standard error.
    """
    found: list[Diagnostic] = []
    for c, label in summarised(fit):
        interval = inference.intervals[c].get(inference.defaults[c])
        if interval is None or interval.std_error is None or interval.df is None:
            continue
        smallest = minimum_detectable_effect(interval.std_error, interval.df)
        found.append(("minimum_detectable_effect", label, smallest))
    return found


def two_way_diagnostics(
    sample: FitSample, means: tuple[np.ndarray, np.ndarray]
) -> list[Diagnostic]:
    """Return what the two-way coefficient averages: its 2x2 comparisons, and the share of negative
    weights; balanced, without controls.
    """
    found: list[Diagnostic] = [
        ("negative_weight_share", None, negative_weight_share(treatment_weights(sample, means[0])))
    ]
    rows = goodman_bacon(sample, means)
    for row in rows:
        label = f"{row.treated_cohort} against {row.control_cohort or 'never'}"
        found += [
            ("goodman_bacon_weight", label, row.weight),
            ("goodman_bacon_estimate", label, row.estimate),
        ]
    return found + [
        ("estimate_without_cohort", str(year), value)
        for year, value in estimates_without_cohorts(rows).items()
    ]


def sample_diagnostics(
    sample: FitSample, outcome: int, inference: Inference, strata: np.ndarray
) -> list[Diagnostic]:
    """Return counts of provinces, the tie threshold, and how far pilots' level was from that of
    their peers before admission.
    """
    level = pilot_level(sample, outcome, strata)
    found: list[Diagnostic] = [
        ("jackknife_n_provinces", None, inference.n_provinces),
        ("pilot_level_difference", None, None if level is None else level.difference),
        ("pilot_level_p", None, None if level is None else level.p_value),
    ]
    if sample.panel.province is not None:
        pilots = sample.holds_kept_pair & (sample.panel.city_cohort > 0)
        found.append(
            ("n_provinces_with_pilots", None, len(np.unique(sample.panel.province[pilots])))
        )
    if sample.tie_quantile is not None:
        found.append(("smallest_kept_tie", None, float(sample.panel.tie[sample.kept].min())))
    return found


def permutation_diagnostics(
    sample: FitSample, fit: InfluenceFit, draws: Draws, strata: np.ndarray
) -> list[Diagnostic]:
    """Return the mean of the placebo estimates, the estimate minus it, pilots that cannot move,
    undefined draws.
    """
    treated = _treated_cities(sample)
    fixed = int((fixed_labels(sample.roles, strata) & treated).sum())
    found: list[Diagnostic] = [
        ("permutation_draws", None, int(draws.made.max())),
        ("permutation_is_enumeration", None, int(draws.is_enumeration)),
        ("permutation_fixed_pilots", None, fixed),
        ("permutation_fixed_pilot_share", None, fixed / max(int(treated.sum()), 1)),
    ]
    for c, label in summarised(fit):
        if fit.columns[c] < 0:
            continue
        coefficient = draws.of(fit.columns[c])[0]
        defined = np.isfinite(coefficient)
        found.append(("permutation_undefined_draws", label, int((~defined).sum())))
        if defined.any():
            mean = float(coefficient[defined].mean())
            found += [
                ("permutation_mean_estimate", label, mean),
                ("permutation_centred_estimate", label, float(fit.estimate[c]) - mean),
            ]
            rank = permutation_p_value(
                abs(float(fit.estimate[c])), np.abs(coefficient), draws.is_enumeration
            )
            found.append(("placebo_rank_unstudentised", label, rank))
            if label in OVERALL:
                at = np.quantile(coefficient[defined], QUANTILES)
                found += [
                    (f"permutation_quantile_{q:.3f}", label, float(value))
                    for q, value in zip(QUANTILES, at, strict=True)
                ]
    return found


def _treated_cities(sample: FitSample) -> np.ndarray:
    """Return the pilots (N,); where treatment is by pair, the cities that hold a treated pair."""
    if sample.panel.pilots_known:
        return sample.city_group > 0
    pairs = sample.kept & (sample.panel.cohort > 0)
    held = np.zeros(sample.panel.n_cities, dtype=bool)
    held[sample.panel.city_i[pairs]] = held[sample.panel.city_j[pairs]] = True
    return held


def joint_diagnostics(
    sample: FitSample,
    fit: InfluenceFit,
    leads: np.ndarray,
    tests: Mapping[str, np.ndarray],
    draws: Draws | None,
) -> list[Diagnostic]:
    """Return joint tests that terms are zero, by name:

    F with the jackknife covariance, its p, and the permutation p of the same statistic. Where
    treatment is by pair, that `leads` are zero, with the dyadic covariance.
    """
    found: list[Diagnostic] = []
    if not sample.panel.pilots_known:
        given = covariance_by_pair(sample, fit, leads) if len(leads) else None
        test = None if given is None else hotelling_f(fit.estimate[leads], *given)
        if test is not None:
            statistic, df1, df2 = test
            numbers = {"df1": df1, "df2": df2, "f": statistic, "p": f_p_value(*test)}
            found += [(f"joint_leads_{name}", None, value) for name, value in numbers.items()]
        return found
    if fit.provinces is None:
        return found
    for name, rows in tests.items():
        chosen = np.flatnonzero(np.isin(fit.columns, rows))
        statistic, df1, df2 = fit.provinces.joint_f(fit.estimate, chosen)
        found += [(f"joint_{name}_df1", None, df1), (f"joint_{name}_df2", None, df2)]
        found.append((f"joint_{name}_f", None, _number(statistic)))
        if not np.isfinite(statistic):
            continue
        found.append((f"joint_{name}_p", None, f_p_value(statistic, df1, df2)))
        drawn = None if draws is None else draws.tests.get(name)
        if draws is not None and drawn is not None and np.isfinite(drawn).any():
            p_value = permutation_p_value(statistic, drawn, draws.is_enumeration)
            found.append((f"joint_{name}_permutation_p", None, p_value))
    return found


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def observed_statistics(
    fits: Sequence[InfluenceFit], tests: Mapping[str, np.ndarray], asked: Collection[int]
) -> list[tuple[dict[int, float], dict[str, float]] | None]:
    """Return what each asked outcome's coefficients and joint tests gave, as the permutation
    compares them.
    """
    found: list[tuple[dict[int, float], dict[str, float]] | None] = []
    for m, fit in enumerate(fits):
        if m not in asked:
            found.append(None)
            continue
        with np.errstate(invalid="ignore", divide="ignore"):
            statistic = np.abs(fit.estimate) / np.sqrt(score_variance(fit.city_sums))
        terms = {
            int(fit.columns[c]): float(statistic[c])
            for c in range(len(statistic))
            if fit.columns[c] >= 0 and np.isfinite(statistic[c])
        }
        joint = {}
        if fit.provinces is not None:
            for name, rows in tests.items():
                leads = np.flatnonzero(np.isin(fit.columns, rows))
                value = fit.provinces.joint_f(fit.estimate, leads)[0]
                if np.isfinite(value):
                    joint[name] = value
        found.append((terms, joint))
    return found
