"""The site as people use it: from a file, by mouse and keyboard, on a screen, a phone and paper, in
both languages, and under axe.
"""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest

from estimation.csv_files import csv_text
from tests.browser.devtools import Page
from tests.estimation.report.fabricated import HOSTILE
from tests.estimation.test_csv_files import FORMULAS, NO_FORMULAS

WIDTHS = (1440, 768, 390)
SERIOUS = ("serious", "critical")


def open_page(tab: Page, folder: Path, name: str, width: int = 1440) -> Page:
    tab.open(
        (folder / name.split("#", maxsplit=1)[0]).as_uri()
        + (f"#{name.split('#')[1]}" if "#" in name else ""),
        width,
    )
    return tab


def axe_script() -> str:
    # found, not imported: the package would load a driver that is not installed
    found = importlib.util.find_spec("axe_playwright_python")
    return (Path(found.origin).parent / "axe.min.js").read_text(encoding="utf-8")


def pages(folder: Path) -> list[str]:
    # a page without a menu leads on to another one
    found = [
        path for path in folder.rglob("*.html") if 'id="main"' in path.read_text(encoding="utf-8")
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


def test_a_city_is_chosen_by_clicking_its_square_and_tells_its_zone_and_texts(tab, site) -> None:
    page = open_page(tab, site, "cities.html#city=110000")
    page.wait("document.querySelector('#city-name')?.innerText.startsWith('Beijing')")
    assert "No zone of this list" in page.text("#zone-said")
    page.click("#tile-map rect[data-k='1']")
    page.wait("!document.querySelector('#city-name')?.innerText.startsWith('Beijing')")
    assert page.evaluate("document.querySelector('#city').value") == "330100"
    assert "batch 1, approved 2015-03-07" in page.text("#zone-said")
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
    """Finding, picture, how sure, and why the study says something else; at most 40 numbers."""
    for folder in reports:
        page = open_page(tab, folder, "index.html")
        for part in ("#asked-question", "#answer .said", ".facts", "#answer-axis svg", ".study"):
            assert page.evaluate(
                f"(document.querySelector('{part}')?.getBoundingClientRect().bottom ?? 0) <= 900"
            ), part
        numbers = page.evaluate(
            "document.querySelector('#answer').innerText.match(/[0-9][0-9.,]*/g).length"
        )
        assert numbers <= 40
        words = page.evaluate(
            "document.querySelector('.facts').innerText.match(/[A-Za-z’]+/g).length"
        )
        assert words <= 180


def test_a_city_is_found_by_any_of_its_names_and_the_address_holds_it(tab, site) -> None:
    page = open_page(tab, site, "cities.html#city=110000")
    page.wait("document.querySelector('#city-name')?.innerText.startsWith('Beijing')")
    for text, name in (("广州", "Guangzhou"), ("beijing", "Beijing"), ("440100", "Guangzhou")):
        page.evaluate(
            f"(() => {{ const box = document.querySelector('#find'); box.value = '{text}';"
            " box.dispatchEvent(new Event('change')); })()"
        )
        page.wait(f"document.querySelector('#city-name').innerText.startsWith('{name}')")
    assert "city=440100" in page.evaluate("location.hash")
    page.choose("#layer", "all")
    page.click("#tiles .links a[href^='#']")
    assert page.evaluate("location.hash").endswith("layer=all&at=tiles")
    page = open_page(tab, site, "cities.html#city=330100")
    page.wait("document.querySelector('#tools-said li')")
    assert "the city: 1 clauses" in page.text("#tools-said")


def test_text_of_pictures_is_large_enough_and_values_are_read_by_keyboard(tab, site) -> None:
    page = open_page(tab, site, "index.html", 390)
    small = """[...document.querySelectorAll('main svg text')].filter((text) => {
        const scale = text.getScreenCTM();
        return text.getClientRects().length
            && parseFloat(getComputedStyle(text).fontSize) * Math.abs(scale.a) < 11; }).length"""
    assert page.evaluate(small) == 0
    page.focus("#event-study .picture")
    page.press("ArrowRight")
    assert "years:" in page.text("#event-study .value")


def test_a_picture_is_saved_whole(tab, reports) -> None:
    """With its title, its source, the run and, on simulated data, the mark; also the map."""
    for folder in reports:
        for name, figure in (("index.html", "answer-axis"), ("cities.html", "tiles")):
            page = open_page(tab, folder, name)
            page.evaluate("new Promise((done) => setTimeout(done, 200))")
            made = page.evaluate(
                "citysync.standing(document.querySelector('#" + figure + "')).text"
            )
            assert "<text" in made and page.text("#run").split()[1].rstrip(",") in made
            assert "var(" not in made and "fill: black" not in made


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
