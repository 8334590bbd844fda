"""Read tables of archived runs, and list the archived runs of one kind."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from warehouse.publication.archive import RUN, archived_runs


def runs_of_kind(archive: Path, *, is_simulated: bool) -> list[str]:
    """Return the archived runs of delivered files, or of simulated ones, oldest first."""
    found = []
    for run_id in archived_runs(archive):
        of_run = read_archived(archive, run_id, "meta.run")
        if not of_run.empty and bool(of_run["is_simulated"].iloc[0]) == is_simulated:
            found.append(run_id)
    return found


def read_archived(archive: Path, run_id: str, table: str) -> pd.DataFrame:
    """Return a table of an archived run; an empty one where the run did not have it."""
    path = archive / f"{RUN}{run_id}" / f"{table}.parquet"
    if not path.is_file():
        return pd.DataFrame()
    return pd.read_parquet(path, partitioning=None)
