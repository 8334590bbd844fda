"""What dbt finds when a person starts it by hand: a folder of its own with something to read.

A refresh gives dbt a build folder that it has filled with raw Parquet. `dbt build` typed in a fresh
clone has none, and a build folder of a refresh is no place to try a changed model: the next refresh
might build on it. So dbt by hand works in `CITYSYNC_HOME/dbt/`, and this plugin of dbt-duckdb
(named in `profiles.yml`) fills that folder before the database is opened: with the raw files of the
last refresh where there was one, else with those of a small simulated landing.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import Any

from dbt.adapters.duckdb.plugins import BasePlugin

REPOSITORY = Path(__file__).resolve().parents[1]
SEEDS = REPOSITORY / "warehouse" / "seeds"
INPUT_FILES = "input_file.parquet"
# an even choice over provinces, with pilots of every batch: built in seconds
SIMULATED_CITIES = 48
# what `warehouse/macros` read from a build folder
RAW_PARTS = ("raw", "policy", INPUT_FILES)


class Plugin(BasePlugin):
    """Fills the folder of dbt by hand; does nothing where CITYSYNC_BUILD names a build folder, as
    every refresh does.
    """

    def initialize(self, plugin_config: dict[str, Any]) -> None:
        """Called by dbt-duckdb once a process, before it opens the database."""
        if not os.environ.get("CITYSYNC_BUILD"):
            prepare(Path(os.environ.get("CITYSYNC_HOME") or REPOSITORY / "data"))


def prepare(home: Path) -> None:
    """Put raw Parquet files into ``home/dbt/``: those of the last refresh in this home, else those
    of a small simulated landing.

    Parameters
    ----------
    home : Path
        CITYSYNC_HOME.
    """
    folder, build = home / "dbt", home / "build"
    folder.mkdir(parents=True, exist_ok=True)
    if (build / INPUT_FILES).exists():
        made_of, inputs = folder / INPUT_FILES, build / INPUT_FILES
        if not made_of.exists() or made_of.read_bytes() != inputs.read_bytes():
            _say(f"dbt by hand reads the files of the last refresh in {build}")
            _copy(build, folder)
    elif not (folder / INPUT_FILES).exists():
        _say(
            f"dbt by hand has no refresh to read from: {SIMULATED_CITIES} simulated cities are "
            f"written to {folder} (about 10 s)"
        )
        _simulate(folder)


def _copy(build: Path, folder: Path) -> None:
    """Replace the raw parts of a folder; the list of input files comes last, so that a half copy is
    made again.
    """
    (folder / INPUT_FILES).unlink(missing_ok=True)
    for part in RAW_PARTS[:-1]:
        shutil.rmtree(folder / part, ignore_errors=True)
        if (build / part).exists():
            # the build's files may be links into the cache: what is copied are the bytes
            shutil.copytree(build / part, folder / part)
    shutil.copy(build / INPUT_FILES, folder / INPUT_FILES)


def _simulate(folder: Path) -> None:
    try:
        import pandas as pd

        from warehouse.ingest.landing import read_landing
        from warehouse.ingest.layouts import load_layouts
        from warehouse.ingest.simulation.landing import write_simulated_landing
    except ModuleNotFoundError as error:
        raise RuntimeError(
            "expected the raw files of a refresh, or the packages that read a landing; found no "
            f"{error.name}; run `make refresh` first, or dbt from the environment of `make setup`"
        ) from error

    roster, zones = (pd.read_csv(SEEDS / f"{name}.csv") for name in ("city_roster", "pilot_zones"))
    write_simulated_landing(
        folder / "simulated", roster=roster, pilot_zones=zones, n_cities=SIMULATED_CITIES
    )
    read_landing(
        folder / "simulated" / "with_effect", folder / "cache", folder, layouts=load_layouts()
    )


def _say(text: str) -> None:
    # standard output belongs to dbt's own lines, which scripts read (`dbt ls --output json`)
    print(f"citysync: {text}", file=sys.stderr, flush=True)
