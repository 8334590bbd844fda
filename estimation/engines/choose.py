"""Choose the engine that sums over pairs."""

from __future__ import annotations

from ..panel.sources import free_memory
from ..results import NotEstimable
from .all_pairs import MEASURES
from .regressors import DESIGNS

ENGINES = ("arrays", "all_pairs")
TWO_WAY = tuple(DESIGNS)
# numbers of a panel that an array holds: the statistics of a pair are as many as its years
BYTES = 3 * 8


def choose_engine(asked: str | None, *, serves: bool, is_better: bool) -> str:
    """Return the engine that was asked for; where none was, ``all_pairs`` if it serves the fit and
    is better, else ``arrays``.

    Raises
    ------
    NotEstimable
        If the one that was asked for does not serve the fit.
    """
    if asked == "all_pairs" and not serves:
        raise NotEstimable(
            "engine 'all_pairs': expected a panel of units (unit=one column), an outcome of "
            f"{', '.join(MEASURES)}, an estimator of {', '.join(TWO_WAY)}, and no controls, "
            "weights or exposure to both; leave engine out to let it be chosen"
        )
    if asked is None and serves and is_better:
        return "all_pairs"
    if asked is None:
        return "arrays"
    return asked


def exceeds_memory(n_rows: int, n_columns: int) -> bool:
    """Return whether so many columns of so many rows take more than half of the free memory."""
    return n_rows * n_columns * BYTES > free_memory() / 2
