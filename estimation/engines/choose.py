"""Which engine adds the pairs up."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from ..panel.files import free_memory
from ..results import NotEstimable
from .all_pairs import MEASURES

ENGINES = ("arrays", "all_pairs", "database")
TWO_WAY = ("twfe", "event_study")
# numbers of a panel that an array holds: the statistics of a pair are as many as its years
BYTES = 3 * 8


def engine_of_units(measure: str, estimator: str, *, is_plain: bool) -> str:
    """``all_pairs`` where it serves the measure and estimator, else ``arrays``."""
    return "all_pairs" if is_plain and measure in MEASURES and estimator in TWO_WAY else "arrays"


def engine_of_pairs(panel: Any, n_columns: int, estimator: str, *, is_plain: bool) -> str:
    """``database`` for a Parquet file or a DuckDB relation whose columns take more than half of the
    free memory, where it serves the estimator; else ``arrays``.
    """
    if not (is_plain and estimator in TWO_WAY):
        return "arrays"
    rows = _count_rows(panel)
    return "database" if rows * n_columns * BYTES > free_memory() / 2 else "arrays"


def require_engine(
    engine: str, estimator: str, offered: tuple[str, ...], *, is_plain: bool
) -> None:
    """Refuse an engine that does not serve what is asked for.

    Raises
    ------
    NotEstimable
    """
    if engine == "arrays" or (engine in offered and is_plain and estimator in TWO_WAY):
        return
    what = {
        "all_pairs": "a panel of units (unit=one column) and an outcome of " + ", ".join(MEASURES),
        "database": "a Parquet file or a DuckDB relation of pairs",
    }.get(engine, "one of " + ", ".join(ENGINES))
    raise NotEstimable(
        f"engine {engine!r}: expected {what}, an estimator of {', '.join(TWO_WAY)}, and no "
        "controls, weights or exposure to both; leave engine out to let it be chosen"
    )


def is_table(panel: Any) -> bool:
    """Whether a panel is a Parquet file or a DuckDB relation."""
    if isinstance(panel, str | os.PathLike):
        return Path(panel).suffix.lower() in (".parquet", ".pq")
    return type(panel).__name__ == "DuckDBPyRelation"


def _count_rows(panel: Any) -> int:
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
