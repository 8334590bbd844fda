"""A panel read once for a run of rows: the same arrays in any order of the rows, and the fault
that stands first.
"""

import numpy as np
import pandas as pd
import pytest

from estimation.panel.pair_columns import PairColumns
from estimation.panel.pair_file import read_pairs
from estimation.panel.panel_error import PanelError
from tests.estimation.panels import contract_table, random_panel

UNIT, YEARS = ("city_i_id", "city_j_id"), np.arange(2011, 2017)
COLUMNS = PairColumns("y", controls=("x",), weights="w")
ARRAYS = (
    "city_i",
    "city_j",
    "years",
    "y",
    "controls",
    "cohort",
    "city_cohort",
    "province",
    "weight",
)
SIDES = {
    "province_i_id": "province_j_id",
    "city_i_cohort_year": "city_j_cohort_year",
    UNIT[0]: UNIT[1],
}
ORDERS = {
    "by pair": lambda frame: frame,
    "by year": lambda frame: frame.sort_values(["year", *UNIT]),
    "pairs descending": lambda frame: frame.sort_values(
        [*UNIT, "year"], ascending=[False, False, True]
    ),
    "years descending": lambda frame: frame.sort_values(
        [*UNIT, "year"], ascending=[True, True, False]
    ),
    "shuffled": lambda frame: frame.sample(frac=1, random_state=2),
    "with text": lambda frame: frame.assign(
        **{name: "u" + frame[name].astype(str) for name in UNIT}
    ),
    "in both orders": lambda frame: pd.concat(
        [frame, frame.rename(columns=SIDES | {b: a for a, b in SIDES.items()})]
    ),
}


def contract_frame() -> pd.DataFrame:
    """24 cities, six of them pilots, under the contract's names, pair by pair; with a control and
    weights of pairs.
    """
    table = contract_table(random_panel(5, n_cities=24, n_pilots=6, n_controls=1))
    both = table[["city_i_cohort_year", "city_j_cohort_year"]].notna().all(axis=1)
    frame = table[~both & table["year"].isin(YEARS)].rename(columns={"x0": "x"})
    pair = frame.groupby(list(UNIT)).ngroup()
    years = dict.fromkeys(("cohort_year", "city_i_cohort_year", "city_j_cohort_year"), float)
    return frame.assign(w=1.0 + pair % 7).astype(years).reset_index(drop=True)


def arrays_of(frame: pd.DataFrame) -> dict[str, np.ndarray]:
    panel = read_pairs(frame, COLUMNS).panel
    return {name: getattr(panel, name) for name in ARRAYS}


@pytest.mark.parametrize("kept", [1.0, 0.9], ids=["balanced", "rows missing"])
@pytest.mark.parametrize("order", ORDERS)
def test_the_order_of_the_rows_does_not_matter(order, kept):
    frame = contract_frame()
    frame = frame[np.random.default_rng(1).random(len(frame)) < kept]
    expected = arrays_of(frame)
    assert (
        expected["y"].shape[1:] == (frame.groupby(list(UNIT)).ngroups, len(YEARS))
        and (expected["cohort"] > 0).any()
    )
    # literally, the cell of a row
    row = frame.iloc[70]
    pair = (expected["city_i"] == row[UNIT[0]] - 100) & (expected["city_j"] == row[UNIT[1]] - 100)
    assert (
        expected["y"][0, pair, expected["years"] == row["year"]].item() == row["y"]
        and expected["weight"][pair].item() == row["w"]
    )
    for name, value in arrays_of(ORDERS[order](frame)).items():
        np.testing.assert_array_equal(value, expected[name], err_msg=name)


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("w", -1.0, "expected a positive number, found '-1'"),
        ("cohort_year", 2012.0, "found 2012 beside blank"),
        ("cohort_year", 2012.5, "found '2012.5'"),
        ("province_j_id", 99, "found 99 beside"),
        ("city_i_cohort_year", 1e12, "found '1000000000000'"),
        ("city_i_id", np.nan, "expected an id, found a blank cell"),
        ("year", 20.0, "expected a year from 1000 to 3000"),
    ],
)
@pytest.mark.parametrize("order", ["by pair", "by year", "shuffled"])
def test_a_fault_is_named_where_it_stands(order, column, value, words):
    frame = (
        ORDERS[order](contract_frame())
        .reset_index(drop=True)
        .astype({"year": float, "city_i_id": float})
    )
    # not the first row of its pair, and of a pair without a pilot
    row = int(np.flatnonzero(frame["cohort_year"].isna() & frame[list(UNIT)].duplicated())[40])
    frame.loc[row, column] = value
    with pytest.raises(PanelError) as caught:
        read_pairs(frame, COLUMNS)
    assert words in str(caught.value)
    assert f"row {row + 1}, column {column}" in str(caught.value)
