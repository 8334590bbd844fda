"""Rules of the sample as data: which pairs are tied, when a city is treated, which never-treated
cities are controls (docs/methods, 4 and 5).
"""

from __future__ import annotations

from dataclasses import dataclass

# just under one half: below the median and, of an odd number of pairs, the median pair itself, so
# that strong and weak share all pairs out
WEAK_HALF = 0.5 - 1e-7


@dataclass(frozen=True)
class TieRule:
    """Which pairs with at most one pilot are kept; the rule is retaken in every draw of the
    permutation.

    Attributes
    ----------
    measure : str or None
        Column of ``marts.fct_city_pair``; None keeps every pair.
    quantile : float or None
        Keep pairs strictly above this quantile of `sign` times the measure.
    sign : int
        -1 keeps the pairs with the smallest measure.
    partners : int or None
        Keep a pair where one city is among the other's so many strongest never-treated partners.
    """

    measure: str | None = "tie_strength"
    quantile: float | None = None
    sign: int = 1
    partners: int | None = None


@dataclass(frozen=True)
class TreatmentRule:
    """When a city counts as treated.

    Attributes
    ----------
    label : str
    column : str
        First treated year in ``marts.dim_city``.
    drops_approval_year : bool
        The approval year of pilots approved in July to December is neither treated nor control
        (two-way fixed effects only).
    years_earlier : int
        So many years before that a city counts as treated.
    """

    label: str
    column: str
    drops_approval_year: bool = False
    years_earlier: int = 0


QUANTILES = (10, 25, 40, 60, 75, 90)
PARTNERS = (5, 10, 20)

TIE_RULES: dict[str, TieRule] = {
    "strong": TieRule(quantile=0.5),
    "all": TieRule(measure=None),
    # a placebo
    "weak": TieRule(quantile=WEAK_HALF, sign=-1),
    **{f"q{q}": TieRule(quantile=q / 100) for q in QUANTILES},
    **{f"partners_{k}": TieRule(partners=k) for k in PARTNERS},
    "four_factor": TieRule(measure="tie_four_factor", quantile=0.5),
    "near": TieRule(measure="distance_km", quantile=0.5, sign=-1),
}
TIE_MEASURES = tuple(dict.fromkeys(rule.measure for rule in TIE_RULES.values() if rule.measure))

TREATMENT_RULES: dict[str, TreatmentRule] = {
    "second_half_next_year": TreatmentRule(
        "approved in July to December counts from the next year", "treated_year"
    ),
    "calendar_year": TreatmentRule("year of approval", "treated_year_calendar_year"),
    "approval_year_dropped": TreatmentRule(
        "approval year of second-half approvals left out, base year before it",
        "treated_year",
        drops_approval_year=True,
    ),
    "any_zone": TreatmentRule(
        "a zone in a county-level city treats its prefecture", "treated_year_any_zone"
    ),
    "any_zone_calendar_year": TreatmentRule(
        "year of approval; a zone in a county-level city treats its prefecture",
        "treated_year_any_zone_calendar_year",
    ),
}

# Years after the window within which a first treatment disqualifies a control; a city treated in
# the window is no control anyway.
CONTROL_GROUPS: dict[str, int] = {"never_in_window": 0, "late_left_out": 2, "never_at_all": 99}

# Rings around pilots, by their outer edge; what lies beyond the last is far from every pilot.
RINGS_KM = (100, 200, 300)

# Dates of exposure instead of admission, for never-treated cities: did they move when a pilot near
# them was admitted?
EXPOSURE_RULES: dict[str, TreatmentRule] = {
    **{
        f"near_pilot_{outer}": TreatmentRule(
            f"nearest pilot within {inner}-{outer} km admitted", f"treated_year_near_pilot_{outer}"
        )
        for inner, outer in zip((0, *RINGS_KM), RINGS_KM, strict=False)
    },
    "tied_to_pilot": TreatmentRule(
        "pilot of the strongest tie admitted, tie above the median of never-treated cities",
        "treated_year_tied_to_pilot",
    ),
}
# Admission known beforehand: a city reacts in the year before its first treated one, and what it is
# compared with is the year before that.
ANTICIPATION_RULES: dict[str, TreatmentRule] = {
    "a_year_earlier": TreatmentRule(
        "the year before the first treated one (base two years before it)",
        "treated_year",
        years_earlier=1,
    )
}
DATING_RULES = TREATMENT_RULES | EXPOSURE_RULES | ANTICIPATION_RULES

# Other pilot programmes of marts.dim_other_policy.
POLICIES = ("free_trade_zone", "broadband_china", "low_carbon", "new_urbanisation")


@dataclass(frozen=True)
class Moderator:
    """What divides pairs into classes, or how far apart the two cities of a pair are.

    Attributes
    ----------
    kind : str
        ``pairs_of`` takes each unordered pair of the cities' values as a class, ``same`` whether
        the values agree, ``halves`` how many of the two cities lie above the median of the sample's
        cities, ``flag`` of how many it is true, ``gap`` the standardised absolute difference of
        logarithms.
    column : str
        Of the cities: ``marts.dim_city`` or ``marts.dim_city_baseline``.
    """

    kind: str
    column: str


CONCEPTS = {
    "human_capital": "human capital",
    "financial_development": "financial development",
    "infrastructure": "information infrastructure",
}
MODERATORS: dict[str, Moderator] = {
    "region_pair": Moderator("pairs_of", "region"),
    "same_region": Moderator("same", "region"),
    "same_province": Moderator("same", "province_id"),
    "coastal": Moderator("flag", "is_coastal"),
    # of 2010-2014
    **{name: Moderator("halves", name) for name in CONCEPTS},
    **{f"{name}_gap": Moderator("gap", name) for name in CONCEPTS},
}

# Tools by class (docs/methods, section 10).
TOOLS = {
    "supply": ("talent", "capital", "technology_information", "infrastructure", "public_service"),
    "environment": ("goal_planning", "finance", "tax", "regulation", "strategic_measures"),
    "demand": (
        "government_procurement",
        "outsourcing",
        "trade_facilitation",
        "overseas_institutions",
    ),
}
# Group of pilots left out where strengths of tools replace treatment: what a zone without texts
# does is unknown.
WITHOUT_TEXTS = "without_texts"
