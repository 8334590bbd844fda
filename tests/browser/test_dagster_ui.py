"""The Dagster UI as an operator uses it: a failed run is resumed, the lineage is looked at, one
asset is made again, each by clicks.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import duckdb
import pytest

from tests.browser.dagster_ui import launched_run, serve, wait_for_run
from tests.browser.devtools import Page
from tests.orchestration.conftest import refresh, six_cities, write_tidy

# the arrow beside the button that re-executes
MORE = (
    "[...document.querySelectorAll('button')].find((one, k, all) => k && all[k - "
    "1].innerText.includes('Re-execute'))"
)


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a home whose only refresh failed, because a column was missing in the landing,
    and the landing put right since.
    """
    folder = tmp_path_factory.mktemp("ui")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CITYSYNC_CACHE", str(folder / "cache"))
        landing = write_tidy(folder / "landing", [])
        (landing / "tidy" / "values.csv").write_text(
            "city_id,year,value\n110000,2010,1\n", encoding="utf-8"
        )
        failed = refresh(folder / "home", landing)
        assert failed.code == 2, failed.output
        write_tidy(landing, six_cities())
        yield folder


@pytest.fixture(scope="module")
def ui(broken: Path) -> Iterator[str]:
    """Address of the UI over that home."""
    with serve(broken / "home", broken / "landing") as address:
        yield address


def only_this_machine(page: Page) -> None:
    hosts = {
        urlsplit(address).hostname
        for address in page.requested()
        if not address.startswith(("data:", "blob:", "about:"))
    }
    assert hosts == {"127.0.0.1"}


@pytest.fixture(scope="module")
def resumed(tab: Page, ui: str) -> str:
    """Eight letters of the run that went on from the failed one, by the button of the failed run's
    page.
    """
    page = tab
    page.open(f"{ui}/runs")
    page.wait("document.body.innerText.includes('Failure')")
    page.evaluate(
        "[...document.querySelectorAll('a')].find((a) => "
        "/^[0-9a-f]{8}$/.test(a.innerText.trim())).id = 'failed-run'"
    )
    page.click("#failed-run")
    page.wait(MORE)
    only_this_machine(page)
    failed = page.evaluate("location.pathname")
    page.evaluate(f"{MORE}.id = 'more'")
    page.click("#more")
    page.click_on("From failure")
    page.wait(f"location.pathname.startsWith('/runs/') && location.pathname !== '{failed}'")
    run = page.evaluate("location.pathname.split('/')[2].slice(0, 8)")
    wait_for_run(page, ui, run)
    return run


def test_a_failed_run_is_resumed_from_failure_and_publishes(resumed: str, broken: Path) -> None:
    with duckdb.connect(
        str(broken / "home" / "published" / "citysync.duckdb"), read_only=True
    ) as con:
        assert con.execute("select count(*) from marts.fct_pair_synchronization").fetchone() == (
            150,
        )


def test_one_asset_is_made_again_by_a_click(tab: Page, ui: str, resumed: str) -> None:
    tab.open(f"{ui}/assets/publication/report")
    tab.click_on("Materialize", within="button")
    run = launched_run(tab)
    assert run != resumed
    only_this_machine(tab)
    wait_for_run(tab, ui, run)
    only_this_machine(tab)
