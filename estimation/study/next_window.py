"""Preregister what next year's run will test, before its data exist: window, rules and hashes.

Two rules are written: that of the committed test, and that of the adjusted statistic, which was
chosen before the figures of the window that it is written for were delivered.

Preregistered, not independent: its statistic moves with this year's (docs/next-window.md).
"""

from __future__ import annotations

from typing import Any

from ..analyses.primary import ADJUSTED, BASE_YEAR, FIRST_YEAR, cycle_id
from ..analyses.rules import TREATMENT_RULES
from ..analyses.spec import Spec
from ..defaults import DRAWS, LEAST_SHARE, LEVEL
from ..primary import adjusted_fit
from ..primary.detectable import POWER
from ..primary.fit_primary import ESTIMATOR, MEASURE, STATISTIC_VERSION
from ..primary.written_rule import hash_of_starts, text_and_hash
from ..sample.exposure import TREATED_YEAR
from ..sample.marts import Marts

# The rule of the committed test, and the day of the commit of its choice.
COMMITTED, COMMITTED_ON = "committed", "2026-11-27"
# Publications until 2026-11-29 wrote a hash of the bytes of `estimation/primary/` into the rule, so
# that a comment would have broken the promise. This is the hash that they wrote; the rule's hash in
# that form stays beside the new one, so that what was promised can still be compared.
CODE_SHA256_UNTIL_2026_11_29 = "2236314bf3caa7428c676b3781eea37064813ad178d3bb5b689f8383200351da"


def next_window_rows(
    marts: Marts,
    spec: Spec,
    last_year: int,
    correlations: list[float | None],
    shares: list[float | None],
) -> list[dict[str, Any]]:
    """Return rows of ``estimates.next_window``: growth and its cycle, under each rule.

    Parameters
    ----------
    marts : Marts
    spec : Spec
        A test of the newest window.
    last_year : int
        Of that window.
    correlations : list of float or None
        Of the statistic of each series in the newest window with the one that ends a year
        before, over draws.
    shares : list of float or None
        Of each series, what the newest of all looks spends of the level; the next one stands for
        it.

    Returns
    -------
    list of dict
        `rule` is JSON with sorted keys; `rule_sha256` is the hash of its text in UTF-8;
        `rule_sha256_until_2026_11_29` is the hash of the same rule as it was written until then.
    """
    rows = []
    rules = rules_of(marts, spec, last_year + 1)
    earlier = {**_rule(marts, spec, last_year + 1), "code_sha256": CODE_SHA256_UNTIL_2026_11_29}
    ids = (spec.spec_id, cycle_id(spec.spec_id))
    for name, rule in rules.items():
        text, digest = text_and_hash(rule)
        earlier_digest = text_and_hash(earlier)[1] if name == COMMITTED else None
        for place, spec_id in enumerate(ids):
            rows.append(
                {
                    "spec_id": spec_id,
                    "rule_name": name,
                    "committed_on": rule.get("committed_on", COMMITTED_ON),
                    "first_year": FIRST_YEAR,
                    "last_year": last_year + 1,
                    "rule": text,
                    "rule_sha256": digest,
                    "rule_sha256_until_2026_11_29": earlier_digest,
                    "correlation_with_last": correlations[place] if name == COMMITTED else None,
                    "share_of_level": shares[place],
                }
            )
    return rows


def rules_of(marts: Marts, spec: Spec, last_year: int) -> dict[str, dict[str, Any]]:
    """Return the rules by which a window that ends in `last_year` is tested, by name."""
    common = _rule(marts, spec, last_year)
    rules = {COMMITTED: {**common, "statistic_version": STATISTIC_VERSION}}
    if spec.series == ADJUSTED.series:
        rules[ADJUSTED.name] = {
            **common,
            "measure": adjusted_fit.MEASURE,
            "covariates": list(ADJUSTED.covariates),
            "statistic": ADJUSTED.statistic,
            "dealing": ADJUSTED.dealing,
            "found_at_last": f"p_value_refreshes < {LEVEL}",
            "committed_on": ADJUSTED.committed_on,
            "statistic_version": adjusted_fit.STATISTIC_VERSION,
        }
    return rules


def _rule(marts: Marts, spec: Spec, last_year: int) -> dict[str, Any]:
    cities = marts.cities.sort_values("city_id")
    year = cities[TREATED_YEAR].to_numpy(dtype=float, na_value=float("inf"))
    dates = [
        f"{city} {first:.0f}"
        for city, first in zip(cities["city_id"], year.tolist(), strict=True)
        if first <= last_year
    ]
    return {
        "series": spec.series,
        "family": ["growth", "cycle"],
        "window": [FIRST_YEAR, last_year],
        "window_is_run": (
            f"once {LEAST_SHARE:.0%} of the cities with growth in {BASE_YEAR} have it "
            f"in {last_year}"
        ),
        "treatment": TREATMENT_RULES[spec.treatment_rule].label,
        "controls": spec.control_group,
        "estimator": ESTIMATOR,
        "measure": MEASURE,
        "found": f"p_value_family < {LEVEL}",
        "detectable": f"found in {POWER:.0%}",
        "permutations": DRAWS,
        "seed": spec.seed,
        "pilots": len(dates),
        "pilots_sha256": hash_of_starts(dates),
    }
