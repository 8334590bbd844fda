"""What an analysis is: data. One `Spec` is one regression; a new regression is one new row, never new code."""

from __future__ import annotations

from dataclasses import dataclass, fields

ALL_LINES = ("conventional", "dyadic", "city", "province_jackknife", "permutation")
TIE_RULES = ("strong", "all")
TREATMENT_RULES = ("second_half_next_year", "calendar_year")
SHUFFLES = ("province", "all", "province_gdp_tercile")

# What a landing has to deliver before the outcomes of a series exist.
SERIES_NEEDS = {
    "growth_official": "gdp_growth_official_pct, gdp_index_prev_year_100 or gdp_real_cny_100m",
    "growth_deflated": "gdp_nominal_cny_100m and cpi_prev_year_100",
    "hp": "gdp_real_cny_100m, or growth together with gdp_nominal_cny_100m, for at least 8 years in a row",
    "hamilton": "gdp_real_cny_100m, or growth together with gdp_nominal_cny_100m, for at least 8 years in a row",
}
TIE_NEEDS = "population_resident_10k (or population_registered_10k) and gdp_nominal_cny_100m in at least 3 years of 2010-2014"


@dataclass(frozen=True)
class Spec:
    """One regression on the city-pair panel.

    Attributes
    ----------
    spec_id : str
        ``<analysis>.<outcome>.<variant>``.
    analysis, outcome : str
        The first two parts; the outcome is a column of ``marts.fct_pair_synchronization``.
    tie_rule : str
        ``strong``: pairs strictly above the median tie of ``one`` and ``none`` pairs; ``all``: every such pair.
    treatment_rule : str
        ``second_half_next_year`` or ``calendar_year`` (METHODS, section 5).
    window : tuple of int or None
        First and last year of the rows used; None takes the study window of the mart. Outcomes stay standardised on the mart's window.
    estimator : str
        ``twfe`` or ``event_study``.
    controls, effects, vcov : tuple of str
        Control columns, absorbed effects, lines of inference (METHODS, section 7).
    permutations, seed, shuffle : int, int, str
        Number of draws, their seed, and whether admission years are shuffled within a ``province``, over ``all`` cities or within a
        ``province_gdp_tercile`` (a province's cities of one tercile of mean GDP 2010-2014).

    Raises
    ------
    ValueError
        If the id and its parts disagree or a rule is unknown.
    """

    spec_id: str
    analysis: str
    outcome: str
    estimator: str = "twfe"
    tie_rule: str = "strong"
    treatment_rule: str = "second_half_next_year"
    window: tuple[int, int] | None = None
    controls: tuple[str, ...] = ()
    effects: tuple[str, ...] = ("pair", "year")
    vcov: tuple[str, ...] = ALL_LINES
    permutations: int = 9999
    seed: int = 1
    shuffle: str = "province"

    def __post_init__(self) -> None:
        """Refuse a row that contradicts itself."""
        if not self.spec_id.startswith(f"{self.analysis}.{self.outcome}.") or self.spec_id.count(".") != 2:
            raise ValueError(f"spec {self.spec_id!r}: expected an id '{self.analysis}.{self.outcome}.<variant>'")
        for name, allowed in (("tie_rule", TIE_RULES), ("shuffle", SHUFFLES)):
            if getattr(self, name) not in allowed:
                raise ValueError(f"spec {self.spec_id!r}: {name} is {getattr(self, name)!r}, expected one of {', '.join(allowed)}")
        unknown = [line for line in self.vcov if line not in ALL_LINES]
        if unknown:
            raise ValueError(f"spec {self.spec_id!r}: unknown line of inference {unknown[0]!r}, expected among {', '.join(ALL_LINES)}")

    @property
    def variant(self) -> str:
        """The last part of the id."""
        return self.spec_id.rsplit(".", 1)[1]

    @property
    def series(self) -> str:
        """The city series behind the outcome: its name without the measure in front."""
        known = [name for name in SERIES_NEEDS if self.outcome.endswith(f"_{name}")]
        return known[0] if known else self.outcome

    @property
    def sample_key(self) -> tuple:
        """Specs with the same key share a sample and one pass of permutation draws."""
        left_out = {"spec_id", "analysis", "outcome", "estimator"}
        return (self.series, *(getattr(self, f.name) for f in fields(self) if f.name not in left_out))


def split_of(outcome: str) -> tuple[str, ...]:
    """Outcomes that belong together: a `cm` measure with its exact parts, co-movement and dispersion; any other stands alone.

    `cm` = `comove` + `dispersion` row by row, so the coefficients of the parts add up to that of the whole.
    """
    if outcome.startswith("cm_growth_"):
        return tuple(outcome.replace("cm_", f"{part}_", 1) for part in ("cm", "comove", "dispersion"))
    return (outcome,)
