"""`cs.vcov` against a loop over all pairs of rows, dummies, and across packages."""

import numpy as np
import pandas as pd
import pyfixest as pf
import pytest
import statsmodels.api as sm
import statsmodels.formula.api as smf
from linearmodels import (
    IV2SLS,
    AbsorbingLS,
    FirstDifferenceOLS,
    PanelOLS,
    PooledOLS,
    RandomEffects,
)
from scipy import stats
from statsmodels.discrete.count_model import ZeroInflatedPoisson
from statsmodels.discrete.discrete_model import GeneralizedPoisson
from statsmodels.miscmodels.ordinal_model import OrderedModel
from statsmodels.tools.numdiff import approx_hess3

import estimation as cs
from tests.estimation.parity import agrees

from .panels import COLUMNS, country_panel, for_pyfixest

UNIT = ("a", "b")


def binary(name):
    return lambda f: getattr(smf, name)("any ~ x + z", f).fit(disp=0)


def glm(formula, family, **options):
    return lambda f: smf.glm(formula, f.dropna(), family=family, **options).fit()


FITS = {
    "feols": lambda f: pf.feols("y ~ x + z | pair + year", f),
    "feols weighted": lambda f: pf.feols("y ~ x | pair + year", f, weights="w"),
    "feols with instruments": lambda f: pf.feols("y ~ 1 | pair | x ~ z", f),
    "feols of a subsample": lambda f: pf.feols("y ~ x", f, split="any").all_fitted_models[
        "y ~ x (Sample: any = 1)"
    ],
    "saturated": lambda f: pf.event_study(
        f.assign(g=np.where(f.a < 5, 2, 0), id=f.a * 12 + f.b),
        yname="y",
        idname="id",
        tname="year",
        gname="g",
        estimator="saturated",
    ),
    "fepois": lambda f: pf.fepois("flow ~ x + z | a^year + b^year", f),
    "fepois with an offset": lambda f: pf.fepois("flow ~ x | a + b", f, offset="z"),
    "fepois, rows separated": lambda f: pf.fepois(
        "flow ~ x | a^year", f.assign(flow=f.flow.where((f.a != 3) | (f.year != 1), 0))
    ),
    "feglm": lambda f: pf.feglm("any ~ x + z", f, family="logit"),
    "feglm, probit": lambda f: pf.feglm("any ~ x + z | year", f, family="probit"),
    "ols": lambda f: smf.ols("y ~ x + z", f).fit(),
    "wls": lambda f: smf.wls("y ~ x + z", f.dropna(), weights=f.dropna().w).fit(),
    "gls": lambda f: smf.gls("y ~ x + z", f.dropna(), sigma=np.diag(1 / f.dropna().w)).fit(),
    "glm": glm("flow ~ x + z", sm.families.Poisson()),
    "glm, gaussian": glm("y ~ x + z", sm.families.Gaussian()),
    "glm, gamma": glm("np.exp(y) ~ x", sm.families.Gamma(sm.families.links.Log())),
    "glm, negative binomial": glm("flow ~ x + z", sm.families.NegativeBinomial(alpha=0.5)),
    "logit": binary("logit"),
    "probit": binary("probit"),
    "poisson": lambda f: smf.poisson("flow ~ x + z", f).fit(disp=0),
    "negative binomial": lambda f: smf.negativebinomial("flow ~ x + z", f).fit(disp=0),
    "generalized poisson": lambda f: GeneralizedPoisson.from_formula("flow ~ x", f).fit(disp=0),
    "inflated zeros": lambda f: ZeroInflatedPoisson(
        f.dropna().flow, sm.add_constant(f.dropna()[["x", "z"]])
    ).fit(disp=0, method="ncg"),
    "multinomial": lambda f: smf.mnlogit("year ~ x + z", f).fit(disp=0),
    "ordered": lambda f: OrderedModel(f.dropna().year, f.dropna()[["x", "z"]]).fit(
        disp=0, method="bfgs"
    ),
    "ordered categories": lambda f: OrderedModel.from_formula(
        "season ~ 0 + x + z",
        f.dropna().assign(
            season=lambda rows: pd.Categorical.from_codes(rows.year, list("abcd"), ordered=True)
        ),
    ).fit(disp=0, method="bfgs"),
    "PooledOLS": lambda f: PooledOLS.from_formula("y ~ 1 + x", _panel(f)).fit(),
    "PanelOLS": lambda f: PanelOLS.from_formula("y ~ x + z + EntityEffects", _panel(f)).fit(),
    "RandomEffects": lambda f: RandomEffects.from_formula("y ~ 1 + x", _panel(f)).fit(),
    "FirstDifferenceOLS": lambda f: FirstDifferenceOLS.from_formula("y ~ x", _panel(f)).fit(),
    "AbsorbingLS": lambda f: AbsorbingLS(
        f.dropna().y, f.dropna()[["x", "z"]], absorb=f.dropna()[["year"]].astype("category")
    ).fit(),
    "IV2SLS": lambda f: IV2SLS.from_formula("y ~ 1 + [x ~ z]", f.dropna()).fit(),
}


def _panel(frame):
    """Rows by ordered pair and year, of which `PanelOLS` takes the pair as the entity."""
    rows = frame.dropna()
    return rows.set_index([(rows.a * 12 + rows.b).rename("id"), "year"], drop=False)


def _used(name, fit, frame):
    """The frame with labels, the rows of it that a fit used, their scores, and the bread, as the
    package itself has them or by hand.
    """
    if hasattr(fit, "_scores"):
        if fit._is_iv:
            projection = fit._tZZinv @ fit._tZX
            bread = np.linalg.inv(fit._tXZ @ projection)
            return None, fit._data, fit._scores @ projection, bread
        return None, fit._data, fit._scores, np.linalg.inv(fit._hessian)
    rows = frame.dropna()
    if hasattr(fit.model, "score_obs"):
        values = np.asarray(fit.params).reshape(-1, order="F")
        hessian = fit.model.hessian(values)
        if name == "inflated zeros":
            # that of statsmodels 0.15 is wrong between the two parts
            hessian = approx_hess3(values, fit.model.loglike)
        return rows, rows, np.asarray(fit.model.score_obs(values)), np.linalg.inv(hessian)
    if name in {"ols", "wls", "gls"}:
        weight = np.ones(len(rows)) if name == "ols" else rows.w.to_numpy()
        residuals, x = fit.resid.to_numpy(), fit.model.exog
        bread = np.linalg.inv((x * weight[:, None]).T @ x)
        return None, rows, x * (weight * residuals)[:, None], bread
    data = rows if name in {"AbsorbingLS", "IV2SLS"} else _panel(frame)
    values = rows.assign(Intercept=1.0)[list(fit.params.index)].set_axis(data.index)
    y = data.y
    if name == "PanelOLS":
        y, values = (part - part.groupby(level=0).transform("mean") for part in (y, values))
    if name == "AbsorbingLS":
        y, values = (part - part.groupby(data.year).transform("mean") for part in (y, values))
    if name == "RandomEffects":
        theta = fit.theta.theta.reindex(data.index.get_level_values(0)).to_numpy()
        y = y - theta * y.groupby(level=0).transform("mean")
        values = values - values.groupby(level=0).transform("mean").mul(theta, axis=0)
    if name == "FirstDifferenceOLS":
        whole = pd.MultiIndex.from_product([range(144), range(4)])
        y, values = (
            part.reindex(whole).groupby(level=0).diff().reindex(data.index).dropna()
            for part in (y, values)
        )
    x = values.to_numpy()
    residuals = y.to_numpy() - x @ fit.params.to_numpy()
    if name == "IV2SLS":
        instruments = rows.assign(Intercept=1.0)[["Intercept", "z"]].to_numpy()
        x = instruments @ np.linalg.lstsq(instruments, x, rcond=None)[0]
    inverse = np.linalg.pinv(x)
    return data, data.loc[y.index], x * residuals[:, None], inverse @ inverse.T


def _loop(rows, scores, bread, weight):
    """Bread times the sum over all pairs of rows, each weighted by what the two have in common."""
    meat = np.zeros((scores.shape[1],) * 2)
    units = list(zip(rows.a, rows.b, strict=True))
    of_pair = {pair: np.array([weight(pair, other) for other in units]) for pair in set(units)}
    for k, pair in enumerate(units):
        meat += np.outer(scores[k], of_pair[pair] @ scores)
    return bread @ meat @ bread


def test_text_on_one_side_alone_makes_two_kinds_unless_ids_look_alike(flows):
    fit = smf.ols("y ~ x + z", flows).fit()
    banks = flows.assign(bank="B" + flows.a.astype(str), code=flows.a.astype(str) + ".0")
    asked = cs.vcov(fit, UNIT, kinds=2)
    found = cs.vcov(fit, ("bank", "b"), data=banks)
    pd.testing.assert_frame_equal(found.tidy(), asked.tidy())
    assert "two kinds" in found.notes[0]
    with pytest.raises(cs.PanelError, match="numbers and text"):
        cs.vcov(fit, ("code", "b"), data=banks)


@pytest.mark.parametrize("name", FITS)
def test_every_kind_of_fit_agrees_with_a_loop_over_pairs_of_rows(flows, name):
    fit = FITS[name](flows)
    data, rows, scores, bread = _used(name, fit, flows)
    found = cs.vcov(fit, UNIT, data=data)
    expected = {
        "dyadic": _loop(rows, scores, bread, lambda p, q: bool(set(p) & set(q))),
        "unit": _loop(rows, scores, bread, lambda p, q: len(set(p) & set(q))) * 12 / 11,
        "pair": _loop(rows, scores, bread, lambda p, q: set(p) == set(q)),
    }
    for line, matrix in expected.items():
        least = np.diag(expected["pair"]) if line == "dyadic" else 0
        errors = found.query("vcov == @line")["std_error"]
        np.fill_diagonal(matrix, np.maximum(np.diag(matrix), least))
        kinds, tolerance, why = f"{len(FITS) - 3} other kinds of fits", 1e-10, ""
        if name in {"ordered", "ordered categories"}:
            kinds, why = "OrderedModel", "both use statsmodels' Hessian, numerical to about 1e-6"
        if name == "inflated zeros":
            kinds, tolerance, why = "ZeroInflatedPoisson", 1e-5, "the loop's Hessian is numerical"
        what = f"`cs.vcov`, `{line}`, {kinds}"
        expected_errors = np.sqrt(np.diag(matrix))
        agrees(what, "loop over pairs of rows", errors, expected_errors, rel=tolerance, why=why)
        np.testing.assert_allclose(np.diag(found.matrix(line)), errors**2, rtol=1e-12)
        if np.linalg.eigvalsh(matrix).min() > 0:
            np.testing.assert_allclose(found.matrix(line), matrix, rtol=tolerance, atol=1e-14)
        else:
            assert any(line in note for note in found.notes)
    assert found.n_obs == len(rows) and found.n_units == 12


def test_units_of_two_kinds_are_not_merged(flows):
    fit = smf.ols("y ~ x + z", flows).fit()
    _, rows, scores, bread = _used("ols", fit, flows)
    banks = [(("bank", a), ("firm", b)) for a, b in zip(rows.a, rows.b, strict=True)]
    named = pd.DataFrame(banks, columns=["a", "b"])
    shares = {
        "dyadic": lambda p, q: bool(set(p) & set(q)),
        "unit": lambda p, q: len(set(p) & set(q)) * 24 / 23,
        "pair": lambda p, q: p == q,
    }
    found = cs.vcov(fit, UNIT, kinds=2)
    for line, weight in shares.items():
        expected = np.diag(_loop(named, scores, bread, weight))
        errors = found[found.vcov == line].std_error
        np.testing.assert_allclose(errors, np.sqrt(expected), rtol=1e-10)
    assert found.n_units == 24 and found.n_pairs == 144
    merged = cs.vcov(fit, UNIT)
    assert merged.n_units == 12 and not np.allclose(merged.std_error, found.std_error, rtol=0.01)
    # ids that differ are never merged, and with two kinds one side may be text
    apart = (rows.a.to_numpy(), rows.b.to_numpy() + 100)
    text = (rows.a.to_numpy(), rows.b.astype(str).to_numpy())
    for same in (cs.vcov(fit, apart), cs.vcov(fit, text, kinds=2)):
        pd.testing.assert_frame_equal(same, found)
    # 2 ** 53 and the next number are one as floats
    long = (rows.a.to_numpy() + 2**53, (rows.b.to_numpy() + 2**53).astype(np.uint64))
    pd.testing.assert_frame_equal(cs.vcov(fit, long), merged)


def test_high_dimensional_effects_are_those_of_dummies(flows):
    rows = flows.dropna()
    options = {"demeaner": pf.MapDemeaner(fixef_tol=1e-12), "iwls_tol": 1e-12}
    found = cs.vcov(pf.fepois("flow ~ x | a + b", rows, **options), UNIT)
    dense = smf.glm("flow ~ x + C(a) + C(b)", rows, family=sm.families.Poisson())
    dummies = cs.vcov(dense.fit(tol=1e-14), UNIT)
    np.testing.assert_allclose(found.std_error, dummies.query("term == 'x'").std_error, rtol=1e-8)
    assert found.degrees["dyadic"][0] == pytest.approx(dummies.degrees["dyadic"][-1], rel=1e-6)


def test_packages_and_the_librarys_own_fit_agree():
    frame, _, cohorts, _ = country_panel(missing=0.1)
    frame = for_pyfixest(frame, cohorts)
    given = {"unit": COLUMNS["unit"], "vcov": ["dyadic", "pair"]}
    kept = frame.dropna()
    panel = kept.set_index(["pair", "period"])
    effects = kept[["pair", "period"]].astype("category")
    own = cs.fit(
        frame, "y", **COLUMNS, cohort=cohorts, controls="x0", permutations=0, vcov=given["vcov"]
    )
    formula = "y ~ treated + x0 + EntityEffects + TimeEffects"
    others = [
        cs.vcov(pf.feols("y ~ treated + x0 | pair + period", frame), **given),
        cs.vcov(PanelOLS.from_formula(formula, panel).fit(), data=panel, **given),
        cs.vcov(
            AbsorbingLS(kept.y, kept[["treated", "x0"]], absorb=effects).fit(), data=frame, **given
        ),
        cs.vcov(
            PanelOLS.from_formula(formula, panel).fit(),
            (kept.exporter.to_numpy(), kept.importer.to_numpy()),
            vcov=given["vcov"],
        ),
    ]
    errors = {(e.term, e.vcov): e.std_error for e in own.estimates}
    assert all(errors[term, "dyadic"] > errors[term, "pair"] for term in own.coef().index)
    for other in others:
        found = dict(zip(zip(other.term, other.vcov, strict=True), other.std_error, strict=True))
        packages = "`cs.vcov` of {pyfixest} and {linearmodels}"
        agrees("`cs.fit`, `dyadic` and `pair`", packages, errors, found, rel=1e-7)
        # pair and period effects count as explained, whichever package absorbs them
        assert other.r2 == pytest.approx(own.r2, rel=1e-6)
    fitted = IV2SLS(kept.y, kept[["x0"]], kept[["treated"]], kept[["period"]]).fit()
    instrumented = cs.vcov(fitted, data=kept, **given)
    peer = cs.vcov(pf.feols("y ~ x0 - 1 | treated ~ period", kept), **given)
    np.testing.assert_allclose(instrumented.std_error, peer.std_error, rtol=1e-8)


def test_effects_of_other_columns_are_named(flows):
    rows = _panel(flows)
    fit = PanelOLS(rows.y, rows[["x"]], entity_effects=True, other_effects=rows[["year"]]).fit()
    assert cs.vcov(fit, UNIT, data=rows).effects == ("entity", "year")


def test_a_direction_counts_for_the_line_pair_alone(flows):
    fit = pf.feols("y ~ x | year", flows)
    plain, directed = cs.vcov(fit, UNIT), cs.vcov(fit, UNIT, directed=True)
    same = plain.vcov != "pair"
    assert plain.std_error[same].equals(directed.std_error[same])
    clustered = pf.feols("y ~ x | year", flows.assign(flow=flows.a * 100 + flows.b)).vcov(
        {"CRV1": "flow"}
    )
    # theirs has the factor G / (G - 1) * (n - 1) / (n - k)
    n, g = clustered._N, 144
    factor = g / (g - 1) * (n - 1) / (n - 1 - 4)
    ours = directed.query("vcov == 'pair'").std_error.iloc[0]
    assert ours * np.sqrt(factor) == pytest.approx(clustered.se()["x"], rel=1e-3)


def test_a_matrix_with_negative_eigenvalues_is_repaired_and_said():
    rng = np.random.default_rng(2)
    a, b = np.triu_indices(5, 1)
    frame = pd.DataFrame(rng.normal(size=(10, 7)), columns=list("ystuvwx")).assign(a=a, b=b)
    fit = smf.ols("y ~ s + t + u + v + w + x", frame).fit()
    found = cs.vcov(fit, UNIT)
    assert np.linalg.eigvalsh(found.matrix()).min() > -1e-12
    assert any("negative: `matrix` has 0 there" in note for note in found.notes)
    assert (found.std_error >= 0).all()


def test_a_dyadic_error_is_never_below_that_by_pair_and_sums_of_coefficients_have_errors(flows):
    fit = pf.feols("y ~ x + z + w + any | pair + year", flows)
    found = cs.vcov(fit, UNIT)
    by_line = found.pivot(index="term", columns="vcov", values="std_error")
    assert (by_line["dyadic"] >= by_line["pair"]).all()
    equal = by_line.index[by_line["dyadic"] == by_line["pair"]]
    assert len(equal) and all(any(term in note for note in found.notes) for term in equal)
    total = found.combine({"x": 2.0, "z": -1.0}).set_index("vcov")
    weight = np.array([2.0, -1.0, 0, 0])
    assert total["estimate"].iloc[0] == pytest.approx(weight @ fit._beta_hat)
    for line in ("unit", "pair"):
        variance = weight @ found.matrix(line).to_numpy() @ weight
        assert total.std_error[line] == pytest.approx(np.sqrt(variance))
        joint = found.wald([{"x": 2.0, "z": -1.0}], line)
        assert joint["statistic"] == pytest.approx((total.estimate / total.std_error)[line] ** 2)
        assert joint["p_value"] == pytest.approx(total.p_value[line])
    wide = found.confint(level=0.99).set_index(["vcov", "term"]).loc[("unit", "x")]
    own = found[(found.vcov == "unit") & (found.term == "x")].iloc[0]
    half = stats.t(own.df).ppf(0.995) * own.std_error
    alone = found.confint("unit", 0.99).set_index("term")
    assert alone.loc["x", ["ci_low", "ci_high"]].tolist() == wide.tolist()
    assert found.combine({"x": 2.0, "z": -1.0}, "unit").std_error.tolist() == [total.std_error.unit]
    assert wide.tolist() == pytest.approx([own.estimate - half, own.estimate + half])


def test_two_kinds_of_units_and_a_unit_in_every_pair_are_noted():
    rng = np.random.default_rng(4)
    bank, firm = (side.ravel() for side in np.indices((5, 30)) + 1)
    frame = pd.DataFrame({"a": bank, "b": firm, "x": rng.normal(size=150)})
    frame["y"] = frame["x"] + rng.normal(size=150)
    fit = smf.ols("y ~ x", frame).fit()
    assert any("5 of 30 ids" in note for note in cs.vcov(fit, UNIT).notes)
    alone = smf.ols("y ~ x", frame[frame["a"] == 1]).fit()
    assert any("share one unit" in note for note in cs.vcov(alone, UNIT, kinds=2).notes)
    codes = [frame["a"].map("{:02}".format).to_numpy(), frame["b"].astype(str).to_numpy()]
    assert any("'01' and '1'" in note for note in cs.vcov(fit, codes).notes)
    codes[0] = frame["a"].map("{:.1f}".format).to_numpy()
    assert any("'1.0' and '1'" in note for note in cs.vcov(fit, codes).notes)


@pytest.mark.parametrize(
    ("first", "second"),
    [("datetime64[ns]", "datetime64[s]"), ("datetime64[ns]", object), ("object", "datetime64[s]")],
)
def test_a_date_is_one_unit_on_both_sides_however_it_is_kept(flows, first, second):
    fit = smf.ols("y ~ x", flows.dropna()).fit()
    a, b = (
        pd.Timestamp("2020-01-01") + pd.to_timedelta(fit.model.data.frame[u], "D") for u in UNIT
    )
    found = cs.vcov(fit, [a.astype(first).to_numpy(), b.astype(second).to_numpy()])
    assert found.equals(cs.vcov(fit, UNIT))
    for others in (a.dt.date, a.dt.tz_localize("UTC"), a.dt.to_period("D"), a.astype("int64")):
        with pytest.raises(cs.PanelError, match="ids of one type"):
            cs.vcov(fit, [others.to_numpy(), b.to_numpy()])


def test_long_ids_in_floats_are_refused(flows):
    fit = smf.ols("y ~ x", flows.dropna()).fit()
    a, b = (2**53 + 1 + fit.model.data.frame[u].to_numpy() for u in UNIT)
    assert cs.vcov(fit, [a, b]).equals(cs.vcov(fit, UNIT))
    with pytest.raises(cs.PanelError, match="floats, which rounds"):
        cs.vcov(fit, [a, b.astype(float)])


# linearmodels solves the normal equations: its coefficients and residuals have fewer digits
@pytest.mark.parametrize(
    ("package", "tolerance"),
    [("pinv", 1e-7), ("qr", 1e-7), ("glm", 1e-7), ("pyfixest", 1e-7), ("linearmodels", 1e-5)],
)
def test_nearly_collinear_regressors_keep_the_digits_of_their_errors(flows, package, tolerance):
    used = flows.dropna().assign(k=lambda f: f["x"] + 1e-5 * f["z"])
    found = {}
    for other in ("z", "k"):
        if package in ("pinv", "qr"):
            fit = smf.ols(f"y ~ x + {other} - 1", used).fit(method=package)
        elif package == "glm":
            fit = smf.glm(f"y ~ x + {other} - 1", used).fit()
        elif package == "pyfixest":
            exact = pf.MapDemeaner(fixef_tol=1e-12)
            fit = pf.feols(f"y ~ x + {other} | a", used, demeaner=exact)
        else:
            fit = IV2SLS(used["y"], used[["x", other]], None, None).fit()
        errors = cs.vcov(fit, [used[side].to_numpy() for side in UNIT])
        found[other] = errors.loc[errors["term"] == other, "std_error"].to_numpy()
    assert 1e-5 * found["k"] == pytest.approx(found["z"], tolerance)


@pytest.mark.filterwarnings("ignore:An ill-conditioned matrix")  # of pyfixest's solver
def test_what_keeps_numbers_from_being_exact_is_noted(flows):
    used = flows.dropna().assign(twice=lambda f: 2 * f["x"], far=lambda f: f["x"] + 1e6)
    with pytest.warns(UserWarning, match="rank-deficient"):
        errors = cs.vcov(smf.ols("y ~ x + z + twice", used).fit(), UNIT)
    assert any(note.startswith("x, twice: collinear") for note in errors.notes)
    # pyfixest solves the normal equations, which square the condition number
    errors = cs.vcov(pf.feols("y ~ far + z", used), UNIT)
    assert any("from where its scores add up to zero" in note for note in errors.notes)
    assert cs.vcov(pf.feols("y ~ x + z", used), UNIT).notes == ()


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # of the packages' own R2
@pytest.mark.parametrize("outcome", ["1.0 + 0 * x", "3 * x"])
def test_a_fit_without_residuals_has_no_errors(flows, outcome):
    exact = flows.assign(y=flows.eval(outcome))
    for fit in (smf.ols("y ~ x + z", exact).fit(), pf.feols("y ~ x + z | a", exact)):
        errors = cs.vcov(fit, UNIT)
        assert errors["std_error"].isna().all()
        assert any("the fit leaves no residuals" in note for note in errors.notes)


def test_where_one_pair_alone_is_treated_there_is_no_error(flows):
    used = flows.dropna()
    only = ((used["a"] == 3) & (used["b"] == 5) & (used["year"] > 1)).astype(float)
    elsewhere = used["z"] * (used["pair"] != 3 * 12 + 5)
    used = used.assign(only=only, elsewhere=elsewhere)
    errors = cs.vcov(pf.feols("y ~ only + elsewhere | pair", used), UNIT)
    of_only = errors[errors["term"] == "only"]
    assert of_only[["std_error", "ci_low", "p_value", "df"]].isna().all(axis=None)
    assert any(note.startswith("only: no error") for note in errors.notes)
    for weights in ({"only": 1.0}, {"only": 1.0, "elsewhere": 1.0}):
        assert errors.combine(weights)[["std_error", "p_value"]].isna().all(axis=None)
    with pytest.raises(cs.PanelError, match="coefficients that have an error under unit"):
        errors.wald(["only", "elsewhere"], "unit")
    assert errors.matrix("pair").isna().sum(axis=None) == 3


def test_degrees_of_freedom_follow_the_design():
    a, b = np.triu_indices(40, 1)
    frame = pd.DataFrame({"a": a, "b": b, "y": np.random.default_rng(0).normal(size=len(a))})
    few = frame[frame.b >= 4]
    few = few.assign(x=(few.a < 4).astype(float))
    degrees = cs.vcov(pf.feols("y ~ x", few), UNIT).degrees["dyadic"][1]
    assert 2 < degrees < 4
    fit = pf.feols("y ~ x", frame.assign(x=np.random.default_rng(1).normal(size=len(a))))
    assert 6 < cs.vcov(fit, UNIT).degrees["dyadic"][1] < 12
    assert cs.vcov(fit, UNIT, df=7).degrees["unit"].tolist() == [7, 7]


def test_tables_take_the_errors(frame, given, flows):
    import maketables

    # maketables shows the effects of a formula of pyfixest without blanks
    fit = pf.feols("y ~ x + z | pair+year", flows)
    found = cs.vcov(fit, UNIT)
    own = cs.fit(frame, "y", **given)
    table = cs.etable(own, found, vcov="unit")
    cells = [row[1][1] for row in table.rows]
    errors = found.query("vcov == 'unit'").std_error
    assert all(f"({error:.4f})" in cells for error in errors)
    both = maketables.ETable([fit, found]).df
    assert f"{found.std_error[0]:.3f}" in str(both)
    effects = both.loc[[row for row in both.index if {"pair", "year"} & set(np.atleast_1d(row))]]
    assert len(effects) == 2 and (effects.iloc[:, 0] == effects.iloc[:, 1]).all()
    assert list(found.columns) == list(own.tidy().columns)
    assert str(maketables.ETable([own]).df)
    foot = dict(cs.etable(found, vcov="unit", digits=2, se="ci").rows)
    assert (foot["estimator"], foot["effects"]) == (("feols",), ("pair + year",))
    assert foot["R2"] == (f"{fit._r2:.3f}",) and foot["degrees of freedom"][0] != ""
    assert foot["x"][0] == f"{found.estimate[0]:.2f}" and foot[""][0].count(";") == 1
    merged = cs.etable(own, found, labels={"treated": "effect", "x": "effect"}).rows[0]
    assert merged[0] == "effect" and all(merged[1])
