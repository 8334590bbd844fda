"""What an analysis is: data.

One `Spec` is one regression; a new regression is one new row, never new code.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from itertools import product
from typing import Any

from ..defaults import DRAWS, TIE_FIRST_YEAR, TIE_LAST_YEAR, TIE_MINIMUM_YEARS
from ..estimators.registry import ESTIMATORS
from ..options import CONTROL_PAIRS, ENOUGH
from ..results import INFERENCE_METHODS
from .rules import CONTROL_GROUPS, DATING_RULES, MODERATORS, TIE_RULES
from .series import SERIES

EFFECTS = (
    ("pair", "year"),
    ("pair", "region_pair_year"),
    ("pair", "province_pair_year"),
    ("pair", "class_year"),
)
SHUFFLES = ("province", "all", "province_gdp_tercile")

# Measures of a series that exist for the same pairs and years, so that they can share a sample.
SAME_ROWS = ("cm", "comove", "dispersion", "cm_bounded", "neg_abs_gap", "neg_abs_residual")
TIE_NEEDS = (
    "population_resident_10k (or population_registered_10k) and gdp_nominal_cny_100m in at least "
    f"{TIE_MINIMUM_YEARS} years of {TIE_FIRST_YEAR}-{TIE_LAST_YEAR}"
)


class SampleError(ValueError):
    """The marts cannot give this sample; the message says what it needs."""


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
        Of ``rules.TIE_RULES``: ``strong`` keeps the pairs strictly above the median tie of ``one``
        and ``none`` pairs, ``all`` every pair.
    treatment_rule : str
        Of ``rules.TREATMENT_RULES`` (docs/methods, section 5), or of ``rules.EXPOSURE_RULES`` to
        date never-treated cities by a pilot near them.
    control_group : str
        Of ``rules.CONTROL_GROUPS``: cities first treated soon after the window may be left out
        instead of serving as controls.
    control_pairs : str
        Of `options.CONTROL_PAIRS`: whether `callaway_santanna` also compares with pairs that are
        treated later.
    excluded : tuple of str
        Groups of cities left out, as `sample.exposure.excluded_cities` names them:
        ``province_440000``, ``policy_low_carbon``, ``pilots``.
    dose : str
        Column of ``marts.fct_policy_zone`` by which treatment varies: terms ``treated`` at its mean
        and ``dose`` (`study.heterogeneity.fit_dose`); empty for none.
    window : tuple of int or None
        First and last year; None takes the study window of the mart. Another window has its
        outcomes recomputed on it.
    estimator : str
        A name of ``estimators.registry``.
    controls, effects, vcov : tuple of str
        Control columns, absorbed effects (of `EFFECTS`), inference methods (docs/methods, section
        7).
    moderator : str
        Of ``rules.MODERATORS``: one effect for each class of pairs, or the effect and its slope
        over a gap. With the effects ``class_year`` each class has year effects of its own.
    strength : tuple of str
        Tool classes or tools of ``marts.fct_policy_tool`` whose strength in the pilot's texts
        replaces treatment, jointly.
    permutations, enough : int, int or None
        Draws at most, and those at least as extreme that end a coefficient's draws. `catalog`
        gives None, all are made, to the rows that decide, and 0 to those whose p is withheld.
    seed, shuffle : int, str
        Seed of the draws, and whether admission years are shuffled within a ``province``,
        over ``all`` cities or within a ``province_gdp_tercile`` (a province's cities of one tercile
        of mean GDP 2010-2014).

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
    control_group: str = "never_in_window"
    control_pairs: str = CONTROL_PAIRS[0]
    excluded: tuple[str, ...] = ()
    dose: str = ""
    window: tuple[int, int] | None = None
    controls: tuple[str, ...] = ()
    effects: tuple[str, ...] = ("pair", "year")
    moderator: str = ""
    strength: tuple[str, ...] = ()
    vcov: tuple[str, ...] = INFERENCE_METHODS
    permutations: int = DRAWS
    enough: int | None = ENOUGH
    seed: int = 1
    shuffle: str = "province"

    def __post_init__(self) -> None:
        """Refuse a row that contradicts itself."""
        if (
            not self.spec_id.startswith(f"{self.analysis}.{self.outcome}.")
            or self.spec_id.count(".") != 2
        ):
            raise ValueError(
                f"spec {self.spec_id!r}: expected an id '{self.analysis}.{self.outcome}.<variant>'"
            )
        for name, allowed in (
            ("estimator", ESTIMATORS),
            ("tie_rule", TIE_RULES),
            ("control_group", CONTROL_GROUPS),
            ("control_pairs", CONTROL_PAIRS),
            ("shuffle", SHUFFLES),
            ("effects", EFFECTS),
            ("moderator", ("", *MODERATORS)),
        ):
            if getattr(self, name) not in allowed:
                raise ValueError(
                    f"spec {self.spec_id!r}: {name} is {getattr(self, name)!r}, expected one of "
                    f"{', '.join(map(str, allowed))}"
                )
        if self.treatment_rule not in DATING_RULES:
            raise ValueError(
                f"spec {self.spec_id!r}: treatment_rule is {self.treatment_rule!r}, expected one "
                f"of {', '.join(DATING_RULES)}, which date a city's first treated year: a dummy "
                "like 'exactly one of the two is a pilot now' is not absorbing, it switches off "
                "when the second city is admitted"
            )
        unknown = [line for line in self.vcov if line not in INFERENCE_METHODS]
        if unknown:
            raise ValueError(
                f"spec {self.spec_id!r}: unknown inference method {unknown[0]!r}, expected among "
                f"{', '.join(INFERENCE_METHODS)}"
            )

    @property
    def has_heterogeneity(self) -> bool:
        """Whether effects or year effects depend on the pair, or a path of the pilot replaces
        treatment.
        """
        return bool(self.moderator or self.strength) or self.effects != ("pair", "year")

    @property
    def kind(self) -> str:
        """What the fit needs beyond an estimator:

        ``approval_year``, ``dose``, or ``estimators`` for nothing.
        """
        if DATING_RULES[self.treatment_rule].drops_approval_year:
            return "approval_year"
        return "dose" if self.dose else "estimators"

    @property
    def variant(self) -> str:
        """The last part of the id."""
        return self.spec_id.rsplit(".", 1)[1]

    @property
    def series(self) -> str:
        """The city series behind the outcome: its name without the measure in front."""
        known = [name for name in SERIES if self.outcome.endswith(f"_{name}")]
        return known[0] if known else self.outcome

    @property
    def sample_key(self) -> tuple:
        """Specs with the same key share a sample and take the same draws; strengths of
        tools are compared with one another, effects by class are not.
        """
        left_out = {"spec_id", "analysis", "outcome", "estimator", "strength", "enough"}
        rows = (
            self.series
            if any(self.outcome == f"{measure}_{self.series}" for measure in SAME_ROWS)
            else self.outcome
        )
        of_rules = (getattr(self, f.name) for f in fields(self) if f.name not in left_out)
        return (rows, bool(self.strength), *of_rules)


def specs_of(
    analysis: str, outcomes: Iterable[str], variants: Mapping[str, Mapping[str, Any]]
) -> tuple[Spec, ...]:
    """Return a row for each variant, by what it changes of the baseline, and each outcome."""
    return tuple(
        Spec(f"{analysis}.{outcome}.{variant}", analysis, outcome, **changes)
        for (variant, changes), outcome in product(variants.items(), outcomes)
    )


def split_of(outcome: str) -> tuple[str, ...]:
    """Return outcomes that belong together: a `cm` measure with its exact parts, co-movement and
    dispersion; any other stands alone.

    `cm` = `comove` + `dispersion` row by row, so the coefficients of the parts add up to that of
    the whole.
    """
    if outcome.startswith("cm_growth_"):
        return tuple(
            outcome.replace("cm_", f"{part}_", 1) for part in ("cm", "comove", "dispersion")
        )
    return (outcome,)
