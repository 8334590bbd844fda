"""The gallery's program gives the numbers that its sources print, and those beside the page."""

import runpy
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import estimation
from tests.docs.examples import REPO, link_docs

PAGE = REPO / "docs" / "gallery" / "index.md"


def printed_errors(column: str, fit: Any, log: pd.DataFrame) -> pd.Series:
    """Errors as the archive prints them: classical ones for table 3, else those of the fit."""
    if not column.startswith("table 3"):
        return fit.se()
    scale = 1.0
    if "PPML" in column:
        mean = fit.predict(type="response")
        rest = log["trade"].to_numpy() - mean
        scale = np.sqrt((rest**2 / mean).sum() / (len(mean) - len(fit.coef())))
    errors = fit.vcov("iid").se() * scale
    fit.vcov("hetero")
    return errors


def is_printed(number: float, text: str) -> bool:
    """Whether a number rounds to a printed one."""
    digits = len(text.split(".")[1])
    return abs(number - float(text)) <= 0.5 * 10.0**-digits * 1.000001


@pytest.mark.full
@pytest.mark.filterwarnings("ignore")
def test_every_number_of_the_gallery_comes_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    link_docs(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "citysync", estimation)
    names = runpy.run_path(str(PAGE.with_name("regressions.py")))
    for name in ("results.csv", "counts.csv"):
        written = Path(name).read_text(encoding="utf-8")
        assert written == PAGE.with_name(name).read_text(encoding="utf-8")
    numbers = pd.read_csv(PAGE.parent / "data" / "printed.csv", dtype=str)
    assert len(numbers) == 62
    for column, rows in numbers.groupby("column", sort=False):
        fit = names["fits"][column]
        errors = printed_errors(column, fit, names["log"])
        for row in rows.itertuples():
            assert is_printed(fit.coef()[row.term], row.estimate), (column, row.term)
            assert is_printed(errors[row.term], row.std_error), (column, row.term)
