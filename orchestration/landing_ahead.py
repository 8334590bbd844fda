"""What assets of the landing do, and a refresh does ahead of them, beside loading Dagster and dbt:
the simulated landing is written and files are read into the cache. Loads neither of the two.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from orchestration.home import REPO, Home
from orchestration.run_settings import number, setting
from orchestration.supervision import end_with
from orchestration.terminal import detail
from warehouse.hashing import code_files, hash_named_files, hash_parts
from warehouse.ingest.landing import read_source
from warehouse.ingest.landing_report import LandingReport
from warehouse.ingest.layouts import LAYOUT_FOLDER, layouts_of, load_layouts
from warehouse.ingest.workers.pool import close_readers, shared_pool
from warehouse.whole_files import remove_any

SOURCES = (*sorted(path.stem for path in LAYOUT_FOLDER.glob("*.yml")), "tidy", "policy_texts")
SEEDS = REPO / "warehouse" / "seeds"
SIMULATED = "simulated"
_process: list[ProcessPoolExecutor] = []
# by source, and of the simulated landing
_begun: dict[str, Future[Any]] = {}


def landing_path(home: Home, landing: str) -> Path:
    """The landing to read: the delivered one, where it is simulated (empty) that with the
    effect.
    """
    return Path(landing).absolute() if landing else home.simulated / "with_effect"


def without_effect(home: Home) -> Path:
    """The simulated landing without the effect."""
    return home.simulated / "without_effect"


@contextmanager
def landing_begun(home: Home, landing: str) -> Iterator[None]:
    """Within it another process writes the simulated landing and has the files read beside whatever
    this one does; where that fails, the asset does it again and says why.
    """
    # on Linux alone, where a copy of this process needs not load what it has
    if sys.platform != "linux":
        yield
        return
    with ProcessPoolExecutor(1, get_context("fork"), end_with, (os.getpid(),)) as process:
        _process.append(process)
        if not any(home.raw.glob("*.parquet")):
            process.submit(_start_readers)
        if not landing:
            n_cities = number("CITYSYNC_SIMULATED_CITIES")
            _begun[SIMULATED] = process.submit(write_simulated, home, n_cities)
        for source in SOURCES:
            _begun[source] = process.submit(_read, home, landing, source)
        try:
            yield
        finally:
            process.shutdown(cancel_futures=True)
            _process.clear()
            _begun.clear()


def end_reading() -> None:
    """End the processes that read files: a copy of this process is to hold none of their pipes."""
    for process in _process:
        process.shutdown()
    close_readers()


def _start_readers() -> None:
    shared_pool().start()


def take_simulated(home: Home, n_cities: int) -> None:
    """`write_simulated`, where it was begun by the process that does it: never by two at once."""
    _take(SIMULATED, write_simulated, home, n_cities)


def take_source(home: Home, landing: str, source_id: str) -> LandingReport:
    """What was read of a source."""
    return _take(source_id, _read, home, landing, source_id)


def _take(name: str, work: Callable[..., Any], *given: Any) -> Any:
    """What was begun under a name; done now where nothing was, or it failed."""
    begun = _begun.pop(name, None)
    if begun is None or begun.exception() is not None:
        return work(*given)
    return begun.result()


def _read(home: Home, landing: str, source_id: str) -> LandingReport:
    path = landing_path(home, landing)
    found = read_source(path, home.raw, source_id, layouts=layouts_of(path))
    if not landing:
        read_source(without_effect(home), home.raw, source_id, layouts=load_layouts())
    return found


def write_simulated(home: Home, n_cities: int) -> None:
    """Write both simulated landings of so many cities (0: all), unless the stamp says that they are
    there from the same code, seeds and number of cities.
    """
    stamp, wanted = home.simulated / ".sha256", _simulation_hash(n_cities)
    if stamp.is_file() and stamp.read_bytes() == wanted.encode():
        return
    # the stamp goes first: a run that is killed here must not leave it beside half a landing
    remove_any(stamp)
    remove_any(home.simulated)
    home.simulated.mkdir(parents=True)
    _write_simulated(home, n_cities)
    stamp.write_text(wanted, encoding="utf-8")
    detail("simulated landing written: with and without the planted effect")


def _write_simulated(home: Home, n_cities: int) -> None:
    """Prefectures as the seeds have them, or counties with a roster of their own
    (PLACES=county).
    """
    import pandas as pd

    from warehouse.ingest.simulation.counties import DEFAULT_PLACES, county_roster, county_zones
    from warehouse.ingest.simulation.landing import write_simulated_landing

    roster, zones = pd.read_csv(SEEDS / "city_roster.csv"), pd.read_csv(SEEDS / "pilot_zones.csv")
    if setting("PLACES") == "county":
        roster = county_roster(roster, n_cities or DEFAULT_PLACES)
        zones, n_cities = county_zones(zones, roster), 0
    write_simulated_landing(
        home.simulated, roster=roster, pilot_zones=zones, n_cities=n_cities or None
    )


def _simulation_hash(n_cities: int) -> str:
    made_of = (
        "warehouse/ingest/simulation",
        "warehouse/seeds/city_roster.csv",
        "warehouse/seeds/pilot_zones.csv",
    )
    return hash_parts(
        [str(n_cities), setting("PLACES"), hash_named_files(REPO, code_files(REPO, made_of))]
    )
