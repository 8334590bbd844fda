"""Rows of a fit are matched with rows of a frame or a series by label, or the fit is refused."""

import numpy as np
import pandas as pd
import polars as pl
import pyfixest as pf
import pytest
import statsmodels.api as sm
import statsmodels.formula.api as smf
from linearmodels import IV2SLS, PanelOLS

import estimation as cs

UNIT = ("a", "b")


@pytest.fixture
def rows(flows):
    """Rows without blanks, whose index has the holes that they left; a frame to be changed."""
    return flows.dropna()


def shuffled(frame):
    return frame.sample(frac=1, random_state=7)


def ols(frame):
    return smf.ols("y ~ x + z", frame).fit()


def feols(frame, **options):
    return pf.feols("y ~ x + z | year", frame, **options)


def sort_in_place(frame, by, **options):
    frame.sort_values(by, inplace=True, **options)


def panel(frame):
    return frame.set_index([frame.a * 12 + frame.b, "year"])


def agree(found, fit, used):
    """As with the units as arrays, in the order of the rows that the fit used."""
    expected = cs.vcov(fit, (used.a.to_numpy(), used.b.to_numpy()))
    pd.testing.assert_frame_equal(found, expected, rtol=1e-12)


def test_series_are_matched_by_label(flows, rows):
    fit = ols(flows)
    for frame in (flows, rows, shuffled(flows)):
        agree(cs.vcov(fit, (frame.a, frame.b)), fit, rows)
    agree(cs.vcov(fit, (flows.a.astype("category"), shuffled(flows).b)), fit, rows)


@pytest.mark.parametrize("formula", ["y ~ x + z", "np.exp(y) ~ C(year) + center(x)"])
def test_a_frame_that_was_sorted_since_is_matched_by_label(rows, formula):
    used = rows.copy()
    fit = smf.ols(formula, rows).fit()
    before = cs.vcov(fit, UNIT)
    sort_in_place(rows, "y")
    pd.testing.assert_frame_equal(cs.vcov(fit, UNIT), before)
    agree(before, fit, used)


@pytest.mark.parametrize("copy_data", [True, False])
def test_pyfixest_keeps_a_frame_of_its_own(rows, copy_data):
    used = rows.copy()
    fit = feols(rows, copy_data=copy_data)
    sort_in_place(rows, "y")
    agree(cs.vcov(fit, UNIT), fit, used)
    sort_in_place(fit._data, "y")
    agree(cs.vcov(fit, UNIT), fit, used)


def test_a_frame_that_pyfixest_did_not_keep_is_matched_by_place_or_by_label(flows, rows):
    fit = feols(flows, store_data=False)
    for data in (flows, rows, shuffled(flows)):
        agree(cs.vcov(fit, UNIT, data=data), fit, rows)
    # numbered anew by pyfixest: the index of this frame says nothing
    moved = shuffled(flows)
    fit = feols(moved, store_data=False)
    agree(cs.vcov(fit, UNIT, data=moved), fit, moved.dropna())
    logged = pf.feols("np.log(flow) ~ z", flows[flows.flow > 0], store_data=False)
    data = flows[flows.flow > 0]
    agree(cs.vcov(logged, UNIT, data=data), logged, data)


def test_rows_that_are_separated_are_left_out(flows):
    frame = flows.assign(flow=flows.flow.where((flows.a != 3) | (flows.year != 1), 0))
    fits = [
        pf.fepois("flow ~ x | a^year + b^year", frame, store_data=store) for store in (True, False)
    ]
    used = frame.loc[fits[0]._data.index]
    assert len(used) < len(frame.dropna())
    agree(cs.vcov(fits[0], UNIT), fits[0], used)
    agree(cs.vcov(fits[1], UNIT, data=frame), fits[1], used)


@pytest.mark.parametrize(
    "index",
    [
        lambda frame: frame.set_index("f" + frame.index.astype(str)),
        lambda frame: frame.set_index(["a", "b", "year"], drop=False).rename_axis([None] * 3),
        lambda frame: frame.set_index(
            pd.to_datetime("2020-01-01") + pd.to_timedelta(frame.index, "D")
        ),
        # labels that occur twice: the frame has to have the order of the fit
        lambda frame: frame.set_index(frame.index // 2),
    ],
)
def test_any_index_will_do(flows, rows, index):
    frame = index(flows)
    fit = ols(frame)
    agree(cs.vcov(fit, UNIT), fit, rows)
    agree(cs.vcov(fit, UNIT, data=frame), fit, rows)
    if frame.index.is_unique:
        agree(cs.vcov(fit, UNIT, data=shuffled(frame)), fit, rows)
    text = frame.assign(a=frame.a.map("u{}".format), b=frame.b.map("u{}".format))
    for kind in (str, "category"):
        agree(cs.vcov(ols(text), UNIT, data=text.astype({"a": kind, "b": kind})), fit, rows)


def test_fits_without_a_formula_are_matched_by_label(flows, rows):
    regressors = flows[["x", "z"]]
    fit = sm.OLS(flows.y, regressors, missing="drop").fit()
    one = sm.OLS(rows.y, rows.z).fit()
    for data in (flows, rows, shuffled(flows)):
        agree(cs.vcov(fit, UNIT, data=data), fit, rows)
        agree(cs.vcov(one, UNIT, data=data), one, rows)
    data = panel(rows)
    by_panel = PanelOLS(data.y, data[["x"]], entity_effects=True).fit()
    agree(cs.vcov(by_panel, UNIT, data=shuffled(data)), by_panel, rows)
    instrumented = IV2SLS(rows.y, None, rows[["x"]], rows[["z"]]).fit()
    agree(cs.vcov(instrumented, UNIT, data=shuffled(flows)), instrumented, rows)
    agree(cs.vcov(instrumented, (shuffled(rows).a, rows.b)), instrumented, rows)


def renumbered(frame):
    return shuffled(frame).reset_index(drop=True)


def sorted_in_place(fit, frame, by):
    frame = frame.reset_index(drop=True)
    found = fit(frame)
    sort_in_place(frame, by, ignore_index=True)
    return cs.vcov(found, UNIT)


def own_function(values):
    return np.abs(values)


def tied(frame):
    """An outcome of two values, in a frame sorted by it."""
    return frame.sort_values("any").reset_index(drop=True)


@pytest.mark.parametrize("outcome", ["I(flow > 0)", "any", "flow + I(9 - flow)"])
def test_an_outcome_of_two_columns_is_compared(rows, outcome):
    frame = rows.assign(flow=np.minimum(rows.flow, 9), any=rows.flow > 0)
    used = frame.copy()
    fit = smf.glm(f"{outcome} ~ x", frame, family=sm.families.Binomial()).fit()
    sort_in_place(frame, "y")
    agree(cs.vcov(fit, UNIT), fit, used)
    with pytest.raises(cs.PanelError, match="expected"):
        cs.vcov(fit, UNIT, data=used.assign(flow=used.flow.max(), any=True))


def test_frames_of_polars_are_taken(rows):
    frame = pl.from_pandas(rows)
    for fit in (ols(frame), feols(frame), feols(frame, store_data=False)):
        agree(cs.vcov(fit, UNIT, data=frame), fit, rows)
    agree(cs.vcov(ols(frame), UNIT), ols(frame), rows)


REFUSED = {
    "series numbered anew": (
        lambda f: cs.vcov(ols(f), (renumbered(f).a[:500], renumbered(f).b[:500])),
        "column a: expected a series whose index has the labels",
    ),
    "series of more rows than were fitted": (
        lambda f: cs.vcov(ols(f[5:].reset_index(drop=True)), (renumbered(f).a, renumbered(f).b)),
        "column a: expected a series whose index has the labels",
    ),
    "series with labels that occur twice": (
        lambda f: cs.vcov(ols(f), (f.a.set_axis(np.arange(len(f)) // 2), f.b)),
        "labels that occur twice",
    ),
    "series for pyfixest, which numbers rows anew": (
        lambda f: cs.vcov(feols(f), (shuffled(f).a, shuffled(f).b)),
        "column a: expected a series whose index has the labels",
    ),
    "panel by another index": (
        lambda f: cs.vcov(PanelOLS(panel(f).y, panel(f)[["x"]]).fit(), (f.a, f.b)),
        "column a: expected a series whose index has the labels",
    ),
    "sorted in place, numbered anew": (
        lambda f: sorted_in_place(ols, f, "y"),
        r"data, row \d+, column x: expected .*, which the fit used in its row 1, found",
    ),
    "the same, the outcome a function": (
        lambda f: sorted_in_place(
            lambda g: smf.ols("np.exp(y) ~ C(year)", g).fit(), f.sort_values("year"), ["year", "y"]
        ),
        r"column np.exp\(y\): expected",
    ),
    "the same, with a function that is not known": (
        lambda f: sorted_in_place(lambda g: smf.ols("own_function(y) ~ x", g).fit(), f, "y"),
        "the fit's formula can be computed again, found .*own_function",
    ),
    "data numbered anew": (
        lambda f: cs.vcov(ols(f), UNIT, data=renumbered(f)),
        "rows that the fit used, by label, found 548 rows with other labels",
    ),
    "data numbered anew for pyfixest": (
        lambda f: cs.vcov(feols(f, store_data=False), UNIT, data=renumbered(f)),
        r"row \d+, column y: expected",
    ),
    "data of a panel numbered anew": (
        lambda f: cs.vcov(PanelOLS(panel(f).y, panel(f)[["x"]]).fit(), UNIT, data=f),
        "found 548 rows with other labels",
    ),
    "labels that occur twice in another order": (
        lambda f: cs.vcov(ols(f.set_index(f.a)), UNIT, data=shuffled(f.set_index(f.a))),
        "with other labels",
    ),
    "an outcome that changed": (
        lambda f: cs.vcov(ols(f), UNIT, data=f.assign(y=f.y + (f.index == f.index[3]))),
        "row 4, column y: expected",
    ),
    "a regressor that changed": (
        lambda f: cs.vcov(ols(f), UNIT, data=f.assign(z=0.0)),
        "row 1, column z: expected .*found 0",
    ),
    "other units by label than by place": (
        lambda f: cs.vcov(
            pf.feols("any ~ x | year", tied(f), store_data=False),
            UNIT,
            data=tied(shuffled(tied(f)).assign(label=lambda g: g.index)).set_index("label"),
        ),
        "other units by the labels of the rows than by their places",
    ),
    "nothing to compare": (
        lambda f: cs.vcov(
            sm.OLS(f.y.to_numpy(), f[["x"]].to_numpy()).fit(), UNIT, data=f[["a", "b"]]
        ),
        "the outcome or a regressor of the fit, by name, found none",
    ),
    "no pandas frame": (
        lambda f: cs.vcov(ols(f), UNIT, data=f.to_dict("list")),
        "data: expected a pandas or polars frame, found dict",
    ),
    "a unit twice": (
        lambda f: cs.vcov(ols(f), UNIT, data=pd.concat([f, f[["a"]]], axis=1)),
        "column a: expected it once",
    ),
    "a name and an array": (
        lambda f: cs.vcov(ols(f), ("a", f.b.to_numpy())),
        "a unit for each of the 548 rows",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_rows_that_cannot_be_matched_are_refused(rows, name):
    ask, said = REFUSED[name]
    with pytest.raises(cs.PanelError, match=said):
        ask(rows)


def test_regressors_that_were_sorted_since_leave_no_labels(rows):
    regressors = rows[["x", "z"]].copy()
    fit = sm.OLS(rows.y, regressors).fit()
    sort_in_place(regressors, "x")
    with pytest.raises(cs.PanelError, match="548 rows with other labels"):
        cs.vcov(fit, (rows.a, rows.b))
    agree(cs.vcov(fit, UNIT, data=rows), fit, rows)
    with pytest.raises(cs.PanelError, match="column x"):
        cs.vcov(fit, UNIT, data=shuffled(rows).reset_index(drop=True))
