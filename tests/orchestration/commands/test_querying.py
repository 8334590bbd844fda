"""Every query of docs/querying.md runs on a publication, through the read-only connection of the
prompt, and answers something.
"""

import re

from orchestration.commands.sql_prompt import connect_read_only
from orchestration.home import Home
from tests.orchestration.conftest import REPO, Run

PAGE = (REPO / "docs" / "querying.md").read_text(encoding="utf-8")
QUERIES = [block.strip() for block in re.findall(r"```sql\n(.*?)```", PAGE, flags=re.DOTALL)]
MAY_BE_EMPTY = "-- may be empty: "


def test_queries_of_the_page_answer(simulated: Run) -> None:
    assert len(QUERIES) == PAGE.count("```sql") > 0
    with connect_read_only(Home(simulated.home)) as con:
        empty = [query for query in QUERIES if not con.execute(query).fetchall()]
    assert [query for query in empty if MAY_BE_EMPTY not in query] == []
