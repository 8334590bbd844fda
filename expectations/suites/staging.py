"""After names, codes and units: places known, values inside the catalog's range, growth plausible,
few values rejected.
"""

from expectations.rules import Rule, between

# One row per indicator of a source.
SERIES = "indicator_of_source"
# One row per indicator of a source in a year.
YEARS = "indicator_year"
# The same, where enough cities have this year and the one before.
CHANGES = "yearly_change"
# One row per accounting identity of an edition.
IDENTITY = "identity"
# One row per indicator of an edition that has one before it.
EDITION = "edition"
# One row per indicator of an edition that has city-years in common with earlier ones.
OVERLAP = "edition_overlap"
# One row per indicator, unit or column of a delivered file of which something was turned away.
DELIVERED = "delivered"
# One row per indicator.
FRESHNESS = "freshness"

RULES: list[Rule] = [
    between(
        "staging_rejected_share",
        SERIES,
        "rejected_share",
        0,
        0.1,
        "warn",
        (
            "More than a tenth of an indicator's cells were turned away: unknown places or units; "
            "read quality.rejected_value."
        ),
    ),
    between(
        "staging_delivered_taken",
        DELIVERED,
        "rejected_share_large",
        0,
        0.95,
        "stop",
        "A whole indicator, unit or column of a file was turned away: its unit, header or places "
        "were read wrongly; read "
        "quality.rejected_value for the reason, then mend the layout (or the seed unit_factors).",
    ),
    between(
        "staging_range_share",
        SERIES,
        "outside_range_share",
        0,
        0.01,
        "warn",
        (
            "More than 1 % of an indicator's values lie outside the catalog's plausible range: the "
            "unit in the layout may be wrong."
        ),
    ),
    between(
        "staging_range_share_gross",
        SERIES,
        "outside_range_share",
        0,
        0.5,
        "stop",
        (
            "More than half of an indicator's values lie outside the plausible range: the unit or "
            "the column in the layout is wrong."
        ),
    ),
    between(
        "staging_yearly_jump",
        SERIES,
        "median_abs_log_change",
        0,
        0.7,
        "warn",
        (
            "An indicator's typical value doubles or halves from year to year: rows or years may "
            "be shuffled."
        ),
    ),
    between(
        "staging_year_complete",
        YEARS,
        "share_of_neighbours",
        0.8,
        None,
        "warn",
        (
            "A year has less than four fifths of the cities that the year before and after have: a "
            "block of rows was probably not delivered."
        ),
    ),
    between(
        "staging_year_level",
        CHANGES,
        "median_log_change",
        -0.7,
        0.7,
        "warn",
        (
            "From one year to the next the typical city halves or doubles: another unit, or "
            "another definition, from this year on."
        ),
    ),
    between(
        "staging_year_jumps",
        CHANGES,
        "jump_share",
        0,
        0.4,
        "warn",
        (
            "Over two fifths of the cities move by more than half a log point in a year: rows of "
            "this year may be shuffled."
        ),
    ),
    between(
        "staging_identity",
        IDENTITY,
        "failing_share",
        0,
        0.05,
        "warn",
        (
            "Over 5 % of an edition's city-years break an accounting identity: columns may be "
            "mixed up or come from different editions."
        ),
    ),
    between(
        "staging_identity_gross",
        IDENTITY,
        "failing_share_large",
        0,
        0.5,
        "stop",
        (
            "Over half of an edition's city-years break an accounting identity: a column or unit "
            "in the layout is wrong."
        ),
    ),
    between(
        "staging_edition_spread",
        EDITION,
        "spread_ratio",
        0.75,
        1.33,
        "warn",
        (
            "The spread of an indicator over the cities moved by more than a third against the "
            "edition before."
        ),
    ),
    between(
        "staging_edition_likeness",
        EDITION,
        "correlation",
        0.85,
        None,
        "warn",
        (
            "The cities of an edition do not line up with those of the edition before: rows "
            "shifted, or another indicator in the column."
        ),
    ),
    between(
        "staging_edition_likeness_gross",
        EDITION,
        "correlation_large",
        0.5,
        None,
        "stop",
        "The cities of an edition have nothing to do with those of the edition before: a column "
        "or a code is shifted, or the column holds another indicator.",
    ),
    between(
        "staging_edition_overlap",
        OVERLAP,
        "far_share",
        0,
        0.1,
        "warn",
        "Over a tenth of the values that an edition shares with an earlier one moved by more than "
        "a fifth (growth: five points): more than a revision.",
    ),
    between(
        "staging_edition_overlap_gross",
        OVERLAP,
        "far_share_large",
        0,
        0.5,
        "stop",
        "Over half of the values that an edition shares with an earlier one moved by more than a "
        "fifth (growth: five points): a column or "
        "a code is shifted, or the column holds another indicator.",
    ),
    between(
        "staging_fresh",
        FRESHNESS,
        "lag_years",
        0,
        5,
        "warn",
        (
            "An indicator ends more than five years before the newest of its landing: ask for the "
            "later editions, or expect gaps."
        ),
    ),
]
