"""After the marts: growth, ties and synchronization inside what their formulas allow, coverage as
large as a study needs.
"""

from expectations.rules import Rule, all_finite, between, has_rows

# Not the marts themselves but the columns of them that gate_marts__fct_city_year and
# gate_marts__fct_city_pair select.
CITY_YEAR, PAIR = "fct_city_year", "fct_city_pair"
# One row: shares and counts over the study window.
WINDOW = "window"
# One row per indicator of a source: share of its values that a detector blocked.
BLOCKED = "blocked"
# One row per indicator and year of the current values, where at least 30 cities have this year and
# the one before.
CHANGES = "current_change"
# One row per indicator and another source than the chosen one.
CONFLICT = "conflict"

RULES: list[Rule] = [
    all_finite(
        "marts_finite",
        "A derived value is infinite or no number: a delivered value is absurdly large or small, "
        "or two cities lie at one place; look at the column's cities in "
        "marts.fct_indicator_observation and correct or block the value (value_corrections).",
    ),
    has_rows(
        "marts_city_years_exist",
        CITY_YEAR,
        "stop",
        "No city has a current value: every value was blocked or rejected.",
    ),
    between(
        "marts_growth_official",
        CITY_YEAR,
        "growth_official_pct",
        -60,
        60,
        "warn",
        "A growth beyond 60 log points: look at its cell.",
        0.999,
    ),
    between(
        "marts_growth_deflated",
        CITY_YEAR,
        "growth_deflated_pct",
        -80,
        80,
        "warn",
        "A deflated growth beyond 80 log points: GDP may be mistyped.",
        0.995,
    ),
    between(
        "marts_growth_official_sane",
        CITY_YEAR,
        "growth_official_pct",
        -40,
        40,
        "stop",
        "Over 1 % of growth beyond 40: an index for a growth rate?",
        0.99,
    ),
    between(
        "marts_distance",
        PAIR,
        "distance_km",
        0,
        6000,
        "stop",
        "Cities lie more than 6,000 km apart: coordinates are wrong.",
    ),
    between(
        "marts_distance_low",
        PAIR,
        "distance_km",
        1,
        None,
        "stop",
        (
            "Over 0.1 % of pairs lie under 1 km apart (a few do: units that ended shared a seat): "
            "coordinates are wrong."
        ),
        0.999,
    ),
    between(
        "marts_cm_lower",
        WINDOW,
        "cm_minimum_above_bound",
        0,
        None,
        "stop",
        "cm lies below 3 - 2T: the standardisation is broken.",
    ),
    between(
        "marts_cm_mean",
        WINDOW,
        "mean_cm_growth_official",
        -1,
        1,
        "stop",
        "The mean of cm is the mean correlation and must lie in [-1, 1].",
    ),
    between(
        "marts_coverage",
        WINDOW,
        "share_complete_growth_official",
        0.5,
        1,
        "warn",
        "Under half the cities have unbroken official growth.",
    ),
    between(
        "marts_pilots",
        WINDOW,
        "n_pilots_in_sample",
        10,
        None,
        "warn",
        "Fewer than 10 pilots in the sample: only the default method and permutation hold.",
    ),
    between(
        "marts_blocked_share",
        BLOCKED,
        "blocked_share",
        0,
        0.05,
        "warn",
        (
            "More than 5 % of an indicator's values were blocked by a detector: look at them "
            "before using the series."
        ),
    ),
    between(
        "marts_quarantined_share",
        BLOCKED,
        "quarantined_share",
        0,
        0.1,
        "warn",
        (
            "Over a tenth of an indicator's values are quarantined: they count only where no other "
            "source has the value."
        ),
    ),
    between(
        "marts_blocked_share_gross",
        BLOCKED,
        "blocked_share_large",
        0,
        0.3,
        "stop",
        (
            "Over 30 % of an indicator's values of a source were blocked: the file or its layout "
            "is wrong, not single cells."
        ),
    ),
    between(
        "marts_leaps",
        CHANGES,
        "leap_share",
        0,
        0.3,
        "warn",
        (
            "In a year over 30 % of an indicator's current values move by more than one log point: "
            "a break of definition or unit."
        ),
    ),
    between(
        "marts_leaps_gross",
        CHANGES,
        "leap_share",
        0,
        0.9,
        "stop",
        (
            "In a year nearly every current value of an indicator moves by more than one log "
            "point: a wrong unit got past the detectors."
        ),
    ),
    between(
        "marts_far_apart",
        CONFLICT,
        "far_share",
        0,
        0.4,
        "warn",
        (
            "Over 40 % of a source's values differ by more than 5 % from the chosen ones: it "
            "measures something else; look at its definition."
        ),
    ),
]
