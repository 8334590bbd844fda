"""A study that does not fit into memory makes one outcome after another; where one does not fit it
is refused with numbers.
"""

import duckdb
import pytest

from orchestration.memory import holds_pair_years
from warehouse.ingest.errors import LandingError


def test_pair_years_beyond_the_memory_are_not_held_and_beyond_one_outcome_refused() -> None:
    columns = ", ".join(f"i as m{k}" for k in range(9))
    with duckdb.connect() as con:
        con.execute(
            f"create schema marts; create view marts.fct_pair_synchronization as select {columns} "
            "from range(1000000) as r(i)"
        )
        wanted = {"absent", *(f"m{k}" for k in range(9))}
        # 3 keys and 9 outcomes of 8 bytes, two and a half times; two processes get a copy each
        for available, processes, fits in (
            (240_000_000, 1, True),
            (239_999_999, 1, False),
            (96_000_000, 1, False),
            (432_000_000, 2, True),
            (431_999_999, 2, False),
        ):
            options = {"available": available, "processes": processes}
            assert holds_pair_years(con, wanted, **options) == fits
        with pytest.raises(LandingError, match=r"1,000,000 pair-years: .*found 0 GB; deliver"):
            holds_pair_years(con, wanted, available=95_999_999)
        assert holds_pair_years(con, wanted)
