"""The library's pages run as they stand: every block of code, what it prints, and the notebook of the tutorial."""

from __future__ import annotations

import json
from pathlib import Path

import matplotlib as mpl
import pytest
from matplotlib import pyplot

from tests.docs.examples import REPO, blocks_of, notebook_of, run_page

PAGES = (Path("README.md"), *sorted(path.relative_to(REPO) for path in (REPO / "docs" / "library").glob("*.md")))
NOTEBOOK = REPO / "docs" / "library" / "tutorial-euro.ipynb"


@pytest.fixture(autouse=True)
def _no_window():
    mpl.use("Agg")
    yield
    pyplot.close("all")


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_blocks_run_and_print_what_the_page_says(page: Path) -> None:
    text = (REPO / page).read_text(encoding="utf-8")
    for block, printed in run_page(text):
        assert printed == block.text, f"write it with: python -m tests.docs.examples {page}"


def test_the_notebook_is_the_tutorial_and_runs() -> None:
    page = NOTEBOOK.with_suffix(".md").read_text(encoding="utf-8")
    assert NOTEBOOK.read_text(encoding="utf-8") == notebook_of(page)
    cells = [cell for cell in json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == "code"]
    codes = ["".join(cell["source"]) for cell in cells]
    assert codes == [block.text.strip() for block in blocks_of(page) if block.language == "python"]
    as_page = "\n".join(f"```python\n{code}\n```" for code in codes)
    assert list(run_page(as_page)) == []


def test_the_runner_finds_a_block_that_prints_something_else() -> None:
    page = "```python\nprint(1)\n```\n\n```text\n2\n```\n"
    ((block, printed),) = run_page(page)
    assert (block.text, printed) == ("2\n", "1\n")
    with pytest.raises(NameError):
        list(run_page("```python\nunknown\n```\n```text\n```\n"))
    with pytest.raises(AssertionError, match="exit 2"):
        list(run_page("```sh\ncitysync fit none.csv --outcome y\n```\n```text\n```\n"))
