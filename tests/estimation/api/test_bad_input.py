"""Every fault of a panel is a `cs.PanelError` that says where, what was expected, what was found
and what to do.
"""

import pickle
import sys

import numpy as np
import pandas as pd
import polars as pl
import pytest

import estimation as cs
from estimation.panel import sources
from tests.estimation.panels import with_cell


def _both_orders(frame):
    other = frame.iloc[[4]].rename(columns={"exporter": "importer", "importer": "exporter"})
    return pd.concat([frame, other.assign(y=other["y"] + 1)], ignore_index=True)


FAULTS = {
    "missing column": (
        lambda f: f.drop(columns="period"),
        None,
        "period",
        ["it in the header", "only exporter, importer"],
    ),
    "duplicate": (
        lambda f: pd.concat([f, f.iloc[[5]]], ignore_index=True),
        3697,
        None,
        ["again (first in row 6)", "remove one"],
    ),
    "self-pair": (
        lambda f: f.assign(importer=f["exporter"]),
        1,
        "exporter, importer",
        ["two units, found a pair of c000 with itself", "units of two kinds"],
    ),
    "both orders, unlike": (
        _both_orders,
        3697,
        "y",
        ["c001, c000 in 2014", "c000, c001 (in row 5)", "no direction"],
    ),
    "constant outcome": (lambda f: f.assign(y=1.5), None, "y", ["1.5 in every row"]),
    "blank outcome": (lambda f: f.assign(y=np.nan), None, "y", ["a blank in every row"]),
    "blank control": (lambda f: f.assign(x0=np.nan), None, "x0", ["a blank in every row"]),
    "infinite": (
        lambda f: f.assign(y=f["y"].mask(f.index == 3, np.inf)),
        4,
        "y",
        ["'inf'", "correct the cell"],
    ),
    "infinite control": (
        lambda f: f.assign(x0=f["x0"].mask(f.index == 8, -np.inf)),
        9,
        "x0",
        ["'-inf'"],
    ),
    "mixed ids": (
        with_cell("exporter", 7),
        4,
        "exporter",
        ["7, a number beside text", "turn the whole column into text"],
    ),
    "numbers and text": (
        lambda f: f.assign(importer=f["importer"].str[1:].astype(int)),
        None,
        "exporter",
        ["whole numbers in importer"],
    ),
    "blank id": (with_cell("importer", None), 4, "importer", ["a blank cell"]),
    "fraction as id": (
        lambda f: f.assign(
            exporter=f["exporter"].str[1:].astype(float) + 0.5,
            importer=f["importer"].str[1:].astype(float) + 0.5,
        ),
        1,
        "exporter",
        ["0.5"],
    ),
    "empty": (lambda f: f.iloc[:0], None, None, ["no rows"]),
    "lazy": (
        lambda f: pl.from_pandas(f).lazy(),
        None,
        None,
        ["a polars LazyFrame", "panel.collect()"],
    ),
    "text in numbers": (with_cell("y", "abc"), 4, "y", ["'abc', text beside a number"]),
    "dates as an outcome": (
        lambda f: f.assign(y=pd.to_datetime(f["period"].astype(str))),
        1,
        "y",
        ["a number or a blank", "give numbers"],
    ),
    "months as years": (
        lambda f: f.assign(period=f["period"] * 100 + 1),
        1,
        "period",
        ["number the periods 1, 2, 3"],
    ),
    "decimal commas": (
        lambda f: f.assign(y=f["y"].round(3).astype(str).str.replace(".", ",")),
        1,
        "y",
        ["write decimals with a point"],
    ),
    "periods from 0": (
        lambda f: f.assign(period=f["period"] - 2010),
        1,
        "period",
        ["found '0'", "number the periods 1, 2, 3"],
    ),
    "a quarter that is none": (
        lambda f: f.assign(period=f["period"].astype(str) + np.where(f.index == 3, "Q5", "Q1")),
        4,
        "period",
        ["found '2013Q5'", "all as dates"],
    ),
    "blank quarter": (
        lambda f: f.assign(period=(f["period"].astype(str) + "Q1").mask(f.index == 3, "")),
        4,
        "period",
        ["a blank cell", "remove the row"],
    ),
    "one year": (lambda f: f[f["period"] == 2012], None, "period", ["at least two years", "2012"]),
    "names in the index": (
        lambda f: f.set_index(["exporter", "importer"]),
        None,
        "exporter, importer",
        ["reset_index"],
    ),
    "categories as a control": (
        lambda f: f.assign(x0=pd.Categorical(np.arange(len(f)) % 3)),
        None,
        "x0",
        ["found categories"],
    ),
    "categories whose names are numbers": (
        lambda f: f.assign(x0=pd.Categorical((np.arange(len(f)) % 3).astype(str))),
        None,
        "x0",
        ["found categories"],
    ),
    "weights": (
        lambda f: f.assign(w=1.0 - 2.0 * (f.index == 3)),
        4,
        "w",
        ["a positive number", "-1"],
    ),
    "weights that move": (
        lambda f: f.assign(w=1.0 + (f.index == 3)),
        4,
        "w",
        ["one value for all rows of a pair"],
    ),
    "columns twice": (
        lambda f: pd.concat([f, f["x0"]], axis=1),
        None,
        None,
        ["each column once"],
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_named(frame, given, fault):
    change, row, column, said = FAULTS[fault]
    weights = "w" if "weights" in fault else None
    with pytest.raises(cs.PanelError) as caught:
        cs.fit(change(frame), "y", **given, controls=["x0"], weights=weights)
    error = caught.value
    assert error.row == row and (column is None or error.column == column)
    assert error.expected and error.found and error.remedy
    for text in said:
        assert text in str(error)
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


TWICE = pd.DataFrame({"unit": ["c001", "c001"], "first": [2013, 2014]})
# what is given beside or instead of the panel's own columns: options, the column that the error
# names, and a part of its text
ARGUMENTS = {
    "cohort that moves": ({"cohort": "moves"}, "moves", "treatment must be absorbing"),
    "cohort as a dummy": ({"cohort": "dummy"}, "dummy", "found '0'"),
    "no such cohort": ({"cohort": "entry"}, "entry", "two columns such as entry_i and entry_j"),
    "no such weights": ({"weights": "size"}, "size", "add the column or name another"),
    "cohort in words": ({"cohort": {"c001": "soon"}}, None, r"cohort.*c001.*'soon'"),
    "cohort of another calendar": (
        {"cohort": {"c001": 5}},
        None,
        r"unit c001.*a year from .*found '5'; write it as the panel's periods are",
    ),
    "units of three columns": (
        {"cohort": pd.DataFrame({"a": [1], "b": [2], "c": [3]})},
        None,
        "two columns, unit and value",
    ),
    "unit twice": ({"cohort": TWICE}, None, "unit c001.*one value for all rows of a unit"),
    "unit twice in a series": (
        {"cohort": TWICE.set_index("unit")["first"]},
        None,
        "unit c001.*one value for all rows of a unit",
    ),
    "unit without a block": (
        {"block": {f"c{k:03d}": f"b{k // 3}" for k in range(33) if k != 3}},
        None,
        r"block.*c003.*the block of every unit",
    ),
    "unit whose block is called NA": (
        {"block": {f"c{k:03d}": "NA" if k < 6 else "EU" for k in range(33)}},
        None,
        r"block.*c000.*'NA', which is read as a blank",
    ),
    "unit whose block is blank": (
        {"block": {f"c{k:03d}": None if k == 3 else f"b{k // 3}" for k in range(33)}},
        None,
        r"block, unit c003.*a blank cell; fill it in$",
    ),
    "one block": (
        {"block": {f"c{k:03d}": "b" for k in range(33)}},
        "block",
        "at least two blocks, found b for every unit",
    ),
    "block that moves": ({"block": "side"}, None, "one value for all rows of a unit"),
    "block of one column": (
        {"block": "region"},
        None,
        "region: expected a column for each unit",
    ),
    "estimator": ({"estimator": "ols"}, None, "estimator: expected one of twfe"),
    "vcov": ({"vcov": "robust"}, None, "vcov: expected some of pair, dyadic"),
    "shuffle": ({"shuffle": "units"}, None, "shuffle: expected one of block, all, found 'units'"),
    "permutations": (
        {"permutations": -1},
        None,
        "permutations: expected a whole number from 0, found -1",
    ),
    "unit": ({"unit": "exporter"}, None, "unit: expected two names"),
    "exposure": ({"exposure": "any"}, None, "exposure: expected one of one, both"),
    "control twice": ({"controls": ["x0", "x0"]}, "x0", "it named again"),
    "a number for a name": ({"controls": 5}, None, "one name or more, found 5"),
    "control without a name": ({"controls": [1]}, None, "one name or more"),
}


@pytest.mark.parametrize("case", ARGUMENTS)
def test_an_argument_that_does_not_do_is_named(frame, given, case):
    options, column, said = ARGUMENTS[case]
    columns = {
        "moves": np.where(frame.index == 2, 2013, 2014),
        "dummy": frame["exporter"].isin(given["cohort"]).astype(int),
        "region": frame["exporter"].map(given["block"]),
        "side_a": frame["exporter"].map(given["block"]).mask(frame.index == 3, "b99"),
        "side_b": frame["importer"].map(given["block"]),
    }
    with pytest.raises(cs.PanelError, match=said) as caught:
        cs.fit(frame.assign(**columns), "y", **given | options)
    assert column is None or caught.value.column == column


def test_units_that_the_panel_does_not_hold_are_a_warning(frame, given):
    named = cs.fit(frame, "y", **given | {"cohort": given["cohort"] | {"c999": 2013}})
    assert any("does not hold: c999" in text for text in named.warnings)


def test_stata_codes_with_value_labels_are_refused_where_they_are_asked_for(frame, given, tmp_path):
    path = tmp_path / "trade.dta"
    frame.astype({"exporter": "category"}).to_stata(path, write_index=False)
    with pytest.raises(cs.PanelError, match=r"trade\.dta, column exporter.*decode exporter"):
        cs.fit(path, "y", **given)
    frame.assign(note=pd.Categorical(["a"] * len(frame))).to_stata(path, write_index=False)
    assert cs.fit(path, "y", **given).n_obs > 0


def test_csv_lines_are_counted_as_an_editor_does(frame, given, tmp_path):
    lines = frame.to_csv(index=False).splitlines()
    lines[4] = lines[4].replace(lines[4].split(",")[3], "n.a.")
    path = tmp_path / "panel.csv"
    path.write_text("\n".join(["", *lines[:2], "", ",,,,", *lines[2:]]) + "\n", encoding="utf-8")
    with pytest.raises(cs.PanelError, match=r"'n\.a\.'") as caught:
        cs.fit(path, "y", **given)
    assert (caught.value.row, caught.value.place) == (8, "line")


def test_a_file_that_is_no_stata_file_is_refused(given, tmp_path):
    path = tmp_path / "panel.dta"
    path.write_bytes(b"no")
    with pytest.raises(cs.PanelError, match=r"panel\.dta: expected a CSV"):
        cs.fit(path, "y", **given)


def _of_many_rows(path):
    """A .dta whose head says two billion rows."""
    data = path.read_bytes()
    at = data.index(b"<N>") + 3
    path.write_bytes(data[:at] + (2_000_000_000).to_bytes(8, "little") + data[at + 8 :])


@pytest.mark.parametrize("kind", ["parquet", "dta"])
def test_files_that_promise_more_than_memory_are_refused_before_they_are_read(
    frame, given, tmp_path, monkeypatch, kind
):
    path = tmp_path / f"panel.{kind}"
    if kind == "parquet":
        frame.to_parquet(path)
        monkeypatch.setattr(sources, "free_memory", lambda: 1000.0)
    else:
        frame.to_stata(path, write_index=False, version=118)
        _of_many_rows(path)
    with pytest.raises(cs.PanelError, match="GB free"):
        cs.fit(path, "y", **given)


def test_without_numba_a_fit_has_every_line_but_the_permutation(frame, given, drawn, monkeypatch):
    expected = cs.fit(frame, "y", **given)
    monkeypatch.setattr(sys.modules["estimation.api.fit"], "find_spec", lambda name: None)
    found = cs.fit(frame, "y", **drawn)
    assert found.estimates == expected.estimates
    units = frame.drop_duplicates(["exporter", "period"])
    of_units = cs.fit(units, "cm", series="y", **drawn | {"unit": "exporter", "block": None})
    for one in (found, of_units):
        assert any("pip install numba" in text for text in one.warnings)
    with pytest.raises(ImportError, match="the permutation needs numba"):
        cs.fit(frame, "y", vcov="permutation", **drawn)
