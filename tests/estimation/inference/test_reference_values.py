"""The reference values of docs/methods, section 7: no random numbers, computed by other code."""

import pytest

from estimation.fit_panel import fit_outcomes
from tests.estimation.panels import (
    VARIANCE_ESTIMATORS,
    diagnostic_of,
    estimates_of,
    reference_panel,
)
from tests.estimation.parity import agrees

NAMES = (
    "estimate",
    "conventional_variance",
    "dyadic_variance",
    "score_variance",
    "city_error",
    "jackknife_error",
)
REFERENCE = {
    0: (-0.157431590, 0.044035759, 0.073408630, 0.117444389, 0.395322940, 0.552152168),
    1: (-0.240079365, 0.269453448, 0.095476783, 0.364930230, 0.683349290, 1.099057226),
}
PERMUTATION = {
    (0, "all"): (454, 660),
    (0, "province"): (20, 27),
    (1, "all"): (425, 660),
    (1, "province"): (18, 27),
}


@pytest.mark.parametrize("outcome", [0, 1])
def test_variances(outcome):
    result = fit_outcomes(
        reference_panel(), estimators=("twfe",), vcov=VARIANCE_ESTIMATORS, permutations=0
    )["twfe", outcome]
    assert (result.n_pairs, result.n_obs, result.n_cities, result.n_pilots) == (63, 378, 12, 3)
    found = {name: diagnostic_of(result, name, "treated") for name in NAMES[1:4]}
    found["estimate"] = estimates_of(result, "dyadic")["treated", None].estimate
    found["city_error"] = diagnostic_of(result, "city_variance", "treated") ** 0.5
    found["jackknife_error"] = (
        diagnostic_of(result, "province_jackknife_variance", "treated") ** 0.5
    )
    expected = dict(zip(NAMES, REFERENCE[outcome], strict=True))
    what = "`pair`, `dyadic`, `unit`, `block_jackknife` of `cs.fit`"
    agrees(what, "reference values of docs/methods, section 7", found, expected, abs=1e-9)


@pytest.mark.parametrize("shuffle", ["all", "province"])
def test_exact_permutation(shuffle):
    results = fit_outcomes(
        reference_panel(), estimators=("twfe",), vcov=("permutation",), shuffle=shuffle
    )
    for outcome in (0, 1):
        extreme, total = PERMUTATION[outcome, shuffle]
        result = results["twfe", outcome]
        assert diagnostic_of(result, "permutation_draws") == total
        assert estimates_of(result, "permutation")["treated", None].p_value == extreme / total


def test_fewer_than_four_pilots_withhold_standard_errors():
    result = fit_outcomes(reference_panel(), estimators=("twfe",), vcov=VARIANCE_ESTIMATORS)[
        "twfe", 0
    ]
    for estimate in result.estimates:
        assert (estimate.std_error, estimate.ci_low, estimate.ci_high) == (None, None, None)
        assert (
            (estimate.p_value is not None)
            == (estimate.vcov == "permutation")
            == estimate.is_default
        )
    assert any("fewer than 4 pilots" in text for text in result.warnings)
