"""The site as people use it: from a file, by mouse and keyboard, on a screen and a phone, in both languages, and under axe."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.browser.devtools import REPO, Page
from tests.estimation.report.fabricated import HOSTILE

WIDTHS = (1280, 390)
SERIOUS = ("serious", "critical")


def open_page(tab: Page, folder: Path, name: str, width: int = 1280) -> Page:
    tab.open((folder / name.split("#", maxsplit=1)[0]).as_uri() + (f"#{name.split('#')[1]}" if "#" in name else ""), width)
    return tab


def axe_script() -> str:
    folder = Path(os.environ.get("CITYSYNC_AXE", ".venv-browser"))
    path = (folder if folder.is_absolute() else REPO / folder) / "axe_playwright_python" / "axe.min.js"
    assert path.exists(), f"{path} is missing: run make test-browser"
    return path.read_text(encoding="utf-8")


def pages(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*.html"))


def test_a_city_is_chosen_and_shown_with_all_others(tab, site) -> None:
    page = open_page(tab, site, "map.html")
    page.wait("document.querySelector('#sync-said').innerText !== ''")
    page.choose("#city", 440100)
    page.wait("document.querySelector('#sync-said').innerText.startsWith('Guangzhou 广州市 in 2019')")
    assert "with 1 other city, median 0.900" in page.text("#sync-said")
    assert "Beijing 北京市\t0.900" in page.text("#most")
    assert page.evaluate("[...document.querySelectorAll('#sync-map circle')].map((c) => c.getAttribute('class'))") == [
        "s4",
        "none",
        "chosen",
    ]
    assert page.evaluate("document.querySelector('#to-values').getAttribute('href')") == "city.html#440100"


def test_a_city_is_chosen_by_clicking_its_point(tab, site) -> None:
    page = open_page(tab, site, "map.html#110000")
    page.wait("document.querySelector('#sync-said').innerText.startsWith('Beijing')")
    page.click("#sync-map circle[data-k='2']")
    page.wait("document.querySelector('#sync-said').innerText.startsWith('Guangzhou')")
    assert page.evaluate("document.querySelector('#city').value") == "440100"


def test_year_sliders_answer_to_the_keyboard(tab, site) -> None:
    page = open_page(tab, site, "map.html#440100")
    page.wait("document.querySelector('#sync-said').innerText.startsWith('Guangzhou')")
    page.focus("#year")
    page.press("ArrowLeft", 4)
    assert page.text("#year-shown") == "2015"
    assert "median 0.500" in page.text("#sync-said")
    assert page.evaluate("document.querySelector('#year').getAttribute('aria-valuetext')") == "2015"
    page.focus("#batch-year")
    assert "1 of 3 cities" in page.text("#batch-said")
    page.press("ArrowLeft")
    assert page.text("#batch-said") == "By the end of 2014: 0 of 3 cities have a whole-prefecture zone."


def test_the_curve_is_filtered(tab, site) -> None:
    page = open_page(tab, site, "curve.html")
    page.wait("document.querySelector('#curve-picture svg')")
    assert page.text("#curve-said").startswith("8 of 8 specifications: median 0.000; 50 % positive; 25 % reject")
    level = "[...document.querySelectorAll('#choices label')].find((l) => l.textContent === 'calendar_year').htmlFor"
    page.focus("#" + page.evaluate(level))
    page.press(" ")
    assert page.text("#curve-said").startswith("4 of 8 specifications")
    assert page.text("#spec-shown") == "1 of 4"
    page.focus("#spec-no")
    page.press("End")
    assert page.text("#spec-said").startswith("specification_curve.cm_growth_official.s7: 0.040")
    assert f"tie_rule {HOSTILE}" in page.text("#spec-said")
    label = page.evaluate("document.querySelector('#curve-picture svg').getAttribute('aria-label')")
    assert label.startswith("Specification curve: 4 estimates from −0.020 to 0.040")


def test_a_number_leads_to_its_cell(tab, site) -> None:
    page = open_page(tab, site, "city.html#110000")
    page.wait("document.querySelector('#values-table button')")
    page.click("#values-table button[data-key='0'][data-year='2015']")
    origin = page.text("#origin-said")
    for part in ("23,014.5 cny_100m", "tidy", "2021", HOSTILE, "D7", "“23014.5” 亿元", "current", "warned (sign)"):
        assert part in origin
    for part in ("=cmd()", "b.csv", "E9", "not used", "gap: −0.199 %"):
        assert part in origin
    assert page.evaluate("document.querySelector('#values-table [aria-pressed=true]').dataset.year") == "2015"


def test_numbers_are_walked_by_arrow_keys(tab, site) -> None:
    page = open_page(tab, site, "city.html#110000")
    page.wait("document.querySelector('#values-table button')")
    assert page.evaluate("document.querySelectorAll('#values-table button[tabindex=\"0\"]').length") == 1
    page.focus("#values-table button[tabindex='0']")
    assert page.evaluate("document.activeElement.dataset.key") == "growth_official_pct"
    page.press("ArrowDown")
    assert page.evaluate("document.activeElement.dataset.key") == "0"
    page.press("Enter")
    assert "D7" in page.text("#origin-said")
    page.press("ArrowUp")
    page.press("Enter")
    page.wait("document.querySelector('#origin-said').innerText.includes('6.7000')")
    assert "100 × ln(index / 100)" in page.text("#origin-said")


def test_a_conflict_links_to_its_number(tab, site) -> None:
    page = open_page(tab, site, "quality.html")
    page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    page.click("#conflicts a[href^='city.html#']")
    page.wait("location.pathname.endsWith('/city.html') && document.querySelector('#origin-said dl')")
    assert "D7" in page.text("#origin-said")


def test_language_is_switched_and_remembered(tab, site) -> None:
    page = open_page(tab, site, "map.html#440100")
    page.evaluate("localStorage.clear()")
    page = open_page(tab, site, "map.html#440100")
    page.wait("document.querySelector('#sync-said').innerText.startsWith('Guangzhou 广州市')")
    assert "Map" in page.text("nav")
    page.focus("#language")
    page.press("Enter")
    page.wait("document.documentElement.dataset.lang === 'zh'")
    assert "地图" in page.text("nav") and "Map" not in page.text("nav")
    assert page.text("#sync-said").startswith("广州市，2019年")
    assert page.evaluate("document.querySelector('#city option:checked').textContent") == "广州市"
    first, second = "document.querySelector('#h-sync_map .zh')", "document.querySelector('#h-sync_map .en')"
    assert page.evaluate(f"{first}.getBoundingClientRect().left < {second}.getBoundingClientRect().left")
    open_page(tab, site, "dictionary.html")
    page.wait("document.documentElement.dataset.lang === 'zh'")
    assert "指标" in page.text("#h-indicators")
    page.click("#language")
    assert page.evaluate("document.documentElement.dataset.lang") == "en"


def test_chinese_comes_first_in_chinese_headings_that_break_on_a_phone(tab, reports) -> None:
    last = """[...document.querySelectorAll(':is(h1, h2) > .both')].filter((heading) => {
        const [en, zh] = [...heading.querySelectorAll('.en, .zh')].map((part) => part.getBoundingClientRect());
        return zh.width > 0 && (zh.top > en.bottom - 1 || (zh.bottom > en.top && zh.left > en.left && zh.top < en.bottom));
    }).map((heading) => heading.innerText)"""
    for folder in reports:
        for name in pages(folder):
            page = open_page(tab, folder, name, 390)
            page.evaluate("document.documentElement.dataset.lang = 'zh'")
            assert page.evaluate(last) == [], name


def test_nothing_delivered_is_run_and_nothing_foreign_is_asked_for(tab, reports) -> None:
    for folder in reports:
        for name in pages(folder):
            page = open_page(tab, folder, name)
            page.evaluate("new Promise((done) => setTimeout(done, 150))")
            assert page.complaints() == [], name
            assert all(address.startswith(("file://", "data:")) for address in page.requested()), name


def test_exported_cells_are_no_formulas(tab, site) -> None:
    page = open_page(tab, site, "city.html#110000")
    page.wait("document.querySelector('#values-table button')")
    cells = page.evaluate("citysync.csv([['=1+1', ' +1', '-1', '@x', '\\t=1', '＝1', -1.5, null, 'a\"b,c', '北京']])")
    assert cells == "\ufeff'=1+1,' +1,'-1,'@x,'\t=1,'＝1,-1.5,,\"a\"\"b,c\",北京\r\n"


@pytest.mark.parametrize("width", WIDTHS)
def test_pages_fit_their_window(tab, reports, width: int) -> None:
    for folder in reports:
        for name in pages(folder):
            page = open_page(tab, folder, name, width)
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), name


def test_the_first_tab_skips_the_navigation(tab, site) -> None:
    page = open_page(tab, site, "index.html")
    page.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('href')") == "#main"


@pytest.mark.parametrize("width", WIDTHS)
def test_axe_finds_no_serious_fault(tab, reports, width: int) -> None:
    """Also with every closed part opened, and in Chinese."""
    script = axe_script()
    found = {}
    for folder in reports:
        for name in pages(folder):
            for language in ("en", "zh"):
                page = open_page(tab, folder, name, width)
                page.evaluate(f"document.documentElement.dataset.lang = '{language}'")
                page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
                page.evaluate("new Promise((done) => setTimeout(done, 200))")
                page.evaluate(script)
                result = json.loads(page.evaluate("axe.run({resultTypes: ['violations']}).then((r) => JSON.stringify(r.violations))"))
                serious = [(v["id"], v["nodes"][0]["html"][:200]) for v in result if v["impact"] in SERIOUS]
                if serious:
                    found[f"{name} {language}"] = serious
    assert found == {}
