"""Memory: whether the study's pair-years fit into this machine's, asked before they are read (a
machine out of memory says nothing), how often garbage is looked for, and what is kept when freed.
"""

from __future__ import annotations

import ctypes
import gc
import os
from collections.abc import Collection
from typing import Any

from warehouse.ingest.errors import LandingError

# a number as the study holds it, and how often a column stands in memory while samples are made of
# it
BYTES, COPIES = 8, 2.5
KEYS = 3
# numbers held for each pair-year while one outcome is made from series of cities and fitted: 10
# were measured at 2,850 places
OF_ONE_OUTCOME = 12
# new objects before garbage is looked for; some 250 MB
GARBAGE = 5_000_000
# names in glibc's malloc.h, and from how many bytes on memory is given back
TRIM_THRESHOLD, MMAP_THRESHOLD, GIVEN_BACK = -1, -3, 2**28


def holds_pair_years(
    con: Any, wanted: Collection[str], available: int | None = None, processes: int = 1
) -> bool:
    """Whether all outcomes of all pair-years can be held at once; where they cannot, one after
    another is made from series of cities.

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
    rows = con.execute("select count(*) from marts.fct_pair_synchronization").fetchone()[0]
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


def collect_seldom() -> None:
    """Let this process look for garbage seldom: dbt and Dagster hold a million objects to the end
    of a run, and walking over them took a twentieth of its time.
    """
    gc.set_threshold(GARBAGE)


def keep_freed_memory() -> None:
    """Let this process keep the arrays that it frees for the next ones, where the C library can:
    the system clears each page that it hands out, a thirtieth of the time of the estimates.
    """
    if set_option := getattr(ctypes.CDLL(None), "mallopt", None):
        set_option(TRIM_THRESHOLD, GIVEN_BACK)
        set_option(MMAP_THRESHOLD, GIVEN_BACK)
