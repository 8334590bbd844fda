"""Simulate the two landings of a home: the same shocks with and without the planted effect."""

from __future__ import annotations

from pathlib import Path

from orchestration.home import REPO, Home
from orchestration.settings import setting
from orchestration.terminal import detail
from warehouse.hashing import code_files, hash_named_files, hash_parts
from warehouse.whole_files import remove_any

SEEDS = REPO / "warehouse" / "seeds"
MADE_OF = (
    "warehouse/ingest/simulation",
    "warehouse/seeds/city_roster.csv",
    "warehouse/seeds/pilot_zones.csv",
)


def landing_path(home: Home, landing: str) -> Path:
    """Return the folder to read: the delivered one, or where `landing` is empty the simulated one
    with the effect.
    """
    if landing:
        return Path(landing).absolute()
    return home.simulated / "with_effect"


def without_effect(home: Home) -> Path:
    """Return the folder of the simulated landing without the effect."""
    return home.simulated / "without_effect"


def write_simulated(home: Home, n_cities: int) -> None:
    """Write both simulated landings of `n_cities` cities (0 for all), unless a stamp shows that the
    same code and seeds wrote them for the same number.
    """
    stamp = home.simulated / ".sha256"
    wanted = _simulation_hash(n_cities)
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

    roster = pd.read_csv(SEEDS / "city_roster.csv")
    zones = pd.read_csv(SEEDS / "pilot_zones.csv")
    chosen = n_cities or None
    if setting("PLACES") == "county":
        roster = county_roster(roster, n_cities or DEFAULT_PLACES)
        zones = county_zones(zones, roster)
        chosen = None
    write_simulated_landing(home.simulated, roster=roster, pilot_zones=zones, n_cities=chosen)


def _simulation_hash(n_cities: int) -> str:
    code = hash_named_files(REPO, code_files(REPO, MADE_OF))
    return hash_parts([str(n_cities), setting("PLACES"), code])
