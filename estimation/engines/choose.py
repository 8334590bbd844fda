"""Which engine adds the pairs up."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from ..panel.sources import free_memory
from ..results import NotEstimable
from .all_pairs import MEASURES

ENGINES = ("arrays", "all_pairs", "database")
TWO_WAY = ("twfe", "event_study")
# numbers of a panel that an array holds: the statistics of a pair are as many as its years
BYTES = 3 * 8


def choose_engine(
    asked: str | None, offered: str, estimator: str, *, is_plain: bool, is_better: bool
) -> str:
    """The engine that was asked for; where none was, the one that the panel offers, if it serves
    the fit and is better, else ``arrays``.

    Raises
    ------
    NotEstimable
        If the one that was asked for does not serve the fit.
    """
    serves = bool(offered) and is_plain and estimator in TWO_WAY
    if asked is None:
        return offered if serves and is_better else "arrays"
    if asked == "arrays" or (asked == offered and serves):
        return asked
    what = {
        "all_pairs": "a panel of units (unit=one column) and an outcome of " + ", ".join(MEASURES),
        "database": "a Parquet file or a DuckDB relation of pairs",
    }[asked]
    raise NotEstimable(
        f"engine {asked!r}: expected {what}, an estimator of {', '.join(TWO_WAY)}, and no "
        "controls, weights or exposure to both; leave engine out to let it be chosen"
    )


def exceeds_memory(n_rows: int, n_columns: int) -> bool:
    """Whether so many columns of so many rows take more than half of the free memory."""
    return n_rows * n_columns * BYTES > free_memory() / 2


def is_table(panel: Any) -> bool:
    """Whether a panel is a Parquet file or a DuckDB relation."""
    if isinstance(panel, str | os.PathLike):
        return Path(panel).suffix.lower() in (".parquet", ".pq")
    return type(panel).__name__ == "DuckDBPyRelation"


def count_rows(panel: Any) -> int:
    """Rows of a Parquet file or a relation; 0 for anything else."""
    if not is_table(panel):
        return 0
    if not isinstance(panel, str | os.PathLike):
        return int(panel.count("*").fetchall()[0][0])
    try:
        import pyarrow.parquet as pq

        return pq.read_metadata(panel).num_rows
    except (ImportError, OSError, ValueError):
        # whoever reads it says what is wrong
        return 0
