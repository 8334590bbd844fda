"""The site on fabricated tables: self-contained, equal to them, safe against delivered text, whole
in each language, the same bytes.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest
import yaml

from estimation.report import language
from estimation.report.data import read_report_data
from estimation.report.old_pages import MOVED, PARTS
from estimation.report.pages.catalog import PAGES
from estimation.report.queries import QUERIES
from estimation.report.site import render_site, write_report
from tests.estimation.report.fabricated import HOSTILE, full
from tests.estimation.report.numbers import Numbers, mismatches
from tests.estimation.report.sites import Tags, database, inline, pages_of, site_of

ROOT = Path(language.__file__).parents[2]
SLUGS = ("index", "robust", "whom", "cities", "policy", "data", "methods")
FIRST_PAGE_BYTES, PAGE_BYTES = 200_000, 1_500_000


def test_seven_pages_in_each_language(site) -> None:
    assert set(pages_of(site)) == {f"{slug}.html" for slug in SLUGS} | {
        f"zh/{slug}.html" for slug in SLUGS
    }
    assert tuple(page.slug for page in PAGES) == (
        "index",
        "robust",
        "whom",
        "cities",
        "policy",
        "data",
        "methods",
    )


def test_old_addresses_lead_to_parts_that_exist(site) -> None:
    """With scripts, without them and for a reader of either language; nothing but its own script is
    run.
    """
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
        assert (
            "script-src "
            f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'\""
        ) in page


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
                    known = known or path in (
                        "",
                        f"{up}../manifest.json",
                        f"{up}../data_docs/index.html",
                    )
                    assert known or value.startswith("data:image/"), (name, value)
    for page in (site["index.html"], site["zh/index.html"]):
        assert len(re.sub(r"<svg.*?</svg>", "", page, flags=re.DOTALL).encode()) < FIRST_PAGE_BYTES


def test_policy_of_a_page_admits_its_own_script_only(site) -> None:
    """The hash in the page's policy is that of its one inline script; our scripts never set
    markup.
    """
    for name, page in pages_of(site).items():
        scripts = re.findall(r"<script>(.*?)</script>", page, flags=re.DOTALL)
        assert len(scripts) == 1, name
        digest = base64.b64encode(hashlib.sha256(scripts[0].encode()).digest()).decode()
        assert f"script-src 'sha256-{digest}' 'self' file:\"" in page
        assert not re.search(
            r"innerHTML|outerHTML|insertAdjacent|document\.write|\beval\(|new Function", scripts[0]
        )


def test_libraries_are_those_that_were_published(site) -> None:
    """The vendored files are the registry's, byte for byte: their hashes stand beside them with
    licence and origin.
    """
    vendor = Path(language.FOLDER) / "vendor"
    listed = yaml.safe_load((vendor / "vendor.yml").read_text(encoding="utf-8"))
    for name, about in listed.items():
        content = (vendor / name).read_bytes()
        assert hashlib.sha256(content).hexdigest() == about["sha256"], name
        assert (
            (vendor / about["licence_file"]).read_text(encoding="utf-8").startswith("Copyright")
        ), name
        assert site[f"assets/{name}"].encode() == content
    assert {path.name for path in vendor.glob("*.js")} == set(listed)


@pytest.mark.parametrize("kind", ["delivered", "simulated"])
def test_every_number_is_that_of_its_query(kind: str, folder, site, simulated) -> None:
    count, wrong = mismatches(database(full(is_simulated=kind == "simulated")), folder / kind)
    assert wrong == []
    assert count > 500
    held = {
        ref.partition("?")[0] for page in pages_of(site).values() for ref, *_ in Numbers(page).found
    }
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
    assert any(
        "claim?claim_id=net_effect estimate: page '+0.015', table '+0.900'" in line
        for line in wrong
    )


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
    """Every phrase stands in both languages with the same open places, and no English sentence on a
    Chinese page.
    """
    english = []
    for group, phrases in language.book().items():
        for key, (en, zh) in phrases.items():
            assert en and zh, (group, key)
            assert set(re.findall(r"\{(\w+)\}", en)) == set(re.findall(r"\{(\w+)\}", zh)), (
                group,
                key,
            )
            if len(en.split()) >= 4 and en != zh and "{" not in en and "<" not in en:
                english.append(en)
    for slug in SLUGS:
        text = Tags(site[f"zh/{slug}.html"]).text
        labels = " ".join(
            value or ""
            for _, of in Tags(site[f"zh/{slug}.html"]).tags
            for key, value in of.items()
            if key in ("aria-label", "placeholder")
        )
        assert [phrase for phrase in english if phrase in text or phrase in labels] == [], slug
        assert '<html lang="zh-Hans"' in site[f"zh/{slug}.html"]
        assert f'href="../{slug}.html">English' in site[f"zh/{slug}.html"]
        assert f'href="zh/{slug}.html">中文' in site[f"{slug}.html"]


def test_delivered_text_stays_text(site) -> None:
    """In pages, in the JSON inside them, in the cities' scripts and in files for spreadsheets."""
    for page in pages_of(site).values():
        assert "<script>alert" not in page
        assert not re.search(r"alert\(.x.\)</script>49", page)
    for name in ("data.html", "policy.html", "index.html"):
        assert HOSTILE in Tags(site[name]).text, name
    for block in re.findall(
        r'<script type="application/json" id="catalog">(.*?)</script>',
        site["cities.html"],
        flags=re.DOTALL,
    ):
        assert HOSTILE in json.dumps(json.loads(html.unescape(block)), ensure_ascii=False).replace(
            '\\"', '"'
        )
    assert "\n,'=cmd()" not in site["data/conflicts.csv"]


def test_same_input_gives_the_same_bytes(simulated, tmp_path) -> None:
    """Also when rows come in another order and from a database instead of frames."""
    with duckdb.connect() as con:
        for name, frame in full(is_simulated=True).items():
            con.register("incoming", frame.iloc[::-1])
            con.execute(f"create schema if not exists {name.split('.')[0]}")
            con.execute(f"create table {name} as select * from incoming")
        assert site_of(con, tmp_path, "second") == simulated


def test_pages_of_an_earlier_version_go(tmp_path) -> None:
    """A build that is taken up again holds the pages of the version before; figures and tables
    beside them stay.
    """
    (tmp_path / "figures").mkdir()
    for name in ("curve.html", "forgotten.html", "figures/a.html"):
        (tmp_path / name).write_text("old", encoding="utf-8")
    write_report({}, tmp_path)
    assert not (tmp_path / "forgotten.html").exists()
    assert "robust.html#curve-section" in (tmp_path / "curve.html").read_text(encoding="utf-8")
    assert (tmp_path / "figures/a.html").exists() and (tmp_path / "index.html").exists()
    nothing = {
        name: (tmp_path / name).read_text(encoding="utf-8")
        for name in ("index.html", "cities.html", "zh/cities.html")
    }
    assert "This landing gives no answer to the question." in Tags(nothing["index.html"]).text
    assert "There are no cities to show." in Tags(nothing["cities.html"]).text
    assert "没有可显示的城市" in Tags(nothing["zh/cities.html"]).text


def test_pages_hold_for_thousands_of_places() -> None:
    """2,850 counties in 31 provinces: the map, the list and the first page stay light.

    Their files are not written here.
    """
    frames = full()
    city, years = frames["marts.dim_city"].iloc[[0]], frames["marts.fct_city_year"].iloc[[0]]
    provinces = np.array(
        [
            11,
            12,
            13,
            14,
            15,
            21,
            22,
            23,
            *range(31, 38),
            *range(41, 47),
            *range(50, 55),
            *range(61, 66),
        ]
    )
    ids = np.concatenate([province * 10000 + np.arange(101, 101 + 92) for province in provinces])[
        :2850
    ]
    frames["marts.dim_city"] = pd.concat([city] * 2850, ignore_index=True).assign(
        city_id=ids, province_id=ids // 10000 * 10000
    )
    frames["marts.fct_city_year"] = pd.concat([years] * 2850, ignore_index=True).assign(city_id=ids)
    catalogs = {"sync": {"measures": ["cm_growth_official"], "years": [2018, 2019]}, "policy": None}
    catalogs["values"] = {
        "places": [int(code) for code in ids],
        "indicators": [],
        "locations": [],
        "flags": [],
    }
    pages = dict(render_site(read_report_data(frames), catalogs, "en"))
    assert pages["cities.html"].count("data-k=") >= 2850
    assert max(len(page.encode()) for page in pages.values()) < PAGE_BYTES
    assert (
        len(re.sub(r"<svg.*?</svg>", "", pages["index.html"], flags=re.DOTALL).encode())
        < FIRST_PAGE_BYTES
    )


def english_sentences(page: str) -> set[str]:
    """Runs of English words in texts and attributes that a reader of a page sees or hears, SQL,
    code and ids apart.
    """
    shown = re.sub(r"<(script|style|pre|code)\b.*?</\1>", " ", page, flags=re.DOTALL)
    texts = [
        *re.findall(r">([^<>]+)<", shown),
        *re.findall(r'(?:title|aria-label|alt|placeholder|data-label)="([^"]*)"', shown),
    ]
    return {
        html.unescape(text).strip()
        for text in texts
        if re.search(r"(?:[A-Za-z][a-z'’-]+[ ,;:]+){2,}[A-Za-z]+", html.unescape(text))
    }


def test_a_chinese_page_holds_no_english_sentence(site, simulated) -> None:
    """Names of files and cells as delivered stay; the words that scripts bring are Chinese too."""
    for name, page in [*pages_of(site).items(), *pages_of(simulated).items()]:
        if not name.startswith("zh/"):
            continue
        assert {text for text in english_sentences(page) if HOSTILE not in text} == set(), name
        says = inline(page, "says")
        assert [text for text in says.values() if english_sentences(f">{text}<")] == [], name
    assert english_sentences(site["index.html"])


def test_every_query_names_columns_that_exist() -> None:
    """The empty answer of a missing table has the columns of the real one, and its keys name one
    row.
    """
    with database(full()) as con:
        for name, query in QUERIES.items():
            found = con.execute(query.sql)
            columns = [column[0] for column in found.description]
            assert columns == query.columns.split(", "), name
            keys = [
                tuple(row[columns.index(key)] for key in query.keys) for row in found.fetchall()
            ]
            assert not query.keys or len(keys) == len(set(keys)), name
