"""The warnings of docs/methods, section 7, as whole sentences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.special import stdtrit

from ...defaults import LEVEL, TWO_SIDED
from ...influence.influence_fit import InfluenceFit
from ...influence.jackknife import Refits
from ...panel.fit_sample import FitSample
from ...panel.panel_error import plural
from ...results import Diagnostic
from ..intervals import MIN_TREATED, Inference
from ..variances import MIN_PILOT_PROVINCES, MIN_PILOTS, MIN_PROVINCES
from .coefficients import most_influential, summarised

FEW_PILOTS = 10
# a t of fewer degrees of freedom is over a fifth wider than the normal
FEW_DEGREES = 7.0
MAX_ERROR_RATIO = 1.25
MAX_FIXED = 0.2


def find_warnings(
    sample: FitSample,
    fit: InfluenceFit,
    inference: Inference,
    diagnostics: list[Diagnostic],
    vcov: Sequence[str] | None = None,
) -> list[str]:
    """Return every warning that applies to a fit.

    Parameters
    ----------
    sample : FitSample
    fit : InfluenceFit
    inference : Inference
    diagnostics : list of (name, term, value)
        All diagnostics of the fit.
    vcov : sequence of str, optional
        Inference methods that are shown; None: the default method and the permutation.

    Returns
    -------
    list of str
    """
    treatment = [c for c, _ in summarised(fit) if fit.columns[c] >= 0]
    by_name = {(name, term): value for name, term, value in diagnostics}
    return [
        *_rows(sample),
        *_no_variation(fit, inference, treatment),
        *(
            [
                *_few_pilots(fit, inference, treatment, vcov),
                *_provinces(sample, fit, inference, treatment, by_name),
            ]
            if sample.panel.pilots_known
            else _few_pairs(sample, fit, treatment)
        ),
        *_influence(fit, inference, treatment),
        *_permutation(fit, treatment, by_name),
        *_pilot_level(
            by_name.get(("pilot_level_difference", None)), by_name.get(("pilot_level_p", None))
        ),
    ]


def _listed(labels: list[str]) -> str:
    return ", ".join(labels)


def _rows(sample: FitSample) -> list[str]:
    found = []
    if sample.n_single_year:
        n = sample.n_single_year
        many = f"{n} pairs with a single observed year are left out: pair effects absorb them."
        one = f"{n} pair with a single observed year is left out: pair effects absorb it."
        found.append(plural(n, many, one))
    if sample.n_always_treated:
        n = sample.n_always_treated
        many = f"{n} pairs have no year before admission to compare with."
        one = f"{n} pair has no year before admission to compare with."
        found.append(plural(n, many, one))
    return found


def _no_variation(fit: InfluenceFit, inference: Inference, treatment: list[int]) -> list[str]:
    exact = [fit.labels[c] for c in treatment if not np.isfinite(inference.variances["score"][c])]
    if not exact:
        return []
    return [
        (
            f"{_listed(exact)}: pair effects, year effects and treatment explain the outcome "
            "exactly; there is nothing to base inference on."
        )
    ]


def _few_pilots(
    fit: InfluenceFit, inference: Inference, treatment: list[int], vcov: Sequence[str] | None
) -> list[str]:
    found = []
    one = [fit.labels[c] for c in treatment if fit.n_pilots[c] == 1]
    few = [fit.labels[c] for c in treatment if fit.n_pilots[c] in (0, *range(2, MIN_PILOTS))]
    some = [c for c in treatment if MIN_PILOTS <= fit.n_pilots[c] < FEW_PILOTS]
    hidden = [fit.labels[c] for c in some if vcov is not None and inference.defaults[c] not in vcov]
    shown = [fit.labels[c] for c in some if fit.labels[c] not in hidden]
    is_permuted = any("permutation" in own for own in inference.intervals)
    if one and is_permuted:
        found.append(
            f"{_listed(one)}: only one pilot identifies the estimate: no standard error; the "
            "permutation p is its place among placebo cities."
        )
    elif one:
        found.append(f"{_listed(one)}: only one pilot identifies the estimate: no standard error.")
    if few and is_permuted:
        found.append(
            f"{_listed(few)}: fewer than {MIN_PILOTS} pilots identify the estimate: no standard "
            "error; read the permutation p only."
        )
    elif few:
        found.append(
            f"{_listed(few)}: fewer than {MIN_PILOTS} pilots identify the estimate: no standard "
            "error."
        )
    if shown and is_permuted:
        found.append(
            f"{_listed(shown)}: fewer than {FEW_PILOTS} pilots identify the estimate: read the "
            "default method and the permutation only."
        )
    elif shown:
        found.append(
            f"{_listed(shown)}: fewer than {FEW_PILOTS} pilots identify the estimate: read the "
            "default method only."
        )
    if hidden and is_permuted:
        found.append(
            f"{_listed(hidden)}: fewer than {FEW_PILOTS} pilots identify the estimate: read the "
            "default method, which vcov= leaves out, and the permutation only."
        )
    elif hidden:
        found.append(
            f"{_listed(hidden)}: fewer than {FEW_PILOTS} pilots identify the estimate: read the "
            "default method only, which vcov= leaves out."
        )
    return found


def _few_pairs(sample: FitSample, fit: InfluenceFit, treatment: list[int]) -> list[str]:
    """Of treatment by pair."""
    few = [fit.labels[c] for c in treatment if fit.n_treated[c] < MIN_TREATED]
    if not few:
        return []
    return [
        f"{_listed(few)}: the treated pairs are as few, or share cities so much, that they weigh "
        "no more than two cities treated one by one: no standard error."
    ]


def _provinces(
    sample: FitSample, fit: InfluenceFit, inference: Inference, treatment: list[int], by_name: dict
) -> list[str]:
    if fit.provinces is None:
        return [
            (
                "Province codes are missing: there is no province jackknife, and permutations run "
                "over all cities."
            )
        ]
    found = []
    if inference.n_provinces < MIN_PROVINCES:
        n = inference.n_provinces
        many = (
            f"Only {n} provinces can be left out (fewer than {MIN_PROVINCES}): the jackknife is "
            "not the default."
        )
        one = (
            f"Only {n} province can be left out (fewer than {MIN_PROVINCES}): the jackknife is "
            "not the default."
        )
        found.append(plural(n, many, one))
    narrow = [
        fit.labels[c]
        for c in treatment
        if fit.n_pilots[c] >= MIN_PILOTS and fit.n_pilot_provinces[c] < MIN_PILOT_PROVINCES
    ]
    if narrow:
        found.append(
            f"{_listed(narrow)}: the pilots sit in one province: the jackknife is not the "
            "default, and no inference method separates the effect from what that province has in "
            "common."
        )
    for c in treatment:
        found += _lost_refits(fit.provinces, fit.labels[c], c)
        if fit.n_pilots[c] < MIN_PILOTS:
            continue
        found += _few_degrees(fit, inference, c)
        ratio = by_name.get(("jackknife_to_city_error", fit.labels[c]))
        if ratio is not None and ratio > MAX_ERROR_RATIO:
            found.append(
                f"{fit.labels[c]}: the province jackknife's error is {ratio:.2f} times the city "
                "one: what cities of a province have in "
                "common moves this coefficient, and the standard error by city is too small."
            )
    return found


def _few_degrees(fit: InfluenceFit, inference: Inference, c: int) -> list[str]:
    df, most = float(inference.jackknife_df[c]), inference.n_provinces - 1
    if inference.defaults[c] != "province_jackknife" or df >= FEW_DEGREES:
        return []
    wider = stdtrit(df, TWO_SIDED) / stdtrit(most, TWO_SIDED)
    return [
        f"{fit.labels[c]}: the pilots of {fit.n_pilot_provinces[c]} provinces leave the jackknife "
        f"{df:.1f} degrees of freedom, not "
        f"{most}: its interval is {wider:.2f} times as wide as that of a t({most})."
    ]


def _lost_refits(refits: Refits, label: str, c: int) -> list[str]:
    lost = [*refits.needed, *refits.blocks[~np.isfinite(refits.estimates[:, c])].tolist()]
    if len(lost) == 0:
        return []
    names = _listed([str(block) for block in lost])
    return [
        f"{label}: not identified without province {names}: it has no jackknife standard error, "
        "and no inference method separates the effect from what that province has in common."
    ]


def _influence(fit: InfluenceFit, inference: Inference, treatment: list[int]) -> list[str]:
    found = []
    for c in treatment:
        interval = inference.intervals[c].get(inference.defaults[c]) or inference.intervals[c].get(
            "city"
        )
        error = interval.std_error if interval is not None else None
        if error is None:
            continue
        for name, refits in (("province", fit.provinces), ("city", fit.cities)):
            worst = None if refits is None else most_influential(refits, fit.estimate, c)
            if worst is not None and abs(worst.estimate_without - fit.estimate[c]) > error:
                found.append(
                    f"{fit.labels[c]}: without {name} {worst.block} the estimate is "
                    f"{worst.estimate_without:.4g} instead of "
                    f"{fit.estimate[c]:.4g}, a move of more than one standard error ({error:.4g})."
                )
    return found


def _permutation(fit: InfluenceFit, treatment: list[int], by_name: dict) -> list[str]:
    found = []
    share = by_name.get(("permutation_fixed_pilot_share", None))
    if share is not None and share > MAX_FIXED:
        n_fixed = by_name["permutation_fixed_pilots", None]
        many = (
            f"{n_fixed} pilots ({share:.0%}) cannot move in the permutation: their stratum has "
            "nobody to trade places with."
        )
        one = (
            f"{n_fixed} pilot ({share:.0%}) cannot move in the permutation: its stratum has "
            "nobody to trade places with."
        )
        found.append(plural(n_fixed, many, one))
    for c in treatment:
        undefined = by_name.get(("permutation_undefined_draws", fit.labels[c]))
        if undefined:
            draws = by_name["permutation_draws", None]
            found.append(
                f"{fit.labels[c]}: {undefined} of {draws} draws do not identify it; they count as "
                "more extreme."
            )
    return found


def _pilot_level(difference: Any, p_value: Any) -> list[str]:
    if difference is None or p_value is None or p_value >= LEVEL:
        return []
    return [
        "Pilots were of another kind before admission: their mean outcome with never-treated "
        f"cities was {difference:+.3g} from that of the cities that their "
        f"admission is permuted with (p = {p_value:.3f}). What the national cycle did to such "
        "cities afterwards looks like an effect; every inference method rejects too often then, "
        "and no standard error repairs it."
    ]
