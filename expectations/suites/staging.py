"""After names, codes and units: places known, values inside the catalog's range, growth plausible, little turned away."""

from expectations.rules import Rule, between, has_rows, not_null

# One row an accepted value.
VALUES = "observations"
# One row an indicator of a source.
SERIES = "indicator_of_source"

RULES: list[Rule] = [
    has_rows("staging_values_exist", VALUES, "stop", "No value survived names, codes and units: read quality.rejected_value."),
    not_null("staging_city_known", VALUES, "city_id", "stop", "A value without a place must be rejected, not carried on."),
    not_null("staging_value_filled", VALUES, "value", "stop", "A value is lost in the unit conversion."),
    between(
        "staging_rejected_share",
        SERIES,
        "rejected_share",
        0,
        0.1,
        "warn",
        "More than a tenth of an indicator's cells were turned away: unknown places or units; read quality.rejected_value.",
    ),
    between(
        "staging_range_share",
        SERIES,
        "outside_range_share",
        0,
        0.01,
        "warn",
        "More than 1 % of an indicator's values lie outside the catalog's plausible range: the unit in the layout may be wrong.",
    ),
    between(
        "staging_range_share_gross",
        SERIES,
        "outside_range_share",
        0,
        0.5,
        "stop",
        "More than half of an indicator's values lie outside the plausible range: the unit or the column in the layout is wrong.",
    ),
    between(
        "staging_yearly_jump",
        SERIES,
        "median_abs_log_change",
        0,
        0.7,
        "warn",
        "An indicator's typical value doubles or halves from year to year: rows or years may be shuffled.",
    ),
]
