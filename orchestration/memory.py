"""Check whether the study's pair-years fit into this machine's memory. This is done before they are
read, since a machine that runs out of memory reports nothing.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from typing import Any

from warehouse.ingest.errors import LandingError

# bytes of a number in the study, and how many copies of a column are in memory while samples are
# made from it
BYTES, COPIES = 8, 2.5
KEYS = 3
# numbers held for each pair-year while one outcome is made from series of cities and fitted: 10
# were measured at 2,850 places
OF_ONE_OUTCOME = 12


def holds_pair_years(
    con: Any, wanted: Collection[str], available: int | None = None, processes: int = 1
) -> bool:
    """Return whether all outcomes of all pair-years can be held at once; where they cannot, one
    after another is made from series of cities.

    Parameters
    ----------
    con : duckdb connection
        With the table `marts.fct_pair_synchronization` or the view over its files.
    wanted : collection of str
        Columns that the study reads beside the keys, where the table has them.
    available : int, optional
        Bytes of memory; default those of the machine.
    processes : int
        In how many the study runs; where there are several, each gets a copy of all.

    Raises
    ------
    LandingError
        Where not even one outcome can be held, with rows, what they need, what there is and what to
        do.
    """
    rows = con.execute(
        "select count(*) from marts.fct_pair_synchronization where is_study_window"
    ).fetchone()[0]
    columns = con.execute("describe select * from marts.fct_pair_synchronization").fetchall()
    n_outcomes = len({row[0] for row in columns} & set(wanted))
    there = (
        os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") if available is None else available
    )
    least = rows * OF_ONE_OUTCOME * BYTES
    if least > there:
        raise LandingError(
            f"{rows:,} pair-years: expected memory of {least / 1e9:.0f} GB to estimate one "
            f"outcome, found {there / 1e9:.0f} GB; "
            "deliver fewer places or a shorter window, or use a larger machine"
        )
    copies = COPIES + (processes if processes > 1 else 0)
    return rows * (KEYS + n_outcomes) * BYTES * copies <= there
