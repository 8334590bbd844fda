"""The site on fabricated tables: self-contained, equal to them, safe against delivered text, whole
in each language, the same bytes.
"""

from __future__ import annotations

import html
import json
import posixpath
import re

import duckdb
import pandas as pd
import pytest

from estimation.report import language
from estimation.report.data import read_report_data
from estimation.report.pages.catalog import PAGES
from estimation.report.queries import QUERIES
from estimation.report.site import render_site
from tests.estimation.report.fabricated import HOSTILE, PRIMARY, full
from tests.estimation.report.numbers import faults, numbers
from tests.estimation.report.sites import Tags, data_of, database, pages_of, site_of

# of the publication that the pages belong to
BESIDE = re.compile(
    r"\.\./(manifest\.json|datapackage\.json|citysync\.duckdb|data_docs/index\.html|parquet/.+)"
)
FIRST_PAGE_BYTES, PAGE_BYTES = 100_000, 250_000


def test_every_page_runs_and_loads_nothing_but_its_own(site, simulated) -> None:
    """Files beside it alone, by addresses that exist; no script in the page, and none that makes
    markup or code of a text; pages stay small.
    """
    for name, page in [*pages_of(site).items(), *pages_of(simulated).items()]:
        assert len(page.encode()) < PAGE_BYTES and not re.search(r"https?://", page), name
        assert "script-src 'self' file:\"" in page and not re.search(r"<script(?! src)", page)
        for tag, attributes in Tags(page).tags:
            assert tag not in {"iframe", "object", "embed", "base"}
            assert not any(key.startswith("on") for key in attributes)
            addresses = (attributes.get(key) for key in ("src", "href", "srcset", "action"))
            for address in filter(None, addresses):
                path = address.split("#")[0]
                known = not path or address.startswith("data:image/")
                inside = posixpath.normpath(posixpath.join(posixpath.dirname(name), path))
                assert known or inside in site or BESIDE.fullmatch(inside), (name, address)
    markup = r"innerHTML|outerHTML|insertAdjacent|document\.write|\beval\(|new Function"
    scripts = [site[f"assets/{name}"] for page in PAGES for name in ("common.js", *page.scripts)]
    assert not any(re.search(markup, script) for script in scripts)


@pytest.mark.parametrize("kind", ["delivered", "simulated"])
def test_every_number_is_that_of_its_query(kind: str, folder, site, simulated) -> None:
    """Has one value on all pages, leads to its SQL, and what stands bold on one page is found on
    every other; a table that says something else is seen.
    """
    frames = full(is_simulated=kind == "simulated")
    count, wrong = faults(database(frames), folder / kind)
    assert wrong == [] and count > 500
    held = set()
    for name, page in pages_of(site).items():
        named = {ref.partition("?")[0] for ref, *_ in numbers(page)[0]}
        assert named <= set(re.findall(r'<pre data-query="(\w+)"', page)), name
        held |= named
    assert {"primary", "coefficient", "claim", "placebo", "power", "coverage", "flags"} <= held
    change = {"estimate": 0.9, "ci_low": 0.9, "verdict": "found"}
    frames["estimates.claim"] = frames["estimates.claim"].assign(**change)
    wrong = " ".join(faults(database(frames), folder / kind)[1])
    assert "claim?claim_id=net_effect estimate: page '+0.015'" in wrong
    assert f"{PRIMARY} ci_low [" in wrong and f"{PRIMARY} found and not found" in wrong


def test_both_languages_are_whole() -> None:
    """Every phrase stands in both languages with the same open places."""
    phrases = [pair for group in language.book().values() for pair in group.values()]
    for en, zh in (
        *phrases,
        *(row for rows in language.book("messages.yml").values() for row in rows),
    ):
        places = [set(re.findall(r"\{(\w+)\}", text)) for text in (en, zh)]
        assert en and zh and places[0] == places[1], en


def test_delivered_text_stays_text(site) -> None:
    """In pages, in the JSON inside them, in the cities' scripts and in files for spreadsheets."""
    for page in pages_of(site).values():
        assert "<script>alert" not in page
        assert not re.search(r"alert\(.x.\)</script>49", page)
    for name in ("data.html", "index.html"):
        assert HOSTILE in Tags(site[name]).text, name
    told = (data_of(site, "cities_en")["catalog"], data_of(site, "policy_en")["texts"])
    assert all(json.dumps(HOSTILE)[1:-1] in json.dumps(one) for one in told)
    assert "\n,'=cmd()" not in site["data/conflicts.csv"]


def test_same_input_gives_the_same_bytes(simulated, tmp_path) -> None:
    """Also when rows come in another order and from a database instead of frames."""
    with duckdb.connect() as con:
        for name, frame in full(is_simulated=True).items():
            con.register("incoming", frame.iloc[::-1])
            con.execute(f"create schema if not exists {name.split('.')[0]}")
            con.execute(f"create table {name} as select * from incoming")
        assert site_of(con, tmp_path, "second") == simulated


def test_pages_hold_for_thousands_of_places() -> None:
    """2,850 counties: the map, the list and the first page stay light; their files are not written
    here.
    """
    frames = full()
    ids = [province * 10000 + k for province in range(11, 61) for k in range(101, 158)]
    for name in ("marts.dim_city", "marts.fct_city_year"):
        rows = pd.concat([frames[name].iloc[[0]]] * len(ids), ignore_index=True)
        frames[name] = rows.assign(city_id=ids)
    frames["marts.dim_city"]["province_id"] = [code // 10000 * 10000 for code in ids]
    none = {"indicators": [], "locations": [], "flags": []}
    catalogs = {
        "sync": {"measures": ["cm_growth_official"], "years": [2018, 2019]},
        "values": {"places": ids, **none},
    }
    made = render_site(read_report_data(database(frames)), catalogs, "en")
    pages = {name: text for name, text in made if name.endswith(".html")}
    assert pages["cities.html"].count("data-k=") >= len(ids) == 2850
    assert max(len(page.encode()) for page in pages.values()) < PAGE_BYTES
    first = re.sub(r"<svg.*?</svg>", "", pages["index.html"], flags=re.DOTALL)
    assert len(first.encode()) < FIRST_PAGE_BYTES


def english_sentences(page: str) -> set[str]:
    """Runs of English words in texts and attributes that a reader of a page sees or hears, SQL,
    code and ids apart.
    """
    shown = re.sub(r"<(script|style|pre|code)\b.*?</\1>", " ", page, flags=re.DOTALL)
    heard = r'(?:title|aria-label|alt|placeholder|data-label)="([^"]*)"'
    texts = [*re.findall(r">([^<>]+)<", shown), *re.findall(heard, shown)]
    words = re.compile(r"(?:[A-Za-z][a-z'’-]+[ ,;:]+){2,}[A-Za-z]+")
    return {text.strip() for text in map(html.unescape, texts) if words.search(text)}


def test_a_chinese_page_holds_no_english_sentence(site, simulated) -> None:
    """Names of files and cells as delivered stay; the words that scripts bring are Chinese too."""
    for name, page in [*pages_of(site).items(), *pages_of(simulated).items()]:
        if not name.startswith("zh/"):
            continue
        assert {text for text in english_sentences(page) if HOSTILE not in text} == set(), name
        says = data_of(site, f"{name[3:-5]}_zh")["says"]
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
