"""The site on fabricated tables: self-contained, true to the numbers given, safe against delivered text, the same bytes twice."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from html.parser import HTMLParser

import duckdb
import numpy as np
import pandas as pd
import pytest

from estimation.analyses.without_p import why_no_p
from estimation.report import city_files
from estimation.report.csv_files import guard
from estimation.report.data import read_report_data
from estimation.report.figures import event_study_svg
from estimation.report.forest import both_reject
from estimation.report.map_points import project
from estimation.report.primary_answer import primary_answer
from estimation.report.queries import QUERIES
from estimation.report.site import write_report
from tests.estimation.report.fabricated import HEADLINE, HOSTILE, changes, estimate_rows, tables


def site_of(frames, tmp_path, name: str = "report") -> dict[str, str]:
    """Text of every file of the site, by its path."""
    write_report(frames, tmp_path / name)
    files = sorted(path for path in (tmp_path / name).rglob("*") if path.is_file())
    return {path.relative_to(tmp_path / name).as_posix(): path.read_bytes().decode("utf-8") for path in files}


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> dict[str, str]:
    """The site of delivered files whose co-movement carries the rise."""
    return site_of(tables(), tmp_path_factory.mktemp("page"))


@pytest.fixture(scope="module")
def simulated(tmp_path_factory) -> dict[str, str]:
    """The same numbers, said to be simulated."""
    return site_of(tables(is_simulated=True), tmp_path_factory.mktemp("page"))


def test_the_quality_page_shows_what_a_new_edition_changed(site, tmp_path) -> None:
    section = site["quality.html"].partition('id="changes"')[2].partition("</section>")[0]
    rows = [re.sub(r"<[^>]+>", " ", row).split() for row in section.split("<tr>") if HEADLINE in row or "robustness.x.y" in row]
    assert rows == [
        [HEADLINE, "treated", "0.05", "0.0712", "−0.53", "0.2", "0.0345"],
        ["robustness.x.y", "treated", "0.1", "0.9", "+8.00", "0.2", "0.0345"],
    ]
    assert "1,234" in section and "2 estimates moved" in section
    frames = {name: frame.iloc[:0] if name in changes() else frame for name, frame in tables().items()}
    assert "No estimate moved" in site_of(frames, tmp_path)["quality.html"]


def pages_of(site: dict[str, str]) -> dict[str, str]:
    return {name: text for name, text in site.items() if name.endswith(".html")}


class Tags(HTMLParser):
    """Start tags with their attributes, and the text a reader sees."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict]] = []
        self.words: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def test_every_page_loads_nothing_but_its_own_files_and_is_small(site, simulated) -> None:
    for name, page in [*pages_of(site).items(), *pages_of(simulated).items()]:
        assert len(page.encode()) < 1_500_000, name
        assert not re.search(r"https?://", page)
        for tag, attributes in Tags(page).tags:
            assert tag not in {"link", "iframe", "object", "embed", "base"}
            assert tag != "script" or not attributes.keys() & {"src"}
            for key, value in attributes.items():
                assert not key.startswith("on")
                if key in {"src", "href", "srcset", "poster", "action"}:
                    path = value.split("#")[0]
                    known = path in site or path in ("", "../manifest.json", "../data_docs/index.html")
                    assert known or value.startswith("data:image/"), (name, value)


def test_policy_of_a_page_admits_its_own_script_only(site) -> None:
    """The hash in the page's policy is that of its one script; scripts never set markup."""
    for name, page in pages_of(site).items():
        scripts = re.findall(r"<script>(.*?)</script>", page, flags=re.DOTALL)
        assert len(scripts) == 1, name
        digest = base64.b64encode(hashlib.sha256(scripts[0].encode()).digest()).decode()
        assert f"script-src 'sha256-{digest}' 'self' file:\"" in page
        assert not re.search(r"innerHTML|outerHTML|insertAdjacent|document\.write|\beval\(|new Function", scripts[0])


@pytest.mark.parametrize(
    ("page", "numbers"),
    [
        (
            "index.html",
            ["+0.071", "254", "+0.093", "−0.022", "74%", "−0.014", "Guangdong 广东省", "+0.015", "332 cities", "34 pilots"],
        ),
        ("estimates.html", ["+0.071", "0.012", "153,230", "55 pilots", "0.047 to 0.096", "+0.093"]),
        ("quality.html", ["unit_factor", "9,900 %", "25.00 %", "2016 → 2017", "warned", "B7"]),
        ("events.html", ["event +1", "+0.010"]),
        ("curve.html", ["4 specifications"]),
        ("dictionary.html", ["marts.fct_indicator_observation", "单元格", "地区生产总值"]),
    ],
)
def test_pages_hold_the_numbers_given(site, page: str, numbers: list[str]) -> None:
    text = Tags(site[page]).text
    assert [number for number in numbers if number not in text] == []


SAID = {
    "found": ({"primary_p": 0.01}, ["Synchronization rose", "+0.015", "from about 0.73", "from about 0.069 on"], ["No change was found"]),
    "found, fell": ({"primary_p": 0.01, "primary_estimate": -0.08}, ["Synchronization fell", "−0.080"], ["rose"]),
    "could not have been": ({}, ["No change was found", "A small change could not have been found", "86% of samples"], ["rose", "fell:"]),
    "could have been": ({"smallest": 0.048}, ["No change was found", "It could have been found", "0.048"], ["could not have been"]),
    "no verdict": ({"primary_p": None}, ["No answer. No verdict: 2 pilots"], ["Synchronization", "No change"]),
    "placebo fails": ({}, ["did not move in parallel", "8 years back: −0.200"], ["nothing shows"]),
    "placebo passes": ({"joint_p": 0.4}, ["nothing shows that pilots moved apart"], ["in parallel"]),
    "study's form": ({}, ["The study's own form", "+0.030", "shows an effect", "p = 0.350", "p = 0.120 by permutation"], []),
    "channels": ({}, ["own shocks changed by −30%", "loading on the national cycle by +0.10"], []),
}


@pytest.mark.parametrize("case", SAID)
def test_page_one_answers_with_the_primary_test(case: str) -> None:
    """Verdict, what could have been found, channels, the study's form and the placebo, each only where the tables say so."""
    change, said, unsaid = SAID[case]
    text = " ".join(primary_answer(read_report_data(tables(**change))))
    assert [words for words in said if words not in text] == []
    assert [words for words in unsaid if words in text] == []


def test_without_the_primary_test_page_one_gives_no_answer() -> None:
    frames = {name: frame for name, frame in tables().items() if name != "estimates.primary"}
    assert "gives no answer" in " ".join(primary_answer(read_report_data(frames)))


def test_simulated_is_said_and_the_truth_shown(site, simulated) -> None:
    assert "the truth of this change is 0.057, and the interval covers it" in Tags(simulated["index.html"]).text
    assert sum(page.count("SIMULATED") for page in pages_of(simulated).values()) >= simulated["index.html"].count("<figure>") > 2
    for name, page in pages_of(simulated).items():
        assert "Simulated data 模拟数据" in page, name
        assert "<title>[simulated]" in page
    for name, page in pages_of(site).items():
        assert "simulated 模拟" not in Tags(page).text
        assert name == "dictionary.html" or "truth" not in Tags(page.split("<script")[0].split("</style>")[1]).text


def test_delivered_text_stays_text(site) -> None:
    """In pages, in the JSON inside them, in the cities' scripts and in files for spreadsheets."""
    for page in pages_of(site).values():
        assert "<script>alert" not in page
        assert not re.search(r"alert\(.x.\)</script>49", page)
    assert HOSTILE in Tags(site["quality.html"]).text
    assert HOSTILE in Tags(site["provenance.html"]).text
    for block in re.findall(r'<script type="application/json"[^>]*>(.*?)</script>', site["city.html"], flags=re.DOTALL):
        assert HOSTILE in json.dumps(json.loads(html.unescape(block)), ensure_ascii=False).replace('\\"', '"')
    assert "\n,'=cmd()" not in site["data/conflicts.csv"]


def handed_over(text: str) -> tuple[str, object]:
    """Name and object of a city's script."""
    name, value = re.fullmatch(r'citysync\.put\("([a-z]+/\d+)",(.*)\);\n', text, flags=re.DOTALL).groups()
    return name, json.loads(value)


def test_a_city_file_leads_from_a_number_to_its_cell(site) -> None:
    name, found = handed_over(site["data/values/110000.js"])
    assert name == "values/110000"
    catalog = json.loads(re.search(r'id="catalog">(.*?)</script>', site["city.html"], flags=re.DOTALL).group(1))
    current, other = found["values"]["0"]
    assert catalog["indicators"][0] == {"id": "gdp_nominal_cny_100m", "en": HOSTILE, "zh": "地区生产总值"}
    assert current[:3] == [2015, 23014.5, 0]
    assert (current[4], current[5] % 2, current[6]) == ("D7", 1, HOSTILE)
    assert catalog["locations"][current[3]] == ["tidy", 2021, HOSTILE, None, "亿元", "cny_100m"]
    assert catalog["flags"][current[5] // 2] == ["warned", "sign"]
    assert other[:3] == [2015, 22968.6, HOSTILE]
    assert catalog["locations"][other[3]] == ["=cmd()", None, "b.csv", HOSTILE, None, "cny_100m"]
    assert other[5] % 2 == 0
    assert found["growth"] == [[2015, 6.7, None, "tidy", 2021, None]]


def test_a_city_file_holds_its_synchronization_with_every_other_city(site) -> None:
    ids = json.loads(re.search(r'id="cities">(.*?)</script>', site["map.html"], flags=re.DOTALL).group(1))["ids"]
    meta = json.loads(re.search(r'id="sync">(.*?)</script>', site["map.html"], flags=re.DOTALL).group(1))
    cubes = {}
    for city in ids:
        _, text = handed_over(site[f"data/sync/{city}.js"])
        cubes[city] = np.frombuffer(base64.b64decode(text), "<i2").reshape(len(meta["measures"]), len(meta["years"]), len(ids))
    expected = np.round(1000 * 0.1 * np.arange(10)).astype(int)  # the fabricated path of Beijing and Guangzhou
    assert cubes[110000][0, :, ids.index(440100)].tolist() == expected.tolist()
    assert cubes[440100][0, :, ids.index(110000)].tolist() == expected.tolist()
    assert (cubes[110000][0, :, ids.index(110000)] == city_files.MISSING).all()
    assert (cubes[440100][0, :, ids.index(330100)] == city_files.MISSING).all()


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@x", "'@x"),
        ("\t=1", "'\t=1"),
        ("  =1", "'  =1"),
        ("＝1", "'＝1"),
        ("北京", "北京"),
        (-1.5, "-1.5"),
        (np.float64(-0.1), "-0.1"),
        (None, ""),
        (float("nan"), ""),
        (pd.NA, ""),
        (np.int64(-3), "-3"),
        (True, "true"),
    ],
)
def test_no_cell_of_a_download_is_a_formula(value: object, cell: str) -> None:
    """Numbers stay numbers, also negative ones."""
    assert guard(value) == cell


def test_map_keeps_areas_and_directions() -> None:
    """Albers' projection: an equal-area map, so a degree cell's area is that on the sphere."""
    for lon, lat in ((90.0, 45.0), (110.0, 20.0), (125.0, 50.0)):
        step = 1e-4
        x, y = project(np.array([lon, lon + step, lon]), np.array([lat, lat, lat + step]))
        area = abs((x[1] - x[0]) * (y[2] - y[0]) - (x[2] - x[0]) * (y[1] - y[0]))
        assert area == pytest.approx(np.deg2rad(step) ** 2 * np.cos(np.deg2rad(lat)), rel=1e-5)
        assert x[1] > x[0] and y[2] < y[0]


def test_any_analysis_gets_its_page(tmp_path) -> None:
    """Also one whose name is hostile, or differs from another's only in letters that a file name cannot keep."""
    frames = tables()
    rows = pd.DataFrame(estimate_rows("heterogeneity.cm_growth_official.east", 0.02, 0.01, 0.2))
    named = [rows.assign(analysis=name, spec_id=f"{name}.cm_growth_official.east") for name in ("heterogeneity", "../x", "..\\x", HOSTILE)]
    frames["estimates.estimate"] = pd.concat([frames["estimates.estimate"], *named]).astype({"event_time": "Int64", "cohort_year": "Int64"})
    made = pages_of(site_of(frames, tmp_path))
    assert {"analysis-heterogeneity.html", "analysis-x.html", "analysis-x-2.html"} <= made.keys()
    text = Tags(made["analysis-heterogeneity.html"]).text
    assert "异质性" in text
    assert "+0.020" in text
    assert all(name in made["index.html"] for name in ("analysis-x.html", "analysis-x-2.html"))
    assert all("<script>alert" not in page for page in made.values())


def test_curve_is_built_from_its_table_where_there_is_one(tmp_path) -> None:
    frames = tables()
    ids = [f"specification_curve.cm_growth_official.s{k}" for k in range(6)]
    rows = [row for k, spec_id in enumerate(ids) for row in estimate_rows(spec_id, 0.01 * (3 - k), 0.2, 0.3)]
    extra = pd.DataFrame(rows).astype({"event_time": "Int64", "cohort_year": "Int64"})
    frames["estimates.estimate"] = pd.concat([frames["estimates.estimate"], extra])
    choices = {"spec_id": ids, "outcome": "cm", "series": ["official", "deflated"] * 3, "window": "2010-2019", "treatment_rule": "a"}
    choices |= {"tie_rule": ["all", "strong", HOSTILE] * 2, "effects": "pair and year", "estimator": "twfe", "control_group": "never"}
    frames["estimates.specification"] = pd.DataFrame(choices)
    made = site_of(frames, tmp_path)
    found = json.loads(re.search(r'id="curve-data">(.*?)</script>', made["curve.html"], flags=re.DOTALL).group(1))
    assert found["spec_id"] == ids[::-1]
    assert found["estimate"] == sorted(found["estimate"])
    ties = next(dimension for dimension in found["dimensions"] if dimension["name"] == "tie_rule")
    assert [ties["levels"][k] for k in ties["of"]] == choices["tie_rule"][::-1]
    assert "analysis-specification-curve.html" not in made
    assert "No curve was run here" not in Tags(made["curve.html"]).text


def test_policy_page_is_linked_where_there_are_clauses(site, tmp_path) -> None:
    assert "policy.html" not in site["index.html"]
    frames = tables() | {"marts.fct_policy_clause": pd.DataFrame({"document_id": ["d"], "clause_no": [1]})}
    assert 'href="policy.html"' in site_of(frames, tmp_path)["index.html"]


def test_same_input_gives_the_same_bytes(simulated, tmp_path) -> None:
    """Also when rows come in another order, and from a file instead of frames."""
    frames = tables(is_simulated=True)
    assert site_of({name: frame.iloc[::-1] for name, frame in frames.items()}, tmp_path, "second") == simulated
    with duckdb.connect(str(tmp_path / "p.duckdb")) as con:
        for name, frame in frames.items():
            con.register("incoming", frame)
            con.execute(f"create schema if not exists {name.split('.')[0]}")
            con.execute(f"create table {name} as select * from incoming")
    assert site_of(tmp_path / "p.duckdb", tmp_path, "third") == simulated


@pytest.mark.parametrize("missing", ["rows", "tables"])
def test_page_of_a_landing_that_gave_almost_nothing(tmp_path, missing: str) -> None:
    """Six cities of a bare level: no sample, no estimates; the page says so."""
    frames = tables()
    empty = {
        "marts.panel_pair_year",
        "estimates.estimate",
        "estimates.diagnostic",
        "estimates.warning",
        "marts.dim_pilot_zone",
        "quality.expectation_result",
    }
    empty |= {"estimates.primary"}
    frames["estimates.not_run"] = frames["estimates.not_run"].assign(spec_id="primary.cm_growth_official.study_window")
    thin = {name: frame.iloc[:0] if name in empty else frame for name, frame in frames.items() if missing == "rows" or name not in empty}
    made = site_of(thin, tmp_path)
    assert "The primary test was not run: needs population_resident_10k." in Tags(made["index.html"]).text
    assert "No headline was estimated" in Tags(made["estimates.html"]).text
    text = Tags(made["time.html"]).text
    assert "means over all pairs of its cities" in text
    assert "all pairs (2 pairs)" in text
    assert ("data/sync/110000.js" in made) == (missing == "rows")
    nothing = site_of({}, tmp_path, "nothing")
    assert "This landing gives no answer to the question." in Tags(nothing["index.html"]).text
    assert "There are no cities to show." in Tags(nothing["map.html"]).text


def test_event_study_picture_stands_alone() -> None:
    """Orchestration shows it by itself; a spec without events has none."""
    estimates = tables()["estimates.estimate"]
    svg = event_study_svg(estimates, "dynamics.cm_growth_official.headline")
    assert svg.startswith("<svg")
    assert 'xmlns="http://www.w3.org/2000/svg"' in svg
    assert event_study_svg(estimates, HEADLINE) is None


def test_every_query_names_columns_that_exist(tmp_path) -> None:
    """The empty answer of a missing table has the columns of the real one."""
    with duckdb.connect() as con:
        for name, frame in tables().items():
            con.register("incoming", frame)
            con.execute(f"create schema if not exists {name.split('.')[0]}")
            con.execute(f"create table {name} as select * from incoming")
        for name, query in QUERIES.items():
            if name in ("specification", "policy"):  # tables of these do not stand in the small publication
                continue
            assert [column[0] for column in con.execute(query.sql).description] == query.columns.split(", ")


def test_parts_without_p_show_their_estimate_and_the_reason(tmp_path) -> None:
    frames = tables()
    estimate = frames["estimates.estimate"].copy()
    is_part = estimate["outcome"].str.startswith(("comove_", "dispersion_"))
    estimate.loc[is_part, ["std_error", "ci_low", "ci_high", "p_value"]] = None
    pages = site_of(frames | {"estimates.estimate": estimate}, tmp_path)
    card = pages["estimates.html"].partition("co-movement 共动")[2].partition("</article>")[0]
    row = re.sub(r"<[^>]+>", " ", card.partition("</tr>")[0]).split()
    assert row == ["+0.093", "–", "–", "–"]
    assert html.escape(why_no_p("comove")) in card.replace("&#39;", "&#x27;")
    said = "Split: the coefficient is exactly +0.093 co-movement and −0.022 dispersion. Estimate alone"
    assert any(said in page for page in pages.values())


@pytest.mark.parametrize(
    ("line", "p_default", "p_permutation", "said"),
    [
        ("province_jackknife", 0.01, 0.02, "yes"),
        ("province_jackknife", 0.01, 0.06, "no"),
        ("city", 0.06, 0.01, "no"),
        ("permutation", 0.01, 0.01, "one line"),
        ("province_jackknife", None, 0.01, "–"),
        ("city", 0.01, float("nan"), "–"),
    ],
)
def test_both_is_said_of_two_lines_alone(line, p_default, p_permutation, said) -> None:
    assert both_reject(line, p_default, p_permutation) == said
