"""Every fault of a panel is a `cs.PanelError` that says where, what was expected, what was found
and what to do.
"""

import pickle
from importlib.util import find_spec

import numpy as np
import pandas as pd
import polars as pl
import pytest

import estimation as cs
from estimation.data import pairs
from estimation.panel.panel_error import need

from .panels import COLUMNS, country_panel


def _changed(column, value, row=3):
    def change(frame):
        frame = frame.astype({column: object})
        frame.loc[row, column] = value
        return frame

    return change


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
        ["again (first in 6)", "remove one"],
    ),
    "self-pair": (
        lambda f: f.assign(importer=f["exporter"]),
        1,
        "exporter, importer",
        ["two units, found a pair of c000 with itself"],
    ),
    "both orders, unlike": (
        _both_orders,
        3697,
        "y",
        ["c001, c000 in 2014", "c000, c001 (in 5)", "no direction"],
    ),
    "constant outcome": (lambda f: f.assign(y=1.5), None, "y", ["1.5 in every row"]),
    "blank outcome": (lambda f: f.assign(y=np.nan), None, "y", ["only blanks"]),
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
        _changed("exporter", 7),
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
    "blank id": (_changed("importer", None), 4, "importer", ["a blank cell"]),
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
    "text in numbers": (_changed("y", "abc"), 4, "y", ["'abc', text beside a number"]),
    "dates": (
        lambda f: f.assign(period=pd.to_datetime(f["period"].astype(str))),
        None,
        "period",
        ["dates", "give the year"],
    ),
    "months as years": (
        lambda f: f.assign(period=f["period"] * 100 + 1),
        1,
        "period",
        ["number the periods 1, 2, 3"],
    ),
    "one year": (lambda f: f[f["period"] == 2012], None, "period", ["at least two years", "2012"]),
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
def test_a_fault_is_named(fault):
    change, row, column, said = FAULTS[fault]
    frame, _, cohorts, blocks = country_panel()
    weights = "w" if "weights" in fault else None
    with pytest.raises(cs.PanelError) as caught:
        cs.fit(
            change(frame),
            "y",
            **COLUMNS,
            cohort=cohorts,
            block=blocks,
            controls=["x0"],
            weights=weights,
            permutations=0,
        )
    error = caught.value
    assert error.row == row and (column is None or error.column == column)
    assert error.expected and error.found and error.remedy
    for text in said:
        assert text in str(error)
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


def test_rows_in_both_orders_that_agree_are_taken_once():
    frame, _, cohorts, blocks = country_panel()
    other = frame.rename(columns={"exporter": "importer", "importer": "exporter"})
    options = {**COLUMNS, "cohort": cohorts, "block": blocks, "permutations": 99}
    plain, doubled = (
        cs.fit(frame, "y", **options),
        cs.fit(pd.concat([frame, other]), "y", **options),
    )
    assert doubled.estimates == plain.estimates
    assert any("taken once" in text for text in doubled.warnings)


COHORTS = {
    "moves": (
        lambda f, c: f.assign(first=np.where(f.index == 2, 2013, 2014)),
        "first",
        "treatment must be absorbing",
    ),
    "dummy": (lambda f, c: f.assign(first=f["exporter"].isin(c).astype(int)), "first", "found '0'"),
    "absent": (lambda f, c: f, "entry", "a 0/1 dummy does not do"),
}


@pytest.mark.parametrize("case", COHORTS)
def test_treatment_that_is_not_absorbing_is_refused(case):
    change, cohort, said = COHORTS[case]
    frame, _, cohorts, blocks = country_panel()
    with pytest.raises(cs.PanelError, match=said) as caught:
        cs.fit(change(frame, cohorts), "y", **COLUMNS, cohort=cohort, block=blocks, permutations=0)
    assert caught.value.column == cohort


def test_what_a_cohort_is_stands_only_where_a_cohort_is_missing():
    frame, _, cohorts, blocks = country_panel()
    with pytest.raises(cs.PanelError) as caught:
        cs.fit(frame, "y", **COLUMNS, cohort=cohorts, block=blocks, weights="size", permutations=0)
    assert (caught.value.column, caught.value.remedy) == ("size", "add the column or name another")
    with pytest.raises(cs.PanelError, match="two columns such as entry_i and entry_j"):
        cs.fit(frame, "y", **COLUMNS, cohort="entry", block=blocks, permutations=0)


def test_nothing_is_said_of_pilots_cities_or_the_studys_columns_where_units_are_others():
    frame, _, cohorts, blocks = country_panel()
    options = {"block": blocks, "permutations": 0}
    with pytest.raises(cs.NotEstimable) as caught:
        cs.fit(frame, "y", **COLUMNS, cohort={"c001": 2100}, **options)
    said = (
        "no kept pair has exactly one treated unit: give at least one first treated period inside "
        "the years of the panel"
    )
    assert str(caught.value) == said
    moved = frame.assign(
        block_a=frame["exporter"].map(blocks), block_b=frame["importer"].map(blocks)
    )
    moved.loc[3, "block_a"] = "b99"
    with pytest.raises(cs.PanelError) as wrong:
        cs.fit(moved, "y", **COLUMNS, cohort=cohorts, block="block", permutations=0)
    assert wrong.value.expected == "one value for all rows of a unit"
    # under the names of the study its own words stay
    study = frame.rename(
        columns={"exporter": "city_i_id", "importer": "city_j_id", "period": "year"}
    )
    with pytest.raises(cs.NotEstimable, match="exactly one pilot: give at least one cohort_year"):
        cs.fit(study, "y", cohort={"c001": 2100}, **options)


def test_units_beside_the_panel_are_checked():
    frame, _, cohorts, blocks = country_panel()
    options = {**COLUMNS, "permutations": 0}
    with pytest.raises(cs.PanelError, match=r"block.*c003.*the block of every unit"):
        cs.fit(
            frame,
            "y",
            cohort=cohorts,
            block={k: v for k, v in blocks.items() if k != "c003"},
            **options,
        )
    with pytest.raises(cs.PanelError, match=r"cohort.*c001.*'soon'"):
        cs.fit(frame, "y", cohort=cohorts | {"c001": "soon"}, block=blocks, **options)
    with pytest.raises(cs.PanelError, match="two columns, unit and value"):
        cs.fit(frame, "y", cohort=pd.DataFrame({"a": [1], "b": [2], "c": [3]}), **options)
    with pytest.raises(cs.PanelError, match="one value for a unit"):
        cs.fit(
            frame,
            "y",
            cohort=pd.DataFrame({"unit": ["c001", "c001"], "first": [2013, 2014]}),
            **options,
        )
    named = cs.fit(frame, "y", cohort=cohorts | {"c999": 2013}, block=blocks, **options)
    assert any(
        "cohort names units that the panel does not hold: c999" in text for text in named.warnings
    )


def test_one_block_is_refused_where_blocks_are_asked_for():
    frame, _, cohorts, blocks = country_panel()
    with pytest.raises(
        cs.PanelError, match="at least two blocks, found b for every unit"
    ) as caught:
        cs.fit(
            frame, "y", **COLUMNS, cohort=cohorts, block=dict.fromkeys(blocks, "b"), permutations=0
        )
    assert caught.value.column == "block"


def test_a_block_of_one_column_says_what_to_give():
    frame, _, cohorts, blocks = country_panel()
    with pytest.raises(cs.PanelError, match="region is one column: give a column for each unit"):
        cs.fit(
            frame.assign(region=frame["exporter"].map(blocks)),
            "y",
            **COLUMNS,
            cohort=cohorts,
            block="region",
            permutations=0,
        )


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"estimator": "ols"}, "estimator: expected one of twfe"),
        ({"vcov": "robust"}, "vcov: expected some of conventional"),
        ({"permutations": -1}, "permutations: expected a whole number from 0, found -1"),
        ({"unit": "exporter"}, "unit: expected two names"),
        ({"exposure": "any"}, "exposure: expected one or both"),
        ({"controls": ["x0", "x0"]}, "named twice"),
        ({"controls": [1]}, "names of columns"),
    ],
)
def test_arguments_that_do_not_exist_are_named(options, said):
    frame, _, cohorts, blocks = country_panel()
    with pytest.raises(cs.PanelError, match=said):
        cs.fit(frame, "y", **({**COLUMNS, "cohort": cohorts, "block": blocks} | options))


@pytest.mark.parametrize("given", [42, None, [1, 2], object()])
def test_what_is_no_panel_is_refused(given):
    with pytest.raises(cs.PanelError, match="give a frame of pandas, polars or pyarrow"):
        cs.fit(given, "y")


def test_stata_codes_with_value_labels_are_refused(tmp_path):
    frame, _, cohorts, blocks = country_panel()
    path = tmp_path / "trade.dta"
    frame.astype({"exporter": "category"}).to_stata(path, write_index=False)
    with pytest.raises(cs.PanelError) as caught:
        cs.fit(path, "y", **COLUMNS, cohort=cohorts, block=blocks, permutations=0)
    assert (
        "trade.dta, column exporter" in str(caught.value)
        and "decode exporter" in caught.value.remedy
    )
    # a label on a column that is not asked for does no harm
    frame.assign(note=pd.Categorical(["a"] * len(frame))).to_stata(path, write_index=False)
    assert cs.fit(path, "y", **COLUMNS, cohort=cohorts, block=blocks, permutations=0).n_obs > 0


def test_csv_lines_are_counted_as_an_editor_does(tmp_path):
    frame, _, cohorts, blocks = country_panel()
    lines = frame.to_csv(index=False).splitlines()
    lines[4] = lines[4].replace(lines[4].split(",")[3], "n.a.")
    path = tmp_path / "panel.csv"
    path.write_text("\n".join(["", *lines[:2], "", ",,,,", *lines[2:]]) + "\n", encoding="utf-8")
    with pytest.raises(cs.PanelError) as caught:
        cs.fit(path, "y", **COLUMNS, cohort=cohorts, block=blocks, permutations=0)
    assert (caught.value.row, caught.value.place) == (8, "line") and "'n.a.'" in str(caught.value)


def test_a_missing_extra_is_one_line_that_names_it():
    assert (
        str(need("matplotlib", "plots", "a plot"))
        == "a plot needs matplotlib: pip install 'citysync[plots]'"
    )


def test_a_kind_of_frame_that_is_not_installed_is_one_line_that_names_it(monkeypatch):
    monkeypatch.setattr(
        pairs, "find_spec", lambda name: None if name == "polars" else find_spec(name)
    )
    with pytest.raises(ImportError) as caught:
        cs.data.euro("polars")
    assert str(caught.value) == "a frame of polars needs polars: pip install polars"
