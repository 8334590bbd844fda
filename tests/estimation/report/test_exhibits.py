"""Figures and tables to take away, and the replication files: their numbers, their bytes, and what
is left out when estimates lack.
"""

from __future__ import annotations

import re

import docx
import duckdb
import numpy as np
import pandas as pd
import pytest

from estimation.fit import fit_panel
from estimation.report.data import read_report_data
from estimation.report.exhibits import write_exhibits
from estimation.report.journal_tables import Cell, JournalTable, build_table, to_html, to_latex
from estimation.report.language import Words
from estimation.report.replication_files import write_replication
from estimation.report.site import write_report
from tests.estimation.panels import random_panel
from tests.estimation.report.fabricated import tables

HEADLINE = "baseline.cm_growth_official.headline"


def estimate_rows(spec_id: str, value: float, **more) -> list[dict]:
    """The default and the permutation line of one coefficient."""
    analysis, outcome, _ = spec_id.split(".")
    row = {
        "spec_id": spec_id,
        "analysis": analysis,
        "estimator": "twfe",
        "outcome": outcome,
        "term": "treated",
        "cohort_year": None,
    }
    row |= {
        "event_time": None,
        "n_obs": 1000,
        "n_pairs": 100,
        "n_cities": 20,
        "n_pilots": 6,
        "estimate": value,
    }
    row |= {"p_value_withheld_reason": None, **more}
    default = {"vcov": "province_jackknife", "is_default": True, "std_error": 0.01, "p_value": 0.04}
    drawn = {"vcov": "permutation", "is_default": False, "std_error": None, "p_value": 0.21}
    return [
        {**row, **line, "ci_low": value - 0.02, "ci_high": value + 0.02}
        for line in (default, drawn)
    ]


@pytest.fixture(scope="module")
def build() -> duckdb.DuckDBPyConnection:
    """A build with the headline, an event study, a tie curve, placebo quantiles and a small
    specification curve.
    """
    rows = estimate_rows(HEADLINE, 0.0345) + estimate_rows("matching.cm_growth_official.weak", 0.01)
    for q, value in ((10, 0.02), (90, 0.05)):
        rows += estimate_rows(f"matching.cm_growth_official.q{q}", value)
    for e in (-3, -2, 0, 1):
        rows += estimate_rows(
            "dynamics.cm_growth_official.headline", 0.01 * e, term="event", event_time=e
        )
    choices = []
    for k in range(12):
        spec_id = f"specification_curve.cm_hp.v{k}"
        rows += estimate_rows(spec_id, 0.01 * (k - 4))
        choices.append(
            {
                "spec_id": spec_id,
                "outcome": "cm_hp",
                "measure": "cm",
                "series": "hp",
                "window": "2005-2019",
                "outcome_sd": 2.0,
            }
        )
        choices[-1] |= {
            "treatment_rule": "calendar_year",
            "tie_rule": "all" if k % 2 else "strong",
            "effects": "pair + year",
        }
        choices[-1] |= {"estimator": "twfe", "control_group": "never_in_window"}
    quantiles = [
        {
            "spec_id": HEADLINE,
            "diagnostic": f"permutation_quantile_{q:.3f}",
            "term": "treated",
            "value": q - 0.5,
        }
        for q in np.linspace(0, 1, 41)
    ]
    con = duckdb.connect()
    con.execute("create schema estimates")
    con.execute("create schema meta")
    truth = [
        {
            "spec_id": "dynamics.cm_growth_official.headline",
            "term": "event",
            "cohort_year": None,
            "event_time": 0,
            "truth": 0.02,
        }
    ]
    truth[0]["planted"] = None
    made = {
        "estimates.estimate": rows,
        "estimates.diagnostic": quantiles,
        "estimates.specification": choices,
        "estimates.truth": truth,
    }
    run = {"run_id": "r", "git_commit": "c", "started_at": "t", "is_simulated": True}
    for name, records in {**made, "meta.run": [run]}.items():
        con.register("incoming", pd.DataFrame(records))
        con.execute(f"create table {name} as select * from incoming")
    return con


def test_every_exhibit_is_written_with_the_same_bytes(build, tmp_path) -> None:
    first, second = write_exhibits(build, tmp_path / "a"), write_exhibits(build, tmp_path / "b")
    names = {path.name for path in first}
    figures = ("event_study", "forest", "threshold", "permutation_density", "specification_curve")
    assert {f"{name}.{kind}" for name in figures for kind in ("svg", "png")} <= names
    assert {
        f"{name}.{kind}" for name in ("headline", "ties") for kind in ("html", "tex", "docx", "csv")
    } <= names
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]
    curve = (tmp_path / "a/figures/specification_curve.svg").read_text()
    assert "12 specifications, median 0.007" in curve
    assert "tie_rule: strong" in curve
    assert "SIMULATED" in curve


def test_the_event_study_to_take_away_is_that_of_the_first_page(build, tmp_path) -> None:
    """One figure: the same points, intervals and labels, on the page and in the file (and so in the
    README).
    """
    write_exhibits(build, tmp_path)
    alone = (tmp_path / "figures/event_study.svg").read_text(encoding="utf-8")
    write_report(build, tmp_path / "report")
    page = (tmp_path / "report/index.html").read_text(encoding="utf-8")
    inside = page[page.index('id="event-study"') :]
    shapes = [
        re.findall(r'\sd="([^"]+)"', text[text.index("<svg") :].partition("</svg>")[0])
        for text in (alone, inside)
    ]
    assert len(shapes[0]) > 10
    assert shapes[0][1:] == shapes[1][1:]  # all but the sheet it is drawn on
    assert "change of synchronization (correlation units)" in alone and "before admission" in alone


def test_table_is_set_as_economists_set_it(build) -> None:
    """Estimate, error in parentheses, permutation p in brackets, then the sample; no star."""
    text = to_latex(build_table(read_report_data(build), Words("en"), "ties"))
    assert r"admission & -- & 0.0345 & -- & -- & -- & 0.0100 \\" in text
    assert r"{} & -- & (0.0100) & -- & -- & -- & (0.0100) \\" in text
    assert r"{} & -- & [0.210] & -- & -- & -- & [0.210] \\" in text
    assert r"pair-years & -- & 1,000 & -- & -- & -- & 1,000 \\" in text
    assert "SIMULATED" in text
    assert text.count("yes") == 4
    assert "*{6}" in text and "]*" not in text


@pytest.mark.parametrize(("p_value", "marked"), [(0.01, True), (0.2, False)])
def test_the_dagger_follows_the_primary_test_alone(p_value: float, marked: bool) -> None:
    """A two-way estimate with p 0.04 has no mark unless the primary test of its outcome rejects;
    parts of the split never have one.
    """
    frames = tables(primary_p=p_value)
    table = build_table(read_report_data(frames), Words("en"), "headline")
    cells = dict(table.rows)["admission"]
    assert [cell.mark for cell in cells] == [
        "†" if marked else "",
        "†" if marked else "",
        "",
        "",
        "",
        "",
    ]
    assert "†" in table.notes


def test_word_document_holds_the_table(build, tmp_path) -> None:
    write_exhibits(build, tmp_path)
    table = docx.Document(str(tmp_path / "tables/ties.docx")).tables[0]
    rows = [[cell.text for cell in row.cells] for row in table.rows]
    assert (
        rows[1][0] == "admission"
        and rows[1][2] == "0.0345"
        and rows[2][2] == "(0.0100)"
        and rows[3][2] == "[0.210]"
    )
    assert rows[-1][0] == "pilots"


def test_texts_are_escaped() -> None:
    table = JournalTable("a_b & <i>", ("50 %",), (("x^2 {y}", (Cell(r"\z"), Cell("~"))),), "n")
    assert r"a\_b \& <i>" in to_latex(table)
    assert r"x\textasciicircum{}2 \{y\}" in to_latex(table)
    assert "a_b &amp; &lt;i&gt;" in to_html(table)


def test_replication_files_hold_the_sample_that_gives_the_headline(tmp_path) -> None:
    """What Stata and R read gives the published coefficient; the scripts that say so lie
    beside it.
    """
    panel = random_panel(4, n_cities=24, n_pilots=8)
    kept = np.flatnonzero(panel.cohort >= 0)
    n_years = len(panel.years)
    pair = np.repeat(kept, n_years)
    year = np.tile(panel.years, len(kept))
    missing = {0: None}
    frame = pd.DataFrame(
        {"city_i_id": panel.city_i[pair] + 100, "city_j_id": panel.city_j[pair] + 100, "year": year}
    )
    frame["province_i_id"], frame["province_j_id"] = (
        panel.province[panel.city_i[pair]],
        panel.province[panel.city_j[pair]],
    )
    frame["is_treated"] = (panel.cohort[pair] > 0) & (year >= panel.cohort[pair])
    frame["cohort_year"] = pd.array([missing.get(c, c) for c in panel.cohort[pair]], dtype="Int64")
    for name, side in (("city_i_cohort_year", panel.city_i), ("city_j_cohort_year", panel.city_j)):
        frame[name] = pd.array(
            [missing.get(c, c) for c in panel.city_cohort[side[pair]]], dtype="Int64"
        )
    for name in (
        "cm_growth_official",
        "comove_growth_official",
        "dispersion_growth_official",
        "neg_abs_gap_growth_official",
    ):
        frame[name] = panel.y[0, kept].ravel()
    frame["cm_growth_deflated"] = np.nan
    result = fit_panel(panel, vcov=("conventional", "province_jackknife"), permutations=0)
    rows = [
        {
            "spec_id": HEADLINE,
            "outcome": "cm_growth_official",
            "term": "treated",
            "vcov": e.vcov,
            "estimate": e.estimate,
            "std_error": e.std_error,
        }
        for e in result.estimates
    ]
    con = duckdb.connect()
    for schema, table, data in (
        ("marts", "panel_pair_year", frame),
        ("estimates", "estimate", pd.DataFrame(rows)),
    ):
        con.register("incoming", data)
        con.execute(f"create schema {schema}")
        con.execute(f"create table {schema}.{table} as select * from incoming")
    folder = write_replication(con, tmp_path / "a")
    assert {path.name for path in folder.iterdir()} == {
        "panel_pair_year.dta",
        "headline.csv",
        "headline.R",
        "headline.do",
        "README.md",
    }
    read, published = (
        pd.read_stata(folder / "panel_pair_year.dta"),
        pd.read_csv(folder / "headline.csv"),
    )
    assert len(read) == len(frame)
    y, x = (
        read[name].to_numpy(dtype=float).reshape(-1, n_years)
        for name in ("cm_growth_official", "is_treated")
    )
    y, x = (v - v.mean(0) - v.mean(1, keepdims=True) + v.mean() for v in (y, x))
    assert (x * y).sum() / (x**2).sum() == pytest.approx(published["estimate"].iloc[0], abs=1e-12)
    again = write_replication(con, tmp_path / "b")
    assert (again / "panel_pair_year.dta").read_bytes() == (
        folder / "panel_pair_year.dta"
    ).read_bytes()
    con.execute("delete from estimates.estimate")
    assert write_replication(con, tmp_path / "c") is None
    assert not (tmp_path / "c").exists()
