"""`citysync panel FOLDER`: the city-year panel as CSV and Parquet, with code book and citation."""

from __future__ import annotations

from pathlib import Path

from orchestration.home import Home
from orchestration.publication_folders import opened
from orchestration.terminal import Exit, end_command
from warehouse.hashing import hash_file
from warehouse.publication.city_panel import write_city_panel, write_pairs
from warehouse.publication.manifest import MANIFEST


def panel(folder: str | None, today_borders: bool, plain: bool, pairs: bool = False) -> int:
    """Write the panel of the current publication.

    Parameters
    ----------
    folder : str or None
        Receives the files; default: `city_panel` in the working directory.
    today_borders : bool
        Count a city that ended in those that took it.
    plain : bool
        Leave out source and flag of each value, and the first treated year.
    pairs : bool
        Write the tables of pairs as Parquet, too, which a publication holds in its database alone.

    Returns
    -------
    Exit
        0 where they are written.
    """
    target = Path(folder or "city_panel")
    with (
        opened(Home.from_environment()) as publication,
        publication.connect(target.absolute()) as con,
    ):
        run = publication.manifest
        kind = "SIMULATED data" if run["is_simulated"] else "delivered statistics"
        cite = (
            f"citysync, city-year panel from {kind}, run {run['run_id']}, manifest sha256 "
            f"{hash_file(publication.folder / MANIFEST)}"
        )
        if today_borders:
            cite += ", cities that ended counted in those that took them"
        n_rows, n_indicators = write_city_panel(
            con, target, cite, today_borders=today_borders, plain=plain
        )
        if pairs:
            write_pairs(con, target)
    return end_command(
        Exit.DONE, f"{n_rows:,} city-years of {n_indicators} indicators in {target}; cite: {cite}"
    )
