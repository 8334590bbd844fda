"""Does admission reach beyond the pilot? Never-treated cities near or strongly tied to a pilot, and
the baseline regression with far controls only.

Interference test: among pairs of never-treated cities, cities in a ring around a pilot are dated by
its admission and compared with cities more than 300 km from every pilot; pilots and the other rings
are left out, and so are pairs of two exposed cities. `tied_to_pilot` does the same for the upper
half of never-treated cities by their strongest tie to a pilot against the lower half. A clear
effect would say that the controls of the baseline are touched. These have no permutation: labels of
exposure must not be permuted (docs/methods, section 18.10).
"""

from __future__ import annotations

from .rules import EXPOSURE_RULES, RINGS_KM
from .spec import specs_of, split_of

ANALYSIS = "spillovers"
OUTCOME = "cm_growth_official"

RINGS = tuple(f"near_pilot_{outer}" for outer in RINGS_KM)


def _others(rule: str) -> tuple[str, ...]:
    """Return the other rings where a rule is one."""
    return tuple(ring for ring in RINGS if rule in RINGS and ring != rule)


VARIANTS = {
    rule: {
        "treatment_rule": rule,
        "excluded": ("pilots", *_others(rule)),
        "vcov": ("conventional", "dyadic", "city", "province_jackknife"),
        "permutations": 0,
    }
    for rule in EXPOSURE_RULES
}
VARIANTS |= {
    f"controls_beyond_{outer}_km": {"excluded": RINGS[: k + 1]} for k, outer in enumerate(RINGS_KM)
}

SPECS = specs_of(ANALYSIS, split_of(OUTCOME), VARIANTS)
