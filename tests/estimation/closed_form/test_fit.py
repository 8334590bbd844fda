"""The closed form over all pairs against every pair listed, on random panels."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimation.closed_form.fit import CityPanel, fit_all_pairs
from estimation.closed_form.permutation import permute_all_pairs
from estimation.closed_form.sums import OUTCOMES
from estimation.fit import fit_panel
from estimation.panel.pair_panel import PairPanel
from estimation.results import NotEstimable
from tests.estimation.panels import reference_panel

YEARS = np.arange(2010, 2016)


def city_panel(seed: int, n_cities: int = 14, level: float = 0.0, scale: float = 1.0) -> CityPanel:
    """Cohorts of unequal size, some years without any, provinces of three cities."""
    rng = np.random.default_rng(seed)
    cohort = rng.choice([0, 0, 0, 2012, 2013, 2015], n_cities)
    cohort[:4] = 0, 0, 2012, 2013
    return CityPanel(
        level + scale * rng.standard_normal((n_cities, len(YEARS))),
        YEARS,
        cohort,
        np.arange(n_cities) // 3,
    )


def outcome_of(panel: CityPanel, outcome: str, i: np.ndarray, j: np.ndarray) -> np.ndarray:
    z_i, z_j = panel.values[i], panel.values[j]
    return {
        "cm": 1 - (z_i - z_j) ** 2 / 2,
        "comove": z_i * z_j,
        "dispersion": 1 - (z_i**2 + z_j**2) / 2,
        "neg_abs_gap": -np.abs(z_i - z_j),
    }[outcome]


def as_pairs(panel: CityPanel, outcome: str) -> PairPanel:
    i, j = np.array(list(itertools.combinations(range(len(panel.values)), 2))).T
    return PairPanel(
        i, j, panel.years, outcome_of(panel, outcome, i, j), panel.city_cohort, panel.province
    )


def brute_force(
    panel: CityPanel, outcome: str, exposures: tuple[str, ...]
) -> dict[str, np.ndarray]:
    """Least squares with dummies for every pair and year on listed pairs:

    `treated` and, with pairs of two pilots, `treated_both`.
    """
    i, j = np.array(list(itertools.combinations(range(len(panel.values)), 2))).T
    first, second = panel.city_cohort[i], panel.city_cohort[j]
    kept = np.isin(
        np.array(["none", "one", "both"])[(first > 0).astype(int) + (second > 0)], exposures
    )
    i, j, first, second = i[kept], j[kept], first[kept], second[kept]
    y = outcome_of(panel, outcome, i, j)
    n_pairs, n_years = y.shape
    either = np.where(
        (first > 0) & (second > 0), np.minimum(first, second), np.maximum(first, second)
    )
    clocks = [either] + (
        [np.where((first > 0) & (second > 0), np.maximum(first, second), 0)]
        if "both" in exposures
        else []
    )
    d = (
        np.stack([(c[:, None] > 0) & (panel.years >= c[:, None]) for c in clocks], axis=2)
        .reshape(n_pairs * n_years, -1)
        .astype(float)
    )
    dummies = np.hstack(
        [
            np.kron(np.eye(n_pairs), np.ones((n_years, 1))),
            np.kron(np.ones((n_pairs, 1)), np.eye(n_years)),
        ]
    )
    x = d - dummies @ np.linalg.lstsq(dummies, d, rcond=None)[0]
    b, *_ = np.linalg.lstsq(x, y.ravel(), rcond=None)
    residual = y.ravel() - dummies @ np.linalg.lstsq(dummies, y.ravel(), rcond=None)[0] - x @ b
    psi = np.einsum(
        "ptk,kl->pl", (x * residual[:, None]).reshape(n_pairs, n_years, -1), np.linalg.inv(x.T @ x)
    )
    city = np.stack([psi[(i == c) | (j == c)].sum(axis=0) for c in range(len(panel.values))])
    conventional = (psi**2).sum(axis=0)
    return {
        "estimate": b,
        "conventional": conventional,
        "dyadic": (city**2).sum(axis=0) - conventional,
        "city_sums": city,
    }


def close(mine, theirs, tolerance: float = 1e-10) -> None:
    mine, theirs = np.asarray(mine, dtype=float), np.asarray(theirs, dtype=float)
    assert mine.shape == theirs.shape
    assert np.max(np.abs(mine - theirs) / np.maximum(1.0, np.abs(theirs))) < tolerance


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 10**6),
    n_cities=st.integers(8, 16),
    outcome=st.sampled_from(OUTCOMES),
    exposures=st.sampled_from([("none", "one"), ("none", "one", "both"), ("one",)]),
)
def test_two_way_effects_equal_listed_pairs(
    seed: int, n_cities: int, outcome: str, exposures: tuple[str, ...]
) -> None:
    panel = city_panel(seed, n_cities)
    theirs = brute_force(panel, outcome, exposures)
    mine = fit_all_pairs(panel, outcome=outcome, exposures=exposures)
    close(mine.estimate, theirs["estimate"])
    close(mine.city_sums, theirs["city_sums"])
    close(mine.score, (theirs["city_sums"] ** 2).sum(axis=0))
    if outcome == "neg_abs_gap":
        assert mine.conventional is None
        assert mine.dyadic is None
    else:
        close(mine.conventional, theirs["conventional"])
        close(mine.dyadic, theirs["dyadic"])


@pytest.mark.parametrize("outcome", ["cm", "neg_abs_gap"])
@pytest.mark.parametrize("level", [1e3, 1e6])
def test_means_far_from_zero_cost_no_digits(outcome: str, level: float) -> None:
    panel = city_panel(5, level=level)
    near = CityPanel(panel.values - level, panel.years, panel.city_cohort)
    far, near = fit_all_pairs(panel, outcome=outcome), fit_all_pairs(near, outcome=outcome)
    close(far.estimate, near.estimate, 1e-12)
    close(far.score, near.score, 1e-12)


@pytest.mark.parametrize("estimator", ["twfe", "event_study", "callaway_santanna"])
@pytest.mark.parametrize("outcome", ["cm", "comove", "neg_abs_gap"])
def test_every_estimator_equals_the_path_that_lists_pairs(estimator: str, outcome: str) -> None:
    panel = city_panel(11, 18)
    mine = fit_all_pairs(panel, outcome=outcome, estimator=estimator, refits=True)
    lines = ("conventional", "dyadic", "city", "province_jackknife")
    theirs = fit_panel(as_pairs(panel, outcome), estimator=estimator, vcov=lines, permutations=0)
    expected = {
        vcov: {(e.term, e.cohort_year, e.event_time): e for e in theirs.estimates if e.vcov == vcov}
        for vcov in lines
    }
    assert set(mine.terms) == set(expected["city"])
    jackknife = mine.provinces.variance(mine.estimate)
    for k, term in enumerate(mine.terms):
        close(mine.estimate[k], expected["city"][term].estimate)
        assert mine.n_pilots[k] >= 1
        for vcov, variance in (
            ("city", mine.city),
            ("conventional", mine.conventional),
            ("dyadic", mine.dyadic),
            ("province_jackknife", jackknife),
        ):
            error = expected[vcov][term].std_error
            if variance is not None and error is not None:
                close(np.sqrt(variance[k]), error)
    assert (mine.n_pairs, mine.n_obs, mine.n_cities) == (
        theirs.n_pairs,
        theirs.n_obs,
        theirs.n_cities,
    )


def test_refits_equal_the_panel_without_the_cities() -> None:
    panel = city_panel(3, 15)
    whole = fit_all_pairs(panel, estimator="event_study", refits=True)
    for block, deleted in (
        (whole.provinces, panel.province),
        (whole.cities, np.arange(len(panel.values))),
    ):
        assert len(block.blocks) > 3
        for name, estimate in zip(block.blocks, block.estimates, strict=True):
            left = deleted != name
            part = fit_all_pairs(
                CityPanel(panel.values[left], panel.years, panel.city_cohort[left]),
                estimator="event_study",
            )
            found = dict(zip(part.terms, part.estimate, strict=True))
            for term, value in zip(whole.terms, estimate, strict=True):
                assert (term in found) != np.isnan(value)
                if term in found:
                    close(value, found[term])


def test_group_time_effects_of_two_pilots_are_differences_of_cell_means() -> None:
    panel = city_panel(8, 16)
    fit = fit_all_pairs(panel, estimator="callaway_santanna", exposures=("none", "one", "both"))
    i, j = np.array(list(itertools.combinations(range(16), 2))).T
    y, first, second = outcome_of(panel, "cm", i, j), panel.city_cohort[i], panel.city_cohort[j]
    both, none = (first > 0) & (second > 0), (first == 0) & (second == 0)
    since = np.minimum(first, second)
    for cohort in np.unique(since[both]):
        base = int(np.flatnonzero(panel.years == cohort - 1)[0])
        for t in np.flatnonzero(panel.years >= cohort):
            treated, never = y[both & (since == cohort)], y[none]
            effect = (treated[:, t] - treated[:, base]).mean() - (
                never[:, t] - never[:, base]
            ).mean()
            at = fit.terms.index(("group_time_both", int(cohort), int(panel.years[t] - cohort)))
            close(fit.estimate[at], effect)


def test_reference_values_of_the_methods_paper() -> None:
    i, t = np.arange(12)[:, None], np.arange(6)[None]
    x = ((7 * i + 3 * t**2 + i * t**2) % 11) + 0.25 * ((i**2 + t) % 7)
    z = (x - x.mean(1, keepdims=True)) / x.std(1, keepdims=True)
    panel = reference_panel()
    fit = fit_all_pairs(
        CityPanel(z, panel.years, panel.city_cohort, np.arange(12) // 3), refits=True
    )
    found = [
        fit.estimate[0],
        fit.conventional[0],
        fit.dyadic[0],
        fit.score[0],
        np.sqrt(fit.city[0]),
    ]
    assert found == pytest.approx(
        [-0.157431590, 0.044035759, 0.073408630, 0.117444389, 0.395322940], abs=1e-9
    )
    assert np.sqrt(fit.provinces.variance(fit.estimate))[0] == pytest.approx(0.552152168, abs=1e-9)
    draws = permute_all_pairs(CityPanel(z, panel.years, panel.city_cohort), n_draws=9999)
    assert draws.is_enumeration
    assert draws.p_value(0, abs(fit.estimate[0]) / np.sqrt(fit.score[0])) == pytest.approx(
        454 / 660
    )
    gap = fit_all_pairs(
        CityPanel(x, panel.years, panel.city_cohort, np.arange(12) // 3),
        outcome="neg_abs_gap",
        refits=True,
    )
    assert [gap.estimate[0], gap.score[0], np.sqrt(gap.city[0])] == pytest.approx(
        [-0.240079365, 0.364930230, 0.683349290], abs=1e-9
    )
    assert np.sqrt(gap.provinces.variance(gap.estimate))[0] == pytest.approx(1.099057226, abs=1e-9)
    within = permute_all_pairs(
        CityPanel(x, panel.years, panel.city_cohort, np.arange(12) // 3), outcome="neg_abs_gap"
    )
    assert within.p_value(0, abs(gap.estimate[0]) / np.sqrt(gap.score[0])) == pytest.approx(18 / 27)


@pytest.mark.parametrize("outcome", OUTCOMES)
@pytest.mark.parametrize("estimator", ["twfe", "event_study"])
def test_draws_equal_refits_under_the_drawn_labels(outcome: str, estimator: str) -> None:
    panel = city_panel(21, 13)
    draws = permute_all_pairs(
        panel, outcome=outcome, estimator=estimator, strata=np.zeros(13), n_draws=40, seed=4
    )
    labels = np.random.Generator(np.random.PCG64(4)).permuted(
        np.tile(panel.city_cohort, (40, 1)), axis=1
    )
    for draw in (0, 7, 39):
        again = fit_all_pairs(
            CityPanel(panel.values, panel.years, labels[draw]), outcome=outcome, estimator=estimator
        )
        close(draws.coefficient[draw], again.estimate)
        close(draws.statistic[draw], np.abs(again.estimate) / np.sqrt(again.score))


def test_draws_are_the_same_bytes_for_any_number_of_threads(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    panel, found = city_panel(2, 18), []
    for threads in ("1", "2"):
        monkeypatch.setenv("OMP_NUM_THREADS", threads)
        found.append(permute_all_pairs(panel, n_draws=999, seed=3).statistic.tobytes())
    assert found[0] == found[1]


@pytest.mark.parametrize(
    ("changes", "error", "expected"),
    [
        ({"outcome": "rolling_corr"}, ValueError, "rolling_corr"),
        ({"estimator": "gardner"}, ValueError, "gardner"),
        ({"exposures": ("some",)}, ValueError, "exposures"),
        ({"exposures": ("none",)}, NotEstimable, "no pair"),
        ({"exposures": ("one",), "estimator": "callaway_santanna"}, NotEstimable, "exposure none"),
    ],
)
def test_what_the_closed_form_does_not_cover_is_refused(
    changes: dict, error: type, expected: str
) -> None:
    with pytest.raises(error, match=expected):
        fit_all_pairs(city_panel(1), **changes)


def test_a_missing_year_is_refused_with_its_place() -> None:
    panel = city_panel(1)
    values = panel.values.copy()
    values[3, 2] = np.nan
    with pytest.raises(ValueError, match=r"city 3 .* 2012"):
        CityPanel(values, panel.years, panel.city_cohort)
