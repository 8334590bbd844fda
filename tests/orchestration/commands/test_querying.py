"""Every query of docs/querying.md runs on a publication, through the read-only connection of `make
sql`, and answers something.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from orchestration.commands.sql_prompt import connect_read_only
from orchestration.home import Home
from tests.orchestration.conftest import REPO, Run

PAGE = (REPO / "docs" / "querying.md").read_text(encoding="utf-8")
QUERIES = [block.strip() for block in re.findall(r"```sql\n(.*?)```", PAGE, flags=re.DOTALL)]
MAY_BE_EMPTY = "-- may be empty: "


def question(query: str) -> str:
    """The comment a query starts with."""
    return query.splitlines()[0].removeprefix("-- ")


def test_there_are_as_many_as_promised() -> None:
    assert len(QUERIES) >= 25
    assert all(query.startswith("-- ") for query in QUERIES)
    assert len({question(query) for query in QUERIES}) == len(QUERIES)


@pytest.mark.parametrize("query", QUERIES, ids=[question(query)[:60] for query in QUERIES])
def test_a_query_of_the_page_answers(simulated: Run, query: str) -> None:
    with connect_read_only(Home(Path(simulated.home))) as con:
        rows = con.execute(query).fetchall()
    assert rows or MAY_BE_EMPTY in query, f"no row: {question(query)}"
