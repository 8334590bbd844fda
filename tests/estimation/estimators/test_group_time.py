"""Estimators of group-time effects against literal loops, pyfixest, diff-diff, derivatives by
reweighting, one another and published values; also where every pair is treated at last, and with
controls that are treated later.
"""

import dataclasses
import functools

import numpy as np
import pandas as pd
import pyfixest
import pytest
from diff_diff import ImputationDiD

from estimation.estimators.fitted import Inputs
from estimation.estimators.group_time import GroupTimeDraws, fit_group_time
from estimation.estimators.registry import ESTIMATORS, names
from estimation.fit_panel import fit_outcomes, fit_panel
from estimation.inference import variances as inference
from estimation.panel.fit_sample import before_last_cohort, build_sample
from estimation.panel.pair_panel import PairPanel
from estimation.results import NotEstimable
from tests.estimation.panels import (
    CASES,
    OFTEN,
    VARIANCE_ESTIMATORS,
    derivative,
    fitted,
    long_table,
    points,
    random_panel,
    with_one_pair,
)
from tests.estimation.parity import agrees

GROUP_TIME = names("family", "group_time")

IMPUTATION = ("gardner", "borusyak")


def _fit(panel, *given, **rules):
    """The sample, and the fit of its only outcome."""
    sample, (fit,) = fitted(panel, *given, **rules)
    return sample, fit


def _columns(table):
    return [name for name in table if name.startswith("x")]


def with_gaps(case: str) -> PairPanel:
    """A panel of a case; where gaps are many, a cohort has no row at all in a year."""
    panel = random_panel(3, **CASES[case])
    if case == "many_gaps":
        panel.y[:, panel.cohort == 2013, 5] = np.nan
    return panel


#: Which pairs are controls, whether never-treated ones are there, and the quantile of ties.
CONTROLS = {
    "never treated": ("never_treated", True, 0.4),
    "later": ("not_yet_treated", True, None),
    "later, no never-treated": ("not_yet_treated", False, None),
}


def _literal(panel, kept, controls) -> dict:
    """ATT(g, t) with a varying base by cohort and event time, literally."""
    y, years, found = panel.y[0], panel.years.tolist(), {}
    for cohort in sorted(set(panel.cohort[panel.cohort > 0].tolist())):
        for t in range(1, len(years)):
            base = t - 1 if years[t] < cohort else years.index(cohort - 1)
            # untreated in the later of the two years
            later = (panel.cohort > max(years[t], years[base])) & (panel.cohort != cohort)
            never = panel.cohort == 0
            sides = []
            for chosen in (
                panel.cohort == cohort,
                never if controls == "never_treated" else never | later,
            ):
                changes = (y[:, t] - y[:, base])[chosen & kept]
                sides.append(changes[np.isfinite(changes)])
            if len(sides[0]) and len(sides[1]):
                found[cohort, years[t] - cohort] = sides[0].mean() - sides[1].mean()
    return found


@pytest.mark.parametrize("case", ["balanced", "few_gaps", "many_gaps"])
@pytest.mark.parametrize("of", CONTROLS)
def test_callaway_santanna_is_the_literal_loop(of, case):
    controls, has_never, tie_quantile = CONTROLS[of]
    panel = with_gaps(case)
    panel = panel if has_never else panel.of_pairs(panel.cohort > 0)
    rules = {"control_pairs": controls, "tie_quantile": tie_quantile}
    found = points(
        fit_panel(panel, estimator="callaway_santanna", vcov=(), permutations=0, **rules)
    )
    kept = build_sample(panel, (0,), **rules).kept
    literal = _literal(panel, kept, controls)
    if not has_never:  # the last cohort is the control of all years that are left
        last = panel.cohort.max()
        literal = {(g, e): value for (g, e), value in literal.items() if g != last and g + e < last}
        kept &= np.isfinite(panel.y[0, :, panel.years < last]).sum(axis=0) > 1
    cells = {(g, e): value for (term, g, e), value in found.items() if term == "group_time"}
    name = f"`callaway_santanna`, {of.replace('_', ' ')}"
    agrees(name, "loop over cohorts and years", cells, literal, abs=1e-12)
    sizes = {g: (kept & (panel.cohort == g)).sum() for g, _ in cells}
    averages = {("event", None, e): [cell for cell in cells if cell[1] == e] for _, e in cells}
    averages["att", None, None] = [cell for cell in cells if cell[1] >= 0]
    for term, chosen in averages.items():
        expected = sum(sizes[g] * cells[g, e] for g, e in chosen) / sum(sizes[g] for g, _ in chosen)
        assert found[term] == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("estimator", ["sun_abraham", "etwfe"])
@pytest.mark.parametrize("case", OFTEN)
def test_saturated_least_squares_against_pyfixest(case, estimator):
    panel = with_gaps(case)
    sample, fit = _fit(panel, estimator, 0.4)
    table = long_table(panel, sample.kept)
    relative = table["year"] - table["cohort"]
    wanted = (table["cohort"] > 0) & (
        (relative != -1) if estimator == "sun_abraham" else (relative >= 0)
    )
    cells = sorted(set(zip(table["cohort"][wanted], relative[wanted], strict=True)))
    names = [f"cell_{k}" for k in range(len(cells))]
    for name, (cohort, e) in zip(names, cells, strict=True):
        table[name] = ((table["cohort"] == cohort) & (relative == e)).astype(float)
    peer = pyfixest.feols(
        f"y ~ {' + '.join([*names, *_columns(table)])} | pair + year",
        data=table,
        vcov={"CRV1": "pair"},
        ssc=pyfixest.ssc(k_adj=False, G_adj=False),
        demeaner=pyfixest.LsmrDemeaner(fixef_atol=1e-12, fixef_btol=1e-12),
    )
    effects, covariance = peer.coef()[names].to_numpy(), peer._vcov[: len(names), : len(names)]
    pairs = table.groupby("cohort")["pair"].nunique()
    mass = [
        pairs[c] if estimator == "sun_abraham" else ((table["cohort"] == c) & (relative == e)).sum()
        for c, e in cells
    ]
    errors = np.sqrt(inference.conventional_variance(fit.psi))
    for (_, cohort, event_time), estimate, error in zip(
        fit.terms, fit.estimate, errors, strict=True
    ):
        chosen = [
            (e >= 0 if event_time is None else e == event_time) and cohort in (None, c)
            for c, e in cells
        ]
        weights = np.where(chosen, mass, 0.0) / np.sum(np.where(chosen, mass, 0.0))
        reference = "{pyfixest}, a dummy for each cohort and year"
        agrees(f"`{estimator}`", reference, estimate, weights @ effects, abs=1e-7)
        peer_error = np.sqrt(weights @ covariance @ weights)
        agrees(
            f"`{estimator}`, error by pair",
            reference,
            error,
            peer_error,
            rel=1e-6,
            why="ours has no factor for small samples; theirs is switched off",
        )


def _imputed(table, weight_of_pair=None, cell_weights=None):
    """Mean of outcome less what dummies and controls fitted to untreated rows predict; weighted by
    pair, or cell means by fixed weights.
    """
    dummies = [
        table[name].to_numpy()[:, None] == np.unique(table[name])[None, start:]
        for name, start in (("pair", 0), ("year", 1))
    ]
    x = np.column_stack([*dummies, table[_columns(table)].to_numpy()]).astype(float)
    y, treated = table["y"].to_numpy(), table["treated"].to_numpy() > 0
    weight = (
        np.ones(len(table)) if weight_of_pair is None else weight_of_pair[table["pair"].to_numpy()]
    )
    root = np.sqrt(weight[~treated])
    solution = np.linalg.lstsq(x[~treated] * root[:, None], y[~treated] * root, rcond=None)[0]
    gap, weight, rows = (y - x @ solution)[treated], weight[treated], table[treated]
    cells = [
        (rows["cohort"] == c) & (rows["year"] == t)
        for c, t in sorted(set(zip(rows["cohort"], rows["year"], strict=True)))
    ]
    means = np.array([np.average(gap[cell], weights=weight[cell]) for cell in cells])
    if cell_weights is None:
        cell_weights = np.array([weight[cell].sum() for cell in cells]) / weight.sum()
    return cell_weights @ means, cell_weights


@pytest.mark.parametrize("case", [*OFTEN, "a cell of one pair"])
def test_imputation_and_its_influence_by_reweighting_each_pair(case):
    """Influence is the derivative of the estimate by a pair's weight: of all for Gardner, with the
    weights of cells held for Borusyak.
    """
    panel = random_panel(4, n_cities=9, n_pilots=3, **CASES.get(case, {}))
    panel = panel if case in CASES else with_one_pair(panel, 2016)
    sample, _ = _fit(panel, "gardner")
    table = long_table(panel, sample.kept)
    has_base = table["pair"].isin(table["pair"][table["treated"] == 0])
    table = table[has_base].reset_index(drop=True)
    estimate, cell_weights = _imputed(table)
    fits = {name: _fit(panel, name)[1] for name in IMPUTATION}
    kept = np.flatnonzero(sample.kept)
    for name, fit in fits.items():
        assert fit.estimate[0] == pytest.approx(estimate, abs=1e-10)
        alone = np.flatnonzero(panel.cohort[kept] == 2016)[:1]
        for position in (*range(0, len(kept), 4), *alone):
            held = None if name == "gardner" else cell_weights
            moved = derivative(
                lambda weight, held=held: _imputed(table, weight, held)[0],
                panel.n_pairs,
                kept[position],
            )
            assert fit.psi[position, 0] == pytest.approx(moved, abs=1e-7)


@pytest.mark.parametrize("estimator", GROUP_TIME)
def test_pairs_treated_in_every_year_are_left_out(estimator):
    panel = random_panel(7)
    early = dataclasses.replace(
        panel, city_cohort=np.where(panel.city_cohort == 2014, 2010, panel.city_cohort), cohort=None
    )
    without = dataclasses.replace(
        panel, y=np.where((panel.cohort == 2014)[:, None], np.nan, panel.y), cohort=None
    )
    found, expected = (fit_panel(p, estimator=estimator, permutations=0) for p in (early, without))
    assert found.estimates[0].estimate == pytest.approx(expected.estimates[0].estimate, abs=1e-11)
    assert found.n_pairs == expected.n_pairs
    assert any("no year before admission" in text for text in found.warnings)
    with pytest.raises(NotEstimable, match="treated in all years"):
        fit_panel(
            dataclasses.replace(
                panel, city_cohort=np.where(panel.city_cohort > 0, 2010, 0), cohort=None
            ),
            estimator=estimator,
        )


@pytest.mark.shared
@pytest.mark.parametrize("estimator", ["callaway_santanna", "sun_abraham"])
def test_published_values_of_the_minimum_wage_panel(shared_dir, estimator):
    """Group-time effects on mpdta with never-treated controls, as the did package (R) prints them;
    each county is a pair of two cities of its own.
    """
    table = pd.read_csv(shared_dir / "reference/did_benchmarks/mpdta.csv")
    wide = table.pivot(index="countyreal", columns="year", values="lemp")
    cohort = np.zeros(2 * len(wide), dtype=int)
    cohort[::2] = table.groupby("countyreal")["first.treat"].first()[wide.index]
    first = 2 * np.arange(len(wide))
    panel = PairPanel(first, first + 1, wide.columns.to_numpy(), wide.to_numpy(), cohort)
    fit = _fit(panel, estimator)[1]
    found = dict(zip(fit.terms, fit.estimate, strict=True))
    published = {
        ("att", None, None): -0.0400,
        **{("event", None, e): v for e, v in enumerate((-0.0199, -0.0510, -0.1373, -0.1008))},
    }
    reference = "R's did, as it prints the minimum wage panel"
    ours = {term: found[term] for term in published}
    agrees(
        f"`{estimator}`, published",
        reference,
        ours,
        published,
        abs=5e-5,
        why="four digits are printed",
    )
    by_group = {
        g: np.mean(
            [v for (term, c, e), v in found.items() if term == "group_time" and c == g and e >= 0]
        )
        for g in (2004, 2006, 2007)
    }
    assert by_group == pytest.approx({2004: -0.0797, 2006: -0.0229, 2007: -0.0261}, abs=6e-5)


def test_draws_find_the_terms_of_a_sample_that_lost_a_cohort():
    panel = random_panel(3)
    lost = panel.cohort == panel.cohort[panel.cohort > 0].min()
    panel = dataclasses.replace(panel, tie=np.where(lost, panel.tie.min() - 1, panel.tie))
    sample, fit = _fit(panel, "callaway_santanna", 0.4)
    terms = GroupTimeDraws(sample, "callaway_santanna", Inputs(sample)).design.terms
    assert len(fit.terms) < len(terms) and [terms[c] for c in fit.columns] == list(fit.terms)


def test_the_permutation_is_left_out_where_a_draw_is_not_affordable():
    result = fit_panel(
        random_panel(2, missing=0.1),
        estimator="gardner",
        vcov=("city", "permutation"),
        permutations=99,
    )
    assert {e.vcov for e in result.estimates} == {"city"}
    assert any("balanced panel without controls" in text for text in result.warnings)
    result = fit_panel(
        random_panel(2), estimator="gardner", vcov=("city", "permutation"), permutations=99
    )
    assert {e.vcov for e in result.estimates} == {"city", "permutation"}


LATER = "not_yet_treated"
PANELS = {"never": False, "no never": True}
GAPS = {"balanced": 0.0, "gaps": 0.1}


def _panel(seed, *, without_never, **settings) -> PairPanel:
    panel = random_panel(seed, **settings)
    return panel.of_pairs(panel.cohort > 0) if without_never else panel


def _ours(panel, estimator, vcov=(), permutations=0):
    is_chosen = ESTIMATORS[estimator].chooses_control_pairs
    return fit_panel(
        panel,
        estimator=estimator,
        control_pairs=LATER if is_chosen else "never_treated",
        vcov=vcov,
        permutations=permutations,
    )


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("gaps", GAPS)
def test_imputation_without_never_treated_against_diff_diff(gaps):

    panel = _panel(6, without_never=True, missing=GAPS[gaps])
    columns = {"outcome": "y", "unit": "pair", "time": "year", "first_treat": "cohort"}
    peer = ImputationDiD().fit(long_table(panel, panel.cohort >= 0), **columns)
    events = peer.aggregate("event_study").to_dataframe().dropna(subset=["att", "se"])
    theirs = dict(zip(events["event_time"].astype(int), events["att"], strict=True))
    # least squares with a coefficient for each cohort and year imputes by cohort, which differs
    # where rows are missing
    for estimator in ("borusyak", "gardner", *(("etwfe",) if gaps == "balanced" else ())):
        found = points(_ours(panel, estimator))
        ours = {e: value for (term, _, e), value in found.items() if term == "event"}
        ours["att"] = found["att", None, None]
        name = f"`{estimator}`, no pair never treated"
        reference = "{diff-diff}, ImputationDiD"
        agrees(name, reference, ours, theirs | {"att": peer.overall_att}, rel=1e-6)


@pytest.mark.parametrize("gaps", GAPS)
def test_two_way_without_never_treated_against_pyfixest(gaps):
    panel = _panel(5, without_never=True, missing=GAPS[gaps])
    peer = pyfixest.feols(
        "y ~ treated | pair + year",
        data=long_table(panel, panel.cohort >= 0),
        vcov={"CRV1": "pair"},
    )
    result = _ours(panel, "twfe", vcov=VARIANCE_ESTIMATORS, permutations=99)
    name = "`twfe`, no pair never treated"
    agrees(name, "{pyfixest}", result.estimates[0].estimate, peer.coef()["treated"], rel=1e-9)
    assert {e.vcov for e in result.estimates} == set(VARIANCE_ESTIMATORS)
    assert any("already treated" in text for text in result.warnings)


@pytest.mark.parametrize("kind", PANELS)
def test_influence_is_the_derivative_by_a_pairs_weight(kind):
    panel = _panel(9, without_never=PANELS[kind], n_cities=12, n_pilots=6)
    if PANELS[kind]:
        panel = before_last_cohort(build_sample(panel, (0,), None))
    sample = build_sample(panel, (0,), None, control_pairs=LATER)
    (fit,), _ = fit_group_time(sample, "callaway_santanna")
    y, kept = panel.y[0], np.flatnonzero(sample.kept)
    cells = [c for c, (term, _, e) in enumerate(fit.terms) if term == "group_time" and e >= 0]

    def effect(cohort, e, weight):
        t, base = np.searchsorted(panel.years, [cohort + e, cohort - 1])
        sides = (
            panel.cohort == cohort,
            (panel.cohort == 0) | ((panel.cohort > cohort + e) & (panel.cohort != cohort)),
        )
        means = [np.average((y[:, t] - y[:, base])[side], weights=weight[side]) for side in sides]
        return means[0] - means[1]

    for c in cells:
        of_cell = functools.partial(effect, *fit.terms[c][1:])
        for position in range(0, len(kept), 5):
            moved = derivative(of_cell, panel.n_pairs, kept[position])
            assert fit.psi[position, c] == pytest.approx(moved, abs=1e-7)


REFUSED = {
    "one cohort": ({"only": (2014,)}, "twfe", "all are first treated in 2014"),
    "nothing before": ({"only": (2014, 2016), "years": slice(4, None)}, "borusyak", "before 2016"),
    "an event study": ({}, "event_study", "not identified"),
    "never-treated pairs are asked for": (
        {},
        "callaway_santanna",
        "--control-pairs not_yet_treated",
    ),
    "weights by covariates": ({}, "entropy_balanced", "compares with never-treated pairs"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_nothing_identifies_is_refused(case):
    changes, estimator, message = REFUSED[case]
    panel = _panel(7, without_never=True)
    if "only" in changes:
        panel = panel.of_pairs(np.isin(panel.cohort, changes["only"]))
    if "years" in changes:
        panel = dataclasses.replace(
            panel,
            years=panel.years[changes["years"]],
            y=panel.y[:, :, changes["years"]],
            cohort=None,
        )
    with pytest.raises(NotEstimable, match=message):
        fit_outcomes(
            panel,
            estimators=(estimator,),
            permutations=0,
            covariates=np.ones((panel.n_cities, 1)),
            covariate_names=("x",),
        )
