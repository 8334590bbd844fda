"""The site on fabricated tables: self-contained, equal to them, safe against delivered text, whole in each language, the same bytes."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest
import yaml

from estimation.analyses import radiation
from estimation.analyses.catalog import all_specs, primary_specs
from estimation.analyses.without_p import REASON_BY_MEASURE, why_no_p
from estimation.report import city_files, language
from estimation.report.csv_files import guard
from estimation.report.data import open_source, read_report_data
from estimation.report.figures import event_study_svg
from estimation.report.old_pages import MOVED, PARTS
from estimation.report.pages.catalog import PAGES
from estimation.report.pages.policy import marked
from estimation.report.policy_data import read_policy_data
from estimation.report.queries import QUERIES
from estimation.report.site import render_site, write_report
from tests.estimation.report.fabricated import HEADLINE, HOSTILE, changes, full, tables
from tests.estimation.report.numbers import Numbers, mismatches
from warehouse.publication.change_queries import CURRENT_CHANGE

ROOT = Path(language.__file__).parents[2]
SLUGS = ("index", "robust", "whom", "cities", "policy", "data", "methods")
FIRST_PAGE_BYTES, PAGE_BYTES = 200_000, 1_500_000


def site_of(frames, tmp_path, name: str = "report") -> dict[str, str]:
    """Text of every file of the site, by its path."""
    write_report(frames, tmp_path / name)
    files = sorted(path for path in (tmp_path / name).rglob("*") if path.is_file())
    return {path.relative_to(tmp_path / name).as_posix(): path.read_bytes().decode("utf-8") for path in files}


def database(frames: dict[str, pd.DataFrame]) -> duckdb.DuckDBPyConnection:
    con = duckdb.connect()
    for name, frame in frames.items():
        con.register("incoming", frame)
        con.execute(f"create schema if not exists {name.split('.')[0]}")
        con.execute(f"create table {name} as select * from incoming")
    return con


def page_of(frames: dict[str, pd.DataFrame], wanted: str) -> str:
    """One page in English, without the files of the cities: a page is drawn when it is asked for."""
    catalogs = {"sync": {"measures": [], "years": []}, "values": {"places": [], "indicators": [], "locations": [], "flags": []}}
    with open_source(frames) as con:
        data, catalogs["policy"] = read_report_data(con), read_policy_data(con)
    return next(page for name, page in render_site(data, catalogs, "en") if name == wanted)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("pages")


@pytest.fixture(scope="module")
def site(folder) -> dict[str, str]:
    """The site of delivered files."""
    return site_of(full(), folder, "delivered")


@pytest.fixture(scope="module")
def simulated(folder) -> dict[str, str]:
    """The same numbers, said to be simulated."""
    return site_of(full(is_simulated=True), folder, "simulated")


def pages_of(site: dict[str, str]) -> dict[str, str]:
    return {name: text for name, text in site.items() if name.endswith(".html") and name.removesuffix(".html") not in MOVED}


class Tags(HTMLParser):
    """Start tags with their attributes, and the text a reader sees."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict]] = []
        self.words: list[str] = []
        self._silent = 0
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self._silent += tag in ("script", "style", "pre")

    def handle_endtag(self, tag):
        self._silent -= tag in ("script", "style", "pre")

    def handle_data(self, data):
        if not self._silent:
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def test_seven_pages_in_each_language(site) -> None:
    assert set(pages_of(site)) == {f"{slug}.html" for slug in SLUGS} | {f"zh/{slug}.html" for slug in SLUGS}
    assert tuple(page.slug for page in PAGES) == ("index", "robust", "whom", "cities", "policy", "data", "methods")


def test_old_addresses_lead_to_parts_that_exist(site) -> None:
    """With scripts, without them and for a reader of either language; nothing but its own script is run."""
    assert not set(MOVED) & set(SLUGS) and set(PARTS) <= set(MOVED)
    for slug in MOVED:
        page = site[f"{slug}.html"]
        parts = json.loads(html.unescape(re.search("data-parts='(.*?)'", page).group(1)))
        assert parts == PARTS.get(slug, {})
        shown = re.findall('(?:href|url)="?=?"?([^"]+)"', page.replace("url=", 'url="'))
        assert MOVED[slug] in shown and f"zh/{MOVED[slug]}" in shown
        for target in (*shown, *parts.values()):
            path, _, part = target.partition("#")
            assert f'id="{part}"' in site[path], target
        script = re.search(r"<script>(.*?)</script>", page, flags=re.DOTALL).group(1)
        assert f"script-src 'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'\"" in page


def test_every_page_loads_nothing_but_its_own_files_and_is_small(site, simulated) -> None:
    for name, page in [*pages_of(site).items(), *pages_of(simulated).items()]:
        assert len(page.encode()) < PAGE_BYTES, name
        assert not re.search(r"https?://", page), name
        up = "../" if name.startswith("zh/") else ""
        for tag, attributes in Tags(page).tags:
            assert tag not in {"link", "iframe", "object", "embed", "base"}
            for key, value in attributes.items():
                assert not key.startswith("on")
                if key in {"src", "href", "srcset", "poster", "action"}:
                    path = value.split("#")[0]
                    inside = path.removeprefix(up) if path.startswith(up) else f"zh/{path}"
                    known = inside in site or bool(up and f"zh/{path}" in site)
                    known = known or path in ("", f"{up}../manifest.json", f"{up}../data_docs/index.html")
                    assert known or value.startswith("data:image/"), (name, value)
    for page in (site["index.html"], site["zh/index.html"]):
        assert len(re.sub(r"<svg.*?</svg>", "", page, flags=re.DOTALL).encode()) < FIRST_PAGE_BYTES


def test_policy_of_a_page_admits_its_own_script_only(site) -> None:
    """The hash in the page's policy is that of its one inline script; our scripts never set markup."""
    for name, page in pages_of(site).items():
        scripts = re.findall(r"<script>(.*?)</script>", page, flags=re.DOTALL)
        assert len(scripts) == 1, name
        digest = base64.b64encode(hashlib.sha256(scripts[0].encode()).digest()).decode()
        assert f"script-src 'sha256-{digest}' 'self' file:\"" in page
        assert not re.search(r"innerHTML|outerHTML|insertAdjacent|document\.write|\beval\(|new Function", scripts[0])


def test_libraries_are_those_that_were_published(site) -> None:
    """The vendored files are the registry's, byte for byte: their hashes stand beside them with licence and origin."""
    vendor = Path(language.FOLDER) / "vendor"
    listed = yaml.safe_load((vendor / "vendor.yml").read_text(encoding="utf-8"))
    for name, about in listed.items():
        content = (vendor / name).read_bytes()
        assert hashlib.sha256(content).hexdigest() == about["sha256"], name
        assert (vendor / about["licence_file"]).read_text(encoding="utf-8").startswith("Copyright"), name
        assert site[f"assets/{name}"].encode() == content
    assert {path.name for path in vendor.glob("*.js")} == set(listed)


@pytest.mark.parametrize("kind", ["delivered", "simulated"])
def test_every_number_is_that_of_its_query(kind: str, folder, site, simulated) -> None:
    count, wrong = mismatches(database(full(is_simulated=kind == "simulated")), folder / kind)
    assert wrong == []
    assert count > 500
    held = {ref.partition("?")[0] for page in pages_of(site).values() for ref, *_ in Numbers(page).found}
    assert {
        "primary",
        "coefficient",
        "claim",
        "placebo",
        "power",
        "coverage",
        "sources",
        "flags",
        "without_province",
        "curve_summary",
    } <= held


def test_a_number_that_differs_is_seen(folder, site) -> None:
    """The reader of pages is no rubber stamp."""
    frames = full()
    frames["estimates.claim"] = frames["estimates.claim"].assign(estimate=0.9)
    _, wrong = mismatches(database(frames), folder / "delivered")
    assert any("claim?claim_id=net_effect estimate: page '+0.015', table '+0.900'" in line for line in wrong)


def test_every_number_leads_to_its_sql(site) -> None:
    for name, page in pages_of(site).items():
        shown = set(re.findall(r'<pre data-query="(\w+)"', page))
        assert {ref.partition("?")[0] for ref, *_ in Numbers(page).found} <= shown, name


def test_every_chart_has_axis_titles_alternative_text_and_data(site) -> None:
    n_charts = 0
    for name, page in pages_of(site).items():
        for chart in re.findall(r'<figure class="chart.*?</figure>', page, flags=re.DOTALL):
            n_charts += 1
            if 'id="tiles"' in chart:  # a map: no axes
                assert 'role="img" aria-label="' in chart and "data/cities.csv" in chart
                continue
            if "-picture" in chart:  # drawn in the page: tests/browser holds it to the same
                continue
            assert "data/" in chart or 'class="chart" id="mix"' in chart, (name, chart[:200])
            if 'class="bars"' in chart:
                continue
            assert 'role="img" aria-label="' in chart, (name, chart[:200])
            titled = ("axis-x" in chart and "axis-y" in chart) or 'class="axis axis-title"' in chart
            assert titled, (name, chart[:200])
    assert n_charts >= 30


def test_both_languages_are_whole(site) -> None:
    """Every phrase stands in both languages with the same open places, and no English sentence on a Chinese page."""
    english = []
    for group, phrases in language.book().items():
        for key, (en, zh) in phrases.items():
            assert en and zh, (group, key)
            assert set(re.findall(r"\{(\w+)\}", en)) == set(re.findall(r"\{(\w+)\}", zh)), (group, key)
            if len(en.split()) >= 4 and en != zh and "{" not in en and "<" not in en:
                english.append(en)
    for slug in SLUGS:
        text = Tags(site[f"zh/{slug}.html"]).text
        labels = " ".join(
            value or "" for _, of in Tags(site[f"zh/{slug}.html"]).tags for key, value in of.items() if key in ("aria-label", "placeholder")
        )
        assert [phrase for phrase in english if phrase in text or phrase in labels] == [], slug
        assert '<html lang="zh-Hans"' in site[f"zh/{slug}.html"]
        assert f'href="../{slug}.html">English' in site[f"zh/{slug}.html"]
        assert f'href="zh/{slug}.html">中文' in site[f"{slug}.html"]


SAID = {
    "found": (
        {"primary_p": 0.01},
        ["Synchronization rose after admission", "+0.015", "from about 0.73", "about 0.069 on"],
        ["No detectable"],
    ),
    "found, fell": ({"primary_p": 0.01, "primary_estimate": -0.08}, ["Synchronization fell after", "−0.080"], ["rose"]),
    "could not have been": ({}, ["No detectable change", "Only if large", "86%"], ["rose", "fell after"]),
    "could have been": ({"smallest": 0.048}, ["No detectable change", "Yes: changes from about 0.048"], ["Only if large"]),
    "no verdict": ({"primary_p": None}, ["No answer: the sample does not identify", "2 pilots have a never-pilot"], ["No detectable"]),
    "placebo fails": ({}, ["pilots do move apart from their peers", "joint p 0.030"], ["nothing shows"]),
    "placebo passes": ({"joint_p": 0.4}, ["nothing shows that pilots had moved apart"], ["parallel trends"]),
    "ruled out": (
        {},
        ["Changes above +0.075 and below −0.035 are ruled out", "332 cities with growth in every year, 34 pilots among them"],
        [],
    ),
}


@pytest.mark.parametrize("case", SAID)
def test_the_first_screen_answers_with_the_primary_test(case: str) -> None:
    """Verdict, how sure, what could have been found, the placebo, each only where the tables say so."""
    change, said, unsaid = SAID[case]
    text = Tags(page_of(tables(**change), "index.html")).text.partition("The study's claims")[0]
    squeezed = re.sub(r"\s+([.,:;)])", r"\1", text).replace("( ", "(")
    assert [words for words in said if words not in squeezed] == []
    assert [words for words in unsaid if words in squeezed] == []


def test_the_first_screen_says_whose_counts_it_shows(site) -> None:
    """Zones, those that are whole cities, those that the window sees admitted, and those of the test; the window with its years."""
    said = Tags(site["index.html"]).text
    assert "China approved 1 pilot zones for cross-border e-commerce in 1 batches from 2015 , 1 of them whole cities; 1 of these" in said
    assert "were admitted in the study window, 2010 to 2019 (pilots)" in said and "primary test, study window 2010–2019" in said
    assert "With every admission dated 5 to 8 years too early" in said
    assert "one province left out at a time" in said and "admissions dealt again within provinces" in said
    assert "主检验，研究窗口 2010—2019 年" in Tags(site["zh/index.html"]).text
    frames = full()
    frames["estimates.primary"] = frames["estimates.primary"].assign(n_pilots=0)
    assert "0 of the 1 pilots among them" in " ".join(Tags(page_of(frames, "index.html")).text.split())
    second = frames["estimates.primary"].assign(spec_id="primary.cm_growth_official.to_2021", last_year=2021)
    frames["estimates.primary"] = pd.concat([frames["estimates.primary"], second])
    said = Tags(page_of(frames, "index.html")).text
    assert "of 1 whole-city zones 1 count as treated by 2019" in said and "1 by 2021" in said
    no_window = Tags(page_of(full() | {"estimates.primary": frames["estimates.primary"].iloc[:0]}, "index.html")).text
    assert "1 of them whole cities (pilots)" in no_window and "study window, " not in no_window.partition("The study's claims")[0]


def test_families_and_estimators_of_the_forest_have_a_word_each(site) -> None:
    forest = site["robust.html"].partition('id="forest"')[2].partition("</figure>")[0]
    families = re.findall(r'<tr class="family" data-family="(\w+)">', forest)
    kinds = list(dict.fromkeys(re.findall(r'data-kind="(\w+)"', forest)))
    assert families == kinds and len(families) == len(set(families))
    says = language.book()["family_says"]
    assert set(language.book()["variant_says"]) <= set(language.book()["variants"]) and set(says) <= set(language.book()["families"])
    assert [name for name in families if html.escape(says[name][0], quote=True) not in forest and says[name][0] not in forest] == []


def test_what_was_not_run_is_told_by_its_reason() -> None:
    """One row a reason; specifications that differ in their outcome are one name, and those of the curve a number."""
    ids = [f"policy_tools.{name}_growth_official.supply_talent" for name in ("cm", "comove")]
    ids += [f"specification_curve.cm_hp.s{k}" for k in range(1_200)]
    analyses = [spec_id.partition(".")[0] for spec_id in ids]
    rows = pd.DataFrame({"spec_id": ids, "analysis": analyses, "reason": f"needs talent {HOSTILE}"})
    for language_, said in (("robust.html", "supply · talent (synchronization, co-movement) 1,200 of the specification curve"),):
        page = page_of(full() | {"estimates.not_run": rows}, language_)
        part = page.partition('id="not-run"')[2].partition("</section>")[0]
        assert part.count("<tr>") == 2 and said in Tags(part).text and HOSTILE in Tags(part).text
        assert "1202" in part and ids[0] in part and ids[-1] not in part


def test_simulated_is_said_and_the_truth_shown(site, simulated) -> None:
    assert "Simulated: the truth is +0.057 , inside the interval" in Tags(simulated["index.html"]).text.replace("+0.057,", "+0.057 ,")
    said = Tags(simulated["index.html"]).text.replace(" ;", ";")
    assert "Of 700 coefficients with a known truth, the 95 % intervals of 665 hold it;" in said
    assert "Over 400 economies drawn by the same code, the interval of this test holds the truth in 95%" in said
    assert "would say “found” in 85% of them, and without the planted effect in 5%" in said
    assert "由同一程序生成的 400 个经济" in Tags(simulated["zh/index.html"]).text
    assert "coefficients with a known truth" not in Tags(site["index.html"]).text
    for name, page in pages_of(simulated).items():
        assert ("模拟数据" if name.startswith("zh/") else "Simulated data.") in page, name
        assert "<title>[" in page
        for picture in re.findall(r'<figure class="chart[^>]*>.*?</figure>', page, flags=re.DOTALL):
            if 'id="axes_1"' in picture or "-axes_1" in picture:
                assert "SIMULATED" in picture or "模拟" in picture
    for name, page in pages_of(site).items():
        assert "SIMULATED" not in Tags(page).text, name


def test_delivered_text_stays_text(site) -> None:
    """In pages, in the JSON inside them, in the cities' scripts and in files for spreadsheets."""
    for page in pages_of(site).values():
        assert "<script>alert" not in page
        assert not re.search(r"alert\(.x.\)</script>49", page)
    for name in ("data.html", "policy.html", "index.html"):
        assert HOSTILE in Tags(site[name]).text, name
    for block in re.findall(r'<script type="application/json" id="catalog">(.*?)</script>', site["cities.html"], flags=re.DOTALL):
        assert HOSTILE in json.dumps(json.loads(html.unescape(block)), ensure_ascii=False).replace('\\"', '"')
    assert "\n,'=cmd()" not in site["data/conflicts.csv"]


def handed_over(text: str) -> tuple[str, object]:
    """Name and object of a city's script."""
    name, value = re.fullmatch(r'citysync\.put\("([a-z]+/\d+)",(.*)\);\n', text, flags=re.DOTALL).groups()
    return name, json.loads(value)


def inline(page: str, name: str) -> object:
    return json.loads(re.search(rf'id="{name}">(.*?)</script>', page, flags=re.DOTALL).group(1))


def test_a_city_file_leads_from_a_number_to_its_cell(site) -> None:
    name, found = handed_over(site["data/values/110000.js"])
    assert name == "values/110000"
    catalog = inline(site["cities.html"], "catalog")
    current, other = found["values"]["0"]
    assert catalog["indicators"][0] == {"id": "gdp_nominal_cny_100m", "name": HOSTILE}
    assert inline(site["zh/cities.html"], "catalog")["indicators"][0]["name"] == "地区生产总值"
    assert current[:3] == [2015, 23014.5, 0]
    assert (current[4], current[5] % 2, current[6]) == ("D7", 1, HOSTILE)
    assert catalog["locations"][current[3]] == ["tidy", 2021, HOSTILE, None, "亿元", "cny_100m"]
    assert catalog["flags"][current[5] // 2] == ["warned", "sign", "warned"]
    assert other[:3] == [2015, 22968.6, HOSTILE]
    assert catalog["locations"][other[3]] == ["=cmd()", None, "b.csv", HOSTILE, None, "cny_100m"]
    assert other[5] % 2 == 0
    assert other[6] == "note behind the number in the file: ①"
    assert [row for row in found["growth"] if row[0] == 2015] == [[2015, 6.7, None, "tidy", 2021, None]]


def test_a_city_file_holds_its_partners_by_year_and_before_and_after(site) -> None:
    ids, meta = inline(site["cities.html"], "cities")["ids"], inline(site["cities.html"], "sync")
    cubes, halves, splits = {}, {}, {}
    for city in ids:
        _, found = handed_over(site[f"data/sync/{city}.js"])
        cubes[city] = np.frombuffer(base64.b64decode(found["years"]), "<i2").reshape(len(meta["measures"]), len(meta["years"]), len(ids))
        halves[city] = {
            k: np.frombuffer(base64.b64decode(found[k]), "<i2").reshape(len(meta["measures"]), len(ids)) for k in ("before", "after")
        }
        splits[city] = found["split"]
    expected = np.round(1000 * 0.1 * np.arange(10)).astype(int)  # the fabricated path of Beijing and Guangzhou
    assert cubes[110000][0, :, ids.index(440100)].tolist() == expected.tolist()
    assert cubes[440100][0, :, ids.index(110000)].tolist() == expected.tolist()
    assert (cubes[110000][0, :, ids.index(110000)] == city_files.MISSING).all()
    assert splits == {110000: 2015, 440100: 2015, 330100: 2015}
    assert halves[110000]["before"][0, ids.index(440100)] == 200
    assert halves[110000]["after"][0, ids.index(440100)] == 700


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


def test_the_data_page_shows_what_a_new_edition_changed(site) -> None:
    section = site["data.html"].partition('id="changes"')[2].partition("</section>")[0]
    rows = [
        re.sub(r"<[^>]+>", " ", row).split()
        for row in section.rpartition("</table>")[0].split("<tr")
        if HEADLINE in row or "robustness.x.y" in row
    ]
    assert [row[-6:] for row in rows] == [
        ["treated", "+0.050", "+0.071", "−0.53", "0.200", "0.035"],
        ["treated", "+0.100", "+0.900", "+8.00", "0.200", "0.035"],
    ]
    assert "1,234" in section
    words = Tags(section).text
    assert "block lifted 4,321 3 0" in words and "block newly set 17 0 9" in words
    assert "block lifted 2,468 12.50 % 50.00 %" in words
    assert "city 110000 2015" in words
    frames = {name: frame.iloc[:0] if name in changes() else frame for name, frame in tables().items()}
    assert "No estimate moved" in page_of(frames, "data.html")


def test_the_policy_page_marks_terms_and_says_which_batches_lack(site) -> None:
    page = site["policy.html"]
    assert "给予<mark>补贴</mark>50<mark>万元</mark>。" in page
    assert "1 of 2 clauses with a tool" in Tags(page).text
    assert 'data-c="supply:%">75%' in page and 'data-c="demand:%">25%' in page
    assert "Every batch has texts." in Tags(page).text
    assert "No policy text was delivered" in Tags(page_of(tables(), "policy.html")).text


@pytest.mark.parametrize(
    ("text", "terms", "places", "expected"),
    [
        ("b2b出口", "B2B出口", [1], "<mark>b2b出口</mark>"),
        ("出口退税", "退税", [2], "出口退税"),
        ("税税税", "税税|税税", [1, 2], "<mark>税税</mark>税"),
        ("a<b", "", [], "a&lt;b"),
    ],
)
def test_terms_are_marked_where_they_stand(text: str, terms: str, places: list[int], expected: str) -> None:
    assert str(marked(text, terms, places)) == expected


def test_sensitivity_to_trends_is_shown_where_it_is_known(site) -> None:
    """The set and the breakdown value as given; an assumption without a set has no row."""
    section = site["robust.html"].partition('id="honest"')[2].partition("</section>")[0]
    text = re.sub(r"<[^>]+>", "", section)
    assert "+0.066 to +0.319" in text and "1.617" in text
    assert "a straight trend" not in text


def test_equal_estimators_are_drawn_once_and_the_base_is_said(site) -> None:
    """Gardner and the extended two-way regression repeat imputation; their leads are not drawn on another base."""
    text = Tags(site["robust.html"]).text
    assert "are the same numbers and drawn once" in text and "varying base" in text
    assert "2 of" not in text.partition("One forest")[0]


def test_same_input_gives_the_same_bytes(simulated, tmp_path) -> None:
    """Also when rows come in another order and from a file instead of frames."""
    with duckdb.connect(str(tmp_path / "p.duckdb")) as con:
        for name, frame in full(is_simulated=True).items():
            con.register("incoming", frame.iloc[::-1])
            con.execute(f"create schema if not exists {name.split('.')[0]}")
            con.execute(f"create table {name} as select * from incoming")
    assert site_of(tmp_path / "p.duckdb", tmp_path, "second") == simulated


EMPTY = {
    "marts.panel_pair_year",
    "estimates.estimate",
    "estimates.diagnostic",
    "estimates.warning",
    "estimates.claim",
    "estimates.power",
    "estimates.placebo",
    "estimates.channel",
    "marts.dim_pilot_zone",
    "quality.expectation_result",
    "estimates.primary",
}


def test_pages_of_an_earlier_version_go(tmp_path) -> None:
    """A build that is taken up again holds the pages of the version before; figures and tables beside them stay."""
    (tmp_path / "figures").mkdir()
    for name in ("curve.html", "forgotten.html", "figures/a.html"):
        (tmp_path / name).write_text("old", encoding="utf-8")
    write_report({}, tmp_path)
    assert not (tmp_path / "forgotten.html").exists()
    assert "robust.html#curve-section" in (tmp_path / "curve.html").read_text(encoding="utf-8")
    assert (tmp_path / "figures/a.html").exists() and (tmp_path / "index.html").exists()
    nothing = {name: (tmp_path / name).read_text(encoding="utf-8") for name in ("index.html", "cities.html", "zh/cities.html")}
    assert "This landing gives no answer to the question." in Tags(nothing["index.html"]).text
    assert "There are no cities to show." in Tags(nothing["cities.html"]).text
    assert "没有可显示的城市" in Tags(nothing["zh/cities.html"]).text


@pytest.mark.parametrize("missing", ["rows", "tables"])
def test_pages_of_a_landing_that_gave_almost_nothing(tmp_path, missing: str) -> None:
    """Six cities of a bare level: no sample, no estimates; each page says what is missing and why."""
    frames = tables()
    frames["estimates.not_run"] = frames["estimates.not_run"].assign(spec_id="primary.cm_growth_official.study_window")
    thin = {name: frame.iloc[:0] if name in EMPTY else frame for name, frame in frames.items() if missing == "rows" or name not in EMPTY}
    made = site_of(thin, tmp_path)
    assert "the primary test was not run. (needs population_resident_10k)" in Tags(made["index.html"]).text
    assert "This landing gives no answer to the question." in Tags(made["index.html"]).text
    assert "No variant was estimated." in Tags(made["robust.html"]).text
    for name, part in (("index.html", "trace"), ("robust.html", "placebos"), ("whom.html", "channels-section")):
        empty = Tags(made[name].partition(f'id="{part}"')[2].partition("</section>")[0]).text
        assert "Reason: needs population_resident_10k." in empty, part
    assert "Nothing of this kind was estimated." in Tags(made["whom.html"]).text
    assert ("data/sync/110000.js" in made) == (missing == "rows")


def test_pages_hold_for_thousands_of_places() -> None:
    """2,850 counties in 31 provinces: the map, the list and the first page stay light. Their files are not written here."""
    frames = full()
    city, years = frames["marts.dim_city"].iloc[[0]], frames["marts.fct_city_year"].iloc[[0]]
    provinces = np.array([11, 12, 13, 14, 15, 21, 22, 23, *range(31, 38), *range(41, 47), *range(50, 55), *range(61, 66)])
    ids = np.concatenate([province * 10000 + np.arange(101, 101 + 92) for province in provinces])[:2850]
    frames["marts.dim_city"] = pd.concat([city] * 2850, ignore_index=True).assign(city_id=ids, province_id=ids // 10000 * 10000)
    frames["marts.fct_city_year"] = pd.concat([years] * 2850, ignore_index=True).assign(city_id=ids)
    catalogs = {"sync": {"measures": ["cm_growth_official"], "years": [2018, 2019]}, "policy": None}
    catalogs["values"] = {"places": [int(code) for code in ids], "indicators": [], "locations": [], "flags": []}
    pages = dict(render_site(read_report_data(frames), catalogs, "en"))
    assert pages["cities.html"].count("data-k=") >= 2850
    assert max(len(page.encode()) for page in pages.values()) < PAGE_BYTES
    assert len(re.sub(r"<svg.*?</svg>", "", pages["index.html"], flags=re.DOTALL).encode()) < FIRST_PAGE_BYTES


def test_a_p_value_that_is_withheld_is_a_dash_with_its_reason(site) -> None:
    """The estimate stands, interval and p are dashes that say why, and a sentence stands under the table in the page's language."""
    page, chinese = (site[name].partition('id="others')[2].partition("</details>")[0] for name in ("robust.html", "zh/robust.html"))
    row = page.partition("alternative_outcomes.comove_growth_wage.headline")[2].partition("</tr>")[0]
    assert re.sub(r"<[^>]+>", " ", row).split()[-5:] == ["+0.030", "–", "–", "–", "55"]
    assert html.unescape(row).count(why_no_p("comove")) == 3
    assert "only the estimate is given, because tests of co-movement and dispersion reject too often" in page
    assert "共动与离散的检验在毫无效应时拒绝过多" in chinese and why_no_p("comove") not in html.unescape(chinese)
    table = site["index.html"].partition('<table class="journal">')[2].partition("</table>")[0]
    assert "tests of co-movement and dispersion reject too often" in table
    for name in pages_of(site):
        assert "nan" not in Tags(site[name]).text.lower().split(), name


def test_shares_of_the_curve_are_of_specifications_with_a_p() -> None:
    frames = full()
    estimate = frames["estimates.estimate"]
    is_one = estimate["spec_id"].eq("specification_curve.cm_growth_official.s0")
    is_rest = estimate["analysis"].eq("specification_curve") & ~is_one
    frames["estimates.estimate"] = estimate.assign(p_value=estimate["p_value"].mask(is_rest).mask(is_one, 0.01))
    said = Tags(page_of(frames, "robust.html")).text
    assert "6 specifications" in said and "100% of those with a p exclude zero" in said


def test_the_joint_permutation_of_the_curve_is_said(site, tmp_path) -> None:
    said = Tags(site["robust.html"]).text
    assert "Admissions were dealt again within provinces 199 times, each time alike in all of 5 specifications" in said
    assert "their median of +0.004 has p 0.625 , and the 20% of them that their own permutation rejects have p 0.345" in said
    assert inline(site["robust.html"], "curve-data")["joint"] == {"all": "0.625", "cm_growth_official": "0.625"}
    assert "在省内重新分配获批" in Tags(site["zh/robust.html"]).text
    frames = full() | {"estimates.curve_test": full()["estimates.curve_test"].iloc[:0]}
    assert "No joint permutation of the curve was run." in Tags(site_of(frames, tmp_path)["robust.html"]).text


def english_sentences(page: str) -> set[str]:
    """Runs of English words in texts and attributes that a reader of a page sees or hears, SQL, code and ids apart."""
    shown = re.sub(r"<(script|style|pre|code)\b.*?</\1>", " ", page, flags=re.DOTALL)
    texts = [*re.findall(r">([^<>]+)<", shown), *re.findall(r'(?:title|aria-label|alt|placeholder|data-label)="([^"]*)"', shown)]
    return {html.unescape(text).strip() for text in texts if re.search(r"(?:[A-Za-z][a-z'’-]+[ ,;:]+){2,}[A-Za-z]+", html.unescape(text))}


def test_a_chinese_page_holds_no_english_sentence(site, simulated) -> None:
    """Names of files and cells as delivered stay; the words that scripts bring are Chinese too."""
    for name, page in [*pages_of(site).items(), *pages_of(simulated).items()]:
        if not name.startswith("zh/"):
            continue
        assert {text for text in english_sentences(page) if HOSTILE not in text} == set(), name
        says = inline(page, "says")
        assert [text for text in says.values() if english_sentences(f">{text}<")] == [], name
    assert english_sentences(site["index.html"])


def test_every_specification_and_every_withheld_measure_has_words() -> None:
    specs = [*all_specs(), *primary_specs(), *radiation.SPECS]
    names = {spec.spec_id.rsplit(".", 1)[-1] for spec in specs if spec.analysis != "specification_curve"}
    assert sorted(name for name in names if name not in language.book()["variants"]) == []
    assert set(REASON_BY_MEASURE) <= set(language.book()["measures"])
    outcomes = {spec.outcome for spec in specs}
    assert [name for name in sorted(outcomes) if language.Words("zh").outcome(name) == name.replace("_", " ")] == []


def test_reasons_of_changed_current_values_have_words() -> None:
    """Every reason that the comparison of publications gives."""
    given = set(re.findall(r"(?:then|else) '([a-z, ]+)'", CURRENT_CHANGE))
    assert len(given) >= 10
    assert given == set(language.book()["current_reasons"])


def test_rules_and_reasons_have_words() -> None:
    """Every rule that flags and every reason of a value that was not taken, as the models write them."""
    models = ROOT / "warehouse/models"
    texts = [path.read_text(encoding="utf-8") for path in sorted(models.rglob("int_observations_*.sql"))]
    rules = {name for text in texts for line in re.findall(r"(.*) as rule\b", text) for name in re.findall(r"'([a-z_]+)'", line)}
    assert len(rules) > 15
    assert sorted(rules - set(language.book()["rules"])) == []
    cases = (models / "intermediate/raw/int_raw_rejections.sql").read_text(encoding="utf-8")
    reasons = set(re.findall(r"when '([a-z_]+)'", cases)) | {"dropped_row", "unmapped_column"}
    assert len(reasons) > 8
    assert sorted(reasons - set(language.book()["reasons"])) == []


def test_pilots_of_another_kind_are_a_caution() -> None:
    said = "their mean synchronization with never-pilots stood −0.123"
    assert said in Tags(page_of(tables(level_p=0.01), "index.html")).text
    assert "another kind" not in Tags(page_of(tables(), "index.html")).text


def test_the_lead_of_the_cycle_stands_under_radiation_and_one_regressor_is_said(site) -> None:
    section = site["whom.html"].partition('id="radiation-section"')[2].partition("</section>")[0]
    levels, _, lead = section.partition('id="h-lead"')
    assert "radiation.growth_official.own" in levels and "radiation.lead_growth_official.strong" not in levels
    assert "radiation.lead_growth_official.strong" in lead and "Lead of the cycle" not in levels
    assert "their rows are one result: talent, tax." in Tags(site["whom.html"]).text
    assert "各行为同一结果：人才、税收。" in Tags(site["zh/whom.html"]).text


def test_event_study_picture_stands_alone() -> None:
    """Orchestration shows it by itself; a spec without events has none."""
    estimates = tables()["estimates.estimate"]
    svg = event_study_svg(estimates, "dynamics.cm_growth_official.headline")
    assert svg.startswith("<svg")
    assert 'xmlns="http://www.w3.org/2000/svg"' in svg
    assert event_study_svg(estimates, HEADLINE) is None


def test_every_query_names_columns_that_exist() -> None:
    """The empty answer of a missing table has the columns of the real one, and its keys name one row."""
    with database(full()) as con:
        for name, query in QUERIES.items():
            found = con.execute(query.sql)
            columns = [column[0] for column in found.description]
            assert columns == query.columns.split(", "), name
            keys = [tuple(row[columns.index(key)] for key in query.keys) for row in found.fetchall()]
            assert not query.keys or len(keys) == len(set(keys)), name
