"""Point estimates of the group-time estimators against the package diff-diff, a pair as its
unit.
"""

import numpy as np
import pytest

from estimation.fit import fit_panel
from tests.estimation.panels import fit_of_diff_diff, points, random_panel

GAPS = {"balanced": 0.0, "gaps": 0.1}


def points_of(name, panel) -> dict:
    return points(fit_panel(panel, estimator=name, vcov=(), permutations=0))


def _compare(found: dict, expected: dict) -> None:
    assert expected.keys() == found.keys()
    assert [found[key] for key in expected] == pytest.approx(list(expected.values()), rel=1e-6)


def _events(found: dict) -> dict:
    return {event_time: value for (term, _, event_time), value in found.items() if term == "event"}


def _cells(found: dict) -> dict:
    return {
        (cohort, event_time): value
        for (term, cohort, event_time), value in found.items()
        if term == "group_time"
    }


@pytest.mark.parametrize("seed", [3, 4])
def test_callaway_santanna(seed):
    from diff_diff import CallawaySantAnna

    panel = random_panel(seed)
    found, peer = (
        points_of("callaway_santanna", panel),
        fit_of_diff_diff(CallawaySantAnna(estimation_method="reg"), panel),
    )
    assert found["att", None, None] == pytest.approx(peer.overall_att, rel=1e-6)
    events = peer.aggregate("event_study").to_dataframe()
    _compare(_events(found), dict(zip(events["event_time"], events["att"], strict=True)))
    cells = _cells(found)
    _compare(
        cells, {(g, t - g): cell["effect"] for (g, t), cell in peer.group_time_effects.items()}
    )
    groups = peer.aggregate("group").to_dataframe()
    means = {
        g: np.mean([value for (cohort, e), value in cells.items() if cohort == g and e >= 0])
        for g in {g for g, _ in cells}
    }
    _compare(means, {int(g): att for g, att in zip(groups["label"], groups["att"], strict=True)})


@pytest.mark.parametrize("gaps", GAPS)
def test_sun_abraham(gaps):
    from diff_diff import SunAbraham

    panel = random_panel(5, missing=GAPS[gaps])
    found, peer = points_of("sun_abraham", panel), fit_of_diff_diff(SunAbraham(), panel)
    _compare(
        _cells(found),
        {(int(g), int(e)): effect["effect"] for (g, e), effect in peer.cohort_effects.items()},
    )
    if gaps == "balanced":  # with gaps we weigh a cohort by its pairs, they by its rows
        assert found["att", None, None] == pytest.approx(peer.overall_att, rel=1e-6)
        _compare(
            _events(found),
            {int(e): effect["effect"] for e, effect in peer.event_study_effects.items() if e != -1},
        )


@pytest.mark.parametrize("gaps", GAPS)
def test_imputation(gaps):
    from diff_diff import ImputationDiD

    panel = random_panel(6, missing=GAPS[gaps])
    found, peer = points_of("borusyak", panel), fit_of_diff_diff(ImputationDiD(), panel)
    assert found["att", None, None] == pytest.approx(peer.overall_att, rel=1e-6)
    events = peer.aggregate("event_study").to_dataframe()
    events = events[events["se"].notna()]  # its base, and rows of the never treated, have none
    _compare(_events(found), dict(zip(events["event_time"], events["att"], strict=True)))


@pytest.mark.parametrize("gaps", GAPS)
def test_extended_two_way_fixed_effects(gaps):
    from diff_diff import WooldridgeDiD

    panel = random_panel(7, missing=GAPS[gaps])
    found, peer = points_of("etwfe", panel), fit_of_diff_diff(WooldridgeDiD(), panel)
    assert found["att", None, None] == pytest.approx(peer.overall_att, rel=1e-6)
    _compare(
        _events(found),
        {
            int(e): effect["att"]
            for e, effect in peer.aggregate("event_study").event_study_effects.items()
        },
    )
