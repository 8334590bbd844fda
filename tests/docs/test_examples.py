"""Pages run as they stand: every block of code that a reader would type, and what it prints."""

import json
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot

from estimation.analyses import robustness
from estimation.analyses.spec import specs_of, split_of
from tests.docs.examples import REPO, blocks_of, cells_of, link_docs, run_page
from tests.estimation.api.panels import country_panel
from tests.estimation.primary.economies import draw_panel

LIBRARY = sorted(path.relative_to(REPO) for path in (REPO / "docs" / "library").glob("*.md"))
NOTEBOOK = REPO / "docs" / "library" / "tutorial-euro.ipynb"
SIDES = {"city_i_id": "exporter", "city_j_id": "importer"}
# every query of it is run, and must answer, in tests/orchestration/commands/test_sql.py
QUERIES = REPO / "docs" / "querying.md"


def pages_with_code() -> list[Path]:
    """Pages beside the library's that hold a block that a reader would type."""
    found = []
    for path in (
        REPO / "README.md",
        REPO / "CONTRIBUTING.md",
        *sorted((REPO / "docs").rglob("*.md")),
    ):
        is_others = path == QUERIES or path.relative_to(REPO) in LIBRARY
        if not is_others and any(
            block.language != "text" for block in blocks_of(path.read_text(encoding="utf-8"))
        ):
            found.append(path.relative_to(REPO))
    return found


@pytest.fixture(autouse=True)
def _no_window():
    mpl.use("Agg")
    yield
    pyplot.close("all")


@pytest.mark.parametrize("page", LIBRARY, ids=str)
def test_blocks_run_and_print_what_the_page_says(page: Path) -> None:
    text = (REPO / page).read_text(encoding="utf-8")
    for block, printed in run_page(text, prepare=link_docs):
        assert printed == block.text, f"write it with: python -m tests.docs.examples {page}"


def write_panels(folder: Path) -> None:
    """The files that the README's commands read: city pairs, countries with their cohorts beside
    them, cities.
    """
    frame, _, cohorts, _ = country_panel(n_cities=24, n_pilots=8)
    countries = frame.rename(columns={"period": "year"})
    countries.to_stata(folder / "trade.dta", write_index=False)
    pd.DataFrame({"unit": list(cohorts), "year": list(cohorts.values())}).to_csv(
        folder / "entry.csv", index=False
    )
    first, second = (countries[unit].map(cohorts) for unit in SIDES.values())
    pairs = countries.assign(
        **{side: countries[unit].str[1:].astype(int) for side, unit in SIDES.items()}
    )
    pairs = pairs.assign(cohort_year=first.fillna(second))[first.isna() | second.isna()]
    pairs.drop(columns=list(SIDES.values())).to_parquet(folder / "panel.parquet")
    growth, years, cohort, block = draw_panel(3)
    city, year = np.divmod(np.arange(growth.size), len(years))
    cities = {
        "city_id": city,
        "year": years[year],
        "growth": growth.reshape(-1),
        "block_id": block[city],
    }
    pd.DataFrame(cities | {"cohort_year": np.where(cohort[city] > 0, cohort[city], np.nan)}).to_csv(
        folder / "cities.csv", index=False
    )


@pytest.mark.parametrize("page", pages_with_code(), ids=str)
def test_blocks_of_other_pages_run(
    page: Path, page_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def add_rows(names: dict) -> None:
        if "RULES" in names:
            rows = specs_of(robustness.ANALYSIS, split_of(robustness.OUTCOME), names["RULES"])
            monkeypatch.setattr(robustness, "SPECS", (*robustness.SPECS, *rows))

    text = (REPO / page).read_text(encoding="utf-8")
    prepare = write_panels if page.name == "README.md" else None
    for block, printed in run_page(text, page_home, after=add_rows, prepare=prepare):
        assert printed == block.text


def test_the_notebook_is_the_tutorial() -> None:
    page = NOTEBOOK.with_suffix(".md").read_text(encoding="utf-8")
    cells = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    assert cells == cells_of(page), "write it with: python -m tests.docs.examples docs/library/*.md"


@pytest.mark.parametrize(
    ("page", "said"),
    [
        ("```python\nunknown\n```\n", "unknown"),
        ("```sh\ncitysync fit none.csv --outcome y\n```\n", "exit 2"),
        ("```sh\nmake refresh  # all of it\n```\n", "make refresh.*not run"),
        ("```sql\nselect 1\n```\n", "without a publication"),
    ],
)
def test_a_block_that_fails_or_is_not_run_without_saying_so_is_found(page: str, said: str) -> None:
    with pytest.raises((AssertionError, NameError), match=said):
        list(run_page(page))
    assert list(run_page(page + "\n<!-- not run by the tests: it takes minutes -->\n")) == []
