"""Figures, forests, tile maps and tables to take away, and the replication files: their numbers,
their scale, their bytes, and what is left out when estimates lack.
"""

from xml.etree import ElementTree

import docx
import pandas as pd
import pytest
from PIL import Image

from estimation.report.cells import Row
from estimation.report.data import read_report_data
from estimation.report.exhibits import write_exhibits
from estimation.report.forest import build_forest
from estimation.report.journal_tables import build_table
from estimation.report.language import Words
from estimation.report.replication_files import KEYS, OUTCOMES, REPRODUCED, write_replication
from estimation.report.site import write_report
from estimation.report.tiles import GAP, HEAD, TILE, build_tiles
from estimation.table_formats import to_latex
from tests.estimation.report.fabricated import full, tables
from tests.estimation.report.sites import database


@pytest.fixture(scope="module")
def build():
    return database(full(is_simulated=True))


def test_every_exhibit_is_written_with_the_same_bytes(build, tmp_path):
    data = read_report_data(build)
    first, second = write_exhibits(data, tmp_path / "a"), write_exhibits(data, tmp_path / "b")
    figures = ("answer_axis", "event_study", "threshold")
    names = {"card.png", *(f"{name}.svg" for name in figures)}
    names |= {f"{name}.{kind}" for name in ("headline", "ties") for kind in ("html", "tex", "csv")}
    assert names <= {path.name for path in first}
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]
    for picture in first[: len(figures)]:
        ElementTree.fromstring(picture.read_text(encoding="utf-8"))
        assert "SIMULATED" in picture.read_text(encoding="utf-8")
    with Image.open(tmp_path / "a/figures/card.png") as picture:
        assert picture.size == (1200, 630) and len(picture.getcolors(1 << 16)) > 2
    write_report(build, tmp_path / "a", address="https://host/report")
    page = (tmp_path / "a/zh/index.html").read_text(encoding="utf-8")
    assert '"og:image" content="https://host/report/figures/card.png"' in page
    table = docx.Document(str(tmp_path / "a/tables/ties.docx")).tables[0]
    cells = [[cell.text for cell in row.cells] for row in table.rows]
    assert cells[2][0] == "admission" and cells[-1][0] == "pilots"
    assert [row[2] for row in cells[2:5]] == ["0.0712", "(0.0123)", "[0.020]"]
    chinese = docx.Document(str(tmp_path / "a/tables/ties_zh.docx")).tables[0]
    assert chinese.rows[2].cells[0].text == "获批"
    assert "tables/headline_zh.docx" in page and "tables/headline.docx" not in page


def test_table_is_set_as_economists_set_it(build):
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
def test_the_dagger_follows_the_primary_test_alone(p_value, marked):
    """A two-way estimate with p 0.04 has no mark unless the primary test of its outcome rejects;
    parts of the split never have one.
    """
    frames = tables(primary_p=p_value)
    table = build_table(read_report_data(database(frames)), Words("en"), "headline")
    marks = [cell.count("†") for cell in dict(table.rows)["admission"]]
    assert marks == [marked, marked, 0, 0, 0, 0] and "†" in table.notes[0]


def test_replication_files_hold_the_sample_and_the_headline(tmp_path):
    """What Stata and R read is the sample, in their types; the scripts lie beside it."""
    sample = pd.DataFrame(
        {name: [0.1, None] if name in OUTCOMES else [110000, 120000] for name in [*KEYS, *OUTCOMES]}
    ).assign(is_treated=[True, False], cohort_year=pd.array([2015, None], "Int64"), year=2016)
    panel = sample.assign(is_study_window=True)
    later = panel.assign(is_study_window=False)
    con = database(tables() | {"marts.panel_pair_year": pd.concat([panel, later])})
    folder, again = (write_replication(con, tmp_path / name) for name in ("a", "b"))
    files = {"panel_pair_year.dta", "baseline.csv", "baseline.R", "baseline.do", "README.md"}
    assert {path.name for path in folder.iterdir()} == files
    read = pd.read_stata(folder / "panel_pair_year.dta")
    pd.testing.assert_frame_equal(read, sample, check_dtype=False)
    published = pd.read_csv(folder / "baseline.csv")
    assert set(published["vcov"]) == set(REPRODUCED) and set(published["estimate"]) == {0.0712}
    written = [(one / "panel_pair_year.dta").read_bytes() for one in (folder, again)]
    assert written[0] == written[1]
    con.execute("delete from estimates.estimate")
    assert write_replication(con, tmp_path / "c") is None and not (tmp_path / "c").exists()


def row(estimate: float, low: float, high: float, **more: object) -> Row:
    """A coefficient with its default and its permutation interval."""
    made = {"estimate": estimate, "ci_low": low, "ci_high": high, "vcov": "province_jackknife"}
    drawn = {"p_permutation": 0.5, "low_permutation": low, "high_permutation": high}
    return Row({**made, **drawn, "p_value": 0.5, "n_pilots": 30, "truth": None, **more})


def test_rows_share_one_scale_and_a_wide_interval_ends_in_an_arrow():
    rows = [
        ("a", "", row(0.02, -0.05, 0.09, n_pilots=4)),
        ("b", "", row(0.04, -0.02, 0.1)),
        ("c", "", row(-0.03, -0.1, 0.04)),
    ]
    wide = ("wide", "", row(0.05, -5.0, 0.2))
    forest = build_forest([*rows, wide])
    ends = [(item["bar"]["left"], item["bar"]["right"], item["few"]) for item in forest.rows]
    assert ends == 3 * [(False, False, False)] + [(True, False, False)]
    positions = [item["x"] for item in forest.rows]
    slope = (positions[1] - positions[0]) / 0.02
    assert positions[2] == pytest.approx(positions[0] - 0.05 * slope, abs=0.3)
    assert forest.zero == pytest.approx(positions[0] - 0.02 * slope, abs=0.3)
    # an estimate of few pilots has no interval to draw
    few = row(0.1, None, None, n_pilots=2)
    (shown,) = build_forest([("few", "", few), ("none", "", Row(estimate=None))]).rows
    assert shown["few"] and shown["bar"] is None and shown["thin"] is None


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"p_value_family": 0.04}, True),
        ({"p_value": 0.01, "p_value_family": 0.06}, False),
        ({"p_value": 0.01, "p_value_family": None}, False),
    ],
)
def test_a_row_is_marked_by_the_p_of_its_family(more, told):
    """Whatever its own p and interval are; without a family never."""
    (shown,) = build_forest([("a", "", row(0.1, -0.1, 0.3, **more))]).rows
    assert shown["rejects"] is told


def test_every_city_stands_in_the_tile_of_its_province():
    """Also many counties, and a province that the layout does not know; no two squares overlap."""
    names = {110000: "Beijing", 330000: "Zhejiang", 440000: "Guangdong", 990000: "elsewhere"}
    cities = [
        Row(province_id=code, lat_deg=20.0 + k, lon_deg=100.0 + k % 7)
        for code in names
        for k in range(30 if code == 440000 else 3)
    ]
    made = build_tiles(cities, names)
    tiles = {tile["name"]: tile for tile in made["tiles"]}
    for k, (square, city) in enumerate(zip(made["squares"], cities, strict=True)):
        tile = tiles[names[city["province_id"]]]
        assert square["k"] == k
        for side, start in (("x", tile["x"]), ("y", tile["y"] + HEAD)):
            assert start <= square[side] and square[side] + square["side"] <= start + TILE + 1
    assert min(tile["x"] for tile in made["tiles"]) == GAP
    assert len({(square["x"], square["y"]) for square in made["squares"]}) == len(cities)
    assert made["squares"][2]["y"] == min(s["y"] for s in made["squares"][:3]), "north is up"
