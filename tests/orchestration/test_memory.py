"""A study that does not fit into memory is refused with numbers before it is read."""

from __future__ import annotations

import duckdb
import pytest

from orchestration.memory import require_memory
from warehouse.ingest.errors import LandingError


def test_pair_years_beyond_the_memory_are_refused_with_what_to_do() -> None:
    with duckdb.connect() as con:
        con.execute(
            "create schema marts; create view marts.fct_pair_synchronization as select i as city_i_id, i as cm from range(1000000) as r(i)"
        )
        require_memory(con, {"cm", "absent"}, available=80_000_000)
        with pytest.raises(LandingError, match=r"1,000,000 pair-years of 1 outcomes: expected memory of 0 GB .*found 0 GB; deliver"):
            require_memory(con, {"cm"}, available=79_999_999)
        require_memory(con, {"cm"})
