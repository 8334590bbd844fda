"""What zones may have done to their own city first, as data (docs/methods, section 18.14)."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain

# Families: trade is the first stage and a family of its own; the others are corrected together.
TRADE, OTHERS = "trade", "other_own_outcomes"
# Compared with all cities of the province, or with those alone that were admitted later.
ALL, NOT_YET = "all_cities", "not_yet_treated"
PERMUTATIONS = 1999


@dataclass(frozen=True)
class OwnOutcome:
    """One outcome of cities.

    Attributes
    ----------
    name : str
    family : str
    indicators : tuple of str
        Of ``marts.fct_indicator_observation``; their sum, as a logarithm. Values of one source are
        used, that with the most.
    column : str
        Of ``marts.fct_city_year`` instead, used as it is.
    doubted : tuple of str
        Comparisons in which even the p of the family is below 5 % in more than 5 % of
        pseudo-admissions without an effect that follow size (docs/evidence/primary-test.md, "Own
        outcomes").
    """

    name: str
    family: str
    indicators: tuple[str, ...] = ()
    column: str = ""
    doubted: tuple[str, ...] = ()

    @property
    def unit(self) -> str:
        """Of its estimate."""
        return "log points" if self.indicators else "percentage points"


OUTCOMES = (
    OwnOutcome("trade", TRADE, ("exports_cny_100m", "imports_cny_100m"), doubted=(ALL,)),
    OwnOutcome("exports", OTHERS, ("exports_cny_100m",)),
    OwnOutcome("imports", OTHERS, ("imports_cny_100m",)),
    OwnOutcome("foreign_investment", OTHERS, ("fdi_usd_1m",), doubted=(ALL,)),
    OwnOutcome("new_firms", OTHERS, ("entities_new",), doubted=(ALL,)),
    OwnOutcome("employment", OTHERS, ("employed_10k",), doubted=(ALL, NOT_YET)),
    OwnOutcome("wages", OTHERS, ("wage_avg_cny",), doubted=(ALL, NOT_YET)),
    OwnOutcome("growth", OTHERS, column="growth_official_pct", doubted=(NOT_YET,)),
    OwnOutcome("night_lights", OTHERS, column="growth_night_lights_pct"),
)
INDICATORS = tuple(dict.fromkeys(chain.from_iterable(outcome.indicators for outcome in OUTCOMES)))
