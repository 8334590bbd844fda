"""What the library cannot do is said, where it is asked for: the error, and a part of its text."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import polars as pl
import pyfixest as pf
import pytest
import statsmodels.api as sm
import statsmodels.formula.api as smf
from linearmodels import BetweenOLS, FamaMacBeth
from matplotlib import pyplot
from statsmodels.discrete.count_model import ZeroInflatedPoisson
from statsmodels.discrete.truncated_model import HurdleCountModel
from statsmodels.gam.api import BSplines, GLMGam
from statsmodels.miscmodels.count import PoissonGMLE
from statsmodels.sandbox.regression.gmm import IV2SLS

import estimation as cs

UNIT = ("a", "b")


@pytest.fixture(scope="module")
def at_hand(frame, given, flows):
    """Panels, a fit of the library, one of another package, and its errors."""
    other = pf.feols("y ~ x | year", flows)
    return SimpleNamespace(
        frame=frame,
        arrays={name: frame[name].to_numpy() for name in frame},
        given=given,
        fit=cs.fit(frame, "y", controls="x0", vcov=["pair", "dyadic"], **given),
        plain=cs.fit(frame, "y", **given),
        flows=flows,
        other=other,
        used=flows.dropna(),
        errors=cs.vcov(other, UNIT, vcov="dyadic"),
    )


def of_frame(outcome="y", **options):
    return lambda at: cs.fit(at.frame.assign(w=1.0), outcome, **at.given | options)


def of_arrays(change):
    return lambda at: cs.fit(change(at.arrays), "y", **at.given)


def of_rows(what, kept):
    """A fit that takes a column of its panel, some rows of it, for values of units; ids are
    numbers, as those of rows are.
    """

    def call(at):
        ids = at.frame[["exporter", "importer"]].apply(lambda side: side.str[1:].astype(int))
        panel = at.frame.assign(a=ids["exporter"], b=ids["importer"]).reset_index(drop=True)
        values = {"cohort": {0: 2013}, what: panel["exporter"].map(at.given[what])[kept]}
        return cs.fit(panel, "y", unit=UNIT, time="period", **values)

    return call


def treatment_as_a_control(at):
    first = at.frame["exporter"].map(at.given["cohort"])
    first = first.fillna(at.frame["importer"].map(at.given["cohort"]))
    now = (at.frame["period"] >= first).astype(float)
    return cs.fit(at.frame.assign(now=now), "y", **at.given, controls=["x0", "now"])


def treated_rows_are_blank(at):
    is_treated = at.frame["exporter"].eq("c001") | at.frame["importer"].eq("c001")
    frame = at.frame.assign(y=at.frame["y"].mask(is_treated))
    return cs.fit(frame, "y", **at.given | {"cohort": {"c001": 2012}})


def in_every_second_year(at):
    frame = at.frame.assign(period=2 * at.frame["period"] - 2000)
    cohort = {unit: 2 * year - 2000 for unit, year in at.given["cohort"].items()}
    return cs.fit(frame, "y", **at.given | {"cohort": cohort}, estimator="event_study")


def units_with_a_gap(at):
    quarters = [f"20{year}Q{quarter}" for year in (10, 11) for quarter in (1, 2, 3, 4)]
    units = pd.DataFrame({"unit": np.repeat(list("abcd"), 8), "quarter": quarters * 4})
    units = units.assign(first=np.where(units.unit == "a", "2011Q1", None), g=np.arange(32) ** 0.5)
    units.loc[13, "g"] = np.nan
    asked = {"unit": "unit", "series": "g", "time": "quarter", "cohort": "first"}
    return cs.fit(units, "cm", **asked, permutations=0)


def of_units(**options):
    asked = {"unit": "iso", "series": "growth", "cohort": "euro_year", "permutations": 0}
    return lambda at: cs.fit(cs.data.euro_countries(), "cm", **asked, **options)


def errors_of(**options):
    return lambda at: cs.vcov(at.other, **{"unit": UNIT} | options)


def table_of(**options):
    return lambda at: cs.etable(at.fit, at.plain, **options)


def audit_of(options="", treatment="x", unit=UNIT, **more):
    """An audit of a fit of the flows, in whose formula or options something lacks."""
    return lambda at: cs.audit(
        pf.feols("y ~ x | year", at.flows, store_data=options != "no data"), treatment, unit, **more
    )


def of_other(fit, unit_of=lambda frame: UNIT):
    def call(at):
        frame = at.flows.dropna().reset_index(drop=True)
        return cs.vcov(fit(frame), unit_of(frame))

    return call


def two_stages(frame):
    treated = frame.assign(d=((frame.year >= 2) & (frame.a < 5)).astype(float))
    options = {"first_stage": "~ 0 | pair + year", "second_stage": "~ d", "treatment": "d"}
    return pf.did2s(treated, yname="y", cluster="pair", **options)


def correlated(frame):
    apart = np.abs(np.subtract.outer(frame.index, frame.index))
    return smf.gls("y ~ x", frame, sigma=0.5**apart).fit()


def of_panel(model, frame):
    panel = frame.set_index([frame.a * 12 + frame.b, "year"])
    return model(panel.y, panel.x)


NOT_SERVED = [
    ("did2s", two_stages),
    ("Quantreg", lambda f: pf.quantreg("y ~ x", f)),
    ("QuantReg", lambda f: smf.quantreg("y ~ x", f).fit()),
    ("fit_regularized", lambda f: smf.ols("y ~ x", f).fit_regularized(alpha=0.1)),
    ("fit_regularized", lambda f: smf.ols("y ~ x", f).fit_regularized(alpha=0.1, refit=True)),
    ("fit_regularized", lambda f: smf.logit("any ~ x", f).fit_regularized(alpha=5, disp=0)),
    ("fit_regularized", lambda f: smf.glm("y ~ x", f).fit_regularized(alpha=0.1)),
    ("fit_constrained", lambda f: smf.glm("y ~ x + z", f).fit_constrained("x = z")),
    (
        "fit_constrained",
        lambda f: smf.poisson("flow ~ x + z", f).fit_constrained("x = z", disp=0),
    ),
    ("GLS with covariances", correlated),
    ("GLSAR", lambda f: smf.glsar("y ~ x", f).iterative_fit(2)),
    ("GEE", lambda f: smf.gee("y ~ x", "pair", f).fit()),
    ("PenalizedMixin", lambda f: GLMGam(f.y, smoother=BSplines(f.x, df=[6], degree=[3])).fit()),
    ("MixedLM", lambda f: smf.mixedlm("y ~ x", f, groups="pair").fit()),
    ("HurdleCountModel", lambda f: HurdleCountModel(f.flow, sm.add_constant(f.x)).fit(disp=0)),
    ("RecursiveLS", lambda f: sm.RecursiveLS(f.y, f[["x"]]).fit()),
    ("MLEModel", lambda f: sm.tsa.ARIMA(f.y, order=(1, 0, 0)).fit()),
    ("FamaMacBeth", lambda f: of_panel(FamaMacBeth, f).fit()),
    ("BetweenOLS", lambda f: of_panel(BetweenOLS, f).fit()),
    # with an instrument so near that the scores nearly add up to zero
    (
        "IV2SLS of statsmodels",
        lambda f: IV2SLS(f.y, f[["x"]], f[["x"]] + 1e-4 * f[["z"]].to_numpy()).fit(),
    ),
]
# whose scores nearly add up to zero
STOPPED = [
    lambda f: smf.poisson("flow ~ x + z", f).fit(disp=0, maxiter=4, warn_convergence=False),
    lambda f: smf.glm("flow ~ x + z", f, family=sm.families.Poisson()).fit(maxiter=3),
    lambda f: pf.fepois("flow ~ x + z | year", f, iwls_maxiter=3),
    lambda f: pf.feglm("any ~ x + z", f, family="logit", iwls_maxiter=3),
]


def with_a_blank(frame, blank):
    names = frame.a.astype(str).where(frame.index != 5, blank)
    return pf.feols("y ~ x | year", frame.assign(a=names, b=frame.b.astype(str)))


# a regressor twice, and zeros that no inflation explains
UNDETERMINED = [
    lambda f: smf.logit("any ~ x + z", f.assign(z=2 * f.x)).fit(method="bfgs", disp=0),
    lambda f: ZeroInflatedPoisson(f.flow + 1, sm.add_constant(f.x)).fit(method="bfgs", disp=0),
]
REFUSED = {
    cs.PanelError: [
        *(
            (
                lambda at, of=of: cs.fit(of, "y", unit=UNIT),
                "give a frame of pandas, polars or pyarrow",
            )
            for of in (42, None, [1, 2])
        ),
        (of_frame(engine="database"), "one of arrays, all_pairs"),
        (lambda at: cs.fit(pd.DataFrame({"a;b;y": [1]}), "y", unit=UNIT), "columns by commas"),
        (of_frame(cohort={"C001": 2010, "9.0": 2011}), "cohort: expected units .* such as c"),
        (of_arrays(lambda f: {**f, "y": f["y"][:-1]}), "panel: expected columns of one length"),
        (of_arrays(lambda f: {**f, "y": np.stack([f["y"], f["y"]])}), "1-dimensional"),
        (of_arrays(lambda f: {**f, "y": f["y"] + 1j}), "complex"),
        (of_arrays(lambda f: {**f, "period": f["period"] + 0.5}), "column period: expected a year"),
        *(
            (of_frame(text), "effects of pairs and of period")
            for text in (
                "y ~ x0 | exporter + period",
                "y ~ x0 | exporter",
                "log(y) ~ x0 | pair + period",
                "y ~ x0",
            )
        ),
        (errors_of(unit=("a", "nowhere")), "column nowhere: expected it once in the fit's data"),
        (units_with_a_gap, "no value of b in 2011Q2"),
        *(
            (errors_of(unit=one), "two names of columns, or two arrays")
            for one in ("a", ("a", "a"))
        ),
        *((errors_of(df=few), "df: expected a number above 0") for few in (0, np.nan, "3")),
        (errors_of(vcov=()), "vcov: expected one name or more"),
        (
            lambda at: cs.vcov(smf.ols("y ~ 1", at.used.query("a + b == 1")).fit(), UNIT),
            "expected two pairs of units or more, found one",
        ),
        *(
            (of_other(lambda f, blank=blank: with_a_blank(f, blank)), "row 6: .* found a blank")
            for blank in (None, " ")
        ),
        (errors_of(unit=(np.arange(3), np.arange(3))), "a unit for each of the"),
        (lambda at: at.fit.resid(at.frame[5:]), r"expected the fitted one, [\d,]+ rows"),
        *(
            (of_rows(what, kept), f"{what}: expected one value for each unit, found a series")
            for what, kept in [
                ("cohort", slice(None)),
                ("cohort", slice(500, None)),
                ("block", slice(None)),
            ]
        ),
        (lambda at: at.fit.resid(at.frame.eval("y = y * x0")), "the fitted one, with an R2 of"),
        (of_frame(weights=np.ones(3)), "add it to the panel as a column"),
        (of_frame(vcov=[]), "vcov: expected one name or more"),
        (errors_of(unit=None), "two names of columns, or two arrays"),
        *(
            (
                of_other(fit, lambda f: tuple(f[name].to_numpy()[::-1] for name in UNIT)),
                "of the fit's own column a, in the rows that have them",
            )
            for fit in (lambda f: pf.feols("y ~ x", f), lambda f: smf.ols("y ~ x", f).fit())
        ),
        (of_frame(unit="exporter", cohort=("a", "b")), "or one with a series"),
        (errors_of(vcov="robust"), "some of dyadic, unit, pair"),
        (lambda at: cs.vcov(pf.feols("y ~ x | year", at.flows, lean=True), UNIT), "lean=False"),
        *(
            (of_other(fit), "a fit that has converged, found one that reports that it has not")
            for fit in STOPPED
        ),
        (
            of_other(lambda f: smf.logit("any ~ x", f).fit(disp=0, maxiter=1)),
            "scores that add up to zero .*give a fit that has converged",
        ),
        *((of_other(fit), "estimates that are determined") for fit in UNDETERMINED),
        (errors_of(kinds=3), "expected one of 1, 2, None, found 3"),
        (
            lambda at: cs.vcov(at.other, (at.used.a.to_numpy(), at.used.b.astype(str).to_numpy())),
            "ids of one type, found numbers and text",
        ),
    ],
    cs.NotEstimable: [
        (of_frame(cohort={"c001": 2100}), "every first treated period is blank or after"),
        (
            of_frame(cohort={"c001": 1990}, estimator="gardner"),
            "every treated pair is treated in all years",
        ),
        (
            of_frame(cohort={f"c{k:03}": 2012 + k % 2 for k in range(99)}),
            "no unit is without a first treated period",
        ),
        *(
            (of_frame(cohort={"c001": 2010}, estimator=name), f"{name}: no treated pair .*earlier")
            for name in ("twfe", "event_study")
        ),
        (treated_rows_are_blank, "no treated pair is kept: give pairs of a treated unit with"),
        (of_frame(estimator="event_study", reference=-30), "choose a reference from"),
        (in_every_second_year, "no row is 1 period before treatment: .* such as -2, -4"),
        (of_frame(cohort={"c001": 2012}, exposure="both"), "no kept pair has two treated units"),
        (of_frame(estimator="event_study", binning=(2, 5)), "the first and the last event time"),
        (of_frame(estimator="event_study", binning=(0, 3)), "the first below 0 and the last not"),
        (of_frame(estimator="event_study", binning=5), "the first and the last event time"),
        (of_frame(estimator="twfe", reference=-2), "choose event_study"),
        *(
            (of_frame(vcov=line, block=None), "is left out")
            for line in ("permutation", "block_jackknife")
        ),
        (of_frame(estimator="gardner", weights="w"), "takes no weights"),
        (of_frame(control_pairs="not_yet_treated"), "twfe has no control pairs to choose"),
        (treatment_as_a_control, "control now hardly differs from treatment .*leave it out"),
        (of_frame(estimator="callaway_santanna", controls=["x0"]), "takes no controls .*or etwfe"),
        (of_frame(estimator="within_block", controls=["x0"]), "takes no controls"),
        (
            lambda at: replace(at.fit, estimator="borusyak").resid(at.frame),
            "twfe or event_study",
        ),
    ],
    TypeError: [(lambda at: cs.fit(at.frame, "y"), "unit")],
}
REFUSED[cs.PanelError] += [
    (lambda at: cs.vcov(object(), UNIT), "fit: expected a fit of pyfixest"),
    (of_other(lambda f: smf.ols("y ~ x", f)), "give what its fit"),
    (of_other(lambda f: pf.feols("y ~ 1 | year", f)), "add a regressor"),
    (of_other(lambda f: pf.feols("y + flow ~ x", f)), "expected one fit, found several"),
    *((of_other(fit), f"fit: expected .*, found {name}; ") for name, fit in NOT_SERVED),
    (of_other(lambda f: PoissonGMLE(f.flow, sm.add_constant(f.x)).fit(disp=0)), "with scores"),
    (lambda at: at.fit.default("treatde"), "term: expected one of treated"),
    (lambda at: at.fit.diagnostic("conventional"), "name: expected one of .*conventional_t"),
    (lambda at: at.fit.diagnostic("conventional_t", "x9"), "term: expected one of"),
    (lambda at: at.fit.vcov("permutation"), "which this fit has"),
    (lambda at: at.fit.confint(["pair"]), "expected one of"),
    (lambda at: at.errors.confint(level="dyadic"), "level: expected a number between 0 and 1"),
    (lambda at: at.errors.confint(0.9), "expected one of"),
    (lambda at: at.fit.combine("treated"), "expected numbers by coefficient"),
    (lambda at: at.fit.combine({"treatde": 1.0}), "expected one of treated"),
    (lambda at: at.fit.combine({"treated": "1"}), "expected numbers by coefficient"),
    (lambda at: at.fit.se("unit"), "expected one of"),
    (lambda at: at.errors.combine({"q": 1.0}), "expected one of x"),
    *(
        (lambda at, of=of: at.errors.combine(of), "expected numbers, not all of them 0")
        for of in ({}, {"x": 0}, {"x": np.nan})
    ),
    (lambda at: at.errors.matrix("unit"), "expected one of dyadic"),
    (lambda at: cs.etable(at.errors, vcov="robust"), "expected one of"),
    (lambda at: cs.etable(), "one or more"),
    (table_of(headers=["one"]), "headers: expected 2 texts"),
    (table_of(keep=["treatd"]), "keep: expected some of .*treated.*, found 'treatd'"),
    (table_of(file="t.pdf"), r"ends in \.docx, \.tex"),
    (lambda at: at.plain.plot("scatter"), "expected one of event_study"),
    (lambda at: at.plain.plot("event_study"), "one with estimates by period"),
    (lambda at: at.plain.plot("permutation"), "fit with permutations=999"),
    *(
        (lambda at, terms=terms: at.fit.wald(terms), "terms: expected")
        for terms in (3, [], {}, {"treated": "a"}, ["treated", 2], pd.DataFrame())
    ),
    *((table_of(labels=of), "labels: expected texts") for of in (["a"], {"treated": 1}, "a")),
    *((table_of(keep=of), "keep: expected") for of in ([], "", 3, {"treated": 1})),
    *((table_of(headers=of), "headers: expected") for of in (3, {"a": 1, "b": 2}, [1, 2])),
    (table_of(title=3), "title: expected a text, found 3"),
    (table_of(digits=True), "digits: expected a whole number from 1 to 12, found True"),
    (table_of(file=3), "file: expected a name that ends in"),
    (lambda at: cs.etable(at.frame), "fits: expected results of cs.fit"),
    (
        lambda at: at.plain.plot("forest", vcov="pair"),
        "forest: expected none but term, found .'vcov'",
    ),
    (lambda at: at.plain.plot("forest", color="red"), "expected none but term, found .'color'"),
    (lambda at: at.plain.plot(ax=at.frame), "ax: expected axes of matplotlib"),
    (lambda at: at.plain.plot(file="plot.docx"), r"file: expected a name that ends in .*\.svg"),
    (lambda at: at.plain.tidy(full="yes"), "full: expected one of False, True"),
    (of_frame(reference=True), "reference: expected a whole number, found True"),
    (of_frame(progress=1), "progress: expected one of"),
    *((of_frame(controls=of), "controls: expected") for of in ({"x0"}, {"x0": 1}, pd.DataFrame())),
    *((of_frame(cohort=of), "cohort: expected") for of in (None, [], ["a", "a"], {})),
    *((of_frame(block=of), "block: expected") for of in ([], {})),
    (of_frame(series=3), "series: expected the name of a column"),
    *(
        (of_frame(**{name: at}), f"{name}: expected")
        for name in ("unit", "time", "shuffle")
        for at in (3, pd.DataFrame())
    ),
    (errors_of(directed="yes"), "directed: expected one of False, True"),
    (errors_of(kinds=True), "kinds: expected one of"),
    (of_units(controls=["x"]), "controls: expected none for a panel of units"),
    (of_units(weights="w"), "weights: expected none for a panel of units"),
    *(
        (lambda at, year=year: cs.data.euro(first_year=year), "first_year: expected a whole")
        for year in ("1990", 1990.5, True, None)
    ),
    *(
        (
            lambda at, window=window: cs.data.euro(**window),
            "expected three years or more within 1971 to 2017",
        )
        for window in ({"first_year": 1960}, {"last_year": 2020}, {"first_year": 2016})
    ),
    (lambda at: cs.data.euro("spark"), "expected one of pandas"),
    (
        lambda at: cs.audit(smf.ols("y ~ x", at.used).fit(), "x", UNIT),
        "expected a fit of pyfixest",
    ),
    (audit_of("no data"), "keeps its data"),
    (
        lambda at: cs.audit(pf.feols("y ~ 1 | year | x ~ z", at.used), "x", UNIT),
        "expected one without instruments",
    ),
    (audit_of(treatment="year"), "a column by itself"),
    (
        lambda at: cs.audit(pf.feols("y ~ i(year, x)", at.used), "year::1:x", UNIT),
        "a column by itself",
    ),
    (lambda at: cs.audit(pf.feols("y + z ~ x", at.used), "x", UNIT), "fetch_model"),
    (audit_of(time="year", draws=0), "a whole number from 1"),
    (audit_of(), "name the column of time"),
    (audit_of(time="year", block="x"), "block: expected the block of each unit, as a mapping"),
    (of_frame(cohort=["c001", "c002", "c003"]), "or the values by unit as a mapping"),
    (
        of_frame(cohort={"c001": "never", "c002": 2012, "c003": 2013}),
        "cohort, row 1.* found 'never', text beside a number; correct it",
    ),
    (
        audit_of(unit=("a", "other"), time="year"),
        "data, column other: expected it in the fit's data",
    ),
    (lambda at: cs.vcov(at.fit, UNIT), "found one of cs.fit; its errors are in its tidy"),
    (lambda at: cs.vcov([at.other, at.other], UNIT), "expected one fit, found several"),
    *(
        (of_frame(cohort=values), "cohort: expected a column, or values of units")
        for values in (np.arange(33), pl.Series([2012]), 2012)
    ),
    (
        # the name of a column is no word to be put in others
        lambda at: cs.primary(cs.data.euro_countries(), "growth", unit="iso", block="province"),
        "column cohort_year, province: .*; cohort is the year .*; block is the group of the unit",
    ),
]


@pytest.mark.parametrize(
    ("error", "ask", "said"), [(error, *case) for error, of in REFUSED.items() for case in of]
)
def test_what_cannot_be_done_is_said(at_hand, error, ask, said):
    before = pyplot.get_fignums()
    with pytest.raises(error, match=said):
        ask(at_hand)
    assert pyplot.get_fignums() == before
