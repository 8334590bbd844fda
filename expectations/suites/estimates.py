"""After estimation: errors positive, p-values in [0, 1], intervals around their estimate, clusters
enough.
"""

from expectations.rules import Rule, all_finite, between, not_null, one_of, ordered

ESTIMATE = "estimate"
# One row per coefficient: number of methods of inference that are marked as its default.
DEFAULTS = "defaults"
# One row: the baseline regression's rows minus those of the published panel.
HEADLINE = "headline_rows"

# One row per specification and number that a second package computed too: their largest difference
# in standard errors.
SECOND = "second_implementation"

RULES: list[Rule] = [
    all_finite(
        "estimates_finite",
        (
            "An estimate, error or interval is infinite or no number: report null with a reason "
            "instead."
        ),
    ),
    not_null(
        "estimates_value",
        ESTIMATE,
        "estimate",
        "stop",
        "A row of estimates without an estimate must be a row of not_run.",
    ),
    between(
        "estimates_error_positive",
        ESTIMATE,
        "std_error",
        1e-12,
        None,
        "stop",
        "A standard error is zero or negative: report null with a warning instead.",
    ),
    between("estimates_p_value", ESTIMATE, "p_value", 0, 1, "stop", "A p-value outside [0, 1]."),
    ordered(
        "estimates_interval_high",
        ESTIMATE,
        "ci_high",
        "estimate",
        "stop",
        "The interval does not contain its estimate.",
    ),
    ordered(
        "estimates_interval_low",
        ESTIMATE,
        "estimate",
        "ci_low",
        "stop",
        "The interval does not contain its estimate.",
    ),
    one_of(
        "estimates_vcov",
        ESTIMATE,
        "vcov",
        ["conventional", "dyadic", "city", "province_jackknife", "permutation"],
        "stop",
        "An inference method that the methods do not define.",
    ),
    between(
        "estimates_cm_size",
        ESTIMATE,
        "abs_estimate_cm",
        0,
        20,
        "warn",
        "A synchronization effect beyond 20: a broken standardisation or one outlying city.",
    ),
    between(
        "estimates_withheld",
        ESTIMATE,
        "inference_withheld",
        0,
        0,
        "stop",
        (
            "An outcome whose tests do not hold their size has a p-value, an error or an interval: "
            "only its estimate may be shown."
        ),
    ),
    between(
        "estimates_pilots",
        ESTIMATE,
        "n_pilots",
        1,
        None,
        "stop",
        "A coefficient without a pilot city behind it.",
    ),
    between(
        "estimates_one_default",
        DEFAULTS,
        "n_default",
        0,
        1,
        "stop",
        "A coefficient has two default inference methods.",
    ),
    between(
        "estimates_default_given",
        DEFAULTS,
        "n_default_needed",
        1,
        None,
        "stop",
        "A coefficient that could have a default inference method has none marked.",
    ),
    between(
        "estimates_exist_or_explained",
        "outcome_of_specs",
        "has_outcome",
        1,
        1,
        "stop",
        "A spec has neither estimates nor a reason in not_run.",
    ),
    between(
        "estimates_clusters",
        ESTIMATE,
        "pilots_behind_error",
        4,
        None,
        "stop",
        "A default standard error from fewer than 4 pilots: only the placebo rank may be shown.",
    ),
    between(
        "estimates_pairs",
        ESTIMATE,
        "pairs_to_spare",
        0,
        None,
        "stop",
        "More pairs than the cities of an estimate can form.",
    ),
    between(
        "estimates_headline_rows",
        HEADLINE,
        "rows_beyond_panel",
        0,
        0,
        "stop",
        "The baseline regression was not estimated on the rows of marts.panel_pair_year.",
    ),
    between(
        "estimates_interval_agrees",
        ESTIMATE,
        "interval_agrees",
        1,
        1,
        "warn",
        "An interval leaves out zero though its p-value is above 5 %, or the other way round.",
    ),
    between(
        "estimates_second_implementation",
        SECOND,
        "gap",
        0,
        1e-6,
        "stop",
        (
            "pyfixest or statsmodels finds another coefficient in the same rows: one of the two "
            "is wrong, find which before publishing."
        ),
    ),
]
