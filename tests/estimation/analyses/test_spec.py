"""Specs are data: the contract's ids exist once, and a row that contradicts itself is refused."""

import csv
from pathlib import Path

import pytest

from estimation.analyses.catalog import DECISIVE, all_specs
from estimation.analyses.rules import EXPOSURE_RULES
from estimation.analyses.series import SERIES as CITY_SERIES
from estimation.analyses.spec import Spec, split_of
from estimation.analyses.without_p import why_no_p
from estimation.options import ENOUGH

CLAIMS = Path(__file__).resolve().parents[3] / "warehouse" / "seeds" / "study_claims.csv"

SERIES = ("growth_official", "growth_deflated")


def test_contracts_ids_exist_once() -> None:
    ids = [spec.spec_id for spec in all_specs()]
    assert len(set(ids)) == len(ids)
    wanted = {
        f"baseline.{part}_{s}.{v}"
        for s in SERIES
        for part in ("cm", "comove", "dispersion")
        for v in ("headline", "calendar_year", "all_pairs")
    }
    wanted |= {
        f"dynamics.{part}_{s}.headline" for s in SERIES for part in ("cm", "comove", "dispersion")
    }
    assert wanted <= set(ids)
    judged = [spec for spec in all_specs() if spec.analysis != "study_form"]
    # labels of exposure must not be permuted (docs/methods, section 18.10)
    for spec in judged:
        draws = 0 if spec.treatment_rule in EXPOSURE_RULES else 9999
        assert (spec.permutations, "permutation" in spec.vcov) == (draws, draws > 0)


def test_headline_its_variants_and_claims_make_all_draws() -> None:
    by_id = {spec.spec_id: spec for spec in all_specs()}
    with CLAIMS.open(encoding="utf-8", newline="") as file:
        claimed = {row["spec_id"] for row in csv.DictReader(file)} & by_id.keys()
    assert claimed and claimed <= DECISIVE <= by_id.keys()
    for spec in by_id.values():
        last = 0 if why_no_p(spec.outcome) else ENOUGH
        assert spec.enough == (None if spec.spec_id in DECISIVE else last)


def test_specs_of_one_sample_share_one_pass() -> None:
    """Whole and parts, two-way and event study of one series and rule are estimated together."""
    keys = {spec.spec_id: spec.sample_key for spec in all_specs()}
    for part in ("comove", "dispersion"):
        for analysis in ("baseline", "dynamics"):
            whole = keys[f"{analysis}.cm_growth_official.headline"]
            assert whole == keys[f"{analysis}.{part}_growth_official.headline"]
    # strengths are held against one another, whichever of them a claim rests on
    tools = ("demand", "demand_trade_facilitation")
    assert len({keys[f"policy_tools.cm_growth_official.{tool}"] for tool in tools}) == 1
    # what stands in for treatment, and what differs between pairs, is fitted in another way
    for other in (
        "policy_tools.cm_growth_official.supply",
        "heterogeneity.cm_growth_official.coastal",
    ):
        assert keys[other] != keys["baseline.cm_growth_official.headline"]
    assert {spec.series for spec in all_specs()} <= set(CITY_SERIES)
    # a rolling correlation or a pre-2015 standardisation exists for fewer cities: it may not shrink
    # the sample of another outcome
    assert (
        keys["robustness.rolling_corr_growth_official.twfe"]
        != keys["robustness.cm_pre_growth_official.twfe"]
    )
    assert (
        keys["robustness.rolling_corr_growth_official.twfe"]
        != keys["robustness.cm_bounded_growth_official.twfe"]
    )
    assert split_of("cm_hp") == ("cm_hp",)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"spec_id": "baseline.y"}, "expected an id"),
        ({"spec_id": "other.y.headline"}, "expected an id"),
        ({"estimator": "gard_ner"}, "estimator is 'gard_ner', expected one of twfe, event_study"),
        ({"tie_rule": "loose"}, "strong, all"),
        ({"control_group": "later"}, "late_left_out"),
        ({"treatment_rule": "exactly_one_is_pilot_now"}, "not absorbing"),
        ({"shuffle": "region"}, "province"),
        ({"vcov": ("dyadic", "two_way")}, "two_way"),
    ],
)
def test_contradiction_is_refused(change: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Spec(**{"spec_id": "baseline.y.headline", "analysis": "baseline", "outcome": "y", **change})
