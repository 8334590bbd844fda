"""The site as people use it: from a file, by mouse and keyboard, on a screen, a phone and paper, in
both languages, and under axe.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from estimation.csv_files import csv_text
from estimation.report.old_pages import MOVED
from tests.browser.devtools import REPO, Page
from tests.estimation.report.fabricated import HOSTILE
from tests.estimation.test_csv_files import FORMULAS, NO_FORMULAS

WIDTHS = (1440, 390)
SERIOUS = ("serious", "critical")


def open_page(tab: Page, folder: Path, name: str, width: int = 1440) -> Page:
    tab.open(
        (folder / name.split("#", maxsplit=1)[0]).as_uri()
        + (f"#{name.split('#')[1]}" if "#" in name else ""),
        width,
    )
    return tab


def axe_script() -> str:
    folder = Path(os.environ.get("CITYSYNC_AXE", ".venv-browser"))
    path = (
        (folder if folder.is_absolute() else REPO / folder) / "axe_playwright_python" / "axe.min.js"
    )
    assert path.exists(), f"{path} is missing: run make test-browser"
    return path.read_text(encoding="utf-8")


def pages(folder: Path) -> list[str]:
    found = [
        path
        for path in [*folder.glob("*.html"), *folder.glob("zh/*.html")]
        if path.stem not in MOVED
    ]
    return sorted(path.relative_to(folder).as_posix() for path in found)


def test_a_city_is_chosen_and_shown_with_its_partners(tab, site) -> None:
    page = open_page(tab, site, "cities.html")
    page.wait("document.querySelector('#partners-said').innerText !== ''")
    page.choose("#city", 440100)
    page.wait("document.querySelector('#partners-said').innerText.startsWith('Guangzhou')")
    assert page.text("#city-name") == "Guangzhou · Guangdong"
    assert "with 1 cities before 2015" in page.text("#partners-said")
    assert page.text("#partners tbody").split("\n")[0].split("\t")[1:] == [
        "0.200",
        "0.700",
        "+0.500",
    ]
    assert page.evaluate("location.hash") == "#city=440100"
    assert page.evaluate(
        "document.querySelector('#partners-picture svg').getAttribute('aria-label')"
    ).startswith("Guangzhou")


def test_growth_of_a_city_has_its_title_and_its_data(tab, site) -> None:
    page = open_page(tab, site, "cities.html#city=110000")
    page.wait("document.querySelector('#growth-title')?.innerText !== ''")
    assert page.text("#growth-title") == "In 2019 Beijing grew by 7.1, the median city by 7.1"
    page.evaluate(
        "URL.createObjectURL = (blob) => { blob.text().then((text) => { window.saved = text; }); "
        "return 'data:,'; }"
    )
    page.click("#growth-download")
    page.wait("window.saved !== undefined")
    lines = page.evaluate("window.saved").split("\r\n")
    assert lines[0].endswith(
        "city_id,city,year,growth_official_pct,growth_deflated_pct,median_growth_official_pct"
    )
    assert lines[-2].startswith("110000,Beijing,2019,7.1") and len(lines) == 12


def test_a_city_is_chosen_by_clicking_its_square_and_tells_its_zone_and_texts(tab, site) -> None:
    page = open_page(tab, site, "cities.html#city=110000")
    page.wait("document.querySelector('#city-name')?.innerText.startsWith('Beijing')")
    assert "No zone of this list" in page.text("#zone-said")
    page.click("#tile-map rect[data-k='1']")
    page.wait("!document.querySelector('#city-name')?.innerText.startsWith('Beijing')")
    assert page.evaluate("document.querySelector('#city').value") == "330100"
    assert "batch 1, 2015-03-07" in page.text("#zone-said")
    assert (
        page.evaluate("document.querySelector('#zone-said a').getAttribute('href')")
        == "policy.html#text-1"
    )
    page.click("#zone-said a")
    page.wait(
        "location.pathname.endsWith('/policy.html') && document.querySelector('#text-1')?.open"
    )


def test_a_link_to_city_and_year_opens_there(tab, site) -> None:
    page = open_page(tab, site, "cities.html#city=440100&year=2015")
    page.wait("document.querySelector('#map-said').innerText.includes('2015')")
    assert page.evaluate("document.querySelector('#layer').value") == "sync"
    assert page.text("#year-shown") == "2015"
    assert page.evaluate(
        "[...document.querySelectorAll('#tile-map rect[data-k]')].map((r) => "
        "r.getAttribute('class'))"
    ) == [
        "d3",
        "none",
        "chosen here",
    ]
    page.focus("#year")
    page.press("ArrowRight", 4)
    assert page.text("#year-shown") == "2019"
    assert "year=2019" in page.evaluate("location.hash")


def test_layers_of_the_map_have_their_legend_and_the_map_grows(tab, site) -> None:
    page = open_page(tab, site, "cities.html#city=110000")
    page.wait("document.querySelector('#partners tbody tr')")
    assert (
        page.text("#map-said") == "By the end of 2015: 1 of 3 cities have a whole-prefecture zone."
    )
    page.choose("#layer", "change")
    assert "≥ 0.2" in page.text("#map-legend")
    width = "document.querySelector('#tile-map').getBoundingClientRect().width"
    before = page.evaluate(width)
    page.click("#zoom-in")
    assert page.evaluate(width) > before * 1.4
    page.evaluate(
        "document.querySelector('rect[data-k=\"2\"]').dispatchEvent(new "
        "PointerEvent('pointermove', {bubbles: true}))"
    )
    assert "Guangzhou" in page.text("#tip") and "+0.500" in page.text("#tip")


def test_the_curve_is_filtered_clicked_and_walked(tab, site) -> None:
    page = open_page(tab, site, "robust.html")
    page.wait("document.querySelector('#curve-picture svg')")
    assert page.text("#curve figcaption").startswith("6 specifications: the median is +0.003")
    page.focus("#curve-picture")
    page.press("End")
    said = page.text("#curve-said")
    assert (
        said.startswith("synchronization, growth, official statistics: +0.015 sd") and "s0" in said
    )
    page.press("ArrowLeft")
    assert "s1" in page.text("#curve-said")
    dot = """(() => { const dot = [...document.querySelectorAll(
            '#curve-picture g[data-part=dot] circle')][0];
        dot.scrollIntoView({block: 'center'});
        const box = dot.getBoundingClientRect();
        return [box.x + box.width / 2, box.y + box.height / 2]; })()"""
    x, y = page.evaluate(dot)
    for kind in ("mouseMoved", "mousePressed", "mouseReleased"):
        page.send(
            "Input.dispatchMouseEvent",
            type=kind,
            x=x,
            y=y,
            button="left" if kind != "mouseMoved" else "none",
            clickCount=1,
        )
    page.wait("document.querySelector('#curve-said').innerText.includes('s5')")
    assert (
        HOSTILE in page.text("#curve-said")
        or "tie" in page.text("#curve-said")
        or "pairs" in page.text("#curve-said")
    )
    page.click("#curve-choices input")
    assert page.evaluate("document.querySelectorAll('#curve-picture svg').length") == 0


def test_the_forest_is_filtered_by_family(tab, site) -> None:
    page = open_page(tab, site, "robust.html")
    rows = (
        "[...document.querySelectorAll('#forest tbody tr[data-kind]')].filter((r) => "
        "!r.hidden).map((r) => r.dataset.kind)"
    )
    heads = (
        "[...document.querySelectorAll('#forest tr.family')].filter((r) => !r.hidden).map((r) => "
        "r.dataset.family)"
    )
    everything = page.evaluate(rows)
    assert {"primary", "baseline", "placebo"} <= set(everything)
    page.focus("#f-placebo")
    page.press(" ")
    left = page.evaluate(rows)
    assert "placebo" not in left and len(left) < len(everything)
    assert set(page.evaluate(heads)) == set(left)
    assert page.text("#forest-said").startswith(f"{len(left)} / {len(everything)}")


def test_charts_drawn_in_the_page_have_axis_titles_and_words(tab, reports) -> None:
    for folder in reports:
        for name, holder in (
            ("robust.html", "#curve-picture"),
            ("cities.html", "#growth-picture"),
            ("cities.html", "#partners-picture"),
        ):
            page = open_page(tab, folder, name)
            page.wait(f"document.querySelector('{holder} svg')")
            titles = page.evaluate(f"""[...document.querySelectorAll('{holder} svg')].map((svg) => [
                svg.getAttribute('role'), svg.getAttribute('aria-label'),
                svg.querySelector('[data-part="x-axis label"]')?.textContent,
                svg.querySelector('[data-part="y-axis label"]')?.textContent])""")
            assert titles and all(
                role == "img" and label and x and y for role, label, x, y in titles
            ), (name, titles)


def test_a_number_leads_to_its_cell(tab, site) -> None:
    page = open_page(tab, site, "cities.html#city=110000")
    page.wait("document.querySelector('#values-table button[data-key=\"0\"]')")
    page.click("#values-table button[data-key='0'][data-year='2015']")
    origin = page.text("#origin-said")
    for part in (
        "23,014.5 cny_100m",
        "tidy",
        "2021",
        HOSTILE,
        "D7",
        "“23014.5” 亿元",
        "current",
        "warned (sign)",
    ):
        assert part in origin
    for part in ("=cmd()", "b.csv", "E9", "not used", "gap: −0.199 %"):
        assert part in origin
    assert (
        page.evaluate("document.querySelector('#values-table [aria-pressed=true]').dataset.year")
        == "2015"
    )


def test_details_of_a_value_are_chinese_on_a_chinese_page(tab, site) -> None:
    """The files of the cities hold them in English for both languages; what no template knows stays
    as it is.
    """
    page = open_page(tab, site, "zh/cities.html#city=110000")
    page.wait("document.querySelector('#values-table button[data-key=\"0\"]')")
    page.click("#values-table button[data-key='0'][data-year='2015']")
    origin = page.text("#origin-said")
    assert "文件中数字后的注记：①" in origin and HOSTILE in origin


def test_numbers_are_walked_by_arrow_keys(tab, site) -> None:
    page = open_page(tab, site, "cities.html#city=110000&indicator=gdp_nominal_cny_100m&year=2015")
    page.wait("document.querySelector('#origin-said dl')")
    assert "D7" in page.text("#origin-said")
    assert (
        page.evaluate("document.querySelectorAll('#values-table button[tabindex=\"0\"]').length")
        == 1
    )
    page.focus("#values-table button[tabindex='0']")
    assert page.evaluate("document.activeElement.dataset.key") == "growth_official_pct"
    page.press("Enter")
    page.wait("document.querySelector('#origin-said').innerText.includes('log')")
    assert "100 × ln(index / 100)" in page.text("#origin-said")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("curve.html", "robust.html#curve-section"),
        ("quality.html#conflicts", "data.html#conflicts"),
        ("map.html#440100", "cities.html#city=440100"),
        (
            "city.html#110000/gdp_nominal_cny_100m/2015",
            "cities.html#city=110000&indicator=gdp_nominal_cny_100m&year=2015",
        ),
        ("city.html#__proto__", "cities.html#values"),
    ],
)
def test_old_addresses_lead_on(tab, site, old: str, new: str) -> None:
    page = open_page(tab, site, old)
    page.wait(f"(location.pathname.split('/').pop() + location.hash) === '{new}'")
    if "indicator" in new:
        page.wait("document.querySelector('#origin-said dl')")
        assert "D7" in page.text("#origin-said")


def test_a_conflict_links_to_its_number(tab, site) -> None:
    page = open_page(tab, site, "data.html")
    page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    page.click("#conflicts a[href^='cities.html#']")
    page.wait(
        "location.pathname.endsWith('/cities.html') && document.querySelector('#origin-said dl')"
    )
    assert "D7" in page.text("#origin-said")


def test_the_answer_leads_to_cohorts_cities_and_sql(tab, site) -> None:
    page = open_page(tab, site, "index.html")
    assert (
        page.evaluate("document.querySelector('#answer a.traced').getAttribute('href')") == "#trace"
    )
    page.evaluate("document.querySelector('#trace .cities-list a').click()")
    page.wait(
        "location.pathname.endsWith('/cities.html') && "
        "document.querySelector('#city-name')?.innerText"
    )
    page = open_page(tab, site, "index.html")
    page.click("#claims td[data-c='estimate:+3']")
    page.wait("document.querySelector('#asked').open")
    sql = page.text("#asked-sql")
    assert (
        sql.startswith('select "estimate" from (')
        and "\"claim_id\" = 'net_effect'" in sql
        and "estimates.claim" in sql
    )
    page.click("#asked button")
    assert not page.evaluate("document.querySelector('#asked').open")


def test_tables_are_searched_and_sorted(tab, reports) -> None:
    page = open_page(tab, reports[-1], "data.html")
    box = "document.querySelector('.tools')"
    page.evaluate(f"{box}.closest('details') && ({box}.closest('details').open = true)")
    total = page.evaluate(f"{box}.querySelectorAll('tbody tr').length")
    page.evaluate(
        f"(() => {{ const i = {box}.querySelector('input'); i.value = 'zzzz'; i.dispatchEvent(new "
        f"Event('input')); }})()"
    )
    assert (
        page.evaluate(f"[...{box}.querySelectorAll('tbody tr')].filter((r) => !r.hidden).length")
        == 0
    )
    page.evaluate(
        f"(() => {{ const i = {box}.querySelector('input'); i.value = ''; i.dispatchEvent(new "
        f"Event('input')); }})()"
    )
    page.evaluate(f"{box}.querySelector('thead button').click()")
    first = page.evaluate(
        f"[...{box}.querySelectorAll('tbody tr')].map((r) => r.cells[0].textContent.trim())"
    )
    page.evaluate(f"{box}.querySelector('thead button').click()")
    last = page.evaluate(
        f"[...{box}.querySelectorAll('tbody tr')].map((r) => r.cells[0].textContent.trim())"
    )
    assert (
        len(first) == total
        and sorted(first) == sorted(last)
        and (first[0] <= first[-1])
        and last[0] >= last[-1]
    )


def test_clauses_are_searched(tab, site) -> None:
    page = open_page(tab, site, "policy.html")
    page.choose("#tool", "capital")
    assert page.text("#found") == "1 clauses in 1 texts"
    page.choose("#tool", "none")
    assert "特此通知" in page.text(".document") and "补贴" not in page.text(".clauses")


def test_language_is_one_link_away_and_the_place_is_kept(tab, site) -> None:
    page = open_page(tab, site, "cities.html#city=440100")
    page.wait("document.querySelector('#city-name')?.innerText.startsWith('Guangzhou')")
    page.click("#language")
    page.wait(
        "location.pathname.endsWith('/zh/cities.html') && "
        "document.querySelector('#city-name')?.innerText"
    )
    assert page.text("#city-name") == "广州市 · 广东省"
    assert page.evaluate("document.documentElement.lang") == "zh-Hans"
    page.wait("document.querySelector('#partners tbody tr')")
    assert "变化" in page.text("#partners thead")
    page.click("#language")
    page.wait(
        "!location.pathname.includes('/zh/') && "
        "document.querySelector('#city-name')?.innerText.startsWith('Guangzhou')"
    )


def test_a_print_has_the_banner_and_no_menu_and_cuts_nothing(tab, reports) -> None:
    for folder in reports:
        for name in ("index.html", "robust.html", "whom.html"):
            page = open_page(tab, folder, name, 1000)
            page.send("Emulation.setEmulatedMedia", media="print")
            try:
                parts = (
                    "['.top', '.skip', '.controls'].map((s) => "
                    "document.querySelector(s)).filter(Boolean)"
                )
                hidden = page.evaluate(
                    f"{parts}.every((e) => getComputedStyle(e).display === 'none')"
                )
                assert hidden, name
                assert (
                    page.evaluate("getComputedStyle(document.querySelector('#main')).display")
                    == "block"
                )
                assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), name
            finally:
                page.send("Emulation.setEmulatedMedia", media="")


def test_nothing_delivered_is_run_and_nothing_foreign_is_asked_for(tab, reports) -> None:
    for folder in reports:
        for name in pages(folder):
            page = open_page(tab, folder, name)
            page.evaluate("new Promise((done) => setTimeout(done, 150))")
            assert page.complaints() == [], name
            assert all(address.startswith(("file://", "data:")) for address in page.requested()), (
                name
            )


def test_exported_cells_are_no_formulas(tab, site) -> None:
    page = open_page(tab, site, "cities.html#city=110000")
    cells = [*FORMULAS, *NO_FORMULAS, -1.5, None, 'a"b,c']
    assert page.evaluate(f"citysync.csv([{json.dumps(cells)}])") == csv_text(cells, [])


@pytest.mark.parametrize("width", WIDTHS)
def test_pages_fit_their_window_and_the_menu_is_one_line(tab, reports, width: int) -> None:
    for folder in reports:
        for name in pages(folder):
            page = open_page(tab, folder, name, width)
            page.evaluate("new Promise((done) => setTimeout(done, 100))")
            assert page.evaluate(
                "document.documentElement.scrollWidth <= innerWidth && innerWidth <= " + str(width)
            ), name
            tops = page.evaluate(
                "[...new Set([...document.querySelectorAll('.top nav li')].map((e) => "
                "Math.round(e.getBoundingClientRect().top)))].length"
            )
            assert tops == 1, name


def test_the_answer_stands_on_the_first_screen(tab, reports) -> None:
    for folder in reports:
        page = open_page(tab, folder, "index.html")
        for part in ("#asked-question", "#answer", ".facts", ".caution", "#event-study svg"):
            assert page.evaluate(
                f"(document.querySelector('{part}')?.getBoundingClientRect().bottom ?? 0) <= 900"
            ), part


def test_p_and_pilots_of_a_forest_are_seen_on_a_phone(tab, site) -> None:
    page = open_page(tab, site, "robust.html", 390)
    seen = """[...document.querySelector('#forest tbody tr[data-kind]').cells].every((cell) => {
        const box = cell.getBoundingClientRect();
        return box.width > 0 && box.left >= 0 && box.right <= 390; })"""
    assert page.evaluate(seen)


def test_the_first_tab_skips_the_navigation(tab, site) -> None:
    page = open_page(tab, site, "index.html")
    page.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('href')") == "#main"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_axe_finds_no_serious_fault(tab, reports, width: int, scheme: str) -> None:
    """Also with every closed part opened, in both languages and both themes."""
    script = axe_script()
    found = {}
    tab.send(
        "Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}]
    )
    try:
        for folder in reports:
            for name in pages(folder):
                page = open_page(tab, folder, name, width)
                page.evaluate(
                    "document.querySelectorAll('details').forEach((d) => { d.open = true; })"
                )
                page.evaluate("new Promise((done) => setTimeout(done, 200))")
                page.evaluate(script)
                result = json.loads(
                    page.evaluate(
                        "axe.run({resultTypes: ['violations']}).then((r) => "
                        "JSON.stringify(r.violations))"
                    )
                )
                serious = [
                    (v["id"], v["nodes"][0]["html"][:200]) for v in result if v["impact"] in SERIOUS
                ]
                if serious:
                    found[name] = serious
    finally:
        tab.send("Emulation.setEmulatedMedia", features=[])
    assert found == {}
