"""What the pages of fabricated tables say: the first screen, words for every row and reason,
cities, data and policy texts.
"""

from __future__ import annotations

import base64
import html
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from estimation.analyses import radiation
from estimation.analyses.catalog import all_specs, primary_specs
from estimation.analyses.without_p import REASON_BY_MEASURE, why_no_p
from estimation.report import city_files, language
from estimation.report.figures import event_study_svg
from estimation.report.pages.policy import marked
from tests.estimation.report.fabricated import HEADLINE, HOSTILE, changes, full, tables
from tests.estimation.report.sites import Tags, handed_over, inline, page_of, pages_of, site_of
from warehouse.publication.change_queries import CURRENT_CHANGE

SAID = {
    "found": (
        {"primary_p": 0.01},
        ["Synchronization rose after admission", "+0.015", "without admission", "about 0.069 on"],
        ["No detectable"],
    ),
    "found, fell": (
        {"primary_p": 0.01, "primary_estimate": -0.08},
        ["Synchronization fell after", "−0.080"],
        ["rose"],
    ),
    "could not have been": (
        {},
        ["No detectable change", "Only if large", "86%"],
        ["rose", "fell after"],
    ),
    "could have been": (
        {"smallest": 0.048},
        ["No detectable change", "Yes: changes from about 0.048"],
        ["Only if large"],
    ),
    "no verdict": (
        {"primary_p": None},
        ["No answer: the sample does not identify", "2 pilots have a never-pilot"],
        ["No detectable"],
    ),
    "placebo fails": (
        {},
        ["pilots do move apart from their peers", "joint p 0.030"],
        ["nothing shows"],
    ),
    "placebo passes": (
        {"joint_p": 0.4},
        ["nothing shows that pilots had moved apart"],
        ["parallel trends"],
    ),
    "ruled out": (
        {},
        [
            "Changes above +0.075 and below −0.035 are ruled out",
            "332 cities with growth in every year, 34 pilots among them",
        ],
        [],
    ),
}


@pytest.mark.parametrize("case", SAID)
def test_the_first_screen_answers_with_the_primary_test(case: str) -> None:
    """Verdict, how sure, what could have been found, the placebo, each only where the tables say
    so.
    """
    change, said, unsaid = SAID[case]
    text = Tags(page_of(tables(**change), "index.html")).text.partition("The study's claims")[0]
    squeezed = re.sub(r"\s+([.,:;)])", r"\1", text).replace("( ", "(")
    assert [words for words in said if words not in squeezed] == []
    assert [words for words in unsaid if words in squeezed] == []


def test_the_first_screen_says_whose_counts_it_shows(site) -> None:
    """Zones, those that are whole cities, those that the window sees admitted, and those of the
    test; the window with its years.
    """
    said = Tags(site["index.html"]).text
    assert (
        "China approved 1 pilot zones for cross-border e-commerce in 1 batches from 2015 , 1 "
        "of "
        "them whole cities; 1 of these"
    ) in said
    assert (
        "were admitted in the window, 2010 to 2019 (pilots)" in said
        and "primary test, newest window 2010–2019" in said
    )
    assert "With every admission dated 5 to 8 years too early" in said
    assert (
        "one province left out at a time" in said
        and "admissions dealt again within provinces" in said
    )
    assert "主检验，最新窗口 2010—2019 年" in Tags(site["zh/index.html"]).text
    frames = full()
    frames["estimates.primary"] = frames["estimates.primary"].assign(n_pilots=0)
    assert "0 of the 1 pilots among them" in " ".join(
        Tags(page_of(frames, "index.html")).text.split()
    )
    second = frames["estimates.primary"].assign(
        spec_id="primary.cm_growth_official.study_window", last_year=2021
    )
    frames["estimates.primary"] = pd.concat([frames["estimates.primary"], second])
    said = Tags(page_of(frames, "index.html")).text
    assert "of 1 whole-city zones 1 count as treated by 2019" in said and "1 by 2021" in said
    no_window = Tags(
        page_of(full() | {"estimates.primary": frames["estimates.primary"].iloc[:0]}, "index.html")
    ).text
    assert (
        "1 of them whole cities (pilots)" in no_window
        and "in the window, " not in no_window.partition("The study's claims")[0]
    )


def test_families_and_estimators_of_the_forest_have_a_word_each(site) -> None:
    forest = site["robust.html"].partition('id="forest"')[2].partition("</figure>")[0]
    families = re.findall(r'<tr class="family" data-family="(\w+)">', forest)
    kinds = list(dict.fromkeys(re.findall(r'data-kind="(\w+)"', forest)))
    assert families == kinds and len(families) == len(set(families))
    says = language.book()["family_says"]
    assert set(language.book()["variant_says"]) <= set(language.book()["variants"]) and set(
        says
    ) <= set(language.book()["families"])
    assert [
        name
        for name in families
        if html.escape(says[name][0], quote=True) not in forest and says[name][0] not in forest
    ] == []


def test_what_was_not_run_is_told_by_its_reason() -> None:
    """One row a reason; specifications that differ in their outcome are one name, and those of the
    curve a number.
    """
    ids = [f"policy_tools.{name}_growth_official.supply_talent" for name in ("cm", "comove")]
    ids += [f"specification_curve.cm_hp.s{k}" for k in range(1_200)]
    analyses = [spec_id.partition(".")[0] for spec_id in ids]
    rows = pd.DataFrame({"spec_id": ids, "analysis": analyses, "reason": f"needs talent {HOSTILE}"})
    for language_, said in (
        (
            "robust.html",
            "supply · talent (synchronization, co-movement) 1,200 of the specification curve",
        ),
    ):
        page = page_of(full() | {"estimates.not_run": rows}, language_)
        part = page.partition('id="not-run"')[2].partition("</section>")[0]
        assert part.count("<tr>") == 2 and said in Tags(part).text and HOSTILE in Tags(part).text
        assert "1202" in part and ids[0] in part and ids[-1] not in part


def test_simulated_is_said_and_the_truth_shown(site, simulated) -> None:
    assert "Simulated: the truth is +0.057 , inside the interval" in Tags(
        simulated["index.html"]
    ).text.replace("+0.057,", "+0.057 ,")
    said = Tags(simulated["index.html"]).text.replace(" ;", ";")
    assert "Of 700 coefficients with a known truth, the 95 % intervals of 665 hold it;" in said
    assert (
        "Over 400 economies drawn by the same code, the interval of this test holds the truth "
        "in "
        "95%"
    ) in said
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
    assert [row for row in found["growth"] if row[0] == 2015] == [
        [2015, 6.7, None, "tidy", 2021, None]
    ]


def test_a_city_file_holds_its_partners_by_year_and_before_and_after(site) -> None:
    ids, meta = inline(site["cities.html"], "cities")["ids"], inline(site["cities.html"], "sync")
    cubes, halves, splits = {}, {}, {}
    for city in ids:
        _, found = handed_over(site[f"data/sync/{city}.js"])
        cubes[city] = np.frombuffer(base64.b64decode(found["years"]), "<i2").reshape(
            len(meta["measures"]), len(meta["years"]), len(ids)
        )
        halves[city] = {
            k: np.frombuffer(base64.b64decode(found[k]), "<i2").reshape(
                len(meta["measures"]), len(ids)
            )
            for k in ("before", "after")
        }
        splits[city] = found["split"]
    expected = np.round(1000 * 0.1 * np.arange(10)).astype(
        int
    )  # the fabricated path of Beijing and Guangzhou
    assert cubes[110000][0, :, ids.index(440100)].tolist() == expected.tolist()
    assert cubes[440100][0, :, ids.index(110000)].tolist() == expected.tolist()
    assert (cubes[110000][0, :, ids.index(110000)] == city_files.MISSING).all()
    assert splits == {110000: 2015, 440100: 2015, 330100: 2015}
    assert halves[110000]["before"][0, ids.index(440100)] == 200
    assert halves[110000]["after"][0, ids.index(440100)] == 700


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
    frames = {
        name: frame.iloc[:0] if name in changes() else frame for name, frame in tables().items()
    }
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
def test_terms_are_marked_where_they_stand(
    text: str, terms: str, places: list[int], expected: str
) -> None:
    assert str(marked(text, terms, places)) == expected


def test_sensitivity_to_trends_is_shown_where_it_is_known(site) -> None:
    """The set and the breakdown value as given; an assumption without a set has no row."""
    section = site["robust.html"].partition('id="honest"')[2].partition("</section>")[0]
    text = re.sub(r"<[^>]+>", "", section)
    assert "+0.066 to +0.319" in text and "1.617" in text
    assert "a straight trend" not in text


def test_equal_estimators_are_drawn_once_and_the_base_is_said(site) -> None:
    """Gardner and the extended two-way regression repeat imputation; their leads are not drawn on
    another base.
    """
    text = Tags(site["robust.html"]).text
    assert "are the same numbers and drawn once" in text and "varying base" in text
    assert "2 of" not in text.partition("One forest")[0]


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


@pytest.mark.parametrize("missing", ["rows", "tables"])
def test_pages_of_a_landing_that_gave_almost_nothing(tmp_path, missing: str) -> None:
    """Six cities of a bare level: no sample, no estimates; each page says what is missing
    and why.
    """
    frames = tables()
    frames["estimates.not_run"] = frames["estimates.not_run"].assign(
        spec_id="primary.cm_growth_official.newest"
    )
    thin = {
        name: frame.iloc[:0] if name in EMPTY else frame
        for name, frame in frames.items()
        if missing == "rows" or name not in EMPTY
    }
    made = site_of(thin, tmp_path)
    assert (
        "the primary test was not run. (needs population_resident_10k)"
        in Tags(made["index.html"]).text
    )
    assert "This landing gives no answer to the question." in Tags(made["index.html"]).text
    assert "No variant was estimated." in Tags(made["robust.html"]).text
    for name, part in (
        ("index.html", "trace"),
        ("robust.html", "placebos"),
        ("whom.html", "channels-section"),
    ):
        empty = Tags(made[name].partition(f'id="{part}"')[2].partition("</section>")[0]).text
        assert "Reason: needs population_resident_10k." in empty, part
    assert "Nothing of this kind was estimated." in Tags(made["whom.html"]).text
    assert ("data/sync/110000.js" in made) == (missing == "rows")


def test_a_p_value_that_is_withheld_is_a_dash_with_its_reason(site) -> None:
    """The estimate stands, interval and p are dashes that say why, and a sentence stands under the
    table in the page's language.
    """
    page, chinese = (
        site[name].partition('id="others')[2].partition("</details>")[0]
        for name in ("robust.html", "zh/robust.html")
    )
    row = page.partition("alternative_outcomes.comove_growth_wage.headline")[2].partition("</tr>")[
        0
    ]
    assert re.sub(r"<[^>]+>", " ", row).split()[-5:] == ["+0.030", "–", "–", "–", "55"]
    assert html.unescape(row).count(why_no_p("comove")) == 3
    assert (
        "only the estimate is given, because tests of co-movement and dispersion reject too often"
        in page
    )
    assert "共动与离散的检验在毫无效应时拒绝过多" in chinese and why_no_p(
        "comove"
    ) not in html.unescape(chinese)
    table = site["index.html"].partition('<table class="journal">')[2].partition("</table>")[0]
    assert "tests of co-movement and dispersion reject too often" in table
    for name in pages_of(site):
        assert "nan" not in Tags(site[name]).text.lower().split(), name


def test_shares_of_the_curve_are_of_specifications_with_a_p() -> None:
    frames = full()
    estimate = frames["estimates.estimate"]
    is_one = estimate["spec_id"].eq("specification_curve.cm_growth_official.s0")
    is_rest = estimate["analysis"].eq("specification_curve") & ~is_one
    frames["estimates.estimate"] = estimate.assign(
        p_value=estimate["p_value"].mask(is_rest).mask(is_one, 0.01)
    )
    said = Tags(page_of(frames, "robust.html")).text
    assert "6 specifications" in said and "100% of those with a p exclude zero" in said


def test_the_joint_permutation_of_the_curve_is_said(site, tmp_path) -> None:
    said = Tags(site["robust.html"]).text
    assert (
        "Admissions were dealt again within provinces 199 times, each time alike in all of 5 "
        "specifications"
    ) in said
    assert (
        "their median of +0.004 has p 0.625 , and the 20% of them that their own permutation "
        "rejects have p 0.345"
    ) in said
    assert inline(site["robust.html"], "curve-data")["joint"] == {
        "all": "0.625",
        "cm_growth_official": "0.625",
    }
    assert "在省内重新分配获批" in Tags(site["zh/robust.html"]).text
    frames = full() | {"estimates.curve_test": full()["estimates.curve_test"].iloc[:0]}
    assert (
        "No joint permutation of the curve was run."
        in Tags(site_of(frames, tmp_path)["robust.html"]).text
    )


def test_every_specification_and_every_withheld_measure_has_words() -> None:
    specs = [*all_specs(), *primary_specs(), *radiation.SPECS]
    names = {
        spec.spec_id.rsplit(".", 1)[-1] for spec in specs if spec.analysis != "specification_curve"
    }
    assert sorted(name for name in names if name not in language.book()["variants"]) == []
    assert set(REASON_BY_MEASURE) <= set(language.book()["measures"])
    outcomes = {spec.outcome for spec in specs}
    assert [
        name
        for name in sorted(outcomes)
        if language.Words("zh").outcome(name) == name.replace("_", " ")
    ] == []


def test_reasons_of_changed_current_values_have_words() -> None:
    """Every reason that the comparison of publications gives."""
    given = set(re.findall(r"(?:then|else) '([a-z, ]+)'", CURRENT_CHANGE))
    assert len(given) >= 10
    assert given == set(language.book()["current_reasons"])


def test_rules_and_reasons_have_words() -> None:
    """Every rule that flags and every reason of a value that was not taken, as the models write
    them.
    """
    models = Path(language.__file__).parents[2] / "warehouse/models"
    texts = [
        path.read_text(encoding="utf-8") for path in sorted(models.rglob("int_observations_*.sql"))
    ]
    rules = {
        name
        for text in texts
        for line in re.findall(r"(.*) as rule\b", text)
        for name in re.findall(r"'([a-z_]+)'", line)
    }
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
    assert (
        "radiation.growth_official.own" in levels
        and "radiation.lead_growth_official.strong" not in levels
    )
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
