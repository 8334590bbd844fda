"""No cell of a CSV file is a formula to a spreadsheet, and every number stays one."""

import csv
import io

import numpy as np
import pandas as pd
import pytest

from estimation.csv_files import csv_text, frame_csv, guard

FORMULAS = (
    "=1+1",
    "+1+cmd|' /C calc'!A0",
    "-2+3",
    "-1,=1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "\ttext",
    "  =1",
    "\u00a0=1",
    "\u3000@x",
    "\ufeff=1",
    "\x00=1",
    "\x0b-x",
    "＝1",
    "＋x",
    "－x",
    "＠x",
    "-",
    "+-1",
    "-1*†2",
)
NO_FORMULAS = (
    "北京",
    "a=1",
    "-1",
    "+3",
    "-0.0123***",
    "-1,234.5",
    "-1e-300",
    "-.5†",
    "a -1",
    "'=1",
)


@pytest.mark.parametrize("text", FORMULAS)
def test_a_text_like_a_formula_stands_behind_an_apostrophe(text: str) -> None:
    assert guard(text) == "'" + text
    ((head,), (cell,)) = csv.reader(io.StringIO(csv_text([text], [[text]])[1:], newline=""))
    assert head == cell == "'" + text


@pytest.mark.parametrize("text", NO_FORMULAS)
def test_other_texts_and_numbers_in_texts_stay(text: str) -> None:
    assert guard(text) == text


def test_numbers_come_back_as_they_were() -> None:
    frame = pd.DataFrame(
        {
            "x": [-1.5, 0.1 + 0.2, -1e-300, np.nan],
            "n": pd.array([-3, None, 2**53 + 1, 0], dtype="Int64"),
            "yes": pd.array([True, False, None, True], dtype="boolean"),
            "text": ["-1", None, "", "=x"],
        }
    )
    text = frame_csv(frame)
    assert text.splitlines()[1:3] == ["-1.5,-3,true,-1", "0.30000000000000004,,false,"]
    again = pd.read_csv(io.StringIO(text), dtype={"n": "Int64"})
    assert again["x"].equals(frame["x"]) and again["n"].equals(frame["n"])
