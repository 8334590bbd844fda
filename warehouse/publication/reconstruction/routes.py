"""How much nearer a guess comes with a folder: one row a route by which it is made."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from warehouse.publication.reconstruction.attack import Functional

# Points within which a value counts as given back.
NEAR = 0.3
ROUTE = [
    "route",
    "columns",
    "n_values",
    "median_miss",
    "median_miss_without",
    "share_near",
    "share_near_without",
]


def compared(
    route: str, functionals: Sequence[Functional], miss: np.ndarray, without: np.ndarray
) -> list[dict[str, object]]:
    """Return one row of `Recovery.routes`, and one for each year given back by itself."""
    names = tuple(functional.name for functional in functionals)
    rows = [row_of(route, names, miss, without)]
    for year in range(miss.shape[1]):
        row = row_of(f"{route}, one year", names, miss[:, year], without[:, year])
        if row["median_miss"] < NEAR / 3:
            rows.append(row)
    return rows


def row_of(
    route: str, names: tuple[str, ...], miss: np.ndarray, without: np.ndarray
) -> dict[str, object]:
    """Return one row of `Recovery.routes`."""
    guessed = miss[np.isfinite(miss)]
    alone = without[np.isfinite(miss)]
    numbers = (
        len(guessed),
        float(np.median(guessed)),
        float(np.median(alone)),
        float((guessed <= NEAR).mean()),
        float((alone <= NEAR).mean()),
    )
    return dict(zip(ROUTE, (route, names, *numbers), strict=True))
