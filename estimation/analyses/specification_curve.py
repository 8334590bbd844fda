"""Every combination of the choices that a referee may question: one specification each, with its
default and its conventional interval.

Equal estimators count once: Sun-Abraham is Callaway-Sant'Anna after admission on a balanced panel,
Gardner and ETWFE are imputation. No spec is permuted by itself: the curve as a whole is, by
`study.curve_test`, with the draws that its specs name.
"""

from __future__ import annotations

from itertools import product

from .spec import Spec

ANALYSIS = "specification_curve"

DRAWS = 199
MEASURES = ("cm", "comove", "cm_bounded", "neg_abs_gap")
SERIES = ("growth_official", "growth_deflated", "hp", "hamilton")
WINDOWS = {"study_window": None, "2005_2019": (2005, 2019)}
TREATMENT_RULES = ("second_half_next_year", "calendar_year")
TIE_RULES = ("strong", "all", "q75", "near")
CONTROL_GROUPS = ("never_in_window", "late_left_out")
# Year effects by class of pairs are those of two-way fixed effects; the others compare cohorts with
# never-treated pairs.
MODELS = (
    ("twfe", ("pair", "year")),
    ("twfe", ("pair", "region_pair_year")),
    ("twfe", ("pair", "province_pair_year")),
    ("callaway_santanna", ("pair", "year")),
    ("borusyak", ("pair", "year")),
)


def _spec(measure, series, window, treatment_rule, tie_rule, control_group, model) -> Spec:
    estimator, effects = model
    variant = "-".join((window, treatment_rule, tie_rule, control_group, estimator, effects[1]))
    return Spec(
        spec_id=f"{ANALYSIS}.{measure}_{series}.{variant}",
        analysis=ANALYSIS,
        outcome=f"{measure}_{series}",
        estimator=estimator,
        tie_rule=tie_rule,
        treatment_rule=treatment_rule,
        control_group=control_group,
        window=WINDOWS[window],
        effects=effects,
        vcov=("conventional", "city", "province_jackknife"),
        permutations=DRAWS,
    )


SPECS = tuple(
    _spec(*choice)
    for choice in product(
        MEASURES, SERIES, WINDOWS, TREATMENT_RULES, TIE_RULES, CONTROL_GROUPS, MODELS
    )
)
