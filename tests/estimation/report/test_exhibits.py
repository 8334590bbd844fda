"""Figures and tables to take away, and the replication files: their numbers, their bytes, and what
is left out when estimates lack.
"""

from __future__ import annotations

import dataclasses
from xml.etree import ElementTree

import docx
import duckdb
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from estimation.exhibits import to_latex
from estimation.fit import fit_panel
from estimation.report.data import read_report_data
from estimation.report.exhibits import write_exhibits
from estimation.report.journal_tables import build_table
from estimation.report.language import Words
from estimation.report.replication_files import write_replication
from estimation.report.site import write_report
from tests.estimation.panels import random_panel
from tests.estimation.report.fabricated import HEADLINE, full, tables
from tests.estimation.report.sites import database


@pytest.fixture(scope="module")
def build() -> duckdb.DuckDBPyConnection:
    return database(full(is_simulated=True))


def test_every_exhibit_is_written_with_the_same_bytes(build, tmp_path) -> None:
    first, second = write_exhibits(build, tmp_path / "a"), write_exhibits(build, tmp_path / "b")
    figures = ("answer_axis", "event_study", "threshold")
    names = {"card.png", *(f"{name}.svg" for name in figures)}
    names |= {f"{name}.{kind}" for name in ("headline", "ties") for kind in ("html", "tex", "csv")}
    assert names <= {path.name for path in first}
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]
    for picture in first[: len(figures)]:
        ElementTree.fromstring(picture.read_text(encoding="utf-8"))
        assert "SIMULATED" in picture.read_text(encoding="utf-8")
    with Image.open(tmp_path / "a/figures/card.png") as picture:
        colours = {colour for _, colour in picture.getcolors(1 << 16)}
        assert picture.size == (1200, 630) and {(0, 114, 178), (192, 74, 0)} <= colours
    write_report(build, tmp_path / "a", address="https://host/report")
    page = (tmp_path / "a/zh/index.html").read_text(encoding="utf-8")
    assert '"og:image" content="https://host/report/figures/card.png"' in page
    table = docx.Document(str(tmp_path / "a/tables/ties.docx")).tables[0]
    cells = [[cell.text for cell in row.cells] for row in table.rows]
    assert cells[2][0] == "admission" and cells[-1][0] == "pilots"
    assert [row[2] for row in cells[2:5]] == ["0.0712", "(0.0123)", "[0.020]"]


def test_table_is_set_as_economists_set_it(build) -> None:
    """Estimate, error in parentheses, permutation p in brackets, then the sample; no star."""
    text = to_latex(build_table(read_report_data(build), Words("en"), "ties"))
    for row in (
        r"admission & -- & 0.0712 & -- & -- & -- & 0.0100 \\",
        r" & -- & (0.0123) & -- & -- & -- & (0.0123) \\",
        r" & -- & {[0.020]} & -- & -- & -- & {[0.400]} \\",
        r"pair-years & -- & 153,230 & -- & -- & -- & 153,230 \\",
    ):
        assert row in text
    assert "SIMULATED" in text and "]*" not in text


@pytest.mark.parametrize(("p_value", "marked"), [(0.01, True), (0.2, False)])
def test_the_dagger_follows_the_primary_test_alone(p_value: float, marked: bool) -> None:
    """A two-way estimate with p 0.04 has no mark unless the primary test of its outcome rejects;
    parts of the split never have one.
    """
    frames = tables(primary_p=p_value)
    table = build_table(read_report_data(database(frames)), Words("en"), "headline")
    marks = [cell.count("†") for cell in dict(table.rows)["admission"]]
    assert marks == [marked, marked, 0, 0, 0, 0] and "†" in table.notes[0]


def test_replication_files_hold_the_sample_that_gives_the_headline(tmp_path) -> None:
    """What Stata and R read gives the published coefficient; the scripts that say so lie
    beside it.
    """
    panel = random_panel(4, n_cities=24, n_pilots=8)
    kept, n_years = np.flatnonzero(panel.cohort >= 0), len(panel.years)
    pair, year = np.repeat(kept, n_years), np.tile(panel.years, len(kept))
    i, j, cohort = panel.city_i[pair], panel.city_j[pair], panel.cohort[pair]
    outcomes = ("cm_growth", "comove_growth", "dispersion_growth", "neg_abs_gap_growth")
    columns = {f"{name}_official": panel.y[0, kept].ravel() for name in outcomes}
    columns |= {
        "city_i_id": i + 100,
        "city_j_id": j + 100,
        "year": year,
        "province_i_id": panel.province[i],
        "province_j_id": panel.province[j],
        "is_treated": (cohort > 0) & (year >= cohort),
        "cm_growth_deflated": np.nan,
        "cohort_year": pd.Series(cohort, dtype="Int64").mask(cohort == 0),
    }
    for name, city in (("city_i_cohort_year", i), ("city_j_cohort_year", j)):
        first = pd.Series(panel.city_cohort[city], dtype="Int64")
        columns[name] = first.mask(first == 0)
    result = fit_panel(panel, vcov=("conventional", "province_jackknife"), permutations=0)
    estimate = pd.DataFrame([dataclasses.asdict(e) for e in result.estimates])
    estimate = estimate.assign(spec_id=HEADLINE, outcome="cm_growth_official")
    con = database({"marts.panel_pair_year": pd.DataFrame(columns), "estimates.estimate": estimate})
    folder, again = (write_replication(con, tmp_path / name) for name in ("a", "b"))
    files = {"panel_pair_year.dta", "headline.csv", "headline.R", "headline.do", "README.md"}
    assert {path.name for path in folder.iterdir()} == files
    read = pd.read_stata(folder / "panel_pair_year.dta")
    y, x = (
        read[name].to_numpy(dtype=float).reshape(-1, n_years)
        for name in ("cm_growth_official", "is_treated")
    )
    y, x = (v - v.mean(0) - v.mean(1, keepdims=True) + v.mean() for v in (y, x))
    published = pd.read_csv(folder / "headline.csv")["estimate"].iloc[0]
    assert (x * y).sum() / (x**2).sum() == pytest.approx(published, abs=1e-12)
    written = [(one / "panel_pair_year.dta").read_bytes() for one in (folder, again)]
    assert written[0] == written[1]
    con.execute("delete from estimates.estimate")
    assert write_replication(con, tmp_path / "c") is None and not (tmp_path / "c").exists()
