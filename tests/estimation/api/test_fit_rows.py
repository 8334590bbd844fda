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


FITTED = {
    "formula": ols,
    "no formula": lambda f: sm.OLS(f.y, f[["x", "z"]], missing="drop").fit(),
    "no formula, one regressor": lambda f: sm.OLS(f.dropna().y, f.dropna().z).fit(),
    "instruments": lambda f: IV2SLS(f.dropna().y, None, f.dropna()[["x"]], f.dropna()[["z"]]).fit(),
}


@pytest.mark.parametrize("name", FITTED)
def test_frames_and_series_are_matched_by_label(flows, rows, name):
    fit = FITTED[name](flows)
    for frame in (flows, rows, shuffled(flows)):
        agree(cs.vcov(fit, UNIT, data=frame), fit, rows)
        # without a formula there are no labels of the rows that a fit dropped
        known = frame if name == "formula" else rows
        agree(cs.vcov(fit, (known.a, shuffled(known).b.astype("category"))), fit, rows)


def test_rows_of_a_panel_are_matched_by_label(rows):
    data = panel(rows)
    fit = PanelOLS(data.y, data[["x"]], entity_effects=True).fit()
    agree(cs.vcov(fit, UNIT, data=shuffled(data)), fit, rows)


def test_series_for_pyfixest_are_the_columns_that_it_keeps(flows):
    """Series of the sorted frame have the labels that pyfixest gives rows in another order."""
    moved = shuffled(flows)
    used = moved.dropna()
    fit = feols(moved)
    for frame in (moved, used):
        agree(cs.vcov(fit, (frame.a, frame.b.astype("category"))), fit, used)
    agree(cs.vcov(feols(flows), (shuffled(flows).a, flows.b)), feols(flows), flows.dropna())
    for store_data, frame in ((True, flows), (False, flows), (False, moved)):
        with pytest.raises(cs.PanelError, match=r"data= .* or two arrays in the order"):
            cs.vcov(feols(moved, store_data=store_data), (frame.a, frame.b))
    with pytest.raises(cs.PanelError, match="column c"):
        cs.vcov(fit, (moved.a.rename("c"), moved.b))


def binomial(outcome):
    return lambda f: smf.glm(f"{outcome} ~ x", f, family=sm.families.Binomial()).fit()


SORTED = {
    "formula": ols,
    "functions": lambda f: smf.ols("np.exp(y) ~ C(year) + center(x)", f).fit(),
    "pyfixest with a copy": lambda f: feols(f, copy_data=True),
    "pyfixest without a copy": lambda f: feols(f, copy_data=False),
    "outcome of two columns": binomial("flow + I(9 - flow)"),
    "outcome of truth values": binomial("any"),
    "comparison as outcome": binomial("I(flow > 0)"),
}


@pytest.mark.parametrize("name", SORTED)
def test_a_frame_that_was_sorted_since_is_matched_by_label_or_was_kept(rows, name):
    frame = rows.assign(flow=np.minimum(rows.flow, 9), any=rows.flow > 0)
    used = frame.copy()
    fit = SORTED[name](frame)
    sort_in_place(frame, "y")
    agree(cs.vcov(fit, UNIT), fit, used)


def test_rows_that_are_separated_are_left_out(flows):
    frame = flows.assign(flow=flows.flow.where((flows.a != 3) | (flows.year != 1), 0))
    fit = pf.fepois("flow ~ x | a^year + b^year", frame)
    used = frame.loc[fit._data.index]
    assert len(used) < len(frame.dropna())
    agree(cs.vcov(fit, UNIT), fit, used)


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


def renumbered(frame):
    return shuffled(frame).reset_index(drop=True)


def sorted_in_place(fit, frame, by):
    frame = frame.reset_index(drop=True)
    found = fit(frame)
    sort_in_place(frame, by, ignore_index=True)
    return cs.vcov(found, UNIT)


BOTH = ["any", "year"]


def twice(frame):
    """Labels that occur twice, in the same order in both halves."""
    return frame.set_index(np.arange(len(frame)) % (len(frame) // 2))


def halves_exchanged(frame):
    half = len(frame) // 2
    return pd.concat([frame[half:], frame[:half]])


def own_function(values):
    return np.abs(values)


def tied(frame, by="any"):
    """An outcome with ties, in a frame sorted by it."""
    return frame.sort_values(by, kind="stable").reset_index(drop=True)


def moved_ties(frame, by="any"):
    """The same rows, those with the same values in another order."""
    return tied(shuffled(frame), by)


def test_frames_of_polars_are_taken(rows):
    frame = pl.from_pandas(rows)
    for fit in (ols(frame), feols(frame)):
        agree(cs.vcov(fit, UNIT, data=frame), fit, rows)
    agree(cs.vcov(ols(frame), UNIT), ols(frame), rows)


REFUSED = {
    "series numbered anew": (
        lambda f: cs.vcov(ols(f), (renumbered(f).a[:500], renumbered(f).b[:500])),
        "column a: expected a series whose index has the labels",
    ),
    "series numbered anew, for a fit that keeps its frame": (
        lambda f: cs.vcov(ols(f.reset_index(drop=True)), (renumbered(f).a, renumbered(f).b)),
        "column a: expected the units of the fit's own column a",
    ),
    "series of more rows than were fitted": (
        lambda f: cs.vcov(ols(f[5:].reset_index(drop=True)), (renumbered(f).a, renumbered(f).b)),
        "column a: expected a series whose index has the labels",
    ),
    "series with labels that occur twice": (
        lambda f: cs.vcov(ols(f), (f.a.set_axis(np.arange(len(f)) // 2), f.b)),
        "labels that occur twice",
    ),
    "series with labels that occur twice, halves exchanged": (
        lambda f: cs.vcov(ols(twice(f)), (halves_exchanged(twice(f)).a, twice(f).b)),
        "labels that occur twice",
    ),
    "series for pyfixest, which numbers rows anew": (
        lambda f: cs.vcov(feols(f), (shuffled(f).a, shuffled(f).b)),
        "column a: expected the values of the fit's own column a",
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
        "by label, found 548 rows, none of them labelled 548",
    ),
    "data numbered anew for pyfixest": (
        lambda f: cs.vcov(feols(f), UNIT, data=renumbered(f)),
        r"row \d+, column y: expected",
    ),
    "data for a fit of pyfixest that keeps none": (
        lambda f: cs.vcov(feols(f, store_data=False), UNIT, data=f),
        "without store_data=False",
    ),
    "data of a panel numbered anew": (
        lambda f: cs.vcov(PanelOLS(panel(f).y, panel(f)[["x"]]).fit(), UNIT, data=f),
        "none of them labelled 65, 1",
    ),
    "labels that occur twice in another order": (
        lambda f: cs.vcov(ols(f.set_index(f.a)), UNIT, data=shuffled(f.set_index(f.a))),
        "labels that occur twice",
    ),
    "an outcome that changed": (
        lambda f: cs.vcov(ols(f), UNIT, data=f.assign(y=f.y + (f.index == f.index[3]))),
        "row 4, column y: expected",
    ),
    "an outcome of two columns that changed": (
        lambda f: cs.vcov(
            binomial("flow + I(99 - flow)")(f), UNIT, data=f.assign(flow=f.flow.max())
        ),
        "expected",
    ),
    "a regressor that changed": (
        lambda f: cs.vcov(ols(f), UNIT, data=f.assign(z=0.0)),
        "row 1, column z: expected .*found 0",
    ),
    "other units by label than by place": (
        lambda f: cs.vcov(
            pf.feols("any ~ year", tied(f, BOTH)[BOTH]),
            UNIT,
            data=moved_ties(tied(f, BOTH).reset_index(names="label"), BOTH).set_index("label"),
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
        "two names of columns, or two arrays",
    ),
}


def test_a_name_that_statsmodels_made_up_is_no_column_of_the_frame(rows):
    other = rows.assign(x1=np.arange(len(rows)))
    fit = sm.OLS(rows.flow.to_numpy(float), rows[["x", "z"]]).fit()
    agree(cs.vcov(fit, UNIT, data=other), fit, rows)
    fit = sm.OLS(rows.y.to_numpy(), rows[["x"]].to_numpy()).fit()
    agree(cs.vcov(fit, UNIT, data=other.reset_index(drop=True)), fit, rows)
    with pytest.raises(cs.PanelError, match="column y"):
        cs.vcov(fit, UNIT, data=shuffled(other))


@pytest.mark.parametrize("name", REFUSED)
def test_rows_that_cannot_be_matched_are_refused(rows, name):
    ask, said = REFUSED[name]
    with pytest.raises(cs.PanelError, match=said):
        ask(rows)


FITS_WITH_TIES = {
    "linear": lambda f: pf.feols("any ~ x | year", f),
    "weighted": lambda f: pf.feols("any ~ x | year", f, weights="w"),
    "no effects": lambda f: pf.feols("any ~ x + z", f),
    "interacted": lambda f: pf.feols("any ~ i(year, x) | a^year + b", f),
    "instruments": lambda f: pf.feols("any ~ w | year | x ~ z", f),
    "Poisson": lambda f: pf.fepois("flow ~ x + z | a + b + year", f),
    "Poisson, offset": lambda f: pf.fepois("flow ~ x", f, offset="z", weights="w"),
    "logit": lambda f: pf.feglm("any ~ x | year", f, family="logit"),
}


@pytest.mark.parametrize("name", FITS_WITH_TIES)
def test_rows_with_the_same_outcome_are_told_apart_by_the_rest(flows, name):
    fit = FITS_WITH_TIES[name]
    frame = tied(flows, ["any", "flow"])
    kept = fit(frame)
    expected = cs.vcov(kept, UNIT)
    for data in (frame, shuffled(frame)):
        pd.testing.assert_frame_equal(cs.vcov(kept, UNIT, data=data), expected, rtol=1e-9)
    with pytest.raises(cs.PanelError, match="which the fit used in its row"):
        cs.vcov(kept, UNIT, data=moved_ties(frame, ["any", "flow"]))


def test_rows_that_nothing_tells_apart_need_the_order_of_a_frame(rows):
    """Outcome and regressor have few values, so rows of other units have the same ones."""
    frame = rows.reset_index(drop=True)
    fit = pf.fepois("flow ~ year", frame[["flow", "year"]])
    for data in (frame, rows, shuffled(frame)):
        agree(cs.vcov(fit, UNIT, data=data), fit, frame)
    mixed = shuffled(frame)
    fit = pf.fepois("flow ~ year", mixed[["flow", "year"]])
    with pytest.raises(cs.PanelError, match="tell rows of different units apart"):
        cs.vcov(fit, UNIT, data=mixed)
    agree(cs.vcov(fit, (mixed.a.to_numpy(), mixed.b.to_numpy())), fit, mixed)


def test_columns_that_the_fit_keeps_tell_rows_apart(rows):
    frame = tied(rows, "flow")
    fit = pf.fepois("flow ~ year", frame)
    other = moved_ties(frame, ["flow", "year"])
    with pytest.raises(cs.PanelError, match="which the fit used in its row"):
        cs.vcov(fit, UNIT, data=other)
    named = frame.assign(first="u" + frame.a.astype(str), second="u" + frame.b.astype(str))
    assert cs.vcov(fit, ("first", "second"), data=named).equals(cs.vcov(fit, UNIT))
    with pytest.raises(cs.PanelError, match=r"\(column .* cannot be compared\)"):
        cs.vcov(fit, ("first", "second"), data=named[["flow", "year", "first", "second"]])


def test_values_that_cannot_be_compared_are_not_assumed(rows):
    frame = tied(rows, "flow")
    regressors = sm.add_constant(frame[["year"]])
    for given in (regressors, regressors.to_numpy()):
        fit = sm.Poisson(frame.flow, given).fit(disp=0)
        with pytest.raises(cs.PanelError, match=r"\(column .* cannot be compared\)"):
            cs.vcov(fit, UNIT, data=frame[["flow", "a", "b"]])
    fit = sm.Poisson(frame.flow, regressors).fit(disp=0)
    agree(cs.vcov(fit, UNIT, data=frame), fit, frame)


def test_labels_that_occur_twice_and_values_that_do_are_refused(rows):
    frame = twice(rows.assign(flow=np.arange(len(rows)) % (len(rows) // 2) % 7))
    fit = smf.poisson("flow ~ 1", frame).fit(disp=0)
    agree(cs.vcov(fit, UNIT), fit, frame)
    with pytest.raises(cs.PanelError, match="tell rows of different units apart"):
        cs.vcov(fit, UNIT, data=halves_exchanged(frame))


def test_values_that_differ_by_rounding_are_the_same(rows):
    fit = sm.OLS(rows.y, rows[["x", "z"]]).fit()
    agree(cs.vcov(fit, UNIT, data=rows.assign(y=rows.y * (1 + 1e-12))), fit, rows)
    with pytest.raises(cs.PanelError, match="column y"):
        cs.vcov(fit, UNIT, data=rows.assign(y=rows.y * (1 + 1e-6)))


def test_units_of_a_kept_frame_that_was_sorted_and_numbered_anew_are_refused(rows):
    frame = rows.reset_index(drop=True)
    before = frame.copy()
    fit = ols(frame)
    sort_in_place(frame, "x", ignore_index=True)
    for sorted_units in ((frame.a, frame.b), (frame.a.to_numpy(), frame.b.to_numpy())):
        with pytest.raises(cs.PanelError, match="sorted or changed since"):
            cs.vcov(fit, sorted_units)
    agree(cs.vcov(fit, (before.a, before.b)), fit, before)


@pytest.mark.parametrize("model", ["statsmodels", "linearmodels"])
def test_labels_of_the_fit_that_occur_twice_match_no_series(rows, model):
    frame = twice(rows)
    if model == "statsmodels":
        fit = sm.OLS(frame.y, sm.add_constant(frame[["x", "z"]])).fit()
    else:
        fit = IV2SLS.from_formula("y ~ 1 + x + z", frame).fit()
    agree(cs.vcov(fit, UNIT, data=frame), fit, frame)
    counted = rows.reset_index(drop=True)
    with pytest.raises(cs.PanelError, match="labels occur twice"):
        cs.vcov(fit, (counted.a, counted.b))


def test_regressors_that_were_sorted_since_leave_no_labels(rows):
    regressors = rows[["x", "z"]].copy()
    fit = sm.OLS(rows.y, regressors).fit()
    sort_in_place(regressors, "x")
    with pytest.raises(cs.PanelError, match="none of them labelled 7"):
        cs.vcov(fit, (rows.a, rows.b))
    agree(cs.vcov(fit, UNIT, data=rows), fit, rows)
    with pytest.raises(cs.PanelError, match="column x"):
        cs.vcov(fit, UNIT, data=shuffled(rows).reset_index(drop=True))
