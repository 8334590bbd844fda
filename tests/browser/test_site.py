"""The site as people use it: from a file, by mouse and keyboard, on a screen, a phone and paper, in
both languages, and under axe.
"""

import importlib.util
import json
import re
from pathlib import Path

import numpy as np
import pytest

from estimation.csv_files import csv_text
from estimation.primary.fit_primary import fit_measure
from estimation.report.site import write_report
from tests.browser.devtools import Page
from tests.estimation.report.fabricated import HOSTILE, stand_ins
from tests.estimation.report.sites import database
from tests.estimation.report.test_city_pages import tables
from tests.estimation.test_csv_files import FORMULAS, NO_FORMULAS

SCREENS = [(width, scheme) for width in (1440, 768, 390) for scheme in ("light", "dark")]
SERIOUS = ("serious", "critical")


def open_page(tab: Page, folder: Path, name: str, width: int = 1440) -> Page:
    file, sign, place = name.partition("#")
    tab.open((folder / file).as_uri() + sign + place, width)
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


def test_a_city_is_found_by_any_way_and_the_address_holds_it(tab, site) -> None:
    """By its names, its code, its square and the list; an address leads there again."""
    page = open_page(tab, site, "cities.html#city=110000")
    page.wait("document.querySelector('#city-name')?.innerText.startsWith('Beijing')")
    assert "Beijing has no zone" in page.text("#zone-said")
    for text, name in (("广州", "Guangzhou"), ("beijing", "Beijing"), ("440100", "Guangzhou")):
        page.evaluate(
            f"(() => {{ const box = document.querySelector('#find'); box.value = '{text}';"
            " box.dispatchEvent(new Event('change')); })()"
        )
        page.wait(f"document.querySelector('#city-name').innerText.startsWith('{name}')")
    assert page.evaluate("location.hash") == "#city=440100"
    page.evaluate(
        "(() => { const box = document.querySelector('#find'); box.value = 'hang';"
        " box.dispatchEvent(new Event('change')); })()"
    )
    assert page.evaluate("location.hash") == "#city=440100"
    assert page.text("#find-said button") == HOSTILE
    assert page.evaluate("document.querySelector('#city-name').hidden")
    page.choose("#layer", "all")
    page.click("#tiles .links a[href^='#']")
    assert page.evaluate("location.hash").endswith("layer=all&at=tiles")
    page.click("#tile-map rect[data-k='1']")
    page.wait("document.querySelector('#city').value === '330100'")
    assert "batch 1, approved 2015-03-07" in page.text("#zone-said")
    assert "the city: 1" in page.text("#tools-said")
    page.click("#zone-said a")
    page.wait(
        "location.hash === '#text-1' && document.querySelectorAll('#text-1 mark').length === 2"
    )


def test_a_city_shows_its_partners_and_a_year_of_the_map(tab, site) -> None:
    page = open_page(tab, site, "cities.html#city=440100&year=2015")
    page.wait("document.querySelector('#map-said').innerText.includes('2015')")
    page.wait("document.querySelector('#partners tbody tr')")
    assert page.text("#city-name") == "Guangzhou · Guangdong"
    assert "with 1 cities before 2015" in page.text("#partners-said")
    numbers = page.text("#partners tbody").split("\n")[0].split("\t")[1:]
    assert numbers == ["0.200", "0.700", "+0.500"]
    squares = "[...document.querySelectorAll('#tile-map rect[data-k]')]"
    classes = page.evaluate(f"{squares}.map((r) => r.getAttribute('class'))")
    assert classes == ["d3", "none", "chosen here"] and page.text("#year-shown") == "2015"
    page.focus("#year")
    page.press("ArrowRight", 4)
    assert page.text("#year-shown") == "2019" and "year=2019" in page.evaluate("location.hash")
    page.focus("#partners-picture")
    page.press("ArrowRight")
    assert "0.200 → 0.700" in page.text("#partners-chart .value")


def test_the_curve_is_filtered_clicked_and_walked(tab, site) -> None:
    page = open_page(tab, site, "robust.html")
    page.wait("document.querySelector('#curve-picture svg')")
    assert page.text("#curve figcaption").startswith("6 specifications: the median is +0.003")
    page.focus("#curve-picture")
    page.press("End")
    said = page.text("#curve-said")
    assert said.startswith("synchronization, growth, official statistics: +0.015 sd")
    assert "s0" in said
    page.press("ArrowLeft")
    assert "s1" in page.text("#curve-said")
    page.click("#curve-picture g[data-part=dot] circle")
    page.wait("document.querySelector('#curve-said').innerText.includes('s5')")
    page.click("#curve-choices input")
    assert page.evaluate("document.querySelectorAll('#curve-picture svg').length") == 0


def test_a_number_leads_to_its_cell(tab, site) -> None:
    """From the table of values, and from the data page."""
    page = open_page(tab, site, "cities.html#city=110000")
    page.wait("document.querySelector('#values-table button[data-key=\"0\"]')")
    page.click("#values-table button[data-key='0'][data-year='2015']")
    said = ["23,014.5 100 million yuan", "Yearbook (tidy)", "2021", HOSTILE, "D7", "“23014.5” 亿元"]
    said += ["current", "warned (sign)", "=cmd()", "b.csv", "E9", "not used", "gap: −0.199 %"]
    origin = page.text("#origin-said")
    assert [part for part in said if part not in origin] == []
    page = open_page(tab, site, "data.html")
    page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    page.click("#conflicts a[href^='cities.html#']")
    page.wait("document.querySelector('#origin-said dl dd')")
    assert "D7" in page.text("#origin-said")


def test_growth_leads_to_its_formula_and_the_cells_in_it(tab, tmp_path) -> None:
    """By the delivered rate or level, deflated by two levels and a price; a public copy says why it
    shows none. A zone inside a city leads to the city.
    """
    con = database(tables())
    write_report(con, tmp_path / "whole")
    write_report(con, tmp_path / "public", is_public=True)
    page = open_page(tab, tmp_path / "whole", "cities.html#city=110000")
    for text in ("yiwu", "义乌"):
        page.wait("document.querySelector('#values-table button.derived')")
        page.evaluate(
            f"(() => {{ const box = document.querySelector('#find'); box.value = '{text}';"
            " box.dispatchEvent(new Event('change')); })()"
        )
        page.wait("document.querySelector('#city').value === '330700'")
        assert "2018-01-22" in page.text("#city-said [data-states=zone_whole]")
        assert "Yiwu" in page.text("#city-said [data-states=zone_inside]")
    page.wait("document.querySelector('#values-said').innerText.startsWith('whole, and one')")
    page.click("#values-table button[data-key='growth_official_pct'][data-year='2012']")
    origin = page.text("#origin-said")
    assert "100 × ln(1 + 11 / 100)" in origin and "a.csv" in origin
    page.click("#values-table button[data-key='growth_deflated_pct'][data-year='2012']")
    assert page.evaluate("document.querySelectorAll('#origin-said li').length") == 3
    assert "/ 100))" in page.text("#origin-said")
    page = open_page(tab, tmp_path / "public", "cities.html#city=330700")
    page.wait("document.querySelector('#growth-picture [data-states=growth_withheld]')")
    page.choose("#city", "460300")
    page.wait("document.querySelector('#growth-picture [data-states=growth_unknown]')")


def test_the_answer_leads_to_cities_sql_and_code(tab, site) -> None:
    page = open_page(tab, site, "index.html")
    page.click("#claims td[data-c='estimate:+3']")
    page.wait("document.querySelector('#asked').open")
    sql = page.text("#asked-sql")
    assert sql.startswith('select "estimate" from (') and "estimates.claim" in sql
    assert "\"claim_id\" = 'net_effect'" in sql
    assert "estimation/study/claims.py#L" in page.text("#asked-code")
    page.click("#asked button")
    assert not page.evaluate("document.querySelector('#asked').open")
    page.click("#answer a.traced")
    page.evaluate("document.querySelector('#trace .cities-list a').click()")
    page.wait("document.querySelector('#city-name')?.innerText")
    assert "indicator=growth_official_pct&year=" in page.evaluate("location.hash")


def test_an_address_keeps_what_is_searched_and_filtered(tab, site) -> None:
    """Words and tool of the policy texts, families of the forest, years of the values."""
    typed = "const box = document.querySelector('#words'); box.value = '{}';"
    page = open_page(tab, site, "policy.html")
    page.evaluate(f"(() => {{ {typed.format('试')} box.dispatchEvent(new Event('input')); }})()")
    page.wait("location.hash.includes('words=')")
    found = page.text("#found")
    page = open_page(tab, site, "policy.html" + page.evaluate("location.hash"))
    assert page.text("#found") == found
    page = open_page(tab, site, "robust.html#without=baseline")
    assert not page.evaluate("document.querySelector('#f-baseline').checked")
    page = open_page(tab, site, "cities.html#city=110000&from=2015&to=2015")
    page.wait("document.querySelector('#values-table button')")
    assert page.evaluate("document.querySelector('#first').value") == "2015"


def test_language_is_one_link_away_and_the_place_is_kept(tab, site) -> None:
    page = open_page(tab, site, "cities.html#city=440100")
    page.wait("document.querySelector('#city-name')?.innerText.startsWith('Guangzhou')")
    page.click("#language")
    page.wait("document.querySelector('#partners thead')?.innerText.includes('变化')")
    assert page.text("#city-name") == "广州市 · 广东省"
    assert page.evaluate("document.documentElement.lang") == "zh-Hans"
    page.click("#language")
    page.wait("document.querySelector('#city-name')?.innerText.startsWith('Guangzhou')")


def test_shuffled_zones_give_the_p_of_the_test(tab, site) -> None:
    """The estimate of the page's script is that of the library, and so is its p within the error of
    both numbers of draws; keys work, and the pictures stand there before anything is pressed.
    """
    rows, panel = stand_ins(), 4000
    wide = rows.pivot(index="stand_in", columns="first_year", values="synchronization")
    one = rows.drop_duplicates("stand_in")
    values = wide.to_numpy().repeat(5, axis=1)
    cohort = one["cohort_year"].fillna(0).to_numpy(int)
    fit = fit_measure(values, np.arange(2010, 2020), cohort, one["province_id"].to_numpy())
    page = open_page(tab, site, "index.html")
    assert f"real: {fit.estimate:+.3f}".replace("-", "−") in page.text("#shuffle-heap")
    assert "of 1,000 shuffles" in page.text("#shuffle-said")
    page.focus("#shuffle-many")
    for _ in range(3):
        page.press("Enter")
    found = re.findall(r"([\d,]+) of 4,000 shuffles", page.text("#shuffle-said"))
    share = int(found[0].replace(",", "")) / panel
    error = (fit.p_value * (1 - fit.p_value) * (1 / panel + 1 / 9999)) ** 0.5
    assert abs(share - fit.p_value) < 4 * error and 0.02 < fit.p_value < 0.98
    page.focus("#in-step-size")
    page.press("ArrowRight")
    assert page.text("#in-step-shown") == "0.8" and page.text("#in-step-8 figcaption")
    page.focus("#one-city-which")
    page.press("ArrowRight")
    lines = page.evaluate("document.querySelectorAll('#one-city-picture line').length")
    assert f"all {lines} pairs" in page.text("#one-city-said")


def test_exported_cells_are_no_formulas(tab, site) -> None:
    page = open_page(tab, site, "cities.html#city=110000")
    cells = [*FORMULAS, *NO_FORMULAS, -1.5, None, 'a"b,c']
    assert page.evaluate(f"citysync.csv([{json.dumps(cells)}])") == csv_text(cells, [])


def test_the_answer_stands_on_the_first_screen(tab, reports) -> None:
    """Question, answer, picture, how sure, what could have been missed, what comes next, the way to
    a city: at most 180 words and 40 numbers.
    """
    for folder in reports:
        page = open_page(tab, folder, "index.html")
        for part in (
            "#asked-question",
            "#answer .said",
            ".facts",
            "#answer-axis svg",
            "#find-city",
        ):
            bottom = f"document.querySelector('{part}')?.getBoundingClientRect().bottom"
            assert page.evaluate(f"({bottom} ?? 0) <= 900"), part
        said = page.text("#answer")
        numbers = len(re.findall(r"[0-9][0-9.,]*", said))
        words = len(re.findall(r"[A-Za-z’]+", said))
        assert numbers <= 40 and words <= 180


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
            made = page.evaluate(f"citysync.standing(document.querySelector('#{figure}')).text")
            assert "<text" in made and page.text("#run").split()[1].rstrip(",") in made
            assert "var(" not in made and "fill: black" not in made


@pytest.mark.parametrize(("width", "scheme"), SCREENS)
def test_every_page_holds_on_every_screen(tab, reports, width: int, scheme: str) -> None:
    """No error in the console, nothing foreign asked for, nothing wider than the window, a menu of
    one line, nothing serious by axe with every closed part opened; in both languages.
    """
    fits = f"document.documentElement.scrollWidth <= innerWidth && innerWidth <= {width}"
    menu = "document.querySelectorAll('.top nav li')"
    tops = f"new Set([...{menu}].map((e) => Math.round(e.getBoundingClientRect().top))).size"
    axe = "axe.run({resultTypes: ['violations']}).then((r) => JSON.stringify(r.violations))"
    script, wrong = axe_script(), {}
    look = [{"name": "prefers-color-scheme", "value": scheme}]
    tab.send("Emulation.setEmulatedMedia", features=look)
    for folder, name in [(report, name) for report in reports for name in pages(report)]:
        page = open_page(tab, folder, name, width)
        page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
        page.evaluate("new Promise((done) => setTimeout(done, 200))")
        foreign = [a for a in page.requested() if not a.startswith(("file://", "data:"))]
        sizes = page.evaluate(f"[{fits}, {tops}]")
        page.evaluate(script)
        found = [v for v in json.loads(page.evaluate(axe)) if v["impact"] in SERIOUS]
        serious = [(v["id"], v["nodes"][0]["html"][:200]) for v in found]
        faults = page.complaints() + foreign + serious + ([] if sizes == [True, 1] else sizes)
        if faults:
            wrong[name] = faults
    tab.send("Emulation.setEmulatedMedia", features=[])
    assert wrong == {}
