"""The site on fabricated tables: self-contained, equal to them, safe against delivered text, whole
in each language, the same bytes; and each page.
"""

import base64
import html
import json
import posixpath
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from estimation.analyses.catalog import every_spec
from estimation.analyses.without_p import REASON_BY_MEASURE, why_no_p
from estimation.report import city_files, language
from estimation.report.pages.catalog import PAGES
from estimation.report.pages.policy import cut_at_terms
from estimation.report.queries import CODE, QUERIES, REPO
from tests.estimation.report.fabricated import (
    HEADLINE,
    HOSTILE,
    PRIMARY,
    SEEDS,
    changes,
    full,
    tables,
)
from tests.estimation.report.numbers import faults, numbers
from tests.estimation.report.sites import (
    Tags,
    data_of,
    database,
    handed_over,
    page_of,
    pages_of,
    site_of,
)
from warehouse.publication.change_queries import CHANGED

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
    corrected = frames["estimates.estimate"].assign(p_value_family=0.5, family_size=99)
    wrong = faults(database(frames | {"estimates.estimate": corrected}), folder / kind)[1]
    assert any("is bold, of a family of (True, 3)" in one for one in wrong)


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


def test_zones_are_a_table_and_a_map(site) -> None:
    [head, row] = site["data/pilot_zones.csv"].lstrip("\ufeff").splitlines()
    zone = dict(zip(head.split(","), row.split(","), strict=True))
    assert zone["zone"] == "Hangzhou" and zone["approved_on"] == "2015-03-07"
    [feature] = json.loads(site["data/pilot_zones.geojson"])["features"]
    assert feature["geometry"]["coordinates"] == [float(zone["longitude"]), float(zone["latitude"])]
    assert feature["properties"]["city_id"] == 330100


def test_a_claim_that_is_tested_on_fewer_years_names_them() -> None:
    frames = tables()
    spec_id = "mechanisms.neg_abs_gap_capital_allocation.window_2010_2017"
    frames["estimates.claim"] = frames["estimates.claim"].assign(spec_id=spec_id)
    section = page_of(frames, "index.html").partition('<section id="claims"')[2]
    claim = section.partition("<tbody>")[2].partition("</th>")[0]
    assert "2010" in claim and "2017" in claim


def test_same_input_gives_the_same_bytes(simulated, tmp_path) -> None:
    """Also when rows come in another order."""
    turned = {name: frame.iloc[::-1] for name, frame in full(is_simulated=True).items()}
    assert site_of(turned, tmp_path, "second") == simulated


@pytest.mark.full
def test_pages_hold_for_thousands_of_places() -> None:
    """2,850 counties: the map, the list and the first page stay light."""
    frames = full()
    ids = [province * 10000 + k for province in range(11, 61) for k in range(101, 158)]
    for name in ("marts.dim_city", "marts.fct_city_year"):
        rows = pd.concat([frames[name].iloc[[0]]] * len(ids), ignore_index=True)
        frames[name] = rows.assign(city_id=ids)
    frames["marts.dim_city"]["province_id"] = [code // 10000 * 10000 for code in ids]
    pages = {f"{page.slug}.html": page_of(frames, f"{page.slug}.html") for page in PAGES}
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


@pytest.mark.parametrize("table", [name for name in CODE if name != "marts"])
def test_the_link_to_the_code_of_a_table_finds_its_line(table: str) -> None:
    path, words = CODE[table]
    lines = (REPO / path).read_text(encoding="utf-8").splitlines()
    assert any(line.startswith(words) for line in lines)


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


FIRST = {
    "found": ({"primary_p": 0.01}, ("title_up",), ("title_none",)),
    "fell": ({"primary_p": 0.01, "primary_estimate": -0.08}, ("title_down",), ("title_up",)),
    "missed, and a placebo that finds something": (
        {},
        ("title_none", "missed_large", "study_why_fails", "placebo_time_bad"),
        ("title_up", "missed_small"),
    ),
    "seen, and no fault": (
        {"smallest": 0.048, "joint_p": 0.4},
        ("title_none", "missed_small"),
        ("missed_large", "placebo_time_bad", "other_kind"),
    ),
    "no verdict, and treated cities of another kind": (
        {"primary_p": None, "level_p": 0.01},
        ("title_open", "other_kind"),
        ("title_none",),
    ),
}


@pytest.mark.parametrize("case", FIRST)
def test_the_first_screen_says_what_the_tables_say(case: str) -> None:
    """The finding, what could have been found, and a caution only where something is amiss."""
    change, said, unsaid = FIRST[case]
    first = page_of(tables(**change), "index.html").partition('id="ladder-section"')[0]
    text = Tags(first).text

    def stands(key: str) -> bool:
        group = "first" if key.startswith("missed_") else "result"
        words = re.sub(r"<[^>]+>", "", language.Words("en").template(f"{group}.{key}"))
        return re.split(r"[{(]", words)[0].strip() in text

    assert [stands(key) for key in said] == [True] * len(said)
    assert not any(stands(key) for key in unsaid)


def test_the_caution_names_what_cities_differed_in_before_any_zone() -> None:
    names = ["spread of growth", "mean growth"]
    frames = tables()
    frames["estimates.placebo"] = (
        frames["estimates.placebo"]
        .iloc[:2]
        .assign(placebo="selection", name=names, p_value=[0.003, 0.25], joint_p_value=0.007)
    )
    page = page_of(frames, "index.html")
    caution = page.partition('class="caution"')[2].partition("</div>")[0]
    said = Tags(caution).text
    assert "spread" in said and "mean" not in said


def test_what_was_not_run_is_told_by_its_reason() -> None:
    """One row a reason; specifications that differ in their outcome are one name, and those of the
    curve a number.
    """
    ids = [f"policy_tools.{name}_growth_official.supply_talent" for name in ("cm", "comove")]
    ids += [f"specification_curve.cm_hp.s{k}" for k in range(1_200)]
    analyses = [spec_id.partition(".")[0] for spec_id in ids]
    rows = pd.DataFrame({"spec_id": ids, "analysis": analyses, "reason": f"needs talent {HOSTILE}"})
    page = page_of(full() | {"estimates.not_run": rows}, "robust.html")
    part = page.partition('id="not-run"')[2].partition("</section>")[0]
    said = "talent (synchronization, co-movement) 1,200 of the specification curve"
    assert part.count("<tr>") == 2 and said in Tags(part).text and HOSTILE in Tags(part).text
    assert "1202" in part and ids[0] in part and ids[-1] not in part


def test_simulated_is_said_and_the_truth_shown(site, simulated) -> None:
    said = re.sub(r" ([,;])", r"\1", Tags(simulated["index.html"]).text)
    assert "Simulated: the truth is +0.057, inside the interval" in said
    assert "Of 700 coefficients with a known truth, the 95 % intervals of 665 hold it;" in said
    assert "coefficients with a known truth" not in Tags(site["index.html"]).text
    for name, page in pages_of(simulated).items():
        assert ("模拟数据" if name.startswith("zh/") else "Simulated data.") in page, name
    assert not [name for name, page in pages_of(site).items() if "SIMULATED" in Tags(page).text]


def test_a_city_file_leads_from_a_number_to_its_cell(site) -> None:
    name, found = handed_over(site["data/values/110000.js"])
    catalog = data_of(site, "cities_en")["catalog"]
    current, other = found["values"]["0"]
    assert name == "values/110000"
    gdp = {"id": "gdp_nominal_cny_100m", "name": HOSTILE, "unit": "100 million yuan"}
    assert catalog["indicators"][0] == gdp
    assert data_of(site, "cities_zh")["catalog"]["indicators"][0]["name"] == "地区生产总值"
    assert current[:3] == [2015, 23014.5, 0]
    assert (current[4], current[5] % 2, current[6]) == ("D7", 1, [HOSTILE, HOSTILE])
    assert catalog["locations"][current[3]] == ["tidy", 2021, HOSTILE, None, "亿元", "cny_100m"]
    assert catalog["flags"][current[5] // 2] == ["warned", "sign", "warned"]
    assert other[:3] == [2015, 22968.6, HOSTILE] and other[5] % 2 == 0
    assert catalog["locations"][other[3]] == ["=cmd()", None, "b.csv", HOSTILE, None, "cny_100m"]
    growth = [row for row in found["growth"] if row[0] == 2015]
    # no delivered growth rate of the fabricated tables gives it
    assert growth == [[2015, 6.7, None, "rate", "tidy", 2021, None, None, None, "printed"]]


def test_a_city_file_holds_its_partners_by_year_and_before_and_after(site) -> None:
    found = data_of(site, "cities_en")
    ids, meta = found["cities"]["ids"], found["sync"]
    beijing, guangzhou = (ids.index(code) for code in (110000, 440100))
    # the fabricated path of Beijing and Guangzhou
    expected = np.round(1000 * 0.1 * np.arange(10)).astype(int).tolist()
    for own, other in ((beijing, guangzhou), (guangzhou, beijing)):
        _, found = handed_over(site[f"data/sync/{ids[own]}.js"])
        numbers = {
            name: np.frombuffer(base64.b64decode(found[name]), "<i2").reshape(
                len(meta["measures"]), -1, len(ids)
            )
            for name in ("years", "before", "after")
        }
        assert numbers["years"][0, :, other].tolist() == expected
        assert (numbers["years"][0, :, own] == city_files.MISSING).all()
        halves = [numbers[name][0, 0, other] for name in ("before", "after")]
        assert (found["split"], halves) == (2015, [200, 700])


def test_the_data_page_shows_what_a_new_edition_changed(site) -> None:
    section = site["data.html"].partition('id="changes"')[2].partition("</section>")[0]
    rows = [
        re.sub(r"<[^>]+>", " ", row).split()[-6:]
        for row in section.rpartition("</table>")[0].split("<tr")
        if HEADLINE in row or "robustness.x.y" in row
    ]
    assert rows == [
        ["treated", "+0.050", "+0.071", "−0.53", "0.200", "0.035"],
        ["treated", "+0.100", "+0.900", "+8.00", "0.200", "0.035"],
    ]
    said = Tags(section).text
    assert "primary.stays" not in said
    for words in ("1,234", "block lifted 4,321 3 0", "block lifted 2,468 12.50 % 50.00 %"):
        assert words in said
    assert "the answer went from +0.010 (p 0.200 ) to +0.015" in said
    none = {name: frame.iloc[:0] for name, frame in changes().items()}
    run = tables()["meta.run"]
    for column, value, sentence in (
        ("previous_run_id", None, "First publication"),
        ("previous_run_id", "20251124T000000Z", "Compared with the publication 20251124T000000Z"),
        ("not_compared", HOSTILE, "could not be compared with: "),
    ):
        frames = tables() | none | {"meta.run": run.assign(**{column: value})}
        assert sentence in page_of(frames, "data.html")


def test_the_policy_page_marks_terms_and_says_where_texts_lack(site) -> None:
    (text,) = data_of(site, "policy_en")["texts"]
    assert [pieces for pieces, *_ in text["clauses"]] == [
        ["1. 给予", "补贴", "50", "万元", "。"],
        [f"特此通知{HOSTILE}"],
    ]
    assert [tool for _, tool, _ in text["clauses"]] == ["capital", ""]
    about = dict(text["about"])
    assert (about["Issuer"], about["Number"]) == ("杭州市人民政府", "not stated")
    assert "Copy of" not in about
    page = site["policy.html"]
    assert 'data-c="supply:%">75%' in page and 'data-c="demand:%">25%' in page
    assert "No policy text was delivered" in Tags(page_of(tables(), "policy.html")).text


@pytest.mark.parametrize(
    ("text", "terms", "places", "expected"),
    [
        ("b2b出口", "B2B出口", "1", ["", "b2b出口", ""]),
        ("出口退税", "退税", "2", ["出口退税"]),
        ("税税税", "税税|税税", "1|2", ["", "税税", "税"]),
        ("a<b", "", "", ["a<b"]),
    ],
)
def test_terms_are_cut_out_where_they_stand(
    text: str, terms: str, places: str, expected: list[str]
) -> None:
    assert cut_at_terms(text, terms, places) == expected


EMPTY = {
    "marts.fct_pair_synchronization",
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


@pytest.mark.parametrize("missing", ["rows", "tables"])
def test_pages_of_a_landing_that_gave_almost_nothing(tmp_path, missing: str) -> None:
    """Six cities of a bare level: no sample, no estimates; each page says what is missing
    and why.
    """
    spec_id = "primary.cm_growth_official.newest"
    frames = tables()
    frames["estimates.not_run"] = frames["estimates.not_run"].assign(spec_id=spec_id)
    thin = {
        name: frame.iloc[:0] if name in EMPTY else frame
        for name, frame in frames.items()
        if missing == "rows" or name not in EMPTY
    }
    made = site_of(thin, tmp_path)
    said = Tags(made["index.html"]).text
    assert "needs population_resident_10k" in said and "These data cannot say" in said
    parts = {"index": "trace", "robust": "placebos", "whom": "channels-section"}
    for name, part in parts.items():
        section = made[f"{name}.html"].partition(f'id="{part}"')[2].partition("</section>")[0]
        assert "Reason: needs population_resident_10k." in Tags(section).text, part
    assert "data/sync/110000.js" not in made
    assert 'data-k="year=2015"' in made["data.html"]


def test_a_p_value_that_is_withheld_is_a_dash_with_its_reason(site) -> None:
    """The estimate stands, interval and p are dashes that say why, in the page's language."""
    others = site["robust.html"].partition('id="others')[2]
    row = others.partition("alternative_outcomes.comove_growth_wage.headline")[2]
    row = html.unescape(row.partition("</tr>")[0])
    assert row.count(f'title="{why_no_p("comove")}">–</td>') == 4 and "+0.030" in row
    assert not [name for name in pages_of(site) if "nan" in Tags(site[name]).text.lower().split()]


def test_the_curve_has_its_joint_permutation(site) -> None:
    joint = data_of(site, "robust_en")["curve-data"]["joint"]
    assert joint == {"all": "0.625", "cm_growth_official": "0.625"}


@pytest.mark.parametrize(
    ("page", "said"),
    [
        # a year of one city is drawn, not counted
        ("index", "No jump in any of the 2 years after admission with 4 cities or more"),
        ("whom", "None of 2 coefficients of tools is found"),
        (
            "robust",
            "None of 1 variants finds a change; p below 5 %, uncorrected, no family: 1 of 4",
        ),
        ("robust", "placebos with p below 5 %, uncorrected: 0 of 1"),
        # the main test, drawn with its checks, is none of them; a check says years of its own
        ("robust", "Checks that find a change (bold): 2 of 5"),
        ("robust", "without: batch 3 · growth, 2010–2017"),
        ("whom", "Differences found once p is corrected within its family (bold): 1 of 3"),
        ("zh/whom", "3 项差异中，经族内校正后有 1 项被发现（粗体）"),
        ("index", "one pilot (1 pairs) gap, one pilot less none no pilot (1 pairs)"),
        ("robust", "primary test, 2010–2019 +0.015"),
        ("whom", "closeness (minus the gap), log wage: strongly tied pairs +0.030"),
        ("zh/robust", "前移 5 年 2005 — 2014 +0.010"),
        ("whom", "their rows are one result: talent, tax."),
        ("zh/whom", "各行为同一结果：人才、税收。"),
        ("robust", "within provinces 199 times, each time alike in all of 5 specifications"),
        ("robust", "their median of +0.004 has p 0.625"),
    ],
)
def test_a_title_counts_what_is_found_and_a_row_is_named(site, page: str, said: str) -> None:
    assert said in Tags(site[f"{page}.html"]).text


def ids_of(kind: str) -> set[str]:
    """What the code and the models can put into a table of the publication."""
    specs = every_spec()
    models = Path(language.__file__).parents[2] / "warehouse/models"
    texts = [path.read_text(encoding="utf-8") for path in models.rglob("int_observations_*.sql")]
    as_rule = [line for text in texts for line in re.findall(r"(.*) as rule\b", text)]
    rejected = models / "intermediate/raw/int_raw_rejections.sql"
    return {
        "variants": {spec.variant for spec in specs if spec.analysis != "specification_curve"},
        "measures": set(REASON_BY_MEASURE),
        "unit_names": set(pd.read_csv(SEEDS / "indicator_catalog.csv")["canonical_unit"]),
        "current_reasons": set(re.findall(r"(?:then|else) '([a-z, ]+)'", CHANGED)),
        "rules": {name for line in as_rule for name in re.findall(r"'([a-z_]+)'", line)},
        "reasons": set(re.findall(r"when '([a-z_]+)'", rejected.read_text(encoding="utf-8")))
        | {"dropped_row", "unmapped_column"},
    }[kind]


@pytest.mark.parametrize(
    "kind", ["variants", "measures", "unit_names", "current_reasons", "rules", "reasons"]
)
def test_whatever_a_table_may_hold_has_words(kind: str) -> None:
    """Every specification, withheld measure, unit, reason of a changed value, rule, rejection."""
    found = ids_of(kind)
    assert len(found) > 1 and sorted(found - set(language.book()[kind])) == []


def test_every_outcome_has_words() -> None:
    outcomes = {spec.outcome for spec in every_spec()}
    words = language.Words("zh")
    unsaid = {name: re.findall("[a-z]{2,}", words.outcome(name)) for name in outcomes}
    assert [name for name, rest in unsaid.items() if set(rest) & set(name.split("_"))] == []
